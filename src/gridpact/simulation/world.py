"""The physics of an interval: devices run, limits bind, the wires carry what is left.

Shared by the field (the day with the market) and the baseline (the day without), so that both see
the same sun, the same loads and the same network operator. Pure functions of state and interval.

A limit is on what a connection point feeds in; own use behind the meter is never cut.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gridpact.errors import PowerFlowDiverged
from gridpact.model.grid_check import Injector
from gridpact.prosumer.control import Operation, Schedule, State, follow, self_consume
from gridpact.prosumer.devices import FloatArray, Plant
from gridpact.prosumer.fleet import Fleet
from gridpact.quantities import whole
from gridpact.simulation.flow import Flow
from gridpact.simulation.wires import GridState, Wires


@dataclass(frozen=True, eq=False)
class World:
    """Sites, plants and wires. `ids` are the addresses of the sites, then of the plants.

    `hours` is the length of an interval.
    """

    fleet: Fleet
    plants: tuple[Plant, ...]
    ids: tuple[bytes, ...]
    wires: Wires
    hours: float

    @cached_property
    def buses(self) -> tuple[int, ...]:
        """Bus of every site, then of every plant."""
        return (*(int(bus) for bus in self.fleet.bus), *(plant.bus for plant in self.plants))

    @cached_property
    def places(self) -> NDArray[np.int64]:
        return np.array(self.wires.places(self.buses), dtype=np.int64)

    @cached_property
    def ratings_va(self) -> FloatArray:
        plants = [plant.inverter_va for plant in self.plants]
        return np.concatenate([self.fleet.inverter_va, np.array(plants)])

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """Order of cutting in real time: the dearest asks first, plants after neighbours."""
        asks = [(0, site.ask_share) for site in self.fleet.sites]
        asks += [(1, plant.ask_share) for plant in self.plants]
        order = sorted(range(len(asks)), key=lambda i: (asks[i], i))
        return tuple(rank for _, rank in sorted(zip(order, range(len(asks)), strict=True)))


def operate(
    world: World,
    state: State,
    interval: int,
    load_w: FloatArray,
    pv_w: FloatArray,
    planned: Schedule | None = None,
) -> tuple[Operation, State]:
    """Run every site's devices for one interval, given load and sun.

    Without a plan batteries are under self-consumption control.
    """
    if planned is None:
        return self_consume(world.fleet, state, load_w, pv_w, interval, world.hours)
    return follow(world.fleet, state, load_w, pv_w, interval, world.hours, planned)


@dataclass(frozen=True, eq=False)
class Position:
    """What every connection point asks of the wires. feed_w: sites, then plants. [W]"""

    net_w: FloatArray
    load_w: FloatArray
    generator_w: FloatArray
    feed_w: FloatArray


def position(operation: Operation, plant_w: FloatArray) -> Position:
    """Return the position that follows from running devices."""
    net = operation.net_w
    behind = operation.pv_w + operation.discharge_w - operation.charge_w
    return Position(
        net,
        operation.load_w,
        np.concatenate([behind, plant_w]),
        np.concatenate([np.maximum(-net, 0.0), plant_w]),
    )


def bus_load(world: World, at: Position) -> dict[int, tuple[int, int]]:
    """Return what is taken at each bus, (W, var): imports, and the var of every load."""
    size, sites = len(world.wires.buses), len(at.net_w)
    places = world.places[:sites]
    active = _per_bus(places, np.maximum(at.net_w, 0.0), size)
    reactive = _per_bus(places, at.load_w * world.wires.reactive_share, size)
    return {
        bus: (whole(active[i]), whole(reactive[i]))
        for i, bus in enumerate(world.wires.buses)
        if active[i] or reactive[i]
    }


def injectors(world: World, at: Position, *, ranked: bool) -> list[Injector]:
    """Return who feeds in, in whole W.

    An inverter's room for reactive power depends on all it generates, not only on what leaves the
    house: S^2 - P^2 = S'^2 - feed^2 defines the rating S' seen at the connection point.
    """
    room = np.maximum(world.ratings_va**2 - at.generator_w**2, 0.0)
    seen = np.sqrt(room + at.feed_w**2)
    return [
        Injector(
            world.ids[i],
            world.buses[i],
            int(at.feed_w[i]),
            world.ranks[i] if ranked else 0,
            int(seen[i]),
        )
        for i in np.flatnonzero(at.feed_w >= 1.0)
    ]


def run_interval(
    world: World,
    state: State,
    interval: int,
    sun_w: tuple[FloatArray, FloatArray, FloatArray],
    limits_w: Mapping[bytes, int],
    reactive_var: Mapping[bytes, int],
    planned: Schedule | None = None,
) -> tuple[Flow, State]:
    """Let one interval happen.

    Parameters
    ----------
    sun_w
        Actual load and PV of the sites and power of the plants. (site,), (site,), (plant,) [W]
    limits_w
        The most each named party may feed in, set beforehand.
    reactive_var
        Set points of the inverters, set beforehand; the real-time check may replace them.
    planned
        What owners plan for this interval, None under self-consumption control.

    Raises
    ------
    PowerFlowDiverged
        The wires cannot carry the load at any voltage: such a day cannot happen, nor be simulated.
    """
    load, available, plants = sun_w
    operation, after = operate(world, state, interval, load, available, planned)
    wish = position(operation, plants)
    feed = np.minimum(wish.feed_w, _caps(world.ids, limits_w))
    limited = replace(wish, feed_w=feed, generator_w=wish.generator_w - (wish.feed_w - feed))
    final, reactive, binding = _checked(world, interval, limited, reactive_var)
    operation, after = _shed(world, operation, after, wish.feed_w - final)
    sites = len(load)
    p_w, q_var = _injections(world, wish, final, reactive)
    grid = _flow(world, interval, p_w, q_var)
    return (
        Flow(
            interval=interval,
            load_w=load,
            ev_w=operation.ev_w,
            pv_w=operation.pv_w,
            pv_available_w=available,
            charge_w=operation.charge_w,
            discharge_w=operation.discharge_w,
            stored_wh=after.stored_wh,
            plant_w=final[sites:],
            plant_available_w=plants,
            p_w=p_w,
            q_var=q_var,
            voltage_pu=grid.voltage_pu,
            loss_w=grid.loss_w,
            substation_w=grid.substation_w,
            limited_wh=(wish.feed_w - feed) * world.hours,
            curtailed_wh=(feed - final) * world.hours,
            reactive_var=reactive,
            binding=binding,
        ),
        after,
    )


def _flow(world: World, interval: int, p_w: FloatArray, q_var: FloatArray) -> GridState:
    try:
        return world.wires.flow(p_w, q_var)
    except PowerFlowDiverged as error:
        # the wires count the intervals of one call: here always the first
        raise PowerFlowDiverged(interval, error.bus, error.mismatch) from error


def _caps(ids: Sequence[bytes], limits_w: Mapping[bytes, int]) -> FloatArray:
    return np.array([float(limits_w.get(who, np.inf)) for who in ids])


def _checked(
    world: World, interval: int, at: Position, reactive_var: Mapping[bytes, int]
) -> tuple[FloatArray, Mapping[bytes, int], tuple[str, ...]]:
    """Let the network operator look at the actual flows and curtail further if it must."""
    if world.wires.check is None:
        return at.feed_w, reactive_var, ()
    rows = injectors(world, at, ranked=True)
    verdict = world.wires.check(interval, bus_load(world, at), rows)
    caps = _caps(world.ids, {one.participant: one.power_w for one in verdict.curtailments})
    return (
        np.minimum(at.feed_w, caps),
        verdict.reactive_var,
        (*verdict.binding, *verdict.conflicts),
    )


def _shed(
    world: World, operation: Operation, after: State, cut_w: FloatArray
) -> tuple[Operation, State]:
    """Take cut power from PV first, then from the battery, which keeps that energy."""
    cut = cut_w[: len(operation.pv_w)]
    if not cut.any():
        return operation, after
    from_pv = np.minimum(cut, operation.pv_w)
    kept = np.minimum(cut - from_pv, operation.discharge_w)
    stored = after.stored_wh + kept * world.hours / world.fleet.discharge_efficiency
    return (
        operation._replace(pv_w=operation.pv_w - from_pv, discharge_w=operation.discharge_w - kept),
        after._replace(stored_wh=stored),
    )


def _injections(
    world: World, at: Position, feed_w: FloatArray, reactive: Mapping[bytes, int]
) -> tuple[FloatArray, FloatArray]:
    """Return the net injection at every bus. [W], [var]"""
    size, sites = len(world.wires.buses), len(at.net_w)
    load_places = world.places[:sites]
    supplied = np.array([float(reactive.get(who, 0)) for who in world.ids])
    active = _per_bus(world.places, feed_w, size)
    active -= _per_bus(load_places, np.maximum(at.net_w, 0.0), size)
    var = _per_bus(world.places, supplied, size)
    var -= _per_bus(load_places, at.load_w * world.wires.reactive_share, size)
    return active, var


def _per_bus(places: NDArray[np.int64], values: FloatArray, size: int) -> FloatArray:
    """Return the sum of `values` at each of `size` buses."""
    sums = np.zeros(size)
    np.add.at(sums, places, values)
    return sums
