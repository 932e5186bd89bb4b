"""How steadily a plant supplies: the x of the incentive.

[Wang23]: x = P t_d + s, P the production scale in MW, t_d the accumulated hours of steady supply,
s the stability over the window (5-decisions, section 14).
"""

from collections.abc import Sequence

import msgspec

from gridpact.errors import SettlementError
from gridpact.model.record import IncentiveTerms
from gridpact.quantities import PPM, Score, Wh


class Steadiness(msgspec.Struct, frozen=True):
    """What is known of one plant: (declared, actual) of its last intervals, and t_d. [Wh, min]"""

    window: tuple[tuple[Wh, Wh], ...] = ()
    steady_minutes: int = 0


def stability(window: Sequence[tuple[Wh, Wh]]) -> Score:
    """Return s = 1 - min(1, sum |actual - declared| / sum declared), rounded down.

    Weighted with the declared energy, so that a dawn of a few Wh does not outweigh noon. A plant
    that declared nothing has shown nothing: 0.
    """
    declared = sum(promised for promised, _ in window)
    if declared == 0:
        return 0
    missed = sum(abs(actual - promised) for promised, actual in window)
    return max(PPM * (declared - missed) // declared, 0)


def observe(
    before: Steadiness, declared: Wh, actual: Wh, minutes: int, terms: IncentiveTerms
) -> Steadiness:
    """Return what is known after an interval of `minutes`.

    Parameters
    ----------
    declared, actual
        What the plant offered for the interval and what it produced; energy that the network
        operator stopped counts as produced.

    Notes
    -----
    t_d grows while the plant supplies and s >= s_min, and starts anew when s falls below. Where
    nothing was declared (night) nothing is learnt.
    """
    if min(declared, actual) < 0:
        raise SettlementError(f"a plant declared {declared} and produced {actual} Wh")
    if declared == 0:
        return before
    window = (*before.window, (declared, actual))[-terms.window :]
    steady = stability(window) >= terms.steady_floor
    return Steadiness(window, before.steady_minutes + minutes if steady else 0)


def scale(state: Steadiness, power_w: int) -> int:
    """Return x = P t_d + s in ppm, P given in W: W times hours is already millionths of MWh."""
    return power_w * state.steady_minutes // 60 + stability(state.window)


def follow(history: Sequence[tuple[Wh, Wh]], minutes: int, terms: IncentiveTerms) -> Steadiness:
    """Return what a plant's (declared, actual) since the start amount to: a resumed run's state."""
    state = Steadiness()
    for declared, actual in history:
        state = observe(state, declared, actual, minutes, terms)
    return state
