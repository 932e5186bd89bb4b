"""From a scenario file to frozen values: `load` is the only way in.

Whatever cannot be used is one `ScenarioError` with file, key or row, and what was expected. Paths
in a scenario are relative to it.
"""

import dataclasses
import datetime
import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gridpact.errors import PowerFlowDiverged
from gridpact.grid.power_flow import power_flow
from gridpact.model.participant import Named
from gridpact.model.rating import prior
from gridpact.prosumer.devices import Plant, Site
from gridpact.prosumer.outlook import ForecastSettings, Model
from gridpact.prosumer.pricing import STRATEGIES
from gridpact.quantities import PPM, whole
from gridpact.scenario import fleet, market_terms
from gridpact.scenario.grid_file import read_grid
from gridpact.scenario.identity import read_identity, turns_in_a_day
from gridpact.scenario.participants import hours_of, read_participant, read_plant
from gridpact.scenario.profiles import BUILT_IN, Profiles, read
from gridpact.scenario.reputation import read_rating, read_sanctions
from gridpact.scenario.scenario import Grid, Scenario, Time
from gridpact.scenario.schemes import SCHEMES, read_market, read_requests, read_scheme
from gridpact.scenario.sensors import read_sensors
from gridpact.scenario.table import Table, read_toml
from gridpact.scenario.wishes import wished

_DATA = Path(__file__).resolve().parent.parent / "data"
_CASES = {
    path.stem: path for path in (*_DATA.glob("feeders/*.toml"), *_DATA.glob("simbench/*.json"))
}


def load(
    path: Path, seed: int | None = None, fleet_seed: int | None = None, scheme: str = ""
) -> Scenario:
    """Return the scenario of a TOML file; seeds and scheme, where given, replace the file's own.

    Raises
    ------
    ScenarioError
        Something in the file, or in a file it names, cannot be used.
    BadInput
        There is no such scheme.
    FeederError
        The feeder is no radial net.
    """
    root = Table(path, "", read_toml(path))
    own_seed = root.whole("seed", 1)
    used_seed = own_seed if seed is None else seed
    region, zone = _chains(root)
    time = _time(root.table("time"))
    grid = _grid(root.table("feeder"), path)
    profiles = _profiles(root.table("profiles"), path)
    day = fleet.Day(profiles, time.begins, time.intervals, time.minutes)
    used_scheme = read_scheme(root, scheme)
    rating = read_rating(root.table("reputation"), SCHEMES[used_scheme].reputation)
    sites = _sites(root, grid, day, own_seed, fleet_seed, trusting=prior(rating) == 0)
    plants = tuple(
        read_plant(row, _at_bus(grid), _day_of(row, day, path)) for row in root.tables("plant")
    )
    _check_names(root, sites, plants, region)
    _check_supply(root, grid, sites)
    settlement = root.table("settlement")
    tariff_table = root.table("tariff")
    tariff = market_terms.read_tariff(tariff_table, time)
    sanctions = read_sanctions(root.table("reputation"), rating, tariff.feed_in)
    funds = market_terms.read_funds(root.table("funds"))
    council = market_terms.read_council(root.table("council"))
    owners = _owners(root.table("owners"))
    market, splitting = read_market(root.table("market"), SCHEMES[used_scheme])
    requests = read_requests(root.table("market"), SCHEMES[used_scheme], owners.strategy)
    sites = wished(root.tables("wish"), sites, plants, market, partial(hours_of, day))
    names = [*(one.name for one in sites), *(one.name for one in plants)]
    identity = read_identity(root.table("identity"), names, time.intervals, rating, sanctions)
    brought = market_terms.brought_at_founding(funds, council, len(sites), len(plants))
    brought += len(sites) * funds.participant * turns_in_a_day(identity, time.minutes)
    scenario = Scenario(
        file=str(path),
        name=root.text("name", path.stem),
        scheme=used_scheme,
        seed=used_seed,
        region=region,
        zone=zone,
        time=time,
        grid=grid,
        sites=sites,
        plants=plants,
        tariff=tariff,
        forecast=_forecast(root.table("forecast")),
        strategy=owners.strategy,
        pricing=owners.pricing,
        mark_up=owners.mark_up,
        meter_error=_meter_error(root.table("meters")),
        funds=funds,
        settlement=market_terms.read_settlement(settlement, tariff),
        rating=rating,
        incentive=market_terms.read_incentive(root.table("incentive"), time),
        door=market_terms.read_door(root.table("door"), brought),
        council=council,
        market=market,
        splitting=splitting,
        identity=identity,
        sensors=read_sensors(root, grid, time, sites, plants),
        requests=requests,
        sanctions=sanctions,
        net=market_terms.read_payment(settlement, council, identity),
    )
    root.know("sensors")
    root.finish()
    _check_persistence(scenario, root)
    return scenario


def _time(table: Table) -> Time:
    date = table.day("date")
    minutes = table.whole("interval_minutes", 60, low=1, high=1440)
    intervals = table.whole("intervals", 24, low=1, high=1440)
    if intervals * minutes > 1440:
        raise table.error("intervals", f"{intervals} times {minutes} minutes exceed one day")
    table.finish()
    begins = datetime.datetime(date.year, date.month, date.day)
    return Time(begins, intervals, minutes)


def _grid(table: Table, path: Path) -> Grid:
    case = table.text("case", "") if table.has("case") else ""
    file = table.text("file", "") if table.has("file") or not case else ""
    if bool(case) == bool(file):
        raise table.error("case", 'expected either case = "sce56" or file = "…toml"')
    if case and case not in _CASES:
        known = ", ".join(sorted(_CASES))
        raise table.error("case", f"no built-in feeder {case!r}; there are: {known}")
    where = _CASES[case] if case else path.parent / file
    if not where.is_file():
        raise table.error("file", f"no such file: {where}")
    feeder = read_grid(where)
    grid = Grid(
        file=feeder,
        root_voltage_pu=table.number("root_voltage_pu", feeder.root_voltage_pu, low=0.5, high=1.5),
        v_min_pu=table.number("v_min_pu", 0.95, low=0.5, high=1.5),
        v_max_pu=table.number("v_max_pu", 1.05, low=0.5, high=1.5),
        power_factor=table.number("power_factor", feeder.power_factor, low=0.01, high=1.0),
        inverter_q=table.flag("inverter_q", False),
    )
    if grid.v_min_pu >= grid.v_max_pu:
        raise table.error("v_min_pu", f"{grid.v_min_pu} is not below v_max_pu {grid.v_max_pu}")
    table.finish()
    return grid


def _profiles(table: Table, path: Path) -> Profiles:
    if table.has("file"):
        name = table.text("file")
        profiles = read(_existing(table, "file", path.parent / name))
    else:
        profiles = read(BUILT_IN[table.text("set", "simbench-summer", choices=tuple(BUILT_IN))])
    table.finish()
    return profiles


def _existing(table: Table, key: str, path: Path) -> Path:
    if not path.is_file():
        raise table.error(key, f"no such file: {path}")
    return path


def _at_bus(grid: Grid) -> Callable[[Table], int]:
    def bus(table: Table) -> int:
        number = table.whole("bus")
        if number not in grid.file.feeder.index:
            raise table.error("bus", f"unknown bus {number} on feeder {grid.file.name}")
        return number

    return bus


def _day_of(row: Table, day: fleet.Day, path: Path) -> fleet.Day:
    """Return the day in the row's own CSV file, or in the scenario's."""
    if not row.has("file"):
        return day
    profiles = read(_existing(row, "file", path.parent / row.text("file")))
    return dataclasses.replace(day, profiles=profiles)


def _sites(
    root: Table, grid: Grid, day: fleet.Day, seed: int, fleet_seed: int | None, trusting: bool
) -> tuple[Site, ...]:
    """Return drawn and listed sites.

    Drawn owners are `trusting` where a newcomer's reputation is 0: whoever asked for more than that
    would never see anybody's first trade. Listed ones ask what their row says.
    """
    drawn: tuple[Site, ...] = ()
    if root.has("fleet"):
        table = root.table("fleet")
        settings = fleet.read_settings(table, seed)
        if fleet_seed is not None:
            settings = dataclasses.replace(settings, seed=fleet_seed)
        if trusting:
            settings = dataclasses.replace(settings, min_reputation=(0.0, 0.0))
        share = grid.file.power_factor * 1e6
        peak_w = {bus: mva * share for bus, mva in grid.file.peak_load_mva.items()}
        drawn = fleet.draw(settings, table, peak_w, day)
    path = Path(str(root.file))
    listed = [
        read_participant(row, _at_bus(grid), _day_of(row, day, path))
        for row in root.tables("participant")
    ]
    if not drawn and not listed:
        raise root.error("", "no participants: expected a table [fleet] or rows [[participant]]")
    return (*drawn, *listed)


def _chains(root: Table) -> tuple[str, str]:
    """Return the names of region and zone, which are those of their chains, too."""
    names = root.text("region", "region"), root.text("zone", "zone")
    for key, name in zip(("region", "zone"), names, strict=True):
        if not re.fullmatch(r"[\w.-]+", name):
            raise root.error(key, f"expected letters, digits, - _ or . alone, not {name!r}")
    if names[0] == names[1]:
        raise root.error("zone", f"is named {names[1]!r} as the region is; each has its own chain")
    return names


def _check_names(
    root: Table, sites: tuple[Site, ...], plants: tuple[Plant, ...], region: str
) -> None:
    """Refuse names given twice, and those of the market's own accounts and meters."""
    taken, seen = {"substation meter", f"region {region}", *Named}, set[str]()
    named = [("participant", site.name) for site in sites]
    for kind, name in [*named, *(("plant", plant.name) for plant in plants)]:
        if name in taken:
            raise root.error(kind, f"{name!r} is the name of an account or meter of the market's")
        if name in seen:
            raise root.error(kind, f"duplicate name {name!r}")
        seen.add(name)


def _check_supply(root: Table, grid: Grid, sites: tuple[Site, ...]) -> None:
    """Refuse loads that the feeder cannot carry at any voltage when nobody generates."""
    feeder = grid.file.feeder
    load_pu = np.zeros((len(sites[0].load_w), feeder.size))
    for site in sites:
        load_pu[:, feeder.index[site.bus]] += site.load_w / (feeder.s_base_mva * 1e6)
    reactive = math.tan(math.acos(grid.power_factor))
    try:
        power_flow(feeder, -load_pu, -load_pu * reactive, grid.root_voltage_pu)
    except PowerFlowDiverged as error:
        load_kw = load_pu[error.interval].sum() * feeder.s_base_mva * 1000
        raise root.error(
            "feeder",
            f"cannot carry the {load_kw:.0f} kW of load of interval {error.interval}: no voltage"
            f" at bus {error.bus} solves the power flow",
        ) from error


def _forecast(table: Table) -> ForecastSettings:
    settings = ForecastSettings(
        model=Model(table.text("model", "ar1", choices=tuple(Model))),
        sigma=table.number("sigma_share", 0.2, high=2.0),
        correlation=table.number("correlation_share", 0.7, high=0.999),
    )
    table.finish()
    return settings


class _Owners(NamedTuple):
    """How owners run their batteries and price their orders."""

    strategy: str
    pricing: str
    mark_up: int | None


def _owners(table: Table) -> _Owners:
    owners = _Owners(
        strategy=table.text("strategy", "own", choices=("own", "market")),
        pricing=table.text("pricing", "spread", choices=tuple(STRATEGIES)),
        mark_up=whole(table.number("mark_up_share", high=1.0) * PPM)
        if table.has("mark_up_share")
        else None,
    )
    if owners.mark_up is not None and owners.pricing != "mark_up":
        raise table.error("mark_up_share", 'is for pricing = "mark_up"')
    table.finish()
    return owners


def _meter_error(table: Table) -> float:
    share = table.number("error_share", 0.002, high=0.01)
    table.finish()
    return share


def _check_persistence(scenario: Scenario, root: Table) -> None:
    if scenario.forecast.model is not Model.PERSISTENCE:
        return
    profiles = [site.load_yesterday_w for site in scenario.sites]
    profiles += [plant.power_yesterday_w for plant in scenario.plants]
    if any(profile is None for profile in profiles):
        raise root.error(
            "forecast.model",
            f"persistence needs the day before {scenario.time.begins:%Y-%m-%d}, "
            "which a profile file does not hold",
        )
