"""What do set points really do? Devices at their set points, the net by AC power flow.

The one way from the columns of a programme to set points, and from set points to volts and money:
the relaxation's own losses, voltages and cost are never trusted, only compared with these.
"""

import numpy as np

from gridpact.grid.columns import Columns
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.power_flow import PowerFlow, ZipLoad, power_flow
from gridpact.grid.problem import Problem, SetPoints


def set_points(problem: Problem, columns: Columns, x: FloatArray, base: float) -> SetPoints:
    """Return the devices' set points in an answer, within their bounds, in MW.

    A lossless battery that charges and discharges at once is netted: nothing is burned by it.
    """
    T, devices = problem.intervals, problem.devices
    pv, storage, ev, units = devices.pv, devices.storage, devices.ev, devices.generator

    shift, shed = devices.shiftable, devices.curtailable
    floor = shift.floor(T)

    def spread(kind: str, count: int) -> FloatArray:
        values: FloatArray = getattr(columns, kind).spread(x, (T, count)) * base
        return values

    pv_p = np.clip(spread("pv_p", len(pv.bus)), 0, _available(problem))
    charge = np.clip(spread("charge", len(storage.bus)), 0, storage.p_max_mw)
    discharge = np.clip(spread("discharge", len(storage.bus)), 0, storage.p_max_mw)
    lossless = storage.eta_charge * storage.eta_discharge >= 1 - 1e-12
    both = np.minimum(charge, discharge) * lossless
    charge, discharge = charge - both, discharge - both
    flow = problem.dt_h * (storage.eta_charge * charge - discharge / storage.eta_discharge)
    return SetPoints(
        pv_mw=pv_p,
        pv_mvar=spread("pv_q", len(pv.bus)),
        charge_mw=charge,
        discharge_mw=discharge,
        energy_mwh=storage.e_0_mwh + np.cumsum(flow, axis=0),
        ev_mw=np.clip(spread("ev", len(ev.bus)), 0, ev.p_max_mw),
        generator_mw=np.clip(spread("generator_p", len(units.bus)), units.p_min_mw, units.p_max_mw),
        generator_mvar=np.clip(
            spread("generator_q", len(units.bus)), units.q_min_mvar, units.q_max_mvar
        ),
        shift_mw=floor + np.clip(spread("shift", len(shift.bus)), 0, shift.p_max_mw - floor),
        shed_mw=np.clip(spread("shed", len(shed.bus)), 0, _sheddable(problem)),
    )


def gathered(problem: Problem, columns: Columns, points: SetPoints, base: float) -> FloatArray:
    """Return set points as an answer that says nothing of the net: `set_points` turned round."""
    x = np.zeros(columns.width)
    for pairs, power in (
        (columns.pv_p, points.pv_mw),
        (columns.pv_q, points.pv_mvar),
        (columns.charge, points.charge_mw),
        (columns.discharge, points.discharge_mw),
        (columns.ev, points.ev_mw),
        (columns.generator_p, points.generator_mw),
        (columns.generator_q, points.generator_mvar),
        (columns.shift, points.shift_mw - problem.devices.shiftable.floor(problem.intervals)),
        (columns.shed, points.shed_mw),
    ):
        x[pairs.column] = power[pairs.t, pairs.k] / base
    return x


def _available(problem: Problem) -> FloatArray:
    pv = problem.devices.pv
    if len(pv.bus) == 0:
        return np.zeros((problem.intervals, 0))
    return np.minimum(pv.available_mw, pv.s_mva)


def _sheddable(problem: Problem) -> FloatArray:
    return problem.devices.curtailable.most(problem.feeder, problem.load_p_mw)


def untouched(problem: Problem) -> SetPoints:
    """Return set points with all sun used and every other device at rest."""
    T, devices = problem.intervals, problem.devices
    cars, units = np.zeros((T, len(devices.ev.bus))), np.zeros((T, len(devices.generator.bus)))
    sun, cells = _available(problem), np.zeros((T, len(devices.storage.bus)))
    return SetPoints(
        pv_mw=sun,
        pv_mvar=np.zeros_like(sun),
        charge_mw=cells,
        discharge_mw=cells,
        energy_mwh=cells + devices.storage.e_0_mwh,
        ev_mw=cars,
        generator_mw=units,
        generator_mvar=units,
        shift_mw=devices.shiftable.floor(T),
        shed_mw=np.zeros((T, len(devices.curtailable.bus))),
    )


def replay(problem: Problem, feeder: Feeder, points: SetPoints) -> PowerFlow:
    """Return the AC power flow of set points.

    Raises
    ------
    PowerFlowDiverged
        They have none.
    """
    base, devices = feeder.s_base_mva, problem.devices
    shift, shed = devices.shiftable, devices.curtailable
    with_shed = shed.mvar_per_mw(feeder, problem.load_p_mw, problem.load_q_mvar)
    p, q = np.zeros((2, *problem.load_p_mw.shape))
    for target, buses, power in (
        (p, devices.pv.bus, points.pv_mw),
        (q, devices.pv.bus, points.pv_mvar),
        (p, devices.storage.bus, points.discharge_mw - points.charge_mw),
        (p, devices.ev.bus, -points.ev_mw),
        (p, devices.generator.bus, points.generator_mw),
        (q, devices.generator.bus, points.generator_mvar),
        (p, shift.bus, -points.shift_mw),
        (q, shift.bus, -points.shift_mw * shift.mvar_per_mw),
        (p, shed.bus, points.shed_mw),
        (q, shed.bus, points.shed_mw * with_shed),
    ):
        for unit, bus in enumerate(buses):
            target[:, feeder.at(int(bus))] += power[:, unit] / base
    load = ZipLoad(
        problem.load_p_mw / base, problem.load_q_mvar / base, problem.zip_p, problem.zip_q
    )
    return power_flow(feeder, p, q, problem.v_root, load)


def cost(problem: Problem, points: SetPoints, flow: PowerFlow) -> float:
    """Return what the horizon costs with the net's true losses. [currency]"""
    devices, supply = problem.devices, flow.supply.real * flow.feeder.s_base_mva
    hourly = np.where(supply >= 0, problem.price_buy, problem.price_sell) * supply
    hourly += points.pv_mw @ devices.pv.offer
    hourly += (points.charge_mw + points.discharge_mw) @ (devices.storage.wear_per_mwh / 2)
    hourly += points.shed_mw @ devices.curtailable.price
    units = devices.generator
    hourly += points.generator_mw @ units.c1 + points.generator_mw**2 @ units.c2
    return float(hourly.sum() * problem.dt_h)


def dearest(problem: Problem) -> float:
    """Return the highest price of a problem, of either sign, as a unit of money. [per MWh]"""
    devices = problem.devices
    prices = (problem.price_buy, problem.price_sell, devices.pv.offer, devices.curtailable.price)
    return max(float(np.abs(np.concatenate(prices)).max()), 1e-9)
