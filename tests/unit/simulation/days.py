"""Simulated days for tests: the shipped scenarios as fields, and small worlds of a few sites."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import name_hash
from gridpact.grid.check import RadialCheck
from gridpact.model.record import Limit
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.devices import Site
from gridpact.prosumer.fleet import stack
from gridpact.prosumer.plan import Planner
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.flow import Flow
from gridpact.simulation.forecast import forecast
from gridpact.simulation.meters import gains
from gridpact.simulation.orders import Desk, Venue
from gridpact.simulation.people import enlist
from gridpact.simulation.wires import radial
from gridpact.simulation.world import World

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"
VENUE = Venue(
    Domain(101, b"\1" * 20), Domain(202, b"\2" * 20), name_hash("region"), name_hash("zone")
)


@cache
def shipped(name: str) -> Scenario:
    return load(SCENARIOS / f"sce56-{name}.toml")


def of_sites(name: str, *sites: Site) -> Scenario:
    """Return a shipped scenario with other sites and no plants."""
    return replace(shipped(name), sites=sites, plants=())


def world(scenario: Scenario, check: bool = True) -> World:
    """Return a scenario's world; without `check` nobody curtails in real time."""
    grid, feeder = scenario.grid, scenario.grid.file.feeder
    people = enlist(scenario.sites, scenario.plants, int(feeder.ids[0]), scenario.seed)
    judge = RadialCheck(feeder, grid.v_min_pu, grid.v_max_pu, grid.root_voltage_pu, grid.inverter_q)
    return World(
        stack(scenario.sites),
        scenario.plants,
        tuple(party.address for party in (*people.sites, *people.plants)),
        radial(feeder, grid.root_voltage_pu, grid.power_factor, judge if check else None),
        scenario.time.hours,
    )


def field(
    scenario: Scenario,
    *,
    check: bool = True,
    signed: bool = False,
    conduct: Mapping[str, Conduct] | None = None,
) -> SimulatedField:
    """Return a scenario's field at interval 0."""
    physics = world(scenario, check)
    outlook = forecast(physics.fleet, scenario.plants, scenario.forecast, scenario.seed)
    planner = None
    if scenario.strategy == "market":
        planner = Planner(physics.fleet, outlook, scenario.tariff, scenario.time.hours)
    root = int(scenario.grid.file.feeder.ids[0])
    people = enlist(scenario.sites, scenario.plants, root, scenario.seed)
    desk = Desk(VENUE, people, scenario.tariff, scenario.seed, conduct or {}, signed)
    meter_gain = gains(len(physics.ids) + 1, scenario.meter_error, scenario.seed)
    return SimulatedField(physics, outlook, desk, tuple(meter_gain), planner)


def ran(scenario: Scenario, *, check: bool = True, limits: tuple[Limit, ...] = ()) -> list[Flow]:
    """Return the flows of a whole day without a market."""
    day = field(scenario, check=check)
    for interval in range(scenario.time.intervals):
        day.deliver(interval, limits, {})
    return day.flows
