"""Pictures of energy and wires: [Wang23]'s figures 4 to 6, tiers, voltages, cuts, imbalances."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from gridpact.grid.feeder import Feeder
from gridpact.prosumer.devices import FloatArray
from gridpact.report import style
from gridpact.report.findings import Findings
from gridpact.report.series import clock
from gridpact.report.style import AFTER, BATTERY, BEFORE, GRID, INK, LOCAL, LOSS, QUIET, ZONAL


def energy_by_tier(found: Findings) -> Figure:
    """What participants received, stacked by who sold it."""
    figure, axes = style.canvas("kWh per interval")
    per_hour, edges = found.compared.per_hour, found.curves.edges
    style.stack(
        axes,
        edges,
        {
            "neighbours": (per_hour("local") / 1000, LOCAL),
            "renewable plants": (per_hour("zonal") / 1000, ZONAL),
            "grid supply": (per_hour("grid") / 1000, GRID),
        },
    )
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def load_and_battery(found: Findings) -> Figure:
    """[Wang23] figure 4: demand, and what batteries supply and take."""
    figure, axes = style.canvas("kW")
    curves, edges = found.curves, found.curves.edges
    style.area(axes, edges, curves.discharge, BATTERY, "batteries supply")
    style.area(axes, edges, -curves.charge, BATTERY, "batteries store", alpha=0.35)
    style.line(axes, edges, curves.demand, INK, "demand", 1.8)
    style.zero(axes)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def deficit_and_pv(found: Findings) -> Figure:
    """[Wang23] figure 5: generation against demand."""
    figure, axes = style.canvas("kW")
    curves, edges = found.curves, found.curves.edges
    style.area(axes, edges, curves.generation, ZONAL, "plants", base=curves.roofs)
    style.area(axes, edges, curves.roofs, LOCAL, "rooftop PV")
    style.line(axes, edges, curves.demand, INK, "demand", 1.8)
    style.line(axes, edges, curves.deficit, BATTERY, "demand and batteries", 1.4, dashed=True)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def demand_on_grid(found: Findings) -> Figure:
    """[Wang23] figure 6: what grid supply has to provide, and what really comes from above."""
    figure, axes = style.canvas("kW")
    per_hour, curves, edges = found.compared.per_hour, found.curves, found.curves.edges
    before = per_hour("contracted_before") / 1000 / curves.hours
    after = per_hour("contracted_after") / 1000 / curves.hours
    style.area(axes, edges, before, BEFORE, "contracted before", alpha=0.35)
    style.area(axes, edges, after, AFTER, "contracted after", alpha=0.75)
    style.line(axes, edges, curves.substation, INK, "through the substation", 1.5)
    style.zero(axes)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def voltages(found: Findings) -> Figure:
    """Voltages of all buses over the day against their limits."""
    figure, axes = style.canvas("per unit", left=0.12)
    grid, edges, v = found.day.scenario.grid, found.curves.edges, found.curves.voltage
    low, high = grid.v_min_pu, grid.v_max_pu
    style.area(axes, edges, v.max(axis=1), AFTER, "all buses", base=v.min(axis=1), alpha=0.3)
    style.line(axes, edges, np.median(v, axis=1), AFTER, "median bus")
    for limit in (low, high):
        axes.axhline(
            limit,
            color=LOSS,
            linewidth=1.2,
            linestyle=(0, (4, 3)),
            label="limits" if limit == low else None,
        )
    for extreme, shift in ((int(v.argmax()), 0.06), (int(v.argmin()), -0.06)):
        t, place = divmod(extreme, v.shape[1])
        at, value = float(edges[t] + edges[t + 1]) / 2, float(v[t, place])
        axes.plot([at], [value], "o", color=INK, markersize=4)
        span = float(edges[-1] - edges[0])
        late, beside = at > float(edges[0]) + 0.7 * span, 0.0125 * span
        name = f"{value:.4f} at bus {grid.file.feeder.ids[place]}"
        where = (at - beside if late else at + beside, value + shift * (high - low))
        style.label(axes, where, name, INK, "right" if late else "left")
    margin = (high - low) * 0.12
    axes.set_ylim(min(low, float(v.min())) - margin, max(high, float(v.max())) + margin)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def voltage_profile(found: Findings) -> Figure:
    """Voltages along the feeder, in the interval of most import and in that of most export."""
    figure, axes = style.canvas("per unit", left=0.12)
    grid, curves, feeder = (
        found.day.scenario.grid,
        found.curves,
        found.day.scenario.grid.file.feeder,
    )
    away = _ohms(feeder)
    exports = float(curves.substation.min()) < 0
    shown = (
        (int(curves.substation.argmax()), INK, "most import"),
        (int(curves.substation.argmin()), ZONAL, "most export" if exports else "least import"),
    )
    for t, colour, name in shown:
        v = curves.voltage[t]
        ends = np.stack([away, v], axis=1)
        lines = np.stack([ends[feeder.parent[1:]], ends[1:]], axis=1)
        axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=1.2))
        axes.plot(away, v, "o", color=colour, markersize=2.6)
        at = f"{name}, {clock(float(curves.begins[t]))}"
        axes.plot([], [], "o-", color=colour, markersize=2.6, linewidth=1.2, label=at)
    for limit in (grid.v_min_pu, grid.v_max_pu):
        axes.axhline(limit, color=LOSS, linewidth=1.2, linestyle=(0, (4, 3)))
    seen = curves.voltage[[t for t, _, _ in shown]]
    axes.set_ylim(float(seen.min()) - 0.004, float(seen.max()) + 0.004)
    axes.set_xlim(0, float(away.max()) * 1.03)
    axes.set_xlabel("impedance to the substation, Ω", color=QUIET, fontsize=9)
    style.legend(axes)
    return figure


def _ohms(feeder: Feeder) -> FloatArray:
    """Return the length of the way from each bus to the root, as impedance. (bus,) [Ω]"""
    ohms = np.abs(feeder.impedance) * feeder.v_base_kv**2 / feeder.s_base_mva
    away = np.zeros(feeder.size)
    for place in range(1, feeder.size):
        away[place] = away[feeder.parent[place]] + ohms[place]
    return away


def imbalances(found: Findings) -> Figure:
    """Cleared energy that did not come about, by cause; grid supply makes it good.

    Stopped: by the network's limits, or by sensors.
    """
    figure, axes = style.canvas("kWh per interval")
    per_hour, edges = found.compared.per_hour, found.curves.edges
    style.stack(
        axes,
        edges,
        {
            "buyers used less": (per_hour("unused") / 1000, AFTER),
            "sellers sent less": (per_hour("short") / 1000, LOSS),
            "stopped": (per_hour("held") / 1000, INK),
        },
    )
    style.line(axes, edges, per_hour("cleared") / 1000, BEFORE, "cleared", 1.5)
    if not per_hour("cleared").any():
        style.note(axes, "nothing was cleared")
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def curtailment(found: Findings) -> Figure:
    """Generation that the wires could not take."""
    figure, axes = style.canvas("kW")
    curves, edges = found.curves, found.curves.edges
    possible = curves.generation + curves.curtailed
    style.area(axes, edges, possible, LOSS, "cut", base=curves.generation)
    style.area(axes, edges, curves.generation, ZONAL, "generated", alpha=0.5)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure
