"""What price an owner writes into an order: a strategy is a function of its situation.

Every strategy keeps within what the owner may lose nothing by: from the feed-in tariff, at which
grid supply takes any surplus, up to the truthful limit of the tier, beyond which grid supply is
cheaper. A study gives its own function in place of a name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gridpact.errors import BadInput
from gridpact.model.order import Side, Tier
from gridpact.prosumer.tariff import Tariff, ask, bid_limit
from gridpact.quantities import PPM, Price, divide_half_even


@dataclass(frozen=True)
class Situation:
    """What an owner knows when it prices one order.

    `share` is its own place between feed-in tariff (0) and cap (1), `owner` its number among the
    sites, `seed` the scenario's: what is drawn is drawn from these.
    """

    tariff: Tariff
    interval: int
    side: Side
    tier: Tier
    share: float
    owner: int
    seed: int

    @property
    def limit(self) -> Price:
        """Return the truthful limit: retail less the tier's charge and the margin."""
        return bid_limit(self.tariff, self.interval, self.tier)


Pricing: TypeAlias = Callable[[Situation], Price]
"""Return the price of an order. [micro-units per kWh]; 0 for a bid that is not made."""


def spread(now: Situation) -> Price:
    """Bid the truth and ask one's own share of the spread: what a scenario does unless told."""
    if now.side is Side.BID:
        return now.limit
    return ask(now.tariff, now.interval, now.tier, now.share)


def truthful(now: Situation) -> Price:
    """Bid the truth and ask one's cost: what grid supply would pay for the same energy."""
    return now.limit if now.side is Side.BID else now.tariff.feed_in


def zero_intelligence(now: Situation) -> Price:
    """Draw any price between feed-in tariff and limit: traders who know their constraint alone.

    Gode and Sunder (1993), budget-constrained; the lower bound of what a mechanism achieves by
    itself, without anybody's skill.
    """
    if now.limit <= now.tariff.feed_in:
        return truthful(now)
    key = [now.seed, 23, now.interval, now.owner, int(now.side), int(now.tier)]
    return int(np.random.default_rng(key).integers(now.tariff.feed_in, now.limit + 1))


@dataclass(frozen=True)
class MarkUp:
    """Ask cost and a share of the spread on top, all sellers alike: to study market power.

    The same share withheld on the buyers' side: they bid so much below their limit. [ppm]
    """

    share: int = 200_000

    def __call__(self, now: Situation) -> Price:
        spread_width = max(0, now.limit - now.tariff.feed_in)
        step = divide_half_even(spread_width * self.share, PPM)
        return now.limit - step if now.side is Side.BID else now.tariff.feed_in + step


STRATEGIES: Mapping[str, Pricing] = {
    "spread": spread,
    "truthful": truthful,
    "zero_intelligence": zero_intelligence,
    "mark_up": MarkUp(),
}


def pricing(name: str, mark_up: int | None = None) -> Pricing:
    """Return a strategy by its name; `mark_up` [ppm] for the strategy of that name.

    Raises
    ------
    BadInput
        A name that is not known, or a mark-up for a strategy that has none.
    """
    if name not in STRATEGIES:
        raise BadInput(f"pricing {name!r} is not known, expected {', '.join(STRATEGIES)}")
    if mark_up is None:
        return STRATEGIES[name]
    if name != "mark_up":
        raise BadInput(f"pricing {name!r} has no mark-up")
    return MarkUp(mark_up)
