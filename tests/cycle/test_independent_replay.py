"""Every interval's dispatch in a power flow that is not ours: no limit is broken."""

import numpy as np
import pytest
from tests.peers import pandapower_net, voltages

from gridpact.assembly.day import DayResult


@pytest.mark.parametrize("which", ["day", "voltage_day"])
def test_dispatch_keeps_every_limit_in_pandapower(
    which: str, request: pytest.FixtureRequest
) -> None:
    result: DayResult = request.getfixturevalue(which)
    grid = result.scenario.grid
    net = pandapower_net(grid.file.feeder, grid.root_voltage_pu)
    for flow in result.flows:
        found = voltages(net, -flow.p_w / 1e6, -flow.q_var / 1e6)
        assert found.max() <= grid.v_max_pu + 1e-4
        assert found.min() >= grid.v_min_pu - 1e-4
        np.testing.assert_allclose(found, flow.voltage_pu, atol=1e-7)


def test_without_the_check_the_voltage_day_breaks_its_limit(voltage_day: DayResult) -> None:
    """The same sun without curtailment exceeds the limit: the check has something to do."""
    grid = voltage_day.scenario.grid
    feeder = grid.file.feeder
    net = pandapower_net(feeder, grid.root_voltage_pu)
    flow = voltage_day.flows[12]
    uncut = flow.p_w.copy()
    stopped = flow.plant_available_w - flow.plant_w
    for plant, power in zip(voltage_day.scenario.plants, stopped, strict=True):
        uncut[feeder.at(plant.bus)] += power
    assert voltages(net, -uncut / 1e6, -flow.q_var / 1e6).max() > grid.v_max_pu + 1e-3
