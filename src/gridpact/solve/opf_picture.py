"""The feeder of an optimal power flow as one-line diagrams, coloured by voltage and by price."""

import numpy as np

from gridpact.errors import FieldError
from gridpact.grid.feeder import FloatArray
from gridpact.report.layers import price_layer, voltage_layer
from gridpact.report.one_line import one_line, stacked
from gridpact.solve.opf import Solved


def picture(done: Solved, interval: int | None = None) -> str:
    """Return the feeder coloured by voltage, and below by price, as SVG.

    interval: counted from 0; unless given the one in which a bus is nearest to a voltage limit.

    Raises
    ------
    FieldError
        There is no such interval, or no schedule that could be drawn.
    """
    stated, plan = done.problem, done.solution.schedule
    if plan is None:
        raise FieldError("diagram", "no schedule was found, so there is nothing to draw")
    if interval is not None and not 0 <= interval < stated.intervals:
        raise FieldError("interval", f"{interval} is not between 0 and {stated.intervals - 1}")
    feeder, devices = stated.feeder, stated.devices
    low, high = (_band(limit, plan.voltage.shape) for limit in (stated.v_min, stated.v_max))
    voltage = voltage_layer(feeder, plan.voltage, low, high)
    prices = np.full_like(plan.voltage, np.nan)
    if done.solution.status != "infeasible":
        prices = plan.prices.active
    shown = voltage.keenest if interval is None else interval
    marks = {
        "plant": set(devices.pv.bus.tolist()),
        "battery": set(devices.storage.bus.tolist()),
        "generator": set(devices.generator.bus.tolist()),
    }
    layers = (voltage, price_layer(feeder, prices, "per MWh", 2))
    return stacked([one_line(feeder, one, shown, f"interval {shown}", marks) for one in layers])


def _band(limit: float | FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return a voltage limit for every interval and bus."""
    values = np.asarray(limit, dtype=float)
    return np.broadcast_to(values[:, None] if values.ndim == 1 else values, shape)
