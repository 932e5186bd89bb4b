"""The pictures of a market day: [Wang23]'s figures 4 to 7, the wires, the money, the people.

Each function draws one figure from the day's comparison and curves. `figures` names them all.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridpact.assembly import DayResult
from gridpact.model.record import Rated
from gridpact.prosumer.devices import FloatArray
from gridpact.quantities import MICRO, PPM
from gridpact.report import style
from gridpact.report.comparison import Comparison
from gridpact.report.series import Series
from gridpact.report.style import AFTER, BATTERY, BEFORE, GRID, INK, LOCAL, LOSS, ZONAL

Draw = Callable[[DayResult, Comparison, Series], Figure]


def figures(day: DayResult, compared: Comparison, curves: Series) -> dict[str, str]:
    """Return all figures as SVG by name; curtailment only where something was cut."""
    drawn: dict[str, Draw] = dict(_ALL)
    if not curves.curtailed.any():
        del drawn["curtailment"]
    return {name: style.svg(draw(day, compared, curves), name) for name, draw in drawn.items()}


def energy_by_tier(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """What participants received, stacked by who sold it."""
    figure, axes = style.canvas("kWh per interval")
    hours = compared.hours
    _stack(
        axes,
        curves,
        {
            "neighbours": (_kwh([hour.local for hour in hours]), LOCAL),
            "renewable plants": (_kwh([hour.zonal for hour in hours]), ZONAL),
            "grid supply": (_kwh([hour.grid for hour in hours]), GRID),
        },
    )
    style.legend(axes)
    return figure


def load_and_battery(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """[Wang23] figure 4: demand, and what batteries supply and take."""
    figure, axes = style.canvas("kW")
    edges = _edges(curves)
    axes.stairs(curves.discharge, edges, fill=True, color=BATTERY, label="batteries supply")
    axes.stairs(
        -curves.charge, edges, fill=True, color=BATTERY, alpha=0.35, label="batteries store"
    )
    axes.stairs(curves.demand, edges, color=INK, linewidth=1.8, label="demand", baseline=None)
    _finish(axes, curves)
    axes.axhline(0, color="#b9c3cc", linewidth=0.8)
    style.legend(axes)
    return figure


def deficit_and_pv(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """[Wang23] figure 5: generation against demand."""
    figure, axes = style.canvas("kW")
    edges = _edges(curves)
    axes.stairs(
        curves.roofs + curves.plants, edges, baseline=curves.roofs, fill=True, color=ZONAL,
        label="plants",
    )  # fmt: skip
    axes.stairs(curves.roofs, edges, fill=True, color=LOCAL, label="rooftop PV")
    axes.stairs(curves.demand, edges, color=INK, linewidth=1.8, baseline=None, label="demand")
    axes.stairs(
        curves.deficit, edges, color=BATTERY, linewidth=1.4, linestyle=(0, (3, 2)), baseline=None,
        label="demand and batteries",
    )  # fmt: skip
    _finish(axes, curves)
    style.legend(axes)
    return figure


def demand_on_grid(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """[Wang23] figure 6: what grid supply has to provide, and what really comes from above."""
    figure, axes = style.canvas("kW")
    edges, hours = _edges(curves), compared.hours
    before = _kwh([hour.contracted_before for hour in hours]) / curves.hours
    after = _kwh([hour.contracted_after for hour in hours]) / curves.hours
    axes.stairs(before, edges, fill=True, color=BEFORE, alpha=0.35, label="contracted before")
    axes.stairs(after, edges, fill=True, color=AFTER, alpha=0.75, label="contracted after")
    axes.stairs(
        curves.substation, edges, color=INK, linewidth=1.5, baseline=None,
        label="through the substation",
    )  # fmt: skip
    _finish(axes, curves)
    axes.axhline(0, color="#b9c3cc", linewidth=0.8)
    style.legend(axes)
    return figure


def hourly_price(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """[Wang23] figure 7: what a participant's kWh costs on average."""
    figure, axes = style.canvas("currency per kWh")
    edges, hours = _edges(curves), compared.hours
    before = np.array([hour.price_before for hour in hours]) / MICRO
    paid = [hour.price_before if hour.price_after is None else hour.price_after for hour in hours]
    after = np.array(paid) / MICRO
    axes.stairs(before, edges, baseline=after, fill=True, color=AFTER, alpha=0.15)
    axes.stairs(before, edges, color=BEFORE, linewidth=1.8, baseline=None, label="before")
    axes.stairs(after, edges, color=AFTER, linewidth=1.8, baseline=None, label="after")
    middle = curves.begins + curves.hours / 2
    for prices, colour, name in (
        ([hour.local_price for hour in hours], LOCAL, "asked by neighbours"),
        ([hour.zonal_price for hour in hours], ZONAL, "asked by plants"),
    ):
        known = [t for t, price in enumerate(prices) if price is not None]
        asked = [(prices[t] or 0) / MICRO for t in known]
        axes.plot(middle[known], asked, "o", color=colour, markersize=4.5, label=name)
    _finish(axes, curves)
    axes.set_ylim(0, float(before.max()) * 1.1)
    style.legend(axes)
    return figure


def voltages(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """Voltages of all buses over the day against their limits."""
    figure, axes = style.canvas("per unit", left=0.12)
    low, high = day.scenario.grid.v_min_pu, day.scenario.grid.v_max_pu
    edges, v = _edges(curves), curves.voltage
    axes.stairs(v.max(axis=1), edges, baseline=v.min(axis=1), fill=True, color=AFTER, alpha=0.3)
    axes.stairs(np.median(v, axis=1), edges, color=AFTER, linewidth=1.6, baseline=None)
    for limit in (low, high):
        axes.axhline(limit, color=LOSS, linewidth=1.2, linestyle=(0, (4, 3)))
    buses = [int(bus) for bus in day.scenario.grid.file.feeder.ids]
    for t, place, above in (
        (*np.unravel_index(int(v.argmax()), v.shape), True),
        (*np.unravel_index(int(v.argmin()), v.shape), False),
    ):
        at = float(curves.begins[t]) + curves.hours / 2
        value = float(v[t, place])
        axes.plot([at], [value], "o", color=INK, markersize=4)
        inner = at > curves.begins[-1] * 0.75
        shift = (high - low) * (0.06 if above else -0.06)
        style.label(axes, (at - 0.3 if inner else at + 0.3, value + shift),
                    f"{value:.4f} at bus {buses[place]}", INK, "right" if inner else "left")  # fmt: skip
    _finish(axes, curves)
    margin = (high - low) * 0.12
    axes.set_ylim(min(low, float(v.min())) - margin, max(high, float(v.max())) + margin)
    return figure


def gains(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """Who is left with more, who with less than before: the changes add up to zero."""
    figure, axes = style.canvas("change over the day, currency", left=0.37, height=3.2)
    groups = [group for group in compared.groups if group.change]
    changes = [group.change / MICRO for group in groups]
    colours = [LOCAL if change > 0 else LOSS for change in changes]
    axes.barh(range(len(groups)), changes, color=colours, height=0.62)
    axes.set_yticks(range(len(groups)), [group.name for group in groups], color=INK)
    axes.invert_yaxis()
    span = max(abs(change) for change in changes) if changes else 1.0
    for place, change in enumerate(changes):
        style.label(
            axes, (change + (0.02 if change > 0 else -0.02) * span, place), f"{change:+,.0f}",
            colours[place], "left" if change > 0 else "right",
        )  # fmt: skip
    axes.axvline(0, color="#b9c3cc", linewidth=0.8)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-1.3 * span, 1.3 * span)
    return figure


def imbalances(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """Cleared energy that did not come about, by cause; grid supply makes it good."""
    figure, axes = style.canvas("kWh per interval")
    hours = compared.hours
    _stack(
        axes,
        curves,
        {
            "buyers used less": (_kwh([hour.unused for hour in hours]), AFTER),
            "sellers sent less": (_kwh([hour.short for hour in hours]), LOSS),
            "stopped by the network": (_kwh([hour.held for hour in hours]), INK),
        },
    )
    cleared = _kwh([hour.cleared for hour in hours])
    axes.stairs(cleared, _edges(curves), color=BEFORE, linewidth=1.5, baseline=None,
                label="cleared")  # fmt: skip
    style.legend(axes)
    return figure


def savings(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """Every participant's saving, sorted."""
    figure, axes = style.canvas("saving over the day, currency")
    for generates, colour, name in (
        (False, AFTER, "without generation"),
        (True, LOCAL, "with PV or battery"),
    ):
        rows = sorted(one.saving / MICRO for one in compared.participants
                      if one.generates is generates)  # fmt: skip
        if rows:
            share = (np.arange(len(rows)) + 0.5) / len(rows) * 100
            axes.plot(share, rows, "o-", color=colour, markersize=3.2, linewidth=1, label=name)
    axes.axhline(0, color="#b9c3cc", linewidth=1)
    axes.set_xlabel("participants of the group, from least to most saving, %", color="#5b6875",
                    fontsize=9)  # fmt: skip
    axes.set_xlim(0, 100)
    style.legend(axes)
    return figure


def reputations(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """How reputations moved with what sellers delivered."""
    figure, axes = style.canvas("reputation")
    sellers = [one.address for one in (*day.people.sites, *day.people.plants)]
    plants = {one.address for one in day.people.plants}
    paths = _reputation_paths(day, sellers)
    edges = _edges(curves)
    for who, path in paths.items():
        plant = who in plants
        axes.plot(
            edges[1:], path, color=ZONAL if plant else LOCAL, linewidth=2.0 if plant else 0.8,
            alpha=1.0 if plant else 0.35,
        )  # fmt: skip
        if plant:
            style.label(axes, (float(edges[-1]) - 0.2, float(path[-1]) + 0.045), day.names[who],
                        "#a86a10", "right")  # fmt: skip
    if rest := [path for who, path in paths.items() if who not in plants]:
        axes.plot(edges[1:], np.median(rest, axis=0), color=LOCAL, linewidth=2.0,
                  label="median of neighbours who sold")  # fmt: skip
        style.legend(axes)
    _finish(axes, curves)
    axes.set_ylim(0, 1.05)
    return figure


def dlmp(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """What one more kWh is worth at the buses, as the day-ahead power flow expects it."""
    figure, axes = style.canvas("currency per kWh")
    advice = [day.advice.day[result.interval] for result in day.intervals]
    values = np.array([list(one.dlmp.values()) for one in advice]) / MICRO
    edges = _edges(curves)
    axes.stairs(
        values.max(axis=1), edges, baseline=values.min(axis=1), fill=True, color=AFTER, alpha=0.3,
        label="all buses",
    )  # fmt: skip
    axes.stairs(np.median(values, axis=1), edges, color=AFTER, linewidth=1.6, baseline=None,
                label="median bus")  # fmt: skip
    retail = np.array([result.prices.retail for result in day.intervals]) / MICRO
    axes.stairs(retail, edges, color=GRID, linewidth=1.3, baseline=None, label="retail")
    feed_in = np.array([result.prices.feed_in for result in day.intervals]) / MICRO
    axes.stairs(feed_in, edges, color=GRID, linewidth=1.3, linestyle=(0, (3, 2)), baseline=None,
                label="feed-in")  # fmt: skip
    _finish(axes, curves)
    style.legend(axes)
    return figure


def curtailment(day: DayResult, compared: Comparison, curves: Series) -> Figure:
    """Generation that the wires could not take."""
    figure, axes = style.canvas("kW")
    edges = _edges(curves)
    axes.stairs(curves.generation + curves.curtailed, edges, baseline=curves.generation, fill=True,
                color=LOSS, label="cut")  # fmt: skip
    axes.stairs(curves.generation, edges, fill=True, color=ZONAL, alpha=0.5, label="generated")
    _finish(axes, curves)
    style.legend(axes)
    return figure


_ALL: Mapping[str, Draw] = {
    "energy_by_tier": energy_by_tier,
    "gains": gains,
    "load_and_battery": load_and_battery,
    "deficit_and_pv": deficit_and_pv,
    "demand_on_grid": demand_on_grid,
    "hourly_price": hourly_price,
    "voltages": voltages,
    "dlmp": dlmp,
    "curtailment": curtailment,
    "imbalances": imbalances,
    "savings": savings,
    "reputations": reputations,
}


def _edges(curves: Series) -> FloatArray:
    return np.append(curves.begins, curves.begins[-1] + curves.hours)


def _kwh(values: Sequence[int]) -> FloatArray:
    return np.array(values) / 1000


def _finish(axes: Axes, curves: Series) -> None:
    edges = _edges(curves)
    style.hour_axis(axes, float(edges[0]), float(edges[-1]))


def _stack(axes: Axes, curves: Series, parts: Mapping[str, tuple[FloatArray, str]]) -> None:
    """Draw bars upon each other; a part that is nothing all day is left out."""
    base = np.zeros(len(curves.begins))
    for name, (values, colour) in parts.items():
        if values.any():
            axes.bar(curves.begins + curves.hours / 2, values, width=0.86 * curves.hours,
                     bottom=base, color=colour, label=name)  # fmt: skip
        base = base + values
    _finish(axes, curves)
    if not base.any():
        axes.set_ylim(0, 1)


def _reputation_paths(day: DayResult, sellers: Sequence[bytes]) -> dict[bytes, FloatArray]:
    """Return each rated seller's reputation at the end of every interval; the prior before."""
    prior = day.scenario.rating.prior
    rated: list[dict[bytes, Rated]] = [
        {row.participant: row for row in (*one.rating.rated, *one.plant_rating.rated)}
        for one in day.intervals
    ]
    seen = {who for rows in rated for who in rows}
    paths = {}
    for who in sellers:
        if who in seen:
            score, path = prior, []
            for rows in rated:
                score = rows[who].after if who in rows else score
                path.append(score / PPM)
            paths[who] = np.array(path)
    return paths
