"""The simulated net says what the feeder's power flow says, in W and var."""

import numpy as np
import pytest
from tests.unit.simulation.days import shipped

from gridpact.simulation.wires import radial


@pytest.fixture
def feeder():
    return shipped("day").grid.file.feeder


def test_peak_load_gives_the_published_voltage_and_losses(feeder):
    peak = shipped("day").grid.file.peak_load_mva
    wires = radial(feeder, 1.0, 0.9, None)
    load = np.array([peak.get(bus, 0.0) * 1e6 for bus in wires.buses])
    state = wires.flow(-load * 0.9, -load * 0.9 * wires.reactive_share)
    assert state.voltage_pu.min() == pytest.approx(0.9688, abs=1e-4)
    assert wires.buses[int(state.voltage_pu.argmin())] == 37
    assert state.loss_w == pytest.approx(95_700, rel=0.005)
    assert state.substation_w == pytest.approx(load.sum() * 0.9 + state.loss_w, rel=1e-6)


def test_generation_beyond_the_load_leaves_through_the_substation(feeder):
    wires = radial(feeder, 1.0, 1.0, None)
    injected = np.zeros(len(wires.buses))
    injected[wires.place[53]] = 500_000.0
    state = wires.flow(injected, np.zeros_like(injected))
    assert state.substation_w == pytest.approx(-500_000 + state.loss_w, abs=1.0)


def test_reactive_share_is_the_tangent_of_the_power_factor(feeder):
    assert radial(feeder, 1.0, 0.9, None).reactive_share == pytest.approx(0.484322)
    assert radial(feeder, 1.0, 1.0, None).reactive_share == 0.0
