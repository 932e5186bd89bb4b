"""The council of a chain: who is in office, and how its word is had for a settlement, or for holds.

Each aggregator judges by itself what it is asked to sign (`cycle.judged`). They are asked as their
tree reaches them (`cycle.relay`), until as many as it takes have signed; where too many refuse, the
record is not written, and the error says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from msgspec.structs import replace

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import compact
from gridpact.cycle.relay import Relay, Relays
from gridpact.errors import NoQuorum, SettlementError
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import Signed, pledge_digest
from gridpact.model.council import Council, Word, needed
from gridpact.model.interval import Key, Phase
from gridpact.model.net import NetTerms
from gridpact.model.participant import Participant
from gridpact.model.record import Commitment, Settlement, Verdicts
from gridpact.quantities import Score

S = TypeVar("S", Settlement, Verdicts)

EPOCH = 0
"""The epoch of a run: a day is held under the council that its founding appointed."""


class Aggregator(Protocol):
    """One member, who signs what it has judged itself."""

    @property
    def participant(self) -> Participant: ...

    def pledge(self, digest: bytes) -> bytes:
        """Return its signature under a pledge of its bond."""
        ...

    def sign(self, ledger: Ledger, key: Key, record: Signed) -> bytes:
        """Return its signature under a record, to be written to a ledger under a key.

        Raises
        ------
        SettlementError
            It is not what it comes to by the signed readings, or by the sensors.
        """
        ...

    def sign_locks(self, ledger: Ledger, key: Key, commitment: Commitment) -> tuple[bytes, bytes]:
        """Return its signatures under what a part of net settlement reserves, and locks.

        Raises
        ------
        SettlementError
            It is not what the fills of the posted clearing come to.
        """
        ...

    def sign_part(self, ledger: Ledger, key: Key, settlement: Settlement) -> bytes:
        """Return its signature under the part of a settlement, named by its place in `key`.

        Raises
        ------
        SettlementError
            The part is not what the settlement comes to by the signed readings.
        """
        ...


Ask = Callable[[Aggregator], tuple[bytes, ...]]
"""Asks a member for its signatures."""


@dataclass(frozen=True)
class Seats:
    """Who holds office on both chains; `signed` is False in studies, where nobody signs."""

    aggregators: tuple[Aggregator, ...] = ()
    terms: NetTerms = field(default_factory=NetTerms)
    signed: bool = True
    relays: Relays = field(default_factory=Relays)

    @property
    def members(self) -> tuple[bytes, ...]:
        return tuple(sorted(one.participant.address for one in self.aggregators))

    @property
    def participants(self) -> tuple[Participant, ...]:
        return tuple(one.participant for one in self._ordered)

    def founding(self, domain: Domain) -> Council:
        """Return what a chain is founded with: the members, and their pledges where they sign."""
        pledges = tuple(
            compact(one.pledge(pledge_digest(domain, one.participant.address, self.terms.bond)))
            for one in self._ordered
            if self.signed
        )
        return Council(self.members, pledges)

    def behind(self, ledger: Ledger, key: Key, record: S) -> S:
        """Return a record with the word of as many members as it takes.

        Raises
        ------
        NoQuorum
            Too many refused.
        """
        (word,) = self.gathered(ledger, key, lambda one: (one.sign(ledger, key, record),)) or (
            record.word,
        )
        return replace(record, word=word)

    def stated(self, ledger: Ledger, key: Key, settlement: Settlement) -> Settlement:
        """Return a settlement with the council's word, and with its word under the part of it.

        Raises
        ------
        NoQuorum
            Too many refused.
        """
        whole = self.behind(ledger, key, settlement)
        return self.under_part(ledger, key, whole, key)

    def under_part(
        self, ledger: Ledger, key: Key, settlement: Settlement, asked: Key
    ) -> Settlement:
        """Return a settlement with the council's word under its part, which `key` names, if any.

        The members are asked as the tree of the settlement under `asked` reaches them.
        """
        if settlement.net is None:
            return settlement
        words = self.gathered(ledger, asked, lambda one: (one.sign_part(ledger, key, settlement),))
        part = replace(settlement.net, word=words[0]) if words else settlement.net
        return replace(settlement, net=part)

    def gathered(self, ledger: Ledger, key: Key, ask: Ask) -> tuple[Word, ...]:
        """Return the word of as many members as it takes, one for each signature that is asked.

        They are asked as the tree of the settlement under `key` reaches them. Nothing where nobody
        signs.

        Raises
        ------
        NoQuorum
            Too many refused.
        """
        if not self.aggregators or not self.signed:
            return ()
        due, refusals = needed(len(self.aggregators)), list[str]()
        signatures = dict[int, tuple[bytes, ...]]()
        at = replace(key, phase=Phase.SETTLE, part=0)  # they are known by what they settled
        for place in self.relays.tree(ledger, at, self.members).sequence.tolist():
            if len(signatures) == due:
                break
            one = self._ordered[place]
            try:
                signatures[place] = tuple(map(compact, ask(one)))
            except SettlementError as refusal:
                refusals.append(f"{one.participant.name}: {refusal}")
        if len(signatures) < due:
            raise NoQuorum(key, len(signatures), due, tuple(refusals))
        rising = (signatures[place] for place in sorted(signatures))
        return tuple(Word(EPOCH, self.members, said) for said in zip(*rising, strict=True))

    def relayed(self, ledger: Ledger, until: Key) -> tuple[Relay, ...]:
        """Return by which way each settlement before a key came; nothing where nobody signs."""
        if not self.aggregators or not self.signed:
            return ()
        return self.relays.past(ledger, until, self.members)

    def trust(self, ledger: Ledger, key: Key) -> tuple[Score, ...]:
        """Return how far each member is trusted before a key, by what the ledger shows."""
        if not self.aggregators or not self.signed:
            return ()
        return tuple(one.trust for one in self.relays.known(ledger, key, self.members))

    @property
    def _ordered(self) -> Sequence[Aggregator]:
        return sorted(self.aggregators, key=lambda one: one.participant.address)


NOBODY = Seats()
"""A market without a council: its operator alone answers for what it writes."""
