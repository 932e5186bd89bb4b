"""Aggregators of a simulated market: each has a key, reads the ledgers, and signs what it judged.

This process holds all their keys; a consortium's are on machines of their own. What they check is
the same (`cycle.judged`).
"""

from dataclasses import dataclass, field

from gridpact.cycle.council import EPOCH
from gridpact.cycle.judged import Judge
from gridpact.errors import SettlementError
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import Signed, batches_digest
from gridpact.ledger.proving.recorded import lock_digests, part_digest
from gridpact.model.interval import Key
from gridpact.model.participant import Participant
from gridpact.model.record import Commitment, Settlement
from gridpact.simulation.people import Party


@dataclass
class SimulatedAggregator:
    """One member of a council."""

    party: Party
    judge: Judge
    _signed: dict[tuple[str, Key], bytes] = field(default_factory=dict)

    @property
    def participant(self) -> Participant:
        return self.party.participant

    def pledge(self, digest: bytes) -> bytes:
        return self.party.key.sign(digest)

    def sign(self, ledger: Ledger, key: Key, record: Signed) -> bytes:
        """Return its signature under a record that it found right, and under no other."""
        self.judge.require(ledger, key, record)
        return self._once("batches", key, batches_digest(ledger.domain, key, EPOCH, record))

    def sign_locks(self, ledger: Ledger, key: Key, commitment: Commitment) -> tuple[bytes, bytes]:
        """Return its signatures under the locks of a part that it found right."""
        self.judge.require_locks(key, commitment)
        reserved, committed = lock_digests(ledger, key, commitment)
        return self._once("reserve", key, reserved), self._once("commit", key, committed)

    def sign_part(self, ledger: Ledger, key: Key, settlement: Settlement) -> bytes:
        """Return its signature under a part that it found right, and under no other."""
        if key.part:
            self.judge.require_held(key, settlement)
        else:
            self.judge.require(ledger, key, settlement)
        if settlement.net is None:
            raise SettlementError(f"{key}: no part to sign")
        return self._once("part", key, part_digest(ledger, key, settlement.net))

    def _once(self, what: str, key: Key, digest: bytes) -> bytes:
        if self._signed.setdefault((what, key), digest) != digest:
            raise SettlementError(f"{key}: signed otherwise before")
        return self.party.key.sign(digest)
