"""Voltages, flows and losses: published figures, another program, and the laws themselves."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.peers import pandapower_net, voltages
from tests.unit.grid.conftest import radial_feeders, two_bus

from gridpact.errors import PowerFlowDiverged
from gridpact.grid import sweeps
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
    shunt = (1j * feeder.shunt - feeder.conductance) * flow.v**2
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


def _found(sweep, feeder: Feeder, p: np.ndarray, q: np.ndarray, load=None) -> np.ndarray:
    """Return all of one sweep's results as numbers in a row."""
    demand = sweeps.Demand(-p.T.copy(), -q.T.copy(), load.consumption() if load else None)
    found = sweep(feeder, demand, np.full(len(p), 1.01), 1e-13)
    return np.concatenate([found.v.ravel(), found.l.ravel(), found.sent.ravel().view(float)])


@given(radial_feeders(), st.integers(0, 2**32 - 1), st.booleans())
def test_sweeps_of_powers_and_of_currents_agree(feeder: Feeder, seed: int, follows: bool) -> None:
    rng = np.random.default_rng(seed)
    p, q, more_p, more_q = rng.uniform(-0.1, 0.1, (4, 3, feeder.size))
    load = ZipLoad(more_p, more_q, (0.5, 0.3, 0.2), (0.2, 0.3, 0.5)) if follows else None
    powers = _found(sweeps.by_power, feeder, p, q, load)
    currents = _found(sweeps.by_current, feeder, p, q, load)
    np.testing.assert_allclose(powers, currents, atol=1e-11)


def test_large_nets_take_the_same_road(sce56, peak, monkeypatch) -> None:
    p, q = (np.vstack([k * side for k in (0.2, 1.0, 0.6)]) for side in _row(peak))
    small = _found(sweeps.by_current, sce56.feeder, p, q)
    monkeypatch.setattr(sweeps, "_DENSE_UP_TO", 0)
    sweeps._sums.cache_clear()
    large = _found(sweeps.by_current, sce56.feeder, p, q)
    sweeps._sums.cache_clear()
    np.testing.assert_allclose(small, large, atol=1e-12)


@given(radial_feeders(), st.integers(0, 2**32 - 1))
def test_shunts_change_how_fast_not_what_is_found(feeder: Feeder, seed: int) -> None:
    """Capacitors and losses of shunts anywhere: the laws hold in every block of a year."""
    rng = np.random.default_rng(seed)
    lossy = dataclasses.replace(
        feeder,
        shunt=rng.uniform(-0.2, 0.4, feeder.size),
        conductance=rng.uniform(0, 0.1, feeder.size),
    )
    p, q = rng.uniform(-0.1, 0.1, (2, 130, feeder.size))
    flow = power_flow(lossy, p, q, 1.02)
    assert _violation(flow) < 1e-10
    np.testing.assert_allclose(flow.drawn, -(p + 1j * q), atol=1e-10)
    given_in = p.sum(axis=1) + flow.supply.real
    np.testing.assert_allclose(flow.loss, given_in, atol=1e-10)


def test_a_capacitor_takes_no_more_sweeps_than_none(sce56, peak, monkeypatch) -> None:
    p, q = (np.repeat(side, 130, axis=0) for side in _row(peak))
    monkeypatch.setattr(sweeps, "_STEPS", 6)
    power_flow(sce56.feeder, p, q)
    bare = sweeps._Lead(np.zeros(0, dtype=np.int64), np.zeros((sce56.feeder.size, 0)))
    monkeypatch.setattr(sweeps, "_lead", lambda _: bare)
    with pytest.raises(PowerFlowDiverged):
        power_flow(sce56.feeder, p, q)


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


@pytest.mark.parametrize("intervals", [2, 300])
def test_load_beyond_the_nose_is_no_power_flow(intervals: int) -> None:
    p = np.tile([0.0, -0.1], (intervals, 1))
    p[1, 1] = -30.0
    with pytest.raises(PowerFlowDiverged) as caught:
        power_flow(two_bus(), p, np.zeros_like(p))
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
