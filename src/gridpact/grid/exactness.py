"""Is the relaxation's answer physics? Fictitious losses, AC replay, burned energy.

5-decisions, section 13. The raw cone gap misleads on idle lines, so it is not used: what counts is
the loss that only exists on paper [kW], what an AC power flow of the same set points says of
voltages, limits and cost, and batteries that charge and discharge at once.

Where energy is worth nothing, losses are, too, and the relaxation has many optima: the solver's may
lose energy on paper while the AC power flow of its set points is another one, and physics.
"""

from dataclasses import replace

import numpy as np

from gridpact.grid.feeder import FloatArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Exactness, Problem, SetPoints
from gridpact.grid.replay import cost, dearest

_FICTITIOUS_SHARE = 1e-5
_VOLTAGE_GAP = 1e-5
_EXCESS = 1e-6
_BURNED_SHARE = 1e-5
_COST_GAP = 1e-6
_FAINT = 1e-2  # of the dearest price: what moves at less is not told from nothing by the solver


def measure(
    problem: Problem,
    points: SetPoints,
    flow: PowerFlow,
    squared: FloatArray,
    current: FloatArray,
    sent: tuple[FloatArray, FloatArray],
    money: tuple[float, float],
) -> Exactness:
    """Return how far a relaxed answer is from the AC replay `flow` of its set points.

    squared, current, sent: squared voltages, squared currents and (P, Q) of the relaxation,
    (interval, branch) [pu]; money: its cost and its dual bound [currency].
    """
    feeder = flow.feeder
    above = np.hstack([problem.v_root[:, None] ** 2, squared])[:, feeder.parent[1:]]
    gap = (current - (sent[0] ** 2 + sent[1] ** 2) / above) @ feeder.r[1:]
    true_cost = cost(problem, points, flow)
    turnover = _turnover(problem, flow)
    return Exactness(
        fictitious_loss_kw=float(gap.max()) * feeder.s_base_mva * 1e3,
        voltage_gap=float(np.abs(np.sqrt(squared) - flow.v[:, 1:]).max()),
        excess=worst_excess(problem, flow),
        burned_mw=float(burned(points).max(initial=0.0)),
        cost_gap=max(abs(true_cost - value) for value in money) / max(turnover, 1e-12),
    )


def is_exact(problem: Problem, found: Exactness, base_mva: float) -> bool:
    """Say whether an answer may be called optimal. Tolerances scale with the feeder's power."""
    strongest = problem.devices.storage.p_max_mw.max(initial=0.0)
    return (
        found.fictitious_loss_kw <= _FICTITIOUS_SHARE * base_mva * 1e3
        and found.voltage_gap <= _VOLTAGE_GAP
        and found.excess <= _EXCESS
        and found.burned_mw <= _BURNED_SHARE * max(strongest, base_mva)
        and found.cost_gap <= _COST_GAP
    )


def at_bound(problem: Problem, found: Exactness, base_mva: float) -> Exactness | None:
    """Return the exactness of the AC replay itself where it is an optimum of the relaxation, too.

    It is when it keeps every limit, burns nothing and costs what the relaxation does at least.
    """
    physics = replace(found, fictitious_loss_kw=0.0, voltage_gap=0.0)
    return physics if is_exact(problem, physics, base_mva) else None


def worst_excess(problem: Problem, flow: PowerFlow) -> float:
    """Return by how much an AC power flow exceeds its worst limit; at most 0 when all hold."""
    return net_limits(problem, flow.feeder).worst(flow)


def burned(points: SetPoints) -> FloatArray:
    """Return the power that batteries charge and discharge at once. (interval, battery) [MW]"""
    return np.minimum(points.charge_mw, points.discharge_mw)


def _turnover(problem: Problem, flow: PowerFlow) -> float:
    """Return the money that moves, against which a cost gap is judged (the net may be 0)."""
    power = np.abs(problem.load_p_mw).sum(axis=1) + np.abs(flow.supply.real) * (
        flow.feeder.s_base_mva
    )
    price = np.maximum(np.abs(problem.price_buy), np.abs(problem.price_sell))
    moved = float((power * price).sum())
    return max(moved, _FAINT * dearest(problem) * float(power.sum())) * problem.dt_h
