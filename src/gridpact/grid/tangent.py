"""Where is the root in constant-current loads to be taken? `b sqrt(v)` by its tangent, until still.

The relaxation is solved with tangents, the loads' true voltages under its set points follow from
an AC power flow, and there the next tangents are taken. Each move goes with
the square of the last one, so two or three solves do; all but the last may be rough.
"""

import numpy as np

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.problem import Problem, SetPoints
from gridpact.grid.replay import replay, untouched

ROUGH = 1e-5  # the solver's tolerance while only the point for the next tangents is wanted
STEPS = 20
_DEMAND, _PRICES = 1e-9, 1e-6  # relative errors that are left


def is_curved(problem: Problem) -> bool:
    """Say whether any load has a part of constant current."""
    return bool(problem.zip_p[1] or problem.zip_q[1])


def first(problem: Problem, feeder: Feeder, last: FloatArray | None) -> FloatArray:
    """Return the last answer's voltages, or else those with all sun and no other device.

    (interval, m) [pu]; within the band, where the answer will be.
    """
    if last is not None and last.shape == (problem.intervals, feeder.size - 1):
        return last
    flat = np.ones((problem.intervals, feeder.size - 1))
    if not is_curved(problem):
        return flat
    found = true_voltages(problem, feeder, untouched(problem), flat)
    limits = net_limits(problem, feeder)
    return np.clip(found, limits.v_min[:, 1:], limits.v_max[:, 1:])


def true_voltages(
    problem: Problem, feeder: Feeder, points: SetPoints, otherwise: FloatArray
) -> FloatArray:
    """Return the voltages that set points lead to, or `otherwise` when there are none."""
    try:
        return replay(problem, feeder, points).v[:, 1:]
    except PowerFlowDiverged:
        return otherwise


def is_still(problem: Problem, feeder: Feeder, moved: FloatArray) -> bool:
    """Say whether tangents served well enough when voltages moved away from them by `moved`.

    The tangent's demand is off by b/2 moved^2 of a load, its slope by b/2 moved; a slope acts on
    prices as the load would on the squared voltage: by twice its drop.
    """
    load = _with_current(problem, feeder)
    demand, total = (load * moved**2 / 2).sum(axis=1), load.sum(axis=1)
    price = _drop(feeder, load * moved)
    return bool((demand <= _DEMAND * total).all() and price.max() <= _PRICES)


def next_move(problem: Problem, feeder: Feeder, moved: FloatArray) -> FloatArray:
    """Return by how much voltages will move next: what the tangents' wrong demand does."""
    return _drop(feeder, _with_current(problem, feeder) * moved**2 / 2)


def _with_current(problem: Problem, feeder: Feeder) -> FloatArray:
    """Return the part of all loads that has constant current, (interval, m). [pu]"""
    share = max(abs(problem.zip_p[1]), abs(problem.zip_q[1]))
    load = np.hypot(problem.load_p_mw, problem.load_q_mvar)[:, 1:]
    return share / feeder.s_base_mva * load


def _drop(feeder: Feeder, power: FloatArray) -> FloatArray:
    """Return the drop of voltage that power drawn below the root causes, linearly."""
    drawn = np.zeros((len(power), feeder.size))
    drawn[:, 1:] = power
    return feeder.down(np.abs(feeder.impedance) * feeder.up(drawn))[:, 1:]
