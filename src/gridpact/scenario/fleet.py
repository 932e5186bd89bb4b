"""Who lives at the feeder: a fleet of participants drawn from a seed (docs/scenario.md).

Every load bus gets `per_bus` participants, groups of homes or commerce. A bus's mean load over the
day is `load_share` of its peak, split evenly; within a group of homes each home has a profile of
its own, scaled to the same mean over the file's whole span, so no single profile rules.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.errors import ScenarioError
from gridpact.prosumer.devices import Battery, Ev, FloatArray, Pv, Site
from gridpact.quantities import PPM
from gridpact.scenario.profiles import Profiles, not_negative
from gridpact.scenario.table import Table

HOME_PROFILES = tuple(f"H0-{letter}_pload" for letter in "ABCGHL")
COMMERCE_PROFILES = tuple(
    f"{name}_pload" for name in ("G0-A", "G1-A", "G1-B", "G2-A", "G3-A", "G4-A", "G5-A", "G6-A")
)
PV_PROFILES = tuple(f"PV{i}" for i in range(1, 9))


@dataclass(frozen=True)
class FleetSettings:
    """The table of the fleet; see scenarios/sce56-day.toml for each number's meaning."""

    seed: int
    home_groups: int
    homes_per_group: int
    home_shift_h: tuple[float, float]
    commerce: int
    per_bus: tuple[int, int]
    load_share: float
    pv_owners: int
    pv_kw_per_mean_kw: float
    inverter_kva_per_kw: float
    batteries: int
    battery_kwh_per_kw: float
    battery_kw_per_kwh: float
    charge_efficiency: float
    discharge_efficiency: float
    start_share: float
    evs: int
    ev_kwh: float
    ev_kw: float
    ev_arrival_h: tuple[int, int]
    ask_share: tuple[float, float]
    min_reputation: tuple[float, float]

    @property
    def participants(self) -> int:
        return self.home_groups + self.commerce


def read_settings(table: Table, seed: int) -> FleetSettings:
    """Return the [fleet] table; `seed` is the scenario's, used when the table has none."""
    settings = FleetSettings(
        seed=table.whole("seed", seed),
        home_groups=table.whole("home_groups"),
        homes_per_group=table.whole("homes_per_group", 8, low=1, high=1000),
        home_shift_h=table.pair("home_shift_h", (0.0, 0.0), low=-12, high=12),
        commerce=table.whole("commerce"),
        per_bus=table.whole_pair("per_bus", (2, 4), high=1000),
        load_share=table.number("load_share", 0.45, high=1.0),
        pv_owners=table.whole("pv_owners", 0),
        pv_kw_per_mean_kw=table.number("pv_kw_per_mean_kw", 5.0, high=1000),
        inverter_kva_per_kw=table.number("inverter_kva_per_kw", 1.0, high=1000),
        batteries=table.whole("batteries", 0),
        battery_kwh_per_kw=table.number("battery_kwh_per_kw", 1.0, high=1000),
        battery_kw_per_kwh=table.number("battery_kw_per_kwh", 0.5, high=1000),
        charge_efficiency=table.number("charge_efficiency_share", 0.95, low=0.01, high=1.0),
        discharge_efficiency=table.number("discharge_efficiency_share", 0.95, low=0.01, high=1.0),
        start_share=table.number("start_share", 0.0, high=1.0),
        evs=table.whole("evs", 0),
        ev_kwh=table.number("ev_kwh", 20.0, high=1e6),
        ev_kw=table.number("ev_kw", 14.8, high=1e6),
        ev_arrival_h=table.whole_pair("ev_arrival_h", (17, 19), high=23),
        ask_share=table.pair("ask_share", (0.2, 0.8), high=1.0),
        min_reputation=table.pair("min_reputation_share", (0.0, 0.0), high=1.0),
    )
    _check(table, settings)
    table.finish()
    return settings


def _check(table: Table, settings: FleetSettings) -> None:
    for key, most, of in (
        ("pv_owners", settings.participants, "participants"),
        ("batteries", settings.pv_owners, "PV owners"),
        ("evs", settings.home_groups, "groups of homes"),
    ):
        if getattr(settings, key) > most:
            raise table.error(key, f"{getattr(settings, key)} of only {most} {of}")


@dataclass(frozen=True)
class Day:
    """The day that is drawn: profiles, its begin, the market's intervals."""

    profiles: Profiles
    begins: datetime.datetime
    intervals: int
    minutes: int

    def mean(self, column: str, shift_h: float = 0.0) -> FloatArray:
        """Return a column's means of the day; loads and generation are never negative."""
        shift = datetime.timedelta(hours=shift_h)
        values = self.profiles.means(self.begins, self.intervals, self.minutes, column, shift)
        return not_negative(self.profiles.file, column, values)

    def yesterday(self, column: str, shift_h: float = 0.0) -> FloatArray | None:
        """Return the same of the day before, or None when the file begins later."""
        before = self.begins - datetime.timedelta(days=1)
        span = datetime.timedelta(minutes=self.minutes * self.intervals)
        if not self.profiles.covers(before, span):
            return None
        shift = datetime.timedelta(hours=shift_h)
        return self.profiles.means(before, self.intervals, self.minutes, column, shift)


def draw(
    settings: FleetSettings, table: Table, peak_w: dict[int, float], day: Day
) -> tuple[Site, ...]:
    """Return the fleet. `peak_w` is the peak load per bus. [W]"""
    rng = np.random.default_rng([settings.seed, 56])
    buses = _buses(settings, table, [bus for bus, peak in sorted(peak_w.items()) if peak > 0], rng)
    lots = _Lots.draw(settings, rng)
    means = [settings.load_share * peak_w[bus] / buses.count(bus) for bus in buses]
    return tuple(
        _site(place, bus, mean_w, lots, settings, day, rng)
        for place, (bus, mean_w) in enumerate(zip(buses, means, strict=True))
    )


@dataclass(frozen=True)
class _Lots:
    """Who is a group of homes and who has which device, by place in the fleet."""

    homes: frozenset[int]
    owners: frozenset[int]
    batteries: frozenset[int]
    evs: frozenset[int]

    @classmethod
    def draw(cls, settings: FleetSettings, rng: np.random.Generator) -> "_Lots":
        count = settings.participants
        homes = np.sort(rng.permutation(count)[: settings.home_groups])
        owners = rng.permutation(count)[: settings.pv_owners]
        evs = rng.permutation(homes)[: settings.evs]
        return cls(
            frozenset(homes.tolist()),
            frozenset(owners.tolist()),
            frozenset(owners[: settings.batteries].tolist()),
            frozenset(evs.tolist()),
        )


def _site(
    place: int,
    bus: int,
    mean_w: float,
    lots: _Lots,
    settings: FleetSettings,
    day: Day,
    rng: np.random.Generator,
) -> Site:
    """Return one participant; the same draws are made whatever devices it has."""
    kind = "homes" if place in lots.homes else "commerce"
    mix = _mix(place in lots.homes, settings, rng)
    column = PV_PROFILES[rng.integers(len(PV_PROFILES))]
    arrival = int(rng.integers(settings.ev_arrival_h[0], settings.ev_arrival_h[1] + 1))
    share, reputation = rng.uniform(*settings.ask_share), rng.uniform(*settings.min_reputation)
    peak = settings.pv_kw_per_mean_kw * mean_w if place in lots.owners else 0.0
    load, load_before = _load(day, mix, mean_w)
    pv, pv_before = _generation(day, column, peak)
    return Site(
        name=f"{kind}-{place + 1:03d}",
        bus=bus,
        kind=kind,
        load_w=load,
        pv_w=pv,
        load_yesterday_w=load_before,
        pv_yesterday_w=pv_before,
        ask_share=round(share, 6),
        min_reputation=round(reputation * PPM),
        pv=Pv(peak, settings.inverter_kva_per_kw * peak) if peak else None,
        battery=_battery(settings, peak) if place in lots.batteries else None,
        ev=_ev(settings, arrival, day) if place in lots.evs else None,
    )


def _buses(
    settings: FleetSettings, table: Table, load_buses: list[int], rng: np.random.Generator
) -> list[int]:
    """Return each participant's bus: `per_bus[0]` at every load bus, the rest by lot."""
    low, high = settings.per_bus
    places, count = len(load_buses), settings.participants
    if not low * places <= count <= high * places:
        raise table.error(
            "per_bus", f"{count} participants do not fit {low} to {high} on {places} load buses"
        )
    spare = np.repeat(load_buses, high - low)
    extra = rng.permutation(spare)[: count - low * places]
    return sorted([*np.repeat(load_buses, low).tolist(), *extra.tolist()])


def _mix(home: bool, settings: FleetSettings, rng: np.random.Generator) -> list[tuple[str, float]]:
    """Return the (profile, shift in hours) of each home, or of one commerce."""
    if not home:
        return [(COMMERCE_PROFILES[rng.integers(len(COMMERCE_PROFILES))], 0.0)]
    picks = rng.integers(len(HOME_PROFILES), size=settings.homes_per_group)
    shifts = rng.uniform(*settings.home_shift_h, size=settings.homes_per_group)
    return [(HOME_PROFILES[i], float(shift)) for i, shift in zip(picks, shifts, strict=True)]


def _load(
    day: Day, mix: Sequence[tuple[str, float]], mean_w: float
) -> tuple[FloatArray, FloatArray | None]:
    """Return the sum of homes (or one commerce), scaled to a mean power over the day. [W]"""
    weights = [1 / _long_mean(day, name) for name, _ in mix]
    parts = [day.mean(name, shift) for name, shift in mix]
    today = np.average(parts, axis=0, weights=weights)
    scale = mean_w / float(today.mean())
    before = [day.yesterday(name, shift) for name, shift in mix]
    known = [part for part in before if part is not None]
    if len(known) < len(mix):
        return today * scale, None
    return today * scale, np.average(known, axis=0, weights=weights) * scale


def _long_mean(day: Day, name: str) -> float:
    """Return a column's mean over the whole file: what a home is scaled by."""
    mean = float(day.profiles.column(name, "fleet").mean())
    if mean <= 0:
        raise ScenarioError(day.profiles.file, f"column {name}", "its mean is not positive")
    return mean


def _generation(day: Day, column: str, peak_w: float) -> tuple[FloatArray, FloatArray | None]:
    before = day.yesterday(column)
    return day.mean(column) * peak_w, None if before is None else before * peak_w


def _battery(settings: FleetSettings, pv_peak_w: float) -> Battery:
    capacity = settings.battery_kwh_per_kw * pv_peak_w
    return Battery(
        capacity_wh=capacity,
        power_w=settings.battery_kw_per_kwh * capacity,
        charge_efficiency=settings.charge_efficiency,
        discharge_efficiency=settings.discharge_efficiency,
        start_wh=settings.start_share * capacity,
    )


def _ev(settings: FleetSettings, arrival_h: int, day: Day) -> Ev | None:
    """Return the vehicles of a group, to stay till the end; None if the horizon ends before."""
    arrives = arrival_h * 60 // day.minutes
    if arrives >= day.intervals:
        return None
    return Ev(settings.ev_kwh * 1000, settings.ev_kw * 1000, arrives, day.intervals)
