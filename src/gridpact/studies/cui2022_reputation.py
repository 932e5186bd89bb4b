"""[Cui22] figure 4: reputations of an honest, a dishonest and two unstable providers.

The rule is the paper's (`comprehensive.PAPER`): trades count alike, more than agreed counts as
more. How much each provider delivers the paper does not print; the words say what is drawn here.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gridpact.model.rating import ComprehensiveTerms
from gridpact.propagation.nodes import FloatArray
from gridpact.quantities import PPM
from gridpact.report.style import AFTER, LOCAL, LOSS, ZONAL
from gridpact.reputation.comprehensive import PAPER, rated
from gridpact.studies.repeated import Claimed, Repeated, curve, exceeds

CYCLES, TRADES = 10, 10
AGREED = 1_000
"""Of each trade. [Wh]"""
_AXIS = "cycles"
_HONEST, _SHORT = (1.0, 1.2), (0.3, 0.7)

Shares = Callable[[np.random.Generator, int], FloatArray]


def figure_4(draws: int) -> Repeated:
    """Return the reputations after each cycle, and whether the paper's words hold."""
    ours = reputations(draws, PAPER)
    honest, dishonest, third, fourth = ours
    cycles = tuple(float(cycle) for cycle in range(1, CYCLES + 1))
    swing = np.abs(np.diff(ours[:, 2:], axis=1)).mean(axis=1, keepdims=True)
    unstable = np.minimum(third, fourth)
    claims = (
        exceeds("provider 1 is the highest", honest, np.maximum(third, fourth), _AXIS, cycles, 2),
        exceeds("provider 2 is much smaller", unstable, dishonest, _AXIS, cycles, 2),
        exceeds("providers 3 and 4 change more than 1", np.minimum(swing[2], swing[3]), swing[0],
                "on average after cycle 2", (1.0,), 3),
        exceeds("providers 3 and 4 change more than 2", np.minimum(swing[2], swing[3]), swing[1],
                "on average after cycle 2", (1.0,), 3),
        _above_one(honest),
    )  # fmt: skip
    each = reputations(draws, PAPER, by_trade=True)
    stopped = reputations(draws, ComprehensiveTerms())[0].max()
    return Repeated(
        paper="Cui22",
        name="figure4",
        title="comprehensive reputation of four providers",
        unit="reputation",
        axis=_AXIS,
        at=cycles,
        curves=(
            curve("1: over-delivers", AFTER, honest),
            curve("2: short", LOSS, dishonest),
            curve("3: unstable", LOCAL, third),
            curve("4: unstable", ZONAL, fourth, dashed=True),
        ),
        claims=claims,
        words=f"{CYCLES} cycles of {TRADES} trades, alpha 0.4, RC(0) = 0, {draws} draws; bands are "
        "95 % intervals of the mean. Assumed, for the paper does not say: an honest trade delivers "
        f"U{list(_HONEST)} of what was agreed, a dishonest one U{list(_SHORT)}; provider 1 is "
        "honest in all trades, 2 in none, 3 and 4 in every second cycle by lot. Were the lot drawn "
        "for each trade, ten trades would even it out: their mean change from cycle to cycle is "
        f"{_swing(each):.3f} then, {_swing(ours):.3f} as drawn here.\n\nFrom RC(0) = 0 no provider "
        "can be above 1 in the first cycles: RC(T) = (1 - 0.6^T) C for a constant C. By gridpact's "
        f"default a share stops at 1, and so does the reputation (here at most {stopped:.3f}).",
    )


def reputations(draws: int, terms: ComprehensiveTerms, by_trade: bool = False) -> FloatArray:
    """Return the reputations of the four providers, (provider, cycle, draw)."""
    found = np.empty((4, CYCLES, draws))
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        for provider, shares in enumerate(_delivered(rng, by_trade)):
            score = 0
            for cycle, row in enumerate(np.rint(shares * AGREED).astype(int).tolist()):
                score = rated(score, [(AGREED, sent) for sent in row], terms)
                found[provider, cycle, draw] = score / PPM
    return found


def _delivered(rng: np.random.Generator, by_trade: bool) -> tuple[FloatArray, ...]:
    """Return the share that each provider delivers, (cycle, trade) each."""
    size = (CYCLES, TRADES)
    drawn = [(rng.uniform(*_HONEST, size), rng.uniform(*_SHORT, size)) for _ in range(4)]
    lots = [rng.random(size if by_trade else (CYCLES, 1)) < 0.5 for _ in range(2)]
    unstable = (np.where(lot, *pair) for lot, pair in zip(lots, drawn[2:], strict=True))
    return (drawn[0][0], drawn[1][1], *unstable)


def _swing(found: FloatArray) -> float:
    return float(np.abs(np.diff(found[2:, 2:], axis=1)).mean())


def _above_one(honest: FloatArray) -> Claimed:
    """Return from which cycle on provider 1 stays above 1, in the mean and on every draw."""
    mean = np.asarray(honest.mean(axis=1) > 1)
    every = np.asarray((honest > 1).all(axis=1))
    share = (honest > 1).mean(axis=1)
    obtained = (
        f"in the mean from cycle {_from(mean)} on, on every draw from cycle {_from(every)} on; "
        f"of all draws {share[0]:.0%} in cycle 1, {share[4]:.0%} in cycle 5, "
        f"{share[-1]:.0%} at the end"
    )
    return Claimed("provider 1 is maintained above 1", obtained, f"from cycle {_from(mean)} on")


def _from(holds: NDArray[np.bool_]) -> str:
    """Return the first cycle from which on something holds to the end."""
    broken = np.flatnonzero(~holds)
    first = int(broken[-1]) + 2 if len(broken) else 1
    return str(first) if first <= len(holds) else "none"
