"""Nets of pandapower: SimBench grids, every element read, taps, switches, and back again."""

from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridpact.errors import FeederError
from gridpact.grid.importers.pandapower_export import to_pandapower
from gridpact.grid.importers.pandapower_net import from_pandapower
from gridpact.grid.meshed import meshed_power_flow
from gridpact.grid.net import Net, of_feeder, radial
from gridpact.grid.power_flow import PowerFlow, power_flow

GRIDS = Path(__file__).parents[4] / "src" / "gridpact" / "data" / "simbench"


def flow_of(net: Net) -> PowerFlow:
    feeder = radial(net)
    fed = net.injection_mva()
    mva = np.array([fed.get(int(bus), 0.0) for bus in feeder.ids]) / feeder.s_base_mva
    return power_flow(feeder, mva.real[None], mva.imag[None], net.v_root)


def volts(net: Net, flow: PowerFlow) -> dict[int, float]:
    """Return the voltage of every bus of the file. [pu of its nominal voltage]"""
    place = flow.feeder.index
    return {
        bus: flow.v[0, place[at]] * net.v_kv[at] / net.nominal_kv[at]
        for bus, at in net.held.items()
    }


def same(theirs: object, atol: float = 1e-8) -> Net:
    """Read a net of pandapower; both must find the same voltages and supply."""
    pp.runpp(theirs, numba=False, tolerance_mva=1e-12, max_iteration=50)
    net = from_pandapower(theirs)
    flow = flow_of(net)
    for bus, v in volts(net, flow).items():
        assert v == pytest.approx(theirs.res_bus.vm_pu[bus], abs=atol)
    supplied = complex(flow.supply[0]) * flow.feeder.s_base_mva
    found = theirs.res_ext_grid.p_mw.sum() + 1j * theirs.res_ext_grid.q_mvar.sum()
    assert abs(supplied - found) < 1e-7
    return net


def every_element() -> object:
    """Return a net with one of everything that is read, behind a tapped transformer.

    Nothing else stands at the bus of the load with a share of constant impedance: pandapower
    spreads that share over all that is connected there.
    """
    net = pp.create_empty_network(sn_mva=10.0)
    for kv in (110.0, 20.0, 20.0, 20.0, 0.4, 0.4, 0.4):
        pp.create_bus(net, vn_kv=kv)
    pp.create_ext_grid(net, 0, vm_pu=1.01)
    pp.create_transformer(net, 0, 1, "25 MVA 110/20 kV", tap_pos=3)
    pp.create_line(net, 1, 2, 3.0, "NA2XS2Y 1x185 RM/25 12/20 kV", parallel=2)
    pp.create_line(net, 2, 3, 1.0, "NA2XS2Y 1x185 RM/25 12/20 kV", df=0.8)
    pp.create_transformer(net, 3, 4, "0.4 MVA 20/0.4 kV", parallel=2)
    pp.create_line(net, 4, 5, 0.1, "NAYY 4x150 SE", max_loading_percent=50.0)
    pp.create_switch(net, 5, 6, "b", closed=True)
    pp.create_load(net, 6, 0.05, 0.01, const_z_p_percent=40, const_z_q_percent=30, scaling=0.9)
    pp.create_load(net, 3, 2.0, 0.5)
    pp.create_sgen(net, 4, 0.02, -0.005, min_p_mw=0, max_p_mw=0.03, min_q_mvar=0, max_q_mvar=0.01)
    pp.create_storage(net, 4, 0.01, max_e_mwh=1.0, q_mvar=0.002)
    pp.create_shunt(net, 2, q_mvar=-0.6, p_mw=0.01, step=2)
    return net


@pytest.mark.parametrize("name", ["1-LV-rural1--0-sw", "1-LV-semiurb4--0-sw"])
def test_simbench_grids_have_the_voltages_of_pandapower(name: str) -> None:
    net = same(pp.from_json(str(GRIDS / f"{name}.json")))
    assert net.tapped() is None


def test_every_element_is_read() -> None:
    theirs = every_element()
    net = same(theirs)
    assert net.tapped() is not None
    assert net.held[6] == net.held[5] == 5
    ratings = [line.s_max_mva for line in net.lines]
    amps = [2 * 0.362, 0.8 * 0.362, 0.5 * 0.27]
    kv = [20.0, 20.0, 0.4]
    expected = [np.sqrt(3) * v * a for v, a in zip(kv, amps, strict=True)] + [25.0, 0.8]
    assert ratings == pytest.approx(expected)
    assert net.units[0].p_mw_range == (0, 0.03)


@pytest.mark.parametrize("ends", [(2,), (3,), (2, 3)])
def test_line_open_at_an_end_stays_charged_from_the_other(ends: tuple[int, ...]) -> None:
    theirs = every_element()
    beside = pp.create_line(theirs, 2, 3, 4.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    for bus in ends:
        pp.create_switch(theirs, bus, beside, "l", closed=False)
    same(theirs)


def test_open_or_idle_elements_are_left_out() -> None:
    theirs = every_element()
    for ends in ((0,), (1,), (0, 1)):
        idle = pp.create_transformer(theirs, 0, 1, "25 MVA 110/20 kV", tap_pos=-2)
        for bus in ends:
            pp.create_switch(theirs, bus, idle, "t", closed=False)
    pp.create_line(theirs, 1, 3, 1.0, "NAYY 4x150 SE", in_service=False)
    pp.create_load(theirs, 3, 1.0, in_service=False)
    pp.create_bus(theirs, vn_kv=20.0, in_service=False)
    pp.create_switch(theirs, 1, 3, "b", closed=False)
    same(theirs)


@pytest.mark.parametrize("name", ["1-LV-rural1--0-sw", "1-LV-semiurb4--0-sw", "every element"])
def test_net_comes_back_from_pandapower_as_it_was(name: str) -> None:
    theirs = (
        every_element() if name == "every element" else pp.from_json(str(GRIDS / f"{name}.json"))
    )
    net = from_pandapower(theirs)
    again = same(to_pandapower(net))
    before, after = volts(net, flow_of(net)), volts(again, flow_of(again))
    for bus, at in net.held.items():
        assert before[bus] == pytest.approx(after[at], abs=1e-9)
    limits = sorted(line.s_max_mva for line in net.lines)
    assert sorted(line.s_max_mva for line in again.lines) == pytest.approx(limits)


def test_published_feeder_goes_to_pandapower_and_back(sce56, peak) -> None:
    load = {int(bus): complex(mva) for bus, mva in zip(sce56.feeder.ids, peak, strict=True)}
    net = of_feeder(sce56.feeder, sce56.name, 1.01, load)
    again = radial(same(to_pandapower(net)))
    for field in ("r", "x", "shunt", "conductance", "s_max", "v_kv"):
        ours = dict(zip(sce56.feeder.ids, getattr(sce56.feeder, field), strict=True))
        back = dict(zip(again.ids, getattr(again, field), strict=True))
        assert back == pytest.approx(ours)


def _spoiled(change: str) -> object:
    net = every_element()
    exec(change, {"net": net, "pp": pp})
    return net


@pytest.mark.parametrize(
    ("change", "place", "problem"),
    [
        ("pp.create_gen(net, 3, 1.0)", "table gen", "does not model"),
        ("net.line.loc[1, 'r_ohm_per_km'] = float('nan')", "line 1: r_ohm_per_km", "not a number"),
        ("net.line.loc[1, 'x_ohm_per_km'] = float('inf')", "line 1: x_ohm_per_km", "not a finite"),
        ("net.line.loc[2, 'length_km'] = 0.0", "line 2: length_km", "> 0"),
        ("net.line.loc[0, 'to_bus'] = 99", "line 0: to_bus", "bus 99"),
        ("net.line.loc[0, 'to_bus'] = 5", "line 0", "20 kV and 0.4 kV"),
        ("net.bus.loc[3, 'vn_kv'] = -20.0", "bus 3: vn_kv", "> 0"),
        ("net.trafo.loc[1, 'vkr_percent'] = 99.0", "trafo 1: vkr_percent", "vk_percent"),
        ("net.trafo.loc[1, 'sn_mva'] = 0.0", "trafo 1: sn_mva", "> 0"),
        ("net.load.loc[0, 'const_i_p_percent'] = 10.0", "load 0: const_i_p_percent", "current"),
        ("net.load.loc[1, 'bus'] = 77", "load 1: bus", "bus 77"),
        ("net.ext_grid['in_service'] = False", "table ext_grid", "found 0"),
        ("pp.create_ext_grid(net, 3)", "table ext_grid", "found 2"),
        ("pp.create_switch(net, 1, 4, 'b')", "switch 1", "20 kV and 0.4 kV"),
        ("pp.create_bus(net, vn_kv=20.0)", "bus 7", "island"),
        (
            "pp.create_transformer(net, 3, 4, '0.4 MVA 20/0.4 kV');"
            "net.trafo.loc[2, 'shift_degree'] = 0.0",
            "trafo 2",
            "turns",
        ),
        (
            "pp.create_transformer(net, 0, 3, '25 MVA 110/20 kV', tap_pos=0)",
            "line 1",
            "do not fit",
        ),
        ("net.trafo['tap_changer_type'] = 'Ideal'", "trafo 0: tap_changer_type", "turns the phase"),
    ],
)
def test_what_cannot_be_used_is_refused_by_table_row_and_column(
    change: str, place: str, problem: str
) -> None:
    with pytest.raises(FeederError) as caught:
        from_pandapower(_spoiled(change))
    assert caught.value.place == place
    assert problem in caught.value.problem


def ring() -> Net:
    """Return the net of every element with a second line that closes a cycle."""
    theirs = every_element()
    pp.create_line(theirs, 1, 3, 2.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    return from_pandapower(theirs)


def test_meshed_net_has_the_voltages_of_pandapower() -> None:
    theirs = every_element()
    pp.create_line(theirs, 1, 3, 2.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    pp.runpp(theirs, numba=False, tolerance_mva=1e-12, max_iteration=50)
    net = from_pandapower(theirs)
    fed = net.injection_mva()
    mva = np.array([[fed.get(bus, 0.0) for bus in sorted(net.v_kv)]])
    flow = meshed_power_flow(net, mva.real, mva.imag)
    v = dict(zip(flow.buses.tolist(), flow.v[0], strict=True))
    for bus, at in net.held.items():
        found = v[at] * net.v_kv[at] / net.nominal_kv[at]
        assert found == pytest.approx(theirs.res_bus.vm_pu[bus], abs=1e-8)


def test_meshed_net_is_no_feeder_and_the_cycle_is_named() -> None:
    with pytest.raises(FeederError, match=r"line .* closes the cycle .*1.*3.*power flow") as caught:
        radial(ring())
    assert "line" in caught.value.place
