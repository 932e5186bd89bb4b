"""A feeder is a connected tree with positive impedances, or it is refused by name."""

import math

import numpy as np
import pytest
from hypothesis import given
from tests.unit.grid.conftest import radial_feeders

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, Line, build, rebased

CHAIN = [Line(1, 2, 0.1, 0.1), Line(2, 3, 0.1, 0.1)]


def _build(lines: list[Line], root: int = 1, shunt: dict[int, float] | None = None) -> Feeder:
    return build(root, lines, shunt or {}, 1.0, 12.0)


def test_published_feeder_is_a_tree_of_55_lines(sce56) -> None:
    feeder = sce56.feeder
    assert feeder.size == 56
    assert (feeder.parent >= 0).sum() == 55
    assert feeder.ids[0] == 1
    assert sum(sce56.peak_load_mva.values()) == pytest.approx(3.835, abs=1e-12)
    assert {int(bus) for bus in feeder.ids[feeder.shunt > 0]} == {19, 21, 30, 53}
    assert feeder.shunt.sum() == pytest.approx(2.4)


@given(radial_feeders())
def test_every_bus_follows_its_parent(feeder: Feeder) -> None:
    assert feeder.parent[0] == -1
    assert (feeder.parent[1:] < np.arange(1, feeder.size)).all()
    assert sorted(feeder.index) == list(range(1, feeder.size + 1))


def test_ohms_become_per_unit_of_the_base() -> None:
    feeder = build(1, [Line(1, 2, 1.44, 2.88, 5.0)], {2: 0.6}, 10.0, 12.0)
    assert feeder.r[1] == pytest.approx(0.1)
    assert feeder.x[1] == pytest.approx(0.2)
    assert feeder.s_max[1] == pytest.approx(0.5)
    assert feeder.shunt[1] == pytest.approx(0.06)


def test_another_base_is_the_same_feeder() -> None:
    lines = [Line(1, 2, 1.44, 2.88, 5.0)]
    other = rebased(build(1, lines, {2: 0.6}, 10.0, 12.0), 1.0)
    expected = build(1, lines, {2: 0.6}, 1.0, 12.0)
    for field in ("r", "x", "shunt", "s_max"):
        np.testing.assert_allclose(getattr(other, field), getattr(expected, field))


@pytest.mark.parametrize(
    ("lines", "root", "place", "problem"),
    [
        ([*CHAIN, Line(3, 1, 0.1, 0.1)], 1, "line ", "cycle"),
        ([*CHAIN, Line(4, 5, 0.1, 0.1)], 1, "bus 4", "island"),
        ([*CHAIN, Line(2, 1, 0.2, 0.2)], 1, "line 2-1", "twice"),
        ([Line(1, 2, 0.0, 0.0)], 1, "line 1-2: r_ohm, x_ohm", "zero"),
        ([Line(1, 2, -0.1, 0.2)], 1, "line 1-2: r_ohm", "-0.1"),
        ([Line(1, 2, 0.1, math.nan)], 1, "line 1-2: x_ohm", "nan"),
        ([Line(1, 2, 0.1, 0.1, 0.0)], 1, "line 1-2: s_max_mva", "positive"),
        ([Line(1, 1, 0.1, 0.1)], 1, "line 1-1", "itself"),
        (CHAIN, 9, "bus 9", "root"),
    ],
)
def test_unusable_feeder_is_refused_with_its_place(
    lines: list[Line], root: int, place: str, problem: str
) -> None:
    with pytest.raises(FeederError) as caught:
        _build(lines, root)
    assert caught.value.place.startswith(place)
    assert problem in caught.value.problem


def test_shunt_at_an_unknown_bus_is_refused() -> None:
    with pytest.raises(FeederError, match="bus 7"):
        _build(CHAIN, shunt={7: 0.1})


def test_unknown_bus_is_named() -> None:
    with pytest.raises(FeederError, match="bus 77: is not on the feeder"):
        _build(CHAIN).at(77)


def test_impedance_of_a_transformer_is_seen_from_its_upper_side() -> None:
    lines = [Line(1, 2, 8.0, 16.0), Line(2, 3, 0.01, 0.02)]
    feeder = build(1, lines, {3: 0.1}, 1.0, 20.0, {3: 0.05}, {2: 0.4, 3: 0.4})
    np.testing.assert_allclose(feeder.r, [0.0, 8.0 / 400, 0.01 / 0.16])
    np.testing.assert_allclose(feeder.x, 2 * feeder.r)
    assert feeder.v_base_kv == 20.0
    assert feeder.admittance[2] == pytest.approx(0.05 + 0.1j)


@pytest.mark.parametrize("kv", [0.0, -1.0, float("nan")])
def test_voltage_of_a_bus_is_positive(kv: float) -> None:
    with pytest.raises(FeederError, match="bus 2: v_kv"):
        build(1, [Line(1, 2, 0.1, 0.1)], {}, 1.0, 1.0, {}, {2: kv})
    with pytest.raises(FeederError, match="bus 7: has a v_kv but no line"):
        build(1, [Line(1, 2, 0.1, 0.1)], {}, 1.0, 1.0, {}, {7: 1.0})
