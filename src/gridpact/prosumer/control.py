"""How devices behave within an interval, once load and sun are what they are.

Two battery rules: `self_consume`, the control every battery is sold with (charge from own
surplus, discharge into own load), and `follow`, which keeps to an owner's schedule as far as sun,
load and cell allow. Both hold the battery's equation, the discharge efficiency dividing.
Vehicles charge at full power from arrival until they have their energy.
"""

from typing import NamedTuple

import numpy as np

from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.fleet import Fleet

_TINY = 1.0
"""Power below which a meter stands still. [W]"""


class Schedule(NamedTuple):
    """What owners plan, (site, interval) or (site,) [W].

    battery_w: power of the battery, positive charging; net_w: net import at the connection point
    that follows from it by forecast, negative where it feeds in.
    """

    battery_w: FloatArray
    net_w: FloatArray

    def at(self, interval: int) -> "Schedule":
        return Schedule(self.battery_w[:, interval], self.net_w[:, interval])


class State(NamedTuple):
    """What lives on between intervals: cell energy and energy vehicles still need, (site,) [Wh]."""

    stored_wh: FloatArray
    ev_left_wh: FloatArray


class Operation(NamedTuple):
    """Mean power of every device in one interval, (site,) [W], all >= 0."""

    load_w: FloatArray
    pv_w: FloatArray
    charge_w: FloatArray
    discharge_w: FloatArray
    ev_w: FloatArray

    @property
    def net_w(self) -> FloatArray:
        """Net import at the connection point; negative where it feeds in."""
        return self.load_w + self.ev_w + self.charge_w - self.discharge_w - self.pv_w


def start(fleet: Fleet) -> State:
    return State(fleet.start_wh.copy(), fleet.ev_energy_wh.copy())


def headroom_w(fleet: Fleet, stored_wh: FloatArray, hours: float) -> FloatArray:
    """Return the most each battery can take for one interval. [W]"""
    room = np.maximum(fleet.capacity_wh - stored_wh, 0.0) / (fleet.charge_efficiency * hours)
    return np.minimum(fleet.power_w, room)


def reserve_w(fleet: Fleet, stored_wh: FloatArray, hours: float) -> FloatArray:
    """Return the most each battery can give for one interval. [W]"""
    return np.minimum(fleet.power_w, stored_wh * fleet.discharge_efficiency / hours)


def ev_power_w(fleet: Fleet, state: State, interval: int, hours: float) -> FloatArray:
    """Return what vehicles draw: full power from arrival until charged. [W]"""
    here = (fleet.ev_arrives <= interval) & (interval < fleet.ev_leaves)
    return np.where(here, np.minimum(fleet.ev_power_w, state.ev_left_wh / hours), 0.0)


def self_consume(
    fleet: Fleet, state: State, load_w: FloatArray, pv_w: FloatArray, interval: int, hours: float
) -> tuple[Operation, State]:
    """Run one interval under self-consumption control."""
    ev = ev_power_w(fleet, state, interval, hours)
    surplus = pv_w - load_w - ev
    return _move(fleet, state, load_w, pv_w, ev, surplus, hours)


def follow(
    fleet: Fleet,
    state: State,
    load_w: FloatArray,
    pv_w: FloatArray,
    interval: int,
    hours: float,
    planned: Schedule,
) -> tuple[Operation, State]:
    """Run one interval by a schedule (one column of it), kept sensible when the forecast was wrong.

    What is sold out of the cell is firm: the battery makes the meter read what was ordered. What
    is stored of the own surplus, or taken for the own load, follows the actual surplus or load:
    all of it where the plan was to take all, else the planned power at most. Bought energy is
    stored as planned.
    """
    ev = ev_power_w(fleet, state, interval, hours)
    net = load_w + ev - pv_w
    power, meter = planned
    sold_from_cell = (power < 0) & (meter < -_TINY)
    bought_to_store = (power > 0) & (meter > _TINY)
    balances = (power != 0) & (np.abs(meter) <= _TINY)
    own = np.where(
        power > 0, np.clip(-net, 0.0, np.maximum(power, 0.0)), -np.clip(net, 0.0, np.abs(power))
    )
    wish = np.select([sold_from_cell, bought_to_store, balances], [meter - net, power, -net], own)
    return _move(fleet, state, load_w, pv_w, ev, wish, hours)


def _move(
    fleet: Fleet,
    state: State,
    load_w: FloatArray,
    pv_w: FloatArray,
    ev_w: FloatArray,
    wish_w: FloatArray,
    hours: float,
) -> tuple[Operation, State]:
    charge = np.clip(wish_w, 0.0, headroom_w(fleet, state.stored_wh, hours))
    discharge = np.clip(-wish_w, 0.0, reserve_w(fleet, state.stored_wh, hours))
    stored = state.stored_wh + hours * (
        fleet.charge_efficiency * charge - discharge / fleet.discharge_efficiency
    )
    after = State(
        np.clip(stored, 0.0, fleet.capacity_wh),
        np.maximum(state.ev_left_wh - ev_w * hours, 0.0),
    )
    return Operation(load_w, pv_w, charge, discharge, ev_w), after
