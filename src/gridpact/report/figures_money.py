"""Pictures of money and people: [Wang23]'s figure 7, who gains, savings, DLMP, reputations."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gridpact.assembly.day import DayResult
from gridpact.model.rating import prior
from gridpact.prosumer.devices import FloatArray
from gridpact.quantities import MICRO, PPM, Price
from gridpact.report import style
from gridpact.report.findings import Findings
from gridpact.report.style import AFTER, BEFORE, GRID, INK, LOCAL, LOSS, QUIET, ZONAL

_PER_KWH = "currency per kWh"


def hourly_price(found: Findings) -> Figure:
    """[Wang23] figure 7: what a participant's kWh costs on average."""
    figure, axes = style.canvas(_PER_KWH)
    edges, hours = found.curves.edges, found.compared.hours
    before = np.array([hour.price_before for hour in hours]) / MICRO
    paid = [hour.price_before if hour.price_after is None else hour.price_after for hour in hours]
    after = np.array(paid) / MICRO
    style.area(axes, edges, before, AFTER, base=after, alpha=0.15)
    style.line(axes, edges, before, BEFORE, "before", 1.8)
    style.line(axes, edges, after, AFTER, "after", 1.8)
    middle = (edges[:-1] + edges[1:]) / 2
    _dots(axes, middle, [hour.local_price for hour in hours], LOCAL, "neighbours ask")
    _dots(axes, middle, [hour.zonal_price for hour in hours], ZONAL, "plants ask")
    axes.set_ylim(0, float(max(before.max(), after.max())) * 1.1)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def gains(found: Findings) -> Figure:
    """Who is left with more, who with less than before: the changes add up to zero."""
    figure, axes = style.canvas("change over the day, currency", left=0.37)
    groups = [group for group in found.compared.groups if group.change]
    changes = [group.change / MICRO for group in groups]
    colours = [LOCAL if change > 0 else LOSS for change in changes]
    axes.barh(range(len(groups)), changes, color=colours, height=0.62)
    axes.set_yticks(range(len(groups)), [group.name for group in groups], color=INK)
    axes.invert_yaxis()
    span = max((abs(change) for change in changes), default=1.0)
    digits = 0 if span >= 100 else 2
    if not groups:
        style.note(axes, "nothing changed for anybody")
    for place, change in enumerate(changes):
        beside = change + (0.02 if change > 0 else -0.02) * span
        side = "left" if change > 0 else "right"
        style.label(
            axes, (beside, place), f"{change:+,.{digits}f}".replace("-", "−"), colours[place], side
        )
    if groups:
        axes.axvline(0, color="#b9c3cc", linewidth=0.8)
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-1.3 * span, 1.3 * span)
    return figure


def savings(found: Findings) -> Figure:
    """Every participant's saving, sorted within its group."""
    figure, axes = style.canvas("saving over the day, currency")
    for generates, colour, name in (
        (False, AFTER, "without generation"),
        (True, LOCAL, "with PV or battery"),
    ):
        rows = sorted(
            one.saving / MICRO for one in found.compared.participants if one.generates is generates
        )
        share = (np.arange(len(rows)) + 0.5) / max(len(rows), 1) * 100
        axes.plot(share, rows, "o-", color=colour, markersize=3.2, linewidth=1, label=name)
    style.zero(axes)
    axes.set_xlabel("from least to most saving, % of the group", color=QUIET, fontsize=9)
    axes.set_xlim(-1, 101)
    style.legend(axes)
    return figure


def dlmp(found: Findings) -> Figure:
    """What one more kWh is worth at the buses, as the day-ahead power flow expects it."""
    figure, axes = style.canvas(_PER_KWH)
    day, edges = found.day, found.curves.edges
    advice = [day.advice.day[result.interval] for result in day.intervals]
    values = np.array([list(one.dlmp.values()) for one in advice]) / MICRO
    held = np.array([not one.conflicts for one in advice])
    values[~held] = np.nan  # what limits cannot hold has no price
    highest, lowest = values.max(axis=1), values.min(axis=1)
    if not held.all():
        style.note(axes, f"no price where limits cannot hold: {int((~held).sum())} intervals")
    style.area(axes, edges, highest, AFTER, "all buses", base=lowest, alpha=0.3)
    style.line(axes, edges, np.median(values, axis=1), AFTER, "median bus")
    prices = [result.prices for result in day.intervals]
    retail, feed_in = (np.array([getattr(one, name) for one in prices]) / MICRO
                       for name in ("retail", "feed_in"))  # fmt: skip
    style.line(axes, edges, retail, GRID, "retail", 1.3)
    style.line(axes, edges, feed_in, GRID, "feed-in", 1.3, dashed=True)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def reputations(found: Findings) -> Figure:
    """How reputations moved with what sellers delivered."""
    figure, axes = style.canvas("reputation")
    day, edges = found.day, found.curves.edges
    plants = {one.address for one in day.people.plants}
    paths = _paths(day, [one.address for one in (*day.people.sites, *day.people.plants)])
    neighbours = [path for who, path in paths.items() if who not in plants]
    for path in neighbours:
        axes.plot(edges, path, color=LOCAL, linewidth=0.8, alpha=0.35)
    if not paths:
        style.note(axes, "nobody sold")
    if neighbours:
        middle = np.median(neighbours, axis=0)
        axes.plot(edges, middle, color=LOCAL, linewidth=2.0, label="median of neighbours who sold")
    highest = max((float(path.max()) for path in paths.values()), default=1.0)
    # Credit of a first day stays far below 1
    top = next(one for one in (0.02, 0.05, 0.1, 0.2, 0.5, max(1.0, highest)) if highest <= one)
    height, beside = 0.0, float(edges[-1] - edges[0]) / 120
    for who in sorted(plants & paths.keys(), key=lambda one: float(paths[one][-1])):
        axes.plot(edges, paths[who], color=ZONAL, linewidth=2.0)
        height = max(float(paths[who][-1]), height + 0.07 * top)
        style.label(axes, (float(edges[-1]) + beside, height), day.names[who], "#a86a10")
    if plants & paths.keys():
        axes.plot([], [], color=ZONAL, linewidth=2.0, label="plants")
        axes.set_position((0.105, 0.153, 0.76, 0.73))
    axes.set_ylim(0, 1.02 * top)
    style.hour_axis(axes, edges)
    style.legend(axes)
    return figure


def _dots(
    axes: Axes, middle: FloatArray, prices: Sequence[Price | None], colour: str, name: str
) -> None:
    known = [t for t, price in enumerate(prices) if price is not None]
    asked = [price / MICRO for price in prices if price is not None]
    if known:
        axes.plot(middle[known], asked, "o", color=colour, markersize=4.5, label=name)


def _paths(day: DayResult, sellers: Sequence[bytes]) -> dict[bytes, FloatArray]:
    """Return each rated seller's reputation at the start and after every interval."""
    rated = [{day.person(row.participant): row.after for row in one.rated} for one in day.intervals]
    seen = {who for rows in rated for who in rows}
    paths = {}
    for who in (seller for seller in sellers if seller in seen):
        path = [prior(day.scenario.rating)]
        for rows in rated:
            path.append(rows.get(who, path[-1]))
        paths[who] = np.array(path) / PPM
    return paths
