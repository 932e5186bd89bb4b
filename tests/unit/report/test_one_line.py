"""The one-line diagram: nothing overlaps, colours mean values, the bus that matters is named."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gridpact.grid.feeder import Feeder, FloatArray, Line, build
from gridpact.report.layers import SHADES, Layer, price_layer, voltage_layer
from gridpact.report.one_line import one_line, stacked, steps
from gridpact.report.tree_layout import layout
from gridpact.scenario.feeder_file import read_feeder

SCE56 = Path(__file__).parents[3] / "src" / "gridpact" / "data" / "feeders" / "sce56.toml"
SVG = "{http://www.w3.org/2000/svg}"


def trees(most: int) -> some.SearchStrategy[list[int]]:
    """Return random trees as parents: of every shape from a star to a chain."""
    return some.lists(some.floats(0, 1), min_size=1, max_size=most).flatmap(
        lambda draws: some.sampled_from([0.2, 1.0, 8.0]).map(
            lambda power: [-1, *(int(i * (1 - x**power)) for i, x in enumerate(draws))]
        )
    )


def feeder(parent: list[int]) -> Feeder:
    lines = [Line(above + 1, bus + 1, 0.1, 0.1) for bus, above in enumerate(parent) if bus]
    return build(1, lines, {}, 1.0, 12.0)


def segments(parent: list[int]) -> list[tuple[float, float, float, float, int]]:
    """Return what is drawn of each line (from and to, in columns and rows) and its upper bus."""
    at = layout(parent)
    drawn: list[tuple[float, float, float, float, int]] = []
    for bus, above in enumerate(parent):
        if bus == 0:
            continue
        x, y, to_x, to_y = at.column[above], at.row[above], at.column[bus], at.row[bus]
        drawn += [(x, y, x + 0.5, y, above), (x + 0.5, y, x + 0.5, to_y, above)]
        drawn.append((x + 0.5, to_y, to_x, to_y, above))
    return drawn


@settings(max_examples=150, deadline=None)
@given(trees(90))
def test_no_two_buses_meet_and_no_two_lines_cross(parent: list[int]) -> None:
    at = layout(parent)
    where = list(zip(at.column, at.row, strict=True))
    assert len(set(where)) == len(parent)
    for x, y, to_x, to_y, above in segments(parent):
        low, high = sorted((y, to_y))
        for other_x, other_y, other_to_x, other_to_y, other in segments(parent):
            if other == above or other_y != other_to_y or x != to_x:
                continue  # a vertical piece against the horizontal ones of other buses
            assert not (other_x < x < other_to_x and low <= other_y <= high), (where, parent)
        for bus, (column, row) in enumerate(where):
            if x == to_x:
                assert column != x
            elif row == y and x < column < to_x:
                pytest.fail(f"a line runs through bus {bus}")


@pytest.mark.parametrize("power", [0.3, 3.0, 30.0])
def test_a_thousand_buses_have_their_own_places_in_a_wide_and_low_picture(power: float) -> None:
    draws = np.random.default_rng(1).random(999) ** power
    parent = [-1, *(int(i * (1 - x)) for i, x in enumerate(draws))]
    at = layout(parent)
    assert len(set(zip(at.column, at.row, strict=True))) == 1000
    assert min(at.row) == 0
    drawn = one_line(feeder(parent), flat(feeder(parent)), 0, "now")
    dots = [dot for dot in ET.fromstring(drawn).iter(f"{SVG}circle") if dot.get("cx")]
    places = np.array([[float(dot.get(k) or 0) for k in ("cx", "cy")] for dot in dots[:999]])
    radius = float(dots[0].get("r") or 0)
    gaps = np.abs(places[:, None] - places[None]).max(axis=2) + 1e9 * np.eye(999)
    assert gaps.min() >= 2 * radius


def flat(net: Feeder) -> Layer:
    return voltage_layer(net, np.ones((1, net.size)), 0.95, 1.05)


@pytest.fixture(scope="module")
def sce56() -> Feeder:
    return read_feeder(SCE56).feeder


@pytest.fixture(scope="module")
def volts(sce56: Feeder) -> FloatArray:
    v = np.ones((2, sce56.size))
    v[:, 1:] -= np.linspace(0.001, 0.03, sce56.size - 1)
    v[1, sce56.at(19)] = 1.06
    return v


def test_worst_bus_is_ringed_and_named(sce56: Feeder, volts: FloatArray) -> None:
    layer = voltage_layer(sce56, volts, 0.95, 1.05)
    drawn = ET.fromstring(one_line(sce56, layer, 1, "now", {"plant": [19, 53]}))
    [pointer] = [one for one in drawn.iter(f"{SVG}g") if one.get("class") == "pointer"]
    assert pointer.findtext(f"{SVG}text") == "1.0600"
    spot = re.findall(r"[\d.]+", pointer.get("transform") or "")
    [bus] = [one for one in drawn.iter(f"{SVG}circle")
             if (one.findtext(f"{SVG}title") or "").startswith("bus 19:")]  # fmt: skip
    assert spot == [bus.get("cx"), bus.get("cy")]
    assert bus.get("stroke") == "#c8453b"  # outside of its limits
    assert layer.keenest == 1


def test_colour_grows_with_the_value(sce56: Feeder, volts: FloatArray) -> None:
    layer = voltage_layer(sce56, volts, 0.95, 1.05)
    by_value = np.argsort(volts[1])
    shades = [layer.shade(1, int(place)) for place in by_value]
    assert shades == sorted(shades)
    assert layer.low[0] + layer.high[0] == pytest.approx(2)  # the middle is 1 pu
    prices = price_layer(sce56, volts, "per kWh", 3)
    assert (prices.shade(1, int(by_value[0])), prices.shade(1, int(by_value[-1]))) == (
        0,
        SHADES - 1,
    )


def test_interval_without_prices_says_so_and_has_no_colours(
    sce56: Feeder, volts: FloatArray
) -> None:
    prices = volts.copy()
    prices[0] = np.nan
    layer = price_layer(sce56, prices, "per kWh", 3)
    drawn = one_line(sce56, layer, 0, "now")
    assert "no price: limits conflict" in drawn
    assert 'display="none"' in drawn
    assert layer.keenest == 1
    assert steps(sce56, layer, ["a", "b"])["values"][0] is None


def test_one_price_everywhere_is_drawn_in_the_middle_of_its_scale(sce56: Feeder) -> None:
    layer = price_layer(sce56, np.full((1, sce56.size), -3.25), "per MWh", 2)
    assert {layer.shade(0, place) for place in range(sce56.size)} == {SHADES // 2}
    assert "−3.25" in one_line(sce56, layer, 0, "now")


def test_the_same_feeder_gives_the_same_picture(sce56: Feeder, volts: FloatArray) -> None:
    layer = voltage_layer(sce56, volts, 0.95, 1.05)
    again = voltage_layer(read_feeder(SCE56).feeder, volts, 0.95, 1.05)
    pictures = [one_line(sce56, one, 0, "now") for one in (layer, again)]
    assert pictures[0] == pictures[1]
    both = ET.fromstring(stacked(pictures))
    heights = [float(one.get("height") or 0) for one in both.findall(f"{SVG}svg")]
    assert float(both.get("height") or 0) == sum(heights)
