"""Which grids are measured? The published 56-bus feeder, and made ones of any size, with a day.

A made feeder is a random tree with lines like those of a rural 12 kV net, loaded so that its
voltage falls by about 3 % whatever its size; everything follows from the seed.
"""

from pathlib import Path

import numpy as np

import gridpact
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.problem import DeviceSets, Ev, Generator, Problem, Pv, Storage
from gridpact.scenario.feeder_file import read_feeder

SCE56 = Path(gridpact.__file__).parent / "data" / "feeders" / "sce56.toml"
_DROP = 0.03  # of the farthest bus at the highest load, linearised [pu]


def day_of_sce56(intervals: int = 24) -> Problem:
    """Return a day on the 56-bus feeder with the paper's plants, batteries, cars, a generator."""
    file = read_feeder(SCE56)
    peak = np.array([file.peak_load_mva[int(bus)] for bus in file.feeder.ids]) * file.power_factor
    devices = DeviceSets(
        pv=_plants(np.array([53, 19]), np.array([1.0, 0.8]), intervals),
        storage=_batteries(np.array([37, 52, 12]), 0.2),
        ev=_cars(np.array([32, 48]), 0.1, intervals),
        generator=_generator(np.array([45]), 0.3),
    )
    return _day(file.feeder, peak, devices, intervals)


def made_feeder(size: int, seed: int = 7) -> tuple[Feeder, FloatArray]:
    """Return a random radial feeder and the peak load of each bus. (bus,) [MW]"""
    rng = np.random.default_rng(seed)
    reach = np.maximum(1, np.arange(1, size) // 8 + 2)
    parent = np.r_[-1, np.arange(size - 1) - rng.integers(0, reach) + 0]
    parent[1:] = np.clip(parent[1:], 0, np.arange(size - 1))
    peak = np.r_[0.0, rng.uniform(0.5, 1.5, size - 1)]
    r = np.r_[0.0, rng.uniform(0.5, 1.5, size - 1)]
    below = peak.copy()
    for bus in range(size - 1, 0, -1):
        below[parent[bus]] += below[bus]
    drop = np.zeros(size)
    for bus in range(1, size):
        drop[bus] = drop[parent[bus]] + r[bus] * below[bus] * 1.6
    peak *= 4.0 / peak.sum()
    scale = _DROP / (drop.max() * 4.0 / below[0])
    feeder = Feeder(
        ids=np.arange(1, size + 1),
        parent=parent,
        r=r * scale,
        x=0.8 * r * scale,
        shunt=np.zeros(size),
        conductance=np.zeros(size),
        s_max=np.full(size, np.inf),
        v_kv=np.full(size, 12.0),
        s_base_mva=1.0,
    )
    return feeder, peak


def made_day(size: int, intervals: int, seed: int = 7) -> Problem:
    """Return a day on a made feeder: one bus in ten has sun, one in twenty a battery or a car."""
    feeder, peak = made_feeder(size, seed)
    rng = np.random.default_rng(seed + 1)
    buses = rng.permutation(feeder.ids[1:])
    tenth, twentieth = max(size // 10, 1), max(size // 20, 1)
    some = 3.0 / tenth
    devices = DeviceSets(
        pv=_plants(buses[:tenth], rng.uniform(0.5, 1.0, tenth) * some, intervals),
        storage=_batteries(buses[tenth : tenth + twentieth], 0.5 / twentieth),
        ev=_cars(buses[-twentieth:], 0.2 / twentieth, intervals),
    )
    return _day(feeder, peak, devices, intervals)


def _day(feeder: Feeder, peak: FloatArray, devices: DeviceSets, intervals: int) -> Problem:
    hours = _hours(intervals)
    shape = (
        0.55 + 0.2 * np.exp(-(((hours - 8) / 2.5) ** 2)) + 0.4 * np.exp(-(((hours - 20) / 3) ** 2))
    )
    load = shape[:, None] * peak
    return Problem(
        feeder=feeder,
        dt_h=1.0,
        v_min=0.94,
        v_max=1.06,
        v_root=np.ones(intervals),
        load_p_mw=load,
        load_q_mvar=load * np.sqrt(1 / 0.9**2 - 1),
        price_buy=200 + 150 * (shape - 0.55) / 0.4,
        price_sell=np.full(intervals, 80.0),
        devices=devices,
    )


def _hours(intervals: int) -> FloatArray:
    """Return the hour of each interval; a single one is late in the morning."""
    return np.arange(intervals) * 24.0 / intervals if intervals > 1 else np.array([10.0])


def _plants(bus: IntArray, peak: FloatArray, intervals: int) -> Pv:
    sun = np.maximum(np.sin((_hours(intervals) - 6) * np.pi / 12), 0.0)
    return Pv(bus, 1.1 * peak, sun[:, None] * peak, np.full(len(bus), 5.0))


def _batteries(bus: IntArray, power: float) -> Storage:
    one = np.ones(len(bus))
    return Storage(
        bus=bus,
        p_max_mw=power * one,
        e_min_mwh=0.0 * one,
        e_max_mwh=2 * power * one,
        e_0_mwh=power * one,
        eta_charge=0.95 * one,
        eta_discharge=0.95 * one,
        wear_per_mwh=10.0 * one,
    )


def _cars(bus: IntArray, power: float, intervals: int) -> Ev:
    one = np.ones(len(bus))
    start = int(intervals * 0.7)
    return Ev(
        bus=bus,
        p_max_mw=power * one,
        energy_mwh=0.5 * power * (intervals - start) * one,
        start=np.full(len(bus), start),
        end=np.full(len(bus), intervals),
        eta=0.9 * one,
    )


def _generator(bus: IntArray, power: float) -> Generator:
    one = np.ones(len(bus))
    return Generator(
        bus, 0 * one, power * one, -power / 3 * one, power / 3 * one, 80 * one, 180 * one
    )
