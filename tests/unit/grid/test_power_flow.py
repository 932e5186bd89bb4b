"""Voltages, flows and losses: published figures, another program, and the laws themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.peers import pandapower_net, voltages
from tests.unit.grid.conftest import radial_feeders, two_bus

from gridpact.errors import PowerFlowDiverged
from gridpact.grid import power_flow as module
from gridpact.grid.feeder import Feeder
from gridpact.grid.power_flow import PowerFlow, ZipLoad, power_flow


def _row(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return -values.real[None], -values.imag[None]


def test_published_peak_voltage_and_losses(sce56, peak) -> None:
    flow = power_flow(sce56.feeder, *_row(peak))
    assert sce56.feeder.ids[flow.v[0].argmin()] == 37
    assert flow.v[0].min() == pytest.approx(0.9688, abs=5e-5)
    assert flow.loss[0] * 1000 == pytest.approx(95.7, abs=0.05)


def test_published_rise_with_5_mw_of_pv_at_bus_45(sce56, peak) -> None:
    p, q = _row(0.3 * peak)
    p[0, sce56.feeder.at(45)] += 5.0
    flow = power_flow(sce56.feeder, p, q)
    assert sce56.feeder.ids[flow.v[0].argmax()] == 45
    assert flow.v[0].max() == pytest.approx(1.0701, abs=5e-5)


def _violation(flow: PowerFlow) -> float:
    """Return by how much Kirchhoff's and Ohm's laws are missed anywhere. [pu]"""
    feeder = flow.feeder
    shunt = 1j * feeder.shunt * flow.v**2
    passed_on = np.zeros_like(flow.sent)
    for place in range(1, feeder.size):
        passed_on[:, feeder.parent[place]] += flow.sent[:, place]
    balance = flow.arrived - passed_on - flow.drawn + shunt
    drop = flow.voltage[:, feeder.parent] - flow.voltage - feeder.impedance * flow.current
    return max(np.abs(balance[:, 1:]).max(), np.abs(drop[:, 1:]).max())


@given(radial_feeders(), st.integers(0, 2**32 - 1))
def test_power_is_conserved_on_any_tree(feeder: Feeder, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, q = rng.uniform(-0.1, 0.1, (2, 3, feeder.size))
    flow = power_flow(feeder, p, q, 1.02)
    assert _violation(flow) < 1e-10
    shunt = 1j * (flow.v**2 @ feeder.shunt)
    lost = (flow.squared_current * feeder.impedance).sum(axis=1)
    np.testing.assert_allclose(flow.supply, -(p + 1j * q).sum(axis=1) + lost - shunt, atol=1e-10)


@given(radial_feeders(), st.integers(0, 2**32 - 1))
def test_large_and_small_nets_take_the_same_road(feeder: Feeder, seed: int) -> None:
    p, q = np.random.default_rng(seed).uniform(-0.1, 0.1, (2, 2, feeder.size))
    dense = power_flow(feeder, p, q)
    sums = module._Sums(feeder)
    sums._dense = None
    sparse_up = sums.up(dense.current[:, 1:])
    sparse_down = sums.down(dense.current[:, 1:])
    usual = module._Sums(feeder)
    np.testing.assert_allclose(sparse_up, usual.up(dense.current[:, 1:]), atol=1e-12)
    np.testing.assert_allclose(sparse_down, usual.down(dense.current[:, 1:]), atol=1e-12)


def test_intervals_do_not_influence_each_other(sce56, peak) -> None:
    p, q = (np.vstack([k * side for k in (0.2, 1.0, 0.6)]) for side in _row(peak))
    root = np.array([1.0, 1.02, 0.99])
    together = power_flow(sce56.feeder, p, q, root)
    for t in range(3):
        alone = power_flow(sce56.feeder, p[t : t + 1], q[t : t + 1], root[t])
        np.testing.assert_allclose(alone.voltage[0], together.voltage[t], atol=1e-11)


def test_load_that_follows_voltage_draws_less_where_voltage_is_low() -> None:
    feeder = two_bus(0.05, 0.05)
    nothing = np.zeros((1, 2))
    nominal = np.array([[0.0, 0.5]])
    parts = (0.5, 0.3, 0.2)
    flow = power_flow(feeder, nothing, nothing, 1.0, ZipLoad(nominal, nominal, parts, parts))
    v = flow.v[0, 1]
    assert v < 1
    assert flow.drawn[0, 1].real == pytest.approx(0.5 * (0.5 * v**2 + 0.3 * v + 0.2), abs=1e-12)
    assert _violation(flow) < 1e-11


def test_load_beyond_the_nose_is_no_power_flow() -> None:
    p = np.array([[0.0, -0.1], [0.0, -30.0]])
    with pytest.raises(PowerFlowDiverged) as caught:
        power_flow(two_bus(), p, np.zeros((2, 2)))
    assert caught.value.interval == 1
    assert caught.value.bus == 2


def test_pandapower_finds_the_same_voltages(sce56, peak) -> None:
    feeder = sce56.feeder
    rng = np.random.default_rng(7)
    load = peak * rng.uniform(0.2, 1.2, feeder.size)
    load[feeder.at(45)] -= 3.0
    load[feeder.at(19)] -= 0.8 - 0.3j
    net = pandapower_net(feeder, 1.01)
    found = voltages(net, load.real, load.imag)
    flow = power_flow(feeder, *_row(load), 1.01)
    np.testing.assert_allclose(flow.v[0], found, atol=1e-8)
    assert flow.loss[0] == pytest.approx(net.res_line.pl_mw.sum(), abs=1e-8)
