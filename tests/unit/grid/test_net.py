"""Plain tables of a net: levels of voltage, cycles by name, extras that are not there."""

import numpy as np
import pytest

from gridpact.errors import FeederError, GridpactError
from gridpact.grid import meshed
from gridpact.grid.feeder import Line, build
from gridpact.grid.importers import pandapower_export
from gridpact.grid.meshed import meshed_power_flow
from gridpact.grid.net import Edge, levels, of_feeder, radial
from gridpact.grid.power_flow import power_flow


def test_every_transformer_is_one_to_one_in_per_unit_of_its_levels() -> None:
    edges = [Edge("a", 1, 2, 110 / 20.5, 150.0), Edge("b", 3, 2), Edge("c", 4, 3, 0.4 / 20, -30.0)]
    found = levels(1, 110.0, [1, 2, 3, 4], edges)
    assert found == pytest.approx({1: 110.0, 2: 20.5, 3: 20.5, 4: 0.41})


def test_turns_of_the_phase_may_differ_by_whole_circles() -> None:
    edges = [Edge("a", 1, 2, 2.0, 150.0), Edge("b", 1, 2, 2.0, -210.0)]
    assert levels(1, 2.0, [1, 2], edges)[2] == 1.0


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_ratio_is_a_positive_number(ratio: float) -> None:
    with pytest.raises(FeederError, match="trafo 3: ratio"):
        levels(1, 1.0, [1, 2], [Edge("trafo 3", 1, 2, ratio)])


def test_cycle_is_named_bus_by_bus() -> None:
    lines = [Line(a, b, 0.1, 0.1) for a, b in ((1, 2), (2, 3), (2, 4), (4, 5), (5, 3))]
    with pytest.raises(FeederError, match=r"line 4-5: closes the cycle 5-4-2-3-5; ") as caught:
        build(1, lines, {}, 1.0, 1.0)
    assert "radial" in caught.value.problem


def test_feeder_is_the_same_after_a_turn_as_tables(sce56) -> None:
    again = radial(of_feeder(sce56.feeder))
    for field in ("ids", "parent", "r", "x", "shunt", "conductance", "s_max", "v_kv"):
        np.testing.assert_allclose(getattr(again, field), getattr(sce56.feeder, field))


def test_meshed_and_radial_power_flow_agree_on_a_tree(sce56, peak) -> None:
    feeder = sce56.feeder
    p, q = -np.outer([0.3, 1.0], peak.real), -np.outer([0.3, 1.0], peak.imag)
    order = np.argsort(feeder.ids)
    found = meshed_power_flow(of_feeder(feeder, v_root=1.01), p[:, order], q[:, order])
    flow = power_flow(feeder, p, q, 1.01)
    np.testing.assert_allclose(found.v, flow.v[:, order], atol=1e-10)
    np.testing.assert_allclose(found.angle, np.angle(flow.voltage)[:, order], atol=1e-10)
    np.testing.assert_allclose(found.sent_mva, flow.sent[:, 1:], atol=1e-9)
    np.testing.assert_allclose(found.arrived_mva, flow.arrived[:, 1:], atol=1e-9)


def test_meshed_net_without_a_state_says_in_which_interval(sce56) -> None:
    load = np.zeros((3, 56))
    load[1, 30] = -500.0
    with pytest.raises(GridpactError, match="interval 1"):
        meshed_power_flow(of_feeder(sce56.feeder), load, load)


def test_package_that_is_not_installed_is_named_with_its_extra(sce56, monkeypatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(name)

    net, nothing = of_feeder(sce56.feeder), np.zeros((1, 56))
    for module, call, extra in (
        (meshed, lambda: meshed_power_flow(net, nothing, nothing), "meshed"),
        (pandapower_export, lambda: pandapower_export.to_pandapower(net), "pandapower"),
    ):
        monkeypatch.setattr(module, "import_module", absent)
        with pytest.raises(
            GridpactError, match=rf"not installed: pip install 'gridpact\[{extra}\]"
        ):
            call()
