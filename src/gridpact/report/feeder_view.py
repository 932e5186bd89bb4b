"""The report's map of the feeder: voltage and price at every bus, one interval at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from gridpact.quantities import MICRO
from gridpact.report.findings import Findings
from gridpact.report.layers import Layer, price_layer, voltage_layer
from gridpact.report.one_line import one_line, steps
from gridpact.report.series import clock


@dataclass(frozen=True)
class View:
    """One map: the picture of the interval shown first, and all intervals as JSON."""

    svg: Markup
    steps: Markup


@dataclass(frozen=True)
class FeederView:
    """Both maps. shown: the interval that is shown first; jumps: the day's remarkable ones."""

    views: tuple[View, ...]
    when: tuple[str, ...]
    shown: int
    jumps: tuple[tuple[str, int], ...]


def feeder_view(found: Findings) -> FeederView:
    """Return the maps of a day: voltages as they were, prices of the day-ahead power flow."""
    day, v, edges = found.day, found.curves.voltage, found.curves.edges.tolist()
    grid = day.scenario.grid
    feeder = grid.file.feeder
    advice = [day.advice.day[result.interval] for result in day.intervals]
    prices = np.array(
        [
            [np.nan if one.conflicts else one.dlmp[bus] / MICRO for bus in feeder.ids.tolist()]
            for one in advice
        ]
    )
    voltage = voltage_layer(feeder, v, grid.v_min_pu, grid.v_max_pu)
    price = price_layer(feeder, prices, "per kWh", 4)
    when = tuple(f"{clock(first)}–{clock(last)}" for first, last in pairwise(edges))
    jumps = [
        ("lowest voltage", int(v[:, 1:].min(axis=1).argmin())),
        ("highest voltage", int(v[:, 1:].max(axis=1).argmax())),
    ]
    if np.isfinite(prices).any():
        jumps.append(("highest price", price.keenest))
    shown = voltage.keenest
    views = tuple(_view(found, layer, shown, when) for layer in (voltage, price))
    return FeederView(views, when, shown, tuple(jumps))


def _view(found: Findings, layer: Layer, shown: int, when: Sequence[str]) -> View:
    scenario = found.day.scenario
    feeder = scenario.grid.file.feeder
    marks = {
        "plant": {plant.bus for plant in scenario.plants},
        "battery": {site.bus for site in scenario.sites if site.battery is not None},
    }
    drawn = one_line(feeder, layer, shown, when[shown], marks)
    data = json.dumps(steps(feeder, layer, when), separators=(",", ":")).replace("<", "\\u003c")
    return View(Markup(drawn), Markup(data))
