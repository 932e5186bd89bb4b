"""Elements side by side: one branch with the same voltages, full when the first of them is."""

from itertools import pairwise

import numpy as np
import pandapower as pp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.errors import FeederError
from gridpact.grid.feeder import Line, build
from gridpact.grid.importers.pandapower_net import from_pandapower
from gridpact.grid.meshed import MeshedFlow, meshed_power_flow
from gridpact.grid.net import Net, radial
from gridpact.grid.parallel import joined
from gridpact.grid.power_flow import PowerFlow, power_flow

OHM = st.floats(0.01, 2.0)
RATING = st.one_of(st.none(), st.floats(0.1, 20.0))
KV = {1: 20.0, 2: 20.4, 3: 0.4}


def of_lines(lines: list[Line], load_mva: dict[int, complex]) -> Net:
    return Net("", 1, 1.0, 10.0, KV, KV, tuple(lines), {}, load_mva, (), {bus: bus for bus in KV})


@st.composite
def nets(draw: st.DrawFn) -> Net:
    """A chain through three levels of voltage; every step has one to three elements."""
    lines = []
    for ends in pairwise(KV):
        for _ in range(draw(st.integers(1, 3))):
            upper, lower = draw(st.permutations(ends))
            seen = (KV[upper] / 20) ** 2
            lines.append(Line(upper, lower, draw(OHM) * seen, draw(OHM) * seen, draw(RATING)))
    load = {bus: complex(draw(st.floats(-2, 2)), draw(st.floats(-1, 1))) for bus in (2, 3)}
    return of_lines(draw(st.permutations(lines)), load)


def both_ways(net: Net) -> tuple[PowerFlow, MeshedFlow]:
    """Return the flow of joined elements and that of power-grid-model, which has them apart."""
    feeder, fed = radial(net), net.injection_mva()
    assert feeder.ids.tolist() == sorted(KV)
    mva = np.array([[fed.get(bus, 0j) for bus in KV]])
    flow = power_flow(feeder, mva.real / 10, mva.imag / 10)
    return flow, meshed_power_flow(net, mva.real, mva.imag)


def fullest(net: Net, apart: MeshedFlow, upper: int) -> float:
    """Return how full the fullest rated element between a bus and the next is; 0 if none is."""
    full = [0.0]
    for line, sent, arrived in zip(net.lines, apart.sent_mva[0], apart.arrived_mva[0], strict=True):
        if {line.from_bus, line.to_bus} == {upper, upper + 1} and line.s_max_mva is not None:
            full.append(abs(sent if line.from_bus == upper else arrived) / line.s_max_mva)
    return max(full)


@settings(max_examples=100, deadline=None)
@given(nets())
def test_joined_elements_carry_what_they_carry_apart_and_are_full_with_the_first(net: Net) -> None:
    flow, apart = both_ways(net)
    np.testing.assert_allclose(flow.v, apart.v, atol=1e-9)
    for place in (1, 2):
        joint = abs(flow.sent[0, place]) / flow.feeder.s_max[place]
        assert joint == pytest.approx(fullest(net, apart, place), rel=1e-6, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    lines=st.lists(st.tuples(st.floats(0.5, 8), st.floats(0.1, 0.6)), min_size=2, max_size=4),
    trafos=st.lists(st.tuples(st.floats(0.3, 2), st.floats(3, 8)), min_size=2, max_size=3),
    turned=st.booleans(),
    tap=st.integers(-2, 2),
)
def test_pandapower_has_the_same_voltages(lines, trafos, turned: bool, tap: int) -> None:
    theirs = side_by_side(lines, trafos, turned, tap)
    pp.runpp(theirs, numba=False, tolerance_mva=1e-11, max_iteration=50)
    net = from_pandapower(theirs)
    feeder, fed = radial(net), net.injection_mva()
    assert feeder.size == 3
    mva = np.array([[fed.get(int(bus), 0j) for bus in feeder.ids]]) / feeder.s_base_mva
    flow = power_flow(feeder, mva.real, mva.imag, net.v_root)
    for bus in (0, 1, 2):
        v = flow.v[0, feeder.at(bus)] * net.v_kv[bus] / net.nominal_kv[bus]
        assert v == pytest.approx(theirs.res_bus.vm_pu[bus], abs=1e-9)


def side_by_side(
    lines: list[tuple[float, float]],
    trafos: list[tuple[float, float]],
    turned: bool = False,
    tap: int = 0,
) -> object:
    """Return lines (km, kA) in parallel and behind them transformers (MVA, vk) in parallel."""
    net = pp.create_empty_network(sn_mva=1.0)
    for kv in (20.0, 20.0, 0.4):
        pp.create_bus(net, vn_kv=kv)
    pp.create_ext_grid(net, 0, vm_pu=1.02)
    for number, (km, ka) in enumerate(lines):
        ends = (1, 0) if turned and number % 2 else (0, 1)
        pp.create_line_from_parameters(net, *ends, km, 0.2 + ka / 3, 0.1, 250.0, ka)
    for mva, vk in trafos:
        pp.create_transformer_from_parameters(
            net, 1, 2, mva, 20.0, 0.4, 1.1, vk, 1.5, 0.3, shift_degree=150, tap_side="hv",
            tap_neutral=0, tap_pos=tap, tap_step_percent=2.5, tap_changer_type="Ratio",
        )  # fmt: skip
    pp.create_load(net, 2, 0.3, 0.1)
    pp.create_load(net, 1, 0.8, 0.2)
    return net


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [("tap_pos", 1, "do not fit"), ("shift_degree", 0.0, "turns the phase")],
)
def test_transformers_side_by_side_that_do_not_fit_are_refused_by_name(
    column: str, value: float, problem: str
) -> None:
    theirs = side_by_side([(1.0, 0.3)], [(0.4, 6.0), (0.4, 6.0)])
    theirs.trafo.loc[1, column] = value
    with pytest.raises(FeederError, match=f"trafo 1: .*{problem}"):
        from_pandapower(theirs)


def test_current_divides_as_admittances_do() -> None:
    lines = [Line(1, 2, 0.2, 0.0, 3.0), Line(2, 1, 0.1, 0.0, 3.0), Line(1, 3, 1.0, 1.0)]
    one, other = joined(lines, {1: 1.0, 2: 1.0, 3: 1.0})
    assert (one.from_bus, one.to_bus) == (1, 2)
    assert (one.r_ohm, one.x_ohm) == pytest.approx((0.2 / 3, 0.0))
    assert one.s_max_mva == pytest.approx(4.5)  # the second, of two thirds, is full at 3
    assert other is lines[2]


def test_element_without_rating_takes_its_share_and_sets_no_limit() -> None:
    (one,) = joined([Line(1, 2, 0.1, 0.1, 2.0), Line(1, 2, 0.1, 0.1)], {1: 1.0, 2: 1.0})
    assert one.s_max_mva == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (Line(1, 2, 0.0, 0.0), "line 1-2: r_ohm, x_ohm: the impedance is zero"),
        (Line(2, 1, -0.1, 0.3), "line 2-1: r_ohm: -0.1 is not a number >= 0"),
        (Line(2, 1, 0.1, 0.3, 0.0), "line 2-1: s_max_mva: 0.0 is not a positive number"),
    ],
)
def test_unusable_element_beside_a_good_one_is_named(wrong: Line, problem: str) -> None:
    good = Line(1, 2, 0.1, 0.1)
    for lines in ([good, wrong], [wrong, good]):
        with pytest.raises(FeederError, match=problem):
            radial(of_lines([*lines, Line(2, 3, 0.1, 0.1)], {}))


def test_our_own_tables_refuse_a_line_given_twice() -> None:
    with pytest.raises(FeederError, match="line 2-1: is given twice: lines side by side"):
        build(1, [Line(1, 2, 0.1, 0.1), Line(2, 1, 0.1, 0.1)], {}, 1.0, 1.0)
