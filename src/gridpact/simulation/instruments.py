"""Simulated sensors of a market day: what they measured on clean days before it, and during it.

Meters report load and PV as they are available; storage and vehicles have meters of their own,
which the area meters leave out. Lines and transformers carry what really flows. Everything random
is drawn before the first interval. Whatever is measured is kept (`Measured`), traded or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.grid.feeder import Feeder
from gridpact.prosumer.devices import FloatArray
from gridpact.safety.equipment import ultimate
from gridpact.safety.expected import LOAD, PV
from gridpact.safety.layout import Layout
from gridpact.safety.learned import Learned, learn
from gridpact.safety.scripted import SensorSettings
from gridpact.safety.sensors import Tick
from gridpact.safety.terms import QUARTER
from gridpact.safety.warning import Notice, warned
from gridpact.simulation.flow import Flow
from gridpact.simulation.sections import layout, sections
from gridpact.simulation.sky import during, weather
from gridpact.simulation.world import World

SKY = 300
_BRIGHT = 1250.0
"""Irradiance at which PV gives its rated power, losses of the module included. [W/m2]"""
_DIM = 2 / _BRIGHT
"""The least light by which anything is given."""
_RISE, _HOURS = 45.0, 3.0
"""Of the transformers: oil above the ambient at rated load [K], time constant [h]."""
_WARMING = 24.0
"""How fast the oil of a transformer without cooling warms. [K/h]"""


@dataclass(frozen=True)
class Clock:
    """Interval 0 `begins` then, each lasts `seconds`; clean days come before. [s]"""

    begins: int
    seconds: int
    intervals: int
    train_days: int

    @property
    def first(self) -> int:
        return self.begins - self.train_days * 86_400

    def times(self, step: int) -> NDArray[np.int64]:
        """Return the moments at which something is measured."""
        return np.arange(self.first + step, self.begins + self.intervals * self.seconds + 1, step)

    def row(self, time: int, step: int) -> int:
        return (time - self.first) // step - 1

    def moment(self, hour: float) -> int:
        """Return the moment of an hour of the market's day. [s]"""
        return self.begins + round(hour * 3600)

    def hours(self, times: NDArray[np.int64]) -> FloatArray:
        return np.asarray((times - self.begins) / 3600)

    def column(self, times: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
        """Return the interval that holds or ends with each moment; clean days repeat the day."""
        return np.asarray((times - 1 - self.begins) // self.seconds % columns)

    def day(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray((times - 1 - self.first) // 86_400)


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything measured so far: rows of weather (row, field), and of the quarters of an hour.

    power (row, meter) [kW]; area [kW], current [A], load [pu] and oil [degC], each by (row, place
    of the layout); NaN for what was not heard.
    """

    sky_times: NDArray[np.int64]
    sky: FloatArray
    times: NDArray[np.int64]
    power: FloatArray
    area: FloatArray
    current: FloatArray
    load: FloatArray
    oil: FloatArray


class Instruments:
    """The sensors of one feeder (`cycle.watch.Feed`).

    Parameters
    ----------
    flows
        What really flows, interval by interval; the field adds to it as the day goes on.
    names
        Of the sites, then of the plants.
    """

    def __init__(
        self,
        world: World,
        feeder: Feeder,
        flows: Sequence[Flow],
        settings: SensorSettings,
        clock: Clock,
        names: Sequence[str],
        seed: int,
    ) -> None:
        self.clock, self.settings, self._flows = clock, settings, flows
        rng = np.random.default_rng([seed, 37])
        self._sections = sections(feeder, world, settings.sections)
        own = _Meters.of(world, names)
        self._owner = own.owner
        sky_times, times = clock.times(SKY), clock.times(QUARTER)
        cloud = _clouds(rng, clock)
        power = own.power(clock, times, cloud[clock.day(times)], rng)
        light = _BRIGHT * own.sun[clock.column(sky_times, len(own.sun))]
        light *= cloud[clock.day(sky_times)]
        sky = weather(clock.hours(sky_times), light, settings.storms, seed)
        self.layout: Layout = layout(
            self._sections, settings.station, own.names, own.kind, own.scale(power), own.owner
        )
        signed = power * np.where(own.kind == LOAD, 1.0, -1.0)
        taken = self._sections.summed(signed, own.owner)
        self._net_kw = taken + 0.01 * self._sections.summed(power, own.owner)
        shape = self._net_kw.shape
        seen = self._net_kw * (1 + 0.003 * rng.standard_normal(shape))
        order = [self._sections.names.index(one) for one in self.layout.feeders]
        place = {name: n for n, name in enumerate(self.layout.feeders)}
        tops = self._sections.above[order].tolist()
        self.above = tuple(place[self._sections.names[one]] for one in tops)
        self._oil_noise = 0.3 * rng.standard_normal(shape)
        self._lag, self._done = np.full(shape, np.nan), 0
        self.measured = Measured(
            sky_times, sky, times, power, seen[:, order].round(4), np.full(shape, np.nan),
            np.full(shape, np.nan), np.full(shape, np.nan),
        )  # fmt: skip
        self.notices = tuple(
            Notice(settings.station, one.kind, clock.moment(one.when.since),
                   clock.moment(one.when.until))
            for one in settings.warnings
        )  # fmt: skip
        self._silence(names)

    def meters(self, party: int) -> tuple[int, ...]:
        """Return the meters of a site or plant, by its number, as numbers of the layout."""
        return tuple(np.flatnonzero(self._owner == party).tolist())

    def learn(self) -> Learned:
        """Return what the clean days teach."""
        rows, m = self.clock.row(self.clock.begins, QUARTER), self.measured
        self._carry_to(rows)
        sky = m.sky[QUARTER // SKY - 1 :: QUARTER // SKY][:rows, :, None]
        return learn(
            self.layout, m.times[:rows], m.power[:rows].astype(np.float32), m.area[:rows],
            m.load[:rows], m.oil[:rows], sky,
        )  # fmt: skip

    @property
    def carried(self) -> int:
        """How many quarters of an hour are measured so far, the clean days included."""
        return self._done

    # the feed

    def sky(self, time: int) -> FloatArray:
        """Return a row of every station, (field, station)."""
        return np.asarray(self.measured.sky[self.clock.row(time, SKY)][:, None])

    def warned(self, time: int) -> NDArray[np.bool_]:
        """Return what each station is warned of, (level, station)."""
        return warned(self.notices, self.layout.stations, time)

    def tick(self, time: int) -> Tick:
        """Return a quarter of an hour's; what flowed must have flowed already."""
        row, m = self.clock.row(time, QUARTER), self.measured
        self._carry_to(row + 1)
        power = m.power[row].astype(np.float32)
        return Tick(time, power, m.area[row], m.current[row], m.load[row], m.oil[row])

    def _carry_to(self, rows: int) -> None:
        """Work out what lines and transformers carried, row by row."""
        for row in range(self._done, rows):
            self._carry(row)
        self._done = max(self._done, rows)

    def _carry(self, row: int) -> None:
        m, time, kva = self.measured, int(self.measured.times[row]), self._sections.kva
        kw = self._net_kw[row]
        if time > self.clock.begins:
            flow = self._flows[(time - 1 - self.clock.begins) // self.clock.seconds]
            kw = -np.bincount(self._sections.of_bus, flow.p_w, len(kw)) / 1000
        load = np.abs(kw) / kva
        steady = ultimate(load)
        before = self._lag[row - 1] if row else steady
        self._lag[row] = before + (1 - np.exp(-0.25 / _HOURS)) * (steady - before)
        temp = float(np.nan_to_num(m.sky[(row + 1) * QUARTER // SKY - 1, 0], nan=15.0))
        oil = temp + 2.0 + _RISE * self._lag[row] + self._oil_noise[row]
        hour = (time - self.clock.begins) / 3600
        for fault in self.settings.faults:
            if fault.when.since < hour <= fault.when.until:
                extra = min(fault.extra_k, _WARMING * (hour - fault.when.since))
                oil[self.layout.transformers.index(fault.transformer)] += extra
        dumb = {one.sensor for one in self.settings.silences
                if one.when.since < hour <= one.when.until}  # fmt: skip
        mute = np.array([f"transformer {one}" in dumb for one in self.layout.transformers])
        m.load[row] = np.where(mute, np.nan, load.round(6))
        m.oil[row] = np.where(mute, np.nan, oil.round(3))
        mute = np.array([f"line {one}" in dumb for one in self.layout.lines])
        m.current[row] = np.where(mute, np.nan, self._sections.current(kw).round(3))

    def _silence(self, names: Sequence[str]) -> None:
        m, clock = self.measured, self.clock
        for one in self.settings.silences:
            if one.sensor == f"station {self.settings.station}":
                m.sky[during(clock.hours(m.sky_times), one.when)] = np.nan
            elif one.sensor.startswith("meter "):
                rows = during(clock.hours(m.times), one.when)
                for meter in self.meters(names.index(one.sensor.removeprefix("meter "))):
                    m.power[rows, meter] = np.nan


@dataclass(frozen=True, eq=False)
class _Meters:
    """A meter of each site's load, of its PV, and of each plant. true: (meter, interval) [kW]"""

    names: tuple[str, ...]
    kind: NDArray[np.int8]
    owner: NDArray[np.int64]
    true: FloatArray
    peak: FloatArray

    @classmethod
    def of(cls, world: World, names: Sequence[str]) -> "_Meters":
        fleet, plants = world.fleet, world.plants
        roofs, sites = np.flatnonzero(fleet.pv_peak_w > 0), len(fleet.bus)
        made = [fleet.pv_w[roofs], *(one.power_w[None, : fleet.intervals] for one in plants)]
        return cls(
            (*names[:sites], *(f"{names[one]} pv" for one in roofs.tolist()), *names[sites:]),
            np.repeat([LOAD, PV], [sites, len(roofs) + len(plants)]).astype(np.int8),
            np.concatenate([np.arange(sites), roofs, np.arange(sites, len(names))]),
            np.concatenate([fleet.load_w, *made]) / 1000,
            np.concatenate([fleet.pv_peak_w[roofs], [one.peak_w for one in plants]]) / 1000,
        )

    @property
    def sun(self) -> FloatArray:
        """Share of its rated power that PV gives on the mean; never dark while any gives some.

        (interval,)
        """
        if not len(self.peak):
            return np.zeros(self.true.shape[1])
        share = self.true[self.kind == PV] / self.peak[:, None]
        least = np.where(share.max(axis=0) > 0.01, _DIM, 0.0)
        return np.asarray(np.maximum(share.mean(axis=0), least))

    def power(
        self, clock: Clock, times: NDArray[np.int64], cloud: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return what the meters report, (row, meter)."""
        power = self.true[:, clock.column(times, self.true.shape[1])].T.copy()
        load = self.kind == LOAD
        noise = rng.standard_normal(power.shape)
        power[:, load] *= np.exp(0.08 * noise[:, load])
        power[:, ~load] *= cloud[:, None] * (1 + 0.02 * noise[:, ~load])
        return np.asarray(power.round(4))

    def scale(self, power: FloatArray) -> FloatArray:
        """Return the rated power of each meter. [kW]"""
        most = 1.1 * power[:, self.kind == LOAD].max(axis=0)
        return np.asarray(np.maximum(np.concatenate([most, self.peak]), 0.001).round(3))


def _clouds(rng: np.random.Generator, clock: Clock) -> FloatArray:
    """Return by day how much of the market day's light came through; all of it on that day."""
    rest = 1 + clock.intervals * clock.seconds // 86_400
    return np.concatenate([0.6 + 0.4 * rng.random(clock.train_days), np.ones(rest)])
