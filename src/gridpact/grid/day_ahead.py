"""What does tomorrow look like on the wires? The day-ahead power flow as advice per interval.

It posts the loss share that caps use, the locational part of the price (congestion and voltage:
what the network charge of a pair is made of) and a suggested schedule; owners decide
(5-decisions, section 4). This is where floats leave the optimal power flow: prices become whole
micro-units per kWh through `quantities.whole`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.feeder import FloatArray
from gridpact.grid.opf import solve
from gridpact.grid.power_flow import ZipLoad, power_flow
from gridpact.grid.problem import Problem, Solution, Status
from gridpact.quantities import PPM, Price, Score, whole

_PER_MWH = 1000  # one currency unit per MWh is 1000 micro-units per kWh


@dataclass(frozen=True)
class Advice:
    """The day-ahead power flow's answer for one interval.

    loss_share: losses over the energy that loads, cars and charging batteries take [ppm];
    locational: congestion and voltage part of the price, by bus, and `dlmp` the whole price
    [micro-units per kWh]; marginal_loss: losses that one more unit injected at a bus adds, negative
    where it saves some [ppm]; storage_w (discharge positive) and ev_w by device, in the problem's
    order [W]. With `conflicts`, the interval's locational prices are 0: what limits cannot hold
    has no price.
    """

    loss_share: Score
    locational: Mapping[int, Price]
    dlmp: Mapping[int, Price]
    marginal_loss: Mapping[int, int]
    storage_w: tuple[int, ...]
    ev_w: tuple[int, ...]
    conflicts: tuple[str, ...]
    status: Status
    solver: str


def day_ahead(problem: Problem) -> tuple[Advice, ...]:
    """Return the advice for every interval of a horizon; prices in the problem per MWh.

    Raises
    ------
    FeederError
        Numbers that cannot be used.
    """
    answer = solve(problem)
    return tuple(_advice(problem, answer, t) for t in range(problem.intervals))


def _advice(problem: Problem, answer: Solution, t: int) -> Advice:
    conflicts = tuple(str(c) for c in answer.conflicts if c.interval in (t, None))
    taken, plan = float(problem.load_p_mw[t].sum()), answer.schedule
    if plan is None:
        nothing = {int(bus): 0 for bus in problem.feeder.ids}
        return Advice(
            loss_share=_loss_share(_plain_loss(problem, t), taken),
            locational=nothing,
            dlmp=nothing,
            marginal_loss=nothing,
            storage_w=(0,) * len(problem.devices.storage.bus),
            ev_w=(0,) * len(problem.devices.ev.bus),
            conflicts=conflicts,
            status=answer.status,
            solver=answer.solver,
        )
    prices, points = plan.prices, plan.set_points
    local = np.zeros(problem.feeder.size) if conflicts else (prices.congestion + prices.voltage)[t]
    taken += float(points.charge_mw[t].sum() + points.ev_mw[t].sum())
    taken += float(points.shift_mw[t].sum() - points.shed_mw[t].sum())
    return Advice(
        loss_share=_loss_share(float(plan.loss_mwh[t]) / problem.dt_h, taken),
        locational=_whole_prices(problem, local),
        dlmp=_whole_prices(problem, prices.active[t]),
        marginal_loss=_by_bus(problem, prices.marginal_loss[t] * PPM),
        storage_w=_watts(points.discharge_mw[t] - points.charge_mw[t]),
        ev_w=_watts(points.ev_mw[t]),
        conflicts=conflicts,
        status=answer.status,
        solver=answer.solver,
    )


def _whole_prices(problem: Problem, per_mwh: FloatArray) -> dict[int, Price]:
    return _by_bus(problem, per_mwh * _PER_MWH)


def _by_bus(problem: Problem, values: FloatArray) -> dict[int, int]:
    """Return whole numbers by bus number."""
    return {int(bus): whole(value) for bus, value in zip(problem.feeder.ids, values, strict=True)}


def _watts(power_mw: FloatArray) -> tuple[int, ...]:
    return tuple(whole(power * 1e6) for power in power_mw)


def _plain_loss(problem: Problem, t: int) -> float:
    """Return the losses of the loads alone, 0 when they have no power flow. [MW]"""
    base, nothing = problem.feeder.s_base_mva, np.zeros((1, problem.feeder.size))
    load = ZipLoad(
        problem.load_p_mw[t : t + 1] / base,
        problem.load_q_mvar[t : t + 1] / base,
        problem.zip_p,
        problem.zip_q,
    )
    try:
        flow = power_flow(problem.feeder, nothing, nothing, problem.v_root[t : t + 1], load)
    except PowerFlowDiverged:
        return 0.0
    return float(flow.loss[0]) * base


def _loss_share(loss: float, taken: float) -> Score:
    return min(whole(loss / taken * PPM), PPM) if taken > 0 else 0
