"""Who may speak: the registered participants of a chain, and whether a signature is theirs.

An address speaks when it is registered, not suspended, and the signature recovers to it with
low s (5-decisions, section 2). Whether it may say *this* (its role, its money) is `market`'s
question. `check` can be replaced where signatures are not made, as in studies over many seeds.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import signed_by
from gridpact.errors import BadInput
from gridpact.model.delivery import SignedReading
from gridpact.model.order import SignedOrder
from gridpact.model.participant import Participant, Role

Check: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Did this address sign this digest with this signature?"""


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

    def find(self, address: bytes) -> Participant | None:
        """Return who has an address, or None for a stranger."""
        return self.participants.get(address)

    def may_speak(self, address: bytes) -> bool:
        return address in self.participants and address not in self.suspended

    def with_role(self, role: Role) -> tuple[Participant, ...]:
        """Return the participants that have a role, in order of registration."""
        return tuple(one for one in self.participants.values() if one.roles & role)

    @property
    def buses(self) -> dict[bytes, int]:
        """Return each participant's bus."""
        return {address: one.bus for address, one in self.participants.items()}

    def suspend(self, *addresses: bytes) -> "Roster":
        """Return the roster with more of its participants suspended."""
        return Roster.of(self.participants.values(), self.suspended | set(addresses))


def verify_order(
    roster: Roster, signed: SignedOrder, domain: Domain, check: Check = signed_by
) -> bool:
    """Say whether an order is what a participant that may speak has signed for this chain."""
    who = signed.order.participant
    return roster.may_speak(who) and check(who, signed.order.digest(domain), signed.signature)


def verify_reading(
    roster: Roster, signed: SignedReading, domain: Domain, check: Check = signed_by
) -> bool:
    """Say whether a reading is signed by the meter it names.

    A suspended participant may not trade, but its meter goes on counting: it is still heard.
    """
    meter = signed.reading.meter
    return roster.find(meter) is not None and check(
        meter, signed.reading.digest(domain), signed.signature
    )
