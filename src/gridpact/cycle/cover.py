"""What of a seller may stand open: by its credibility without more, beyond it on its deposit.

5-decisions, section 9 (A). Open is what it offers in the book and what is in dispute of earlier
intervals; all else is settled and rated before the next book. Everything asked here stands on the
ledger, so an audit judges an order by the same `Cover`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gridpact.cycle.disputes import PART, in_dispute
from gridpact.model.interval import Key, Phase
from gridpact.model.rating import CredibilityTerms, Standing, decay
from gridpact.model.record import Settlement, Timing
from gridpact.quantities import Money, Price, Wh
from gridpact.reputation.credibility import faded
from gridpact.reputation.sanctions import deposit_due, exposure


@dataclass(frozen=True)
class Cover:
    """How far the sellers of one chain are covered in an interval.

    `standing` and `deposit` tell what the chain knows of a seller, `disputed` what of it is in
    dispute. [Wh]
    """

    terms: CredibilityTerms
    timing: Timing
    interval: int
    standing: Callable[[bytes], Standing]
    deposit: Callable[[bytes], Money]
    disputed: Mapping[bytes, Wh]

    def problem(self, seller: bytes, offered: Wh, cap: Price) -> str:
        """Return why so much may not be offered, "" if it may; `cap`: the most it is paid."""
        whole = offered + self.disputed.get(seller, 0)
        allowed = self.allowed(seller)
        needed = deposit_due(whole, allowed, cap)
        held = self.deposit(seller) if needed else 0
        if needed <= held:
            return ""
        return (
            f"{whole} Wh would stand open and {allowed} Wh are covered by credibility: the rest"
            f" needs a deposit of {needed} micro-units, there are {held}"
        )

    def allowed(self, seller: bytes) -> Wh:
        """Return what may stand open without a deposit, by what the clock has left of S."""
        known = self.standing(seller)
        left = faded(known, self.interval, decay(self.terms.half_life_days, self.timing.seconds))
        now = Standing(left, self.interval, known.kept, known.broken, known.volume)
        return exposure(now, known.volume or self.terms.reference_wh, self.terms)


Settled = Callable[[Key], Settlement | None]
"""Reads a settlement of the chain, None where there is none under a key."""


def disputed(settled: Settled, region: bytes, interval: int, window: int) -> Counter[bytes]:
    """Return what each seller has in dispute when the book of an interval opens. [Wh]"""
    held: Counter[bytes] = Counter()
    for due in range(max(0, interval - window), interval):
        for seller, energy in _held(settled, region, due):
            held[seller] += energy
    return held


def _held(settled: Settled, region: bytes, interval: int) -> Iterator[tuple[bytes, Wh]]:
    first = settled(Key(region, interval, Phase.SETTLE))
    if first is None or settled(Key(region, interval, Phase.SETTLE, PART)):
        return
    fills, deliveries = in_dispute(first)
    for fill, delivery in zip(fills, deliveries, strict=True):
        yield fill.seller, delivery.agreed
