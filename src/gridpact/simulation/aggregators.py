"""Aggregators of a simulated market: each has a key, reads the ledgers, and signs what it judged.

This process holds all their keys; a consortium's are on machines of their own. What they check is
the same (`cycle.judged`).
"""

from dataclasses import dataclass, field

from gridpact.cycle.council import EPOCH
from gridpact.cycle.judged import Judge
from gridpact.errors import SettlementError
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import batches_digest
from gridpact.model.interval import Key
from gridpact.model.participant import Participant
from gridpact.model.record import Settlement
from gridpact.simulation.people import Party


@dataclass
class SimulatedAggregator:
    """One member of a council."""

    party: Party
    judge: Judge
    _signed: dict[Key, bytes] = field(default_factory=dict)

    @property
    def participant(self) -> Participant:
        return self.party.participant

    def pledge(self, digest: bytes) -> bytes:
        return self.party.key.sign(digest)

    def sign(self, ledger: Ledger, key: Key, settlement: Settlement) -> bytes:
        """Return its signature under a settlement that it found right, and under no other."""
        self.judge.require(ledger, key, settlement)
        digest = batches_digest(ledger.domain, key, EPOCH, settlement)
        if self._signed.setdefault(key, digest) != digest:
            raise SettlementError(f"{key}: signed otherwise before")
        return self.party.key.sign(digest)
