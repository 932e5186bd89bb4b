"""The numbers of purchases by voucher."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gridpact.model.rating import CredibilityTerms
from gridpact.model.record import Timing
from gridpact.quantities import Price, Wh
from gridpact.reputation.sanctions import SanctionTerms


@dataclass(frozen=True)
class PurchaseTerms:
    """How the operator's desk judges.

    Attributes
    ----------
    region
        Where all parties trade.
    timing
        When intervals lie.
    volumes
        Everybody's reference volume of an interval, V0. [Wh]
    cap
        The price at which volume beyond what credibility covers is secured by a deposit.
    window
        Intervals after delivery in which a buyer confirms; as in the ledger's contracts.
    appeal
        Intervals in which a rating may be appealed against.
    """

    region: bytes
    timing: Timing
    volumes: Mapping[bytes, Wh]
    cap: Price
    window: int = 2
    appeal: int = 24 * 7
    credibility: CredibilityTerms = field(default_factory=CredibilityTerms)
    sanctions: SanctionTerms = field(default_factory=SanctionTerms)

    def interval(self, now: int) -> int:
        """Return the interval of a time [s]; 0 before the beginning."""
        return max(0, now - self.timing.begins) // self.timing.seconds
