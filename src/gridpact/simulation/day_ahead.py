"""The day-ahead problem: what the region expects of tomorrow, as the optimal power flow asks it.

Forecast load, sun and plants, every battery and vehicle, grid supply's energy price and the
feed-in tariff. Its answer advises: prices and a suggested schedule; owners' own plans decide.
"""

import numpy as np

from gridpact.grid.feeder import Feeder
from gridpact.grid.problem import DeviceSets, Ev, Problem, Pv, Storage
from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.fleet import Fleet
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import MICRO
from gridpact.simulation.wires import Wires
from gridpact.simulation.world import World

_W_PER_MW = 1e6


def problem(
    world: World,
    outlook: Outlook,
    feeder: Feeder,
    tariff: Tariff,
    v_root: float,
    band: tuple[float, float],
    inverter_q: bool,
) -> Problem:
    """Return the problem of the whole horizon.

    `band` is (v_min, v_max) [pu]. Prices are per MWh: import at the energy part of retail, export
    at the feed-in tariff, at most the price of import: beyond that it is a subsidy, which the flow
    must not earn by taking and giving at once.
    """
    fleet, intervals = world.fleet, world.fleet.intervals
    active = _by_bus(world.wires, fleet.bus, outlook.load_w) / _W_PER_MW
    retail = np.array(tariff.retail, dtype=np.float64) - tariff.network_share
    return Problem(
        feeder=feeder,
        dt_h=world.hours,
        v_min=band[0],
        v_max=band[1],
        v_root=np.full(intervals, v_root),
        load_p_mw=active,
        load_q_mvar=active * world.wires.reactive_share,
        price_buy=retail * 1000 / MICRO,
        price_sell=np.minimum(retail, tariff.feed_in) * 1000 / MICRO,
        devices=DeviceSets(
            pv=_pv(world, outlook, inverter_q), storage=_storage(fleet), ev=_ev(fleet)
        ),
    )


def _by_bus(wires: Wires, bus: np.typing.NDArray[np.int64], power_w: FloatArray) -> FloatArray:
    """Return power summed per bus, (interval, bus). [W]"""
    total = np.zeros((power_w.shape[1], len(wires.buses)))
    np.add.at(total.T, wires.places([int(one) for one in bus]), power_w)
    return total


def _pv(world: World, outlook: Outlook, inverter_q: bool) -> Pv:
    """Return rooftops, then plants; they ask nothing, so that curtailment is the last resort."""
    fleet = world.fleet
    roofs = np.flatnonzero(fleet.pv_peak_w > 0)
    available = np.concatenate([outlook.pv_w[roofs], outlook.plant_w]) / _W_PER_MW
    rated = [site.pv.inverter_va if site.pv else 0.0 for site in fleet.sites]
    plants = [plant.inverter_va for plant in world.plants]
    return Pv(
        bus=np.array([*fleet.bus[roofs], *(plant.bus for plant in world.plants)], dtype=np.int64),
        s_mva=np.array([*np.array(rated)[roofs], *plants]) / _W_PER_MW,
        available_mw=available.T,
        offer=np.zeros(len(available)),
        reactive=inverter_q,
    )


def _storage(fleet: Fleet) -> Storage:
    own = np.flatnonzero(fleet.capacity_wh > 0)
    return Storage(
        bus=fleet.bus[own],
        p_max_mw=fleet.power_w[own] / _W_PER_MW,
        e_min_mwh=np.zeros(len(own)),
        e_max_mwh=fleet.capacity_wh[own] / _W_PER_MW,
        e_0_mwh=fleet.start_wh[own] / _W_PER_MW,
        eta_charge=fleet.charge_efficiency[own],
        eta_discharge=fleet.discharge_efficiency[own],
        wear_per_mwh=np.full(len(own), 1.0),
    )


def _ev(fleet: Fleet) -> Ev:
    own = np.flatnonzero(fleet.ev_energy_wh > 0)
    return Ev(
        bus=fleet.bus[own],
        p_max_mw=fleet.ev_power_w[own] / _W_PER_MW,
        energy_mwh=fleet.ev_energy_wh[own] / _W_PER_MW,
        start=fleet.ev_arrives[own],
        end=np.minimum(fleet.ev_leaves[own], fleet.intervals),
        eta=np.ones(len(own)),
    )
