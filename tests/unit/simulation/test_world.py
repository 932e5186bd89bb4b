"""Physics of an interval: energy is conserved, limits bind, the network operator has its say."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.prosumer.fleets import site
from tests.unit.simulation.days import field, of_sites, ran, shipped, world

from gridpact.errors import PowerFlowDiverged
from gridpact.model.record import Limit
from gridpact.prosumer import control
from gridpact.prosumer.devices import Battery
from gridpact.simulation.world import injectors, operate, position, run_interval


@pytest.mark.parametrize("name", ["day", "voltage", "cloudy"])
def test_what_the_substation_brings_is_what_sites_take_plus_losses(name):
    for flow in ran(shipped(name)):
        taken = flow.net_w.sum() - flow.plant_w.sum() + flow.loss_w
        assert flow.substation_w == pytest.approx(taken, abs=1.0)
        assert flow.loss_w > 0
        assert flow.p_w.sum() == pytest.approx(flow.plant_w.sum() - flow.net_w.sum(), abs=1e-3)


def test_main_day_needs_no_curtailment():
    for flow in ran(shipped("day")):
        assert not flow.curtailed_wh.any()
        assert flow.voltage_pu.max() < 1.05
        assert flow.voltage_pu.min() > 0.95


def test_voltage_variant_passes_the_limit_around_noon_when_nobody_checks():
    flows = ran(shipped("voltage"), check=False)
    buses = world(shipped("voltage")).wires.buses
    above = {flow.interval for flow in flows if flow.voltage_pu.max() > 1.05}
    assert above == {10, 11, 12, 13, 14}
    highest = max(flows, key=lambda flow: float(flow.voltage_pu.max()))
    assert buses[int(highest.voltage_pu.argmax())] == 19
    assert highest.voltage_pu.max() == pytest.approx(1.0586, abs=5e-4)


def test_network_operator_holds_the_voltage_by_cutting_the_plant_at_bus_19():
    flows = ran(shipped("voltage"))
    assert max(float(flow.voltage_pu.max()) for flow in flows) <= 1.05 + 1e-4
    cut = sum(flow.curtailed_wh for flow in flows)
    assert cut[-1] == pytest.approx(815_000, rel=0.02)
    assert cut[:-1].sum() < 0.05 * cut[-1]


def test_inverters_that_may_use_reactive_power_spare_every_watt():
    day = shipped("voltage")
    flows = ran(replace(day, grid=replace(day.grid, inverter_q=True)))
    assert max(float(flow.voltage_pu.max()) for flow in flows) <= 1.05 + 1e-4
    assert not sum(flow.curtailed_wh for flow in flows).any()
    assert any(flow.reactive_var for flow in flows)


def test_limit_caps_what_is_fed_in_and_leaves_own_use_alone():
    scenario = of_sites("day", site("a", [1000, 3000, 9000, 0], [5000, 5000, 5000, 0]))
    day = field(scenario)
    limit = Limit(day.world.ids[0], 1500)
    for interval in range(4):
        day.deliver(interval, [limit], {})
    assert [float(flow.net_w[0]) for flow in day.flows] == [-1500, -1500, 4000, 0]
    assert [float(flow.pv_w[0]) for flow in day.flows] == [2500, 4500, 5000, 0]
    assert [float(flow.limited_wh[0]) for flow in day.flows] == [2500, 500, 0, 0]
    assert not any(flow.curtailed_wh.any() for flow in day.flows)


def test_battery_keeps_the_energy_that_a_limit_did_not_let_out():
    battery = Battery(10_000, 5_000, 1.0, 0.8, 8_000)
    scenario = of_sites("day", site("a", 0.0, battery=battery))
    physics = world(scenario)
    state = control.start(physics.fleet)
    sun = (np.zeros(1), np.zeros(1), np.zeros(0))
    planned = control.Schedule(np.array([-4_000.0]), np.array([-4_000.0]))
    flow, after = run_interval(physics, state, 0, sun, {physics.ids[0]: 1_000}, {}, planned)
    assert flow.discharge_w[0] == 1_000
    assert after.stored_wh[0] == pytest.approx(8_000 - 1_000 / 0.8)
    assert flow.stored_wh[0] == after.stored_wh[0]


def test_inverter_seen_at_the_connection_point_has_the_room_of_the_real_one():
    scenario = of_sites("day", site("a", 2000.0, 5000.0))
    physics = world(scenario)
    physics = replace(physics, fleet=replace(physics.fleet, inverter_va=np.array([6000.0])))
    state = control.start(physics.fleet)
    operation, _ = operate(physics, state, 0, np.array([2000.0]), np.array([5000.0]))
    (row,) = injectors(physics, position(operation, np.zeros(0)), ranked=False)
    assert row.generation_w == 3000
    assert row.inverter_va**2 - 3000**2 == pytest.approx(6000**2 - 5000**2, rel=1e-3)


def test_dearest_ask_is_cut_first_and_plants_after_neighbours():
    physics = world(
        replace(shipped("day"), sites=(site("a", ask_share=0.3), site("b", ask_share=0.7)))
    )
    assert physics.ranks == (0, 1, 2, 3)
    swapped = replace(shipped("day"), sites=(site("a", ask_share=0.7), site("b", ask_share=0.3)))
    assert world(swapped).ranks == (1, 0, 2, 3)


def test_load_beyond_what_the_wires_can_carry_names_its_interval():
    """Such a day cannot happen: no voltage brings a hundred megawatts to the feeder's end."""
    heavy = site(load_w=[1_000.0, *[1e8] * 23], intervals=24, bus=37)
    with pytest.raises(PowerFlowDiverged) as caught:
        ran(of_sites("day", heavy))
    assert caught.value.interval == 1
