"""The report's map of the feeder shows the day's voltages and prices, hour by hour."""

import json

import numpy as np
import pytest

from gridpact.quantities import MICRO
from gridpact.report.feeder_view import FeederView, feeder_view
from gridpact.report.findings import Findings


@pytest.fixture(scope="module")
def view(found: Findings) -> FeederView:
    return feeder_view(found)


def test_maps_hold_voltages_and_prices_of_every_bus_and_hour(
    found: Findings, view: FeederView
) -> None:
    voltage, price = (json.loads(one.steps) for one in view.views)
    assert np.abs(np.array(voltage["values"]) / 1e4 - found.curves.voltage).max() <= 0.5e-4
    for t, row in enumerate(price["values"]):
        dlmp = found.day.advice.day[t].dlmp
        for bus, value in zip(price["bus"], row, strict=True):
            assert abs(value / 1e4 - dlmp[bus] / MICRO) <= 0.5e-4
            assert price["low"][t] <= dlmp[bus] / MICRO <= price["high"][t]


def test_hour_with_least_room_to_a_limit_is_shown_first(found: Findings, view: FeederView) -> None:
    v, grid = found.curves.voltage, found.day.scenario.grid
    t, place = np.unravel_index(int(v.argmax()), v.shape)
    assert v.max() - 1 > 1 - v[:, 1:].min()  # on this day the upper limit is the nearer one
    assert view.shown == t
    pointed = json.loads(view.views[0].steps)["pointed"][t]
    assert pointed[2] == f"{v[t, place]:.4f}"
    assert f"highest {v.max():.4f} at bus {grid.file.feeder.ids[place]}" in view.views[0].svg
    assert dict(view.jumps)["highest voltage"] == t


def test_plants_and_batteries_are_marked(found: Findings, view: FeederView) -> None:
    scenario = found.day.scenario
    batteries = {site.bus for site in scenario.sites if site.battery is not None}
    for one in view.views:
        # one more each stands in the legend
        assert one.svg.count('class="plant"') == len(scenario.plants) + 1
        assert one.svg.count('class="battery"') == len(batteries) + 1


def test_page_lets_choose_the_hour(view: FeederView) -> None:
    assert len(view.when) == 24
    assert view.when[9] == "09:00–10:00"
    assert [name for name, _ in view.jumps] == [
        "lowest voltage",
        "highest voltage",
        "highest price",
    ]
