"""Which part of a feeder hangs behind which transformer, and what its sensors are called."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.grid.feeder import Feeder
from gridpact.prosumer.devices import FloatArray
from gridpact.safety.layout import Layout
from gridpact.safety.scripted import Section
from gridpact.simulation.world import World

_ROOM = 1.2
"""Rating of a section's transformer and line over the most that its devices can ask for."""


@dataclass(frozen=True, eq=False)
class Sections:
    """`of_bus`: the section of each bus in the order of the wires; `of_party`: of sites, plants.

    above: the section that each hangs on, itself for the topmost. (section,)
    kva: rated power of each section's transformer and line. (section,)
    """

    names: tuple[str, ...]
    of_bus: NDArray[np.int64]
    of_party: NDArray[np.int64]
    above: NDArray[np.int64]
    kva: FloatArray
    volts: float

    @property
    def amperes(self) -> FloatArray:
        """Rated current of each section's line. [A]"""
        return (self.kva * 1000 / (math.sqrt(3) * self.volts)).round(3)

    def current(self, kw: FloatArray) -> FloatArray:
        """Return what a line carries of a power. [A]"""
        return np.abs(kw) * 1000 / (math.sqrt(3) * self.volts)

    def summed(self, values: FloatArray, parties: NDArray[np.int64]) -> FloatArray:
        """Return the sums of (row, party) by section, (row, section)."""
        sums = np.zeros((len(values), len(self.names)))
        np.add.at(sums.T, self.of_party[parties], values.T)
        return sums


def sections(feeder: Feeder, world: World, given: Sequence[Section]) -> Sections:
    """Return the sections of a feeder; a bus belongs to the nearest one above it."""
    at_bus = {int(feeder.at(one.bus)): n for n, one in enumerate(given)}
    owner = np.zeros(feeder.size, np.int64)
    for place in range(feeder.size):
        above = owner[feeder.parent[place]] if place else 0
        owner[place] = at_bus.get(place, above)
    of_bus = np.array([owner[feeder.at(bus)] for bus in world.wires.buses], np.int64)
    of_party = of_bus[world.places]
    above = [owner[feeder.parent[place]] if place else n for place, n in at_bus.items()]
    kva = [one.rating_kva or _asked(world, of_party == n) for n, one in enumerate(given)]
    return Sections(
        names=tuple(one.name for one in given),
        of_bus=of_bus,
        of_party=of_party,
        above=np.array(above, np.int64),
        kva=np.array(kva),
        volts=feeder.v_base_kv * 1000,
    )


def _asked(world: World, here: NDArray[np.bool_]) -> float:
    """Return a rating for the most that the devices of a section can ask for at once. [kVA]"""
    fleet, sites = world.fleet, len(world.fleet.bus)
    own = here[:sites]
    load = fleet.load_w[own].max(axis=1, initial=0).sum()
    load += fleet.ev_power_w[own].sum() + fleet.power_w[own].sum()
    made = fleet.pv_peak_w[own].sum() + fleet.power_w[own].sum()
    made += sum(
        one.peak_w for one, inside in zip(world.plants, here[sites:], strict=True) if inside
    )
    return max(_ROOM * float(max(load, made)) / 1000, 1.0)


def layout(
    found: Sections,
    station: str,
    meters: Sequence[str],
    kinds: NDArray[np.int8],
    scale_kw: FloatArray,
    parties: NDArray[np.int64],
) -> Layout:
    """Return what hangs where: one station, and an area meter, a line, a transformer a section."""
    own = found.of_party[parties]
    # in the order in which a reader of the log meets them: by meters, then by lines
    order = list(dict.fromkeys([*own.tolist(), *range(len(found.names))]))
    place = np.argsort(order)
    count = len(order)
    names = tuple(found.names)
    return Layout(
        meters=tuple(meters),
        meter_kind=kinds,
        meter_scale=scale_kw.astype(np.float32),
        meter_feeder=place[own],
        meter_station=np.zeros(len(own), np.int64),
        stations=(station,),
        feeders=tuple(names[one] for one in order),
        lines=names,
        line_feeder=place.astype(np.int64),
        line_station=np.zeros(count, np.int64),
        line_rating=found.amperes,
        transformers=names,
        transformer_feeder=place.astype(np.int64),
        transformer_station=np.zeros(count, np.int64),
    )
