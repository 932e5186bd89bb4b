"""Small markets drawn from a seed, at the edges of what a scenario may say.

Each is complete (devices, wires, tariff, rules, funds, conduct, faulty meters): prices of zero and
of a thousand, accounts without money, loads of a few watts and of the whole feeder, forecasts that
are noise, meters that fall silent or lie. The same seed is the same market: a seed is all that a
failure needs to be seen again. `bench.random_runs` runs one, `bench.promises` judges the run.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from gridpact.model.participant import ReviewTerms
from gridpact.model.rating import CredibilityTerms, FeedbackTerms
from gridpact.model.record import IncentiveTerms
from gridpact.model.statement import SettlementTerms
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.devices import Battery, Ev, FloatArray, Plant, Pv, Site
from gridpact.prosumer.outlook import ForecastSettings, Model
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import MICRO, PPM, Score, amount
from gridpact.scenario.feeder_file import FeederFile
from gridpact.scenario.market_terms import brought_at_founding, usual_cap
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Funds, Sanctions, Scenario

SCENARIO = Path(__file__).parent.parent / "scenarios" / "sce56-day.toml"
FAULTS = (
    "silent", "forged", "backwards", "more export", "more import", "too large", "twice",
    "stranger", "of another interval", "of another region",
)  # fmt: skip
"""What a meter may do to the market, by name."""


@dataclass(frozen=True)
class Fault:
    """`meter` counts the sites, then the plants, then the substation."""

    interval: int
    meter: int
    kind: str


@dataclass(frozen=True, eq=False)
class Case:
    """One random market. `name` says which seed it came from."""

    seed: int
    scenario: Scenario
    conduct: Mapping[str, Conduct] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def draw(seed: int, faulty: bool | None = None) -> Case:
    """Return the market of a seed; `faulty` decides whether meters fail, None leaves it to fate."""
    chance = random.Random(seed)
    basis = _basis()
    minutes = chance.choice((15, 30, 60))
    intervals = chance.choice((1, 2, 3, 4, 6))
    hours = chance.choice((0, 11, 11, 11, 11, 18))
    begins = basis.time.begins.replace(hour=hours)
    tariff = _tariff(chance, intervals)
    sites = _sites(chance, intervals, hours, basis)
    plants = _plants(chance, intervals, hours, sites)
    scenario = replace(
        basis,
        file=f"random market {seed}",
        seed=seed,
        time=replace(basis.time, begins=begins, intervals=intervals, minutes=minutes),
        grid=replace(
            basis.grid,
            file=chance.choice((basis.grid.file, _plain_wires(), _plain_wires(), _plain_wires())),
            root_voltage_pu=chance.choice((1.0, 1.0, 1.0, 0.97, 1.03, 1.045)),
            power_factor=chance.choice((0.9, 1.0, 0.7)),
            v_max_pu=chance.choice((1.05, 1.05, 1.032)),
            inverter_q=chance.random() < 0.4,
        ),
        sites=sites,
        plants=plants,
        tariff=tariff,
        forecast=ForecastSettings(
            chance.choice(tuple(Model)),
            chance.choice((0.0, 0.2, 1.0, 2.0)),
            chance.choice((0.0, 0.7, 0.99)),
        ),
        strategy=chance.choice(("own", "own", "market")),
        meter_error=chance.choice((0.0, 0.002, 0.01)),
        funds=_funds(chance),
        settlement=_settlement(chance, tariff),
        rating=chance.choice((FeedbackTerms(), FeedbackTerms(0, PPM, PPM, 0, 1))),
        incentive=IncentiveTerms(
            difficulty=chance.choice((2, 10_000, 10**9)),
            daily_budget=chance.choice((0, 7, 10_000, 50 * MICRO)),
            steady_floor=chance.choice((0, 500_000, PPM)),
            window=chance.choice((1, 24)),
            day=chance.choice((1, 2, 24)),
        ),
    )
    brought = brought_at_founding(scenario.funds, scenario.council, len(sites), len(plants))
    scenario = replace(scenario, door=replace(basis.door, daily_cap=usual_cap(brought)))
    names = [one.name for one in (*sites, *plants)]
    fails = chance.random() < 0.4 if faulty is None else faulty
    return Case(
        seed,
        scenario,
        {name: _conduct(chance) for name in names if chance.random() < 0.2},
        _faults(chance, intervals, len(names) + 1) if fails else (),
    )


def strict(case: Case) -> Case:
    """Return the same market under credibility, with deposits and fines drawn from its seed.

    Nobody asks for reputation, which no newcomer has.
    """
    chance, scenario = random.Random(-case.seed), case.scenario
    rating = CredibilityTerms(
        weight=chance.choice((1_000, PPM, 1000 * PPM)),
        tolerance=250_000,
        plant_tolerance=chance.choice((0, 100_000, 250_000)),
        reference_wh=20_000,
        floor=chance.choice((0, 0, 1_000, PPM)),
        away=chance.choice((1, 3)),
    )
    review = ReviewTerms(
        fine=chance.choice((0, 1, 80_000, 80_000, 1000 * MICRO)),
        plant_tolerance=rating.plant_tolerance,
    )
    if chance.random() < 0.8:
        rich = replace(scenario.funds, participant=10**14, plant=10**14, region=10**14)
        sites, plants = len(scenario.sites), len(scenario.plants)
        cap = usual_cap(brought_at_founding(rich, scenario.council, sites, plants))
        scenario = replace(scenario, funds=rich, door=replace(scenario.door, daily_cap=cap))
    share = min(chance.choice((0, 100_000, PPM, PPM, 4 * PPM)), _affordable(scenario))
    trusting = tuple(replace(one, min_reputation=0) for one in scenario.sites)
    strict_ones = replace(
        scenario, sites=trusting, rating=rating, sanctions=Sanctions(share, review)
    )
    return replace(case, scenario=strict_ones)


def _affordable(scenario: Scenario) -> Score:
    """Return the share that leaves every seller's deposit within what it begins with."""
    price, hours, funds = max(scenario.tariff.retail), scenario.time.hours, scenario.funds
    rated = [
        ((site.pv.peak_w if site.pv else 0) + (site.battery.power_w if site.battery else 0),
         funds.participant)
        for site in scenario.sites
    ]  # fmt: skip
    rated += [(plant.peak_w, funds.plant) for plant in scenario.plants]
    dear = [(amount(price, round(power * hours)), money) for power, money in rated]
    return min((PPM * money // (due + PPM) for due, money in dear if due), default=PPM)


@cache
def _basis() -> Scenario:
    return load(SCENARIO)


@cache
def _plain_wires() -> FeederFile:
    """Return the feeder without its capacitors, which alone lose 45 kW when load is low."""
    file = _basis().grid.file
    return replace(file, feeder=replace(file.feeder, shunt=np.zeros(file.feeder.size)))


def _price(chance: random.Random) -> int:
    """Return a price between nothing and 1,000 per kWh. [micro-units per kWh]"""
    return chance.choice((0, 1, 999, 40_000, 80_000, chance.randrange(400_000), 1000 * MICRO))


def _tariff(chance: random.Random, intervals: int) -> Tariff:
    if chance.random() < 0.7:
        return Tariff(
            retail=tuple(chance.choice((220_000, 340_000, 420_001)) for _ in range(intervals)),
            network_share=chance.choice((0, 90_000, 90_000, 220_000)),
            feed_in=chance.choice((0, 80_000, 80_000)),
            margin=chance.choice((0, 0, 10_000)),
            local_charge=chance.choice((0, 40_000)),
            zonal_charge=chance.choice((0, 60_000, 60_000, 139_999)),
        )
    retail = tuple(_price(chance) for _ in range(intervals))
    least = min(retail)
    near = max(0, least - chance.choice((0, 1, 500)))
    return Tariff(
        retail=retail,
        network_share=chance.choice((0, least // 2, least)),
        feed_in=chance.choice((0, least // 3, near, least + 1, _price(chance))),
        margin=chance.choice((0, 0, 10_000, _price(chance))),
        local_charge=chance.choice((0, 0, least // 5, near, _price(chance))),
        zonal_charge=chance.choice((0, 0, least // 4, near, _price(chance))),
    )


def _profile(chance: random.Random, intervals: int, scale: float) -> FloatArray:
    if chance.random() < 0.1:
        return np.zeros(intervals)
    return np.array([scale * chance.uniform(0.2, 1.8) for _ in range(intervals)])


def _sun(chance: random.Random, intervals: int, hour: int, peak_w: float) -> FloatArray:
    """Return generation: much at noon, little in the evening, none at night."""
    share = {0: 0.0, 11: 1.0}.get(hour, 0.15)
    return np.minimum(_profile(chance, intervals, peak_w * share * 0.6), peak_w)


def _sites(chance: random.Random, intervals: int, hour: int, basis: Scenario) -> tuple[Site, ...]:
    buses = [int(bus) for bus in basis.grid.file.feeder.ids]
    scale = chance.choice((8.0, 800.0, 3_000.0, 3_000.0, 20_000.0, 20_000.0, 90_000.0, 600_000.0))
    with_pv, with_battery = chance.choice((0.0, 0.5, 0.5, 1.0)), chance.choice((0.0, 0.5, 1.0))
    sites = []
    count = chance.choice((1, 2, 4, 6, 9, 9, 24, 40))
    for i in range(count):
        mean = scale * chance.choice((0.01, 1.0, 1.0, 3.0)) if i else 3 * scale
        peak = mean * chance.choice((0.5, 4.0, 8.0))
        pv = chance.random() < with_pv and (i > 0 or count < 9)  # the first buys from many
        battery = chance.random() < with_battery
        sites.append(
            Site(
                name=f"site {i}",
                bus=chance.choice(buses),
                kind="homes",
                load_w=_profile(chance, intervals, mean),
                pv_w=_sun(chance, intervals, hour, peak) if pv else np.zeros(intervals),
                load_yesterday_w=_profile(chance, intervals, mean),
                pv_yesterday_w=_sun(chance, intervals, hour, peak) if pv else np.zeros(intervals),
                ask_share=chance.choice((0.0, 1.0, 0.8 * chance.random(), 0.4)),
                min_reputation=chance.choice((0, 0, 0, 300_000, 500_000, PPM)),
                pv=Pv(peak, peak * chance.choice((1.0, 1.2))) if pv else None,
                battery=_battery(chance, mean) if battery else None,
                ev=_ev(chance, intervals, mean) if chance.random() < 0.2 else None,
            )
        )
    return tuple(sites)


def _battery(chance: random.Random, mean: float) -> Battery:
    capacity = mean * chance.choice((0.1, 2.0, 8.0))
    return Battery(
        capacity,
        capacity * chance.choice((0.1, 0.5, 2.0)),
        chance.choice((0.9, 1.0)),
        chance.choice((0.8, 1.0)),
        capacity * chance.choice((0.0, 0.5, 1.0)),
    )


def _ev(chance: random.Random, intervals: int, mean: float) -> Ev:
    arrives = chance.randrange(intervals)
    return Ev(mean * chance.random(), mean, arrives, chance.randint(arrives + 1, intervals))


def _plants(
    chance: random.Random, intervals: int, hour: int, sites: Sequence[Site]
) -> tuple[Plant, ...]:
    """Return up to two plants beside the sites, of any size against their load."""
    load = sum(float(site.load_w.mean()) for site in sites)
    plants = []
    for i in range(chance.choice((0, 1, 1, 2))):
        peak = chance.choice((load, load / 2, 3 * load, 3 * load, 400.0, 2_500_000.0)) + 1.0
        begins = chance.choice((0, 0, chance.randrange(intervals)))
        plants.append(
            Plant(
                name=f"plant {i}",
                bus=chance.choice(sites).bus,
                peak_w=peak,
                inverter_va=peak,
                power_w=_sun(chance, intervals, hour, peak),
                power_yesterday_w=_sun(chance, intervals, hour, peak),
                ask_share=chance.choice((0.0, 0.45, 0.45, 1.0)),
                window=(begins, chance.choice((intervals, max(begins, intervals - 1)))),
            )
        )
    return tuple(plants)


def _funds(chance: random.Random) -> Funds:
    def money(usual: int) -> int:
        return chance.choice((0, 1, 90_000, usual, usual, usual, usual, 10**15))

    if chance.random() < 0.4:
        return _basis().funds
    return Funds(
        participant=money(500 * MICRO),
        plant=money(500 * MICRO),
        region=money(1000 * MICRO),
        grid_supply=money(10_000 * MICRO),
        network_operator=money(2_000 * MICRO),
        network_loss=money(100 * MICRO),
        reward=money(200 * MICRO),
        incentive=money(50 * MICRO),
    )


def _settlement(chance: random.Random, tariff: Tariff) -> SettlementTerms:
    return SettlementTerms(
        tau=chance.choice((0, 50_000, PPM)),
        eps=chance.choice((0, 10_000, 300_000)),
        eps_floor_wh=chance.choice((0, 10, 1_000)),
        kappa=chance.choice((0, PPM, 1_250_000, 3 * PPM, 100 * PPM)),
        reward=chance.choice((0, 20_000, PPM)),
        unused_fee=chance.choice((0, tariff.zonal_charge, _price(chance))),
        feed_in=tariff.feed_in,
        loss_fund_share=chance.choice((0, 200_000, PPM)),
    )


def _conduct(chance: random.Random) -> Conduct:
    def factor() -> float:
        return chance.choice((0.0, 0.5, 1.0, 1.0, 1.0, 1.3, 4.0))

    return Conduct(factor(), factor(), chance.choice((1.0, 1.0, 0.0, 0.7, 1.2)), factor())


def _faults(chance: random.Random, intervals: int, meters: int) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            chance.randrange(intervals),
            chance.choice((chance.randrange(meters), meters - 1)),
            chance.choice((*FAULTS, "silent", "silent")),
        )
        for _ in range(chance.randint(1, 6))
    )
