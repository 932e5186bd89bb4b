"""Who may speak: the registered participants of a chain, and who of them is suspended.

A suspended participant may not order; its meter goes on counting. Whether a message is signed by
whom it names is asked where messages come in (`market.admission`, `cycle.deliver`); certificates
are fingerprints here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gridpact.errors import BadInput
from gridpact.model.participant import Participant


@dataclass(frozen=True)
class Roster:
    """The participants of one chain by address, and who of them is suspended."""

    participants: Mapping[bytes, Participant]
    suspended: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, participants: Iterable[Participant], suspended: Iterable[bytes] = ()) -> "Roster":
        """Return the roster of participants; one address belongs to one of them.

        Raises
        ------
        BadInput
            Two participants share an address, or somebody unknown is suspended.
        """
        known: dict[bytes, Participant] = {}
        for participant in participants:
            if participant.address in known:
                raise BadInput(
                    f"participants {known[participant.address].name!r} and {participant.name!r} "
                    f"share the address 0x{participant.address.hex()}"
                )
            known[participant.address] = participant
        banned = frozenset(suspended)
        strangers = banned - known.keys()
        if strangers:
            raise BadInput(f"suspended but not registered: 0x{min(strangers).hex()}")
        return cls(MappingProxyType(known), banned)

    def suspend(self, *addresses: bytes) -> "Roster":
        """Return the roster with more of its participants suspended."""
        return Roster.of(self.participants.values(), self.suspended | set(addresses))
