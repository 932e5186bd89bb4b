"""Small markets drawn from a seed, and what has to hold of every one of them.

Each is complete (devices, wires, tariff, rules, funds, conduct, faulty meters) and lies at the
edges of what a scenario may say: prices of zero and of a thousand, accounts without money, loads of
a few watts and of the whole feeder, forecasts that are noise, meters that fall silent or lie.
`play` runs one, `require_promises` raises when anything was lost or appeared. The same seed is the
same market: a seed is all that a failure needs to be seen again.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from gridpact.assembly.day import DayResult, Stopwatch, run_parts
from gridpact.assembly.ledgers import (
    Ledgers,
    audit_ledger,
    chain_id,
    embedded_ledgers,
    memory_ledgers,
    operator_key,
)
from gridpact.assembly.parts import Assembled, assemble
from gridpact.crypto.eip712 import Domain
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.cycle.result import IntervalResult
from gridpact.ledger.ledger import Head, Ledger
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.delivery import Reading, SignedReading
from gridpact.model.interval import Key
from gridpact.model.order import Side, Tier
from gridpact.model.record import IncentiveTerms, Limit, RatingTerms, Record
from gridpact.model.statement import Case as Verdict
from gridpact.model.statement import SettlementTerms
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.devices import Battery, Ev, FloatArray, Plant, Pv, Site
from gridpact.prosumer.outlook import ForecastSettings, Model
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import MICRO, PPM
from gridpact.report.money import require_booked
from gridpact.scenario.feeder_file import FeederFile
from gridpact.scenario.market_terms import brought_at_founding, usual_cap
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Funds, Scenario
from gridpact.settlement.split import split
from gridpact.simulation.people import Party

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
        rating=chance.choice((RatingTerms(), RatingTerms(0, PPM, PPM, 0, 1))),
        incentive=IncentiveTerms(
            difficulty=chance.choice((2, 10_000, 10**9)),
            daily_budget=chance.choice((0, 7, 10_000, 50 * MICRO)),
            steady_floor=chance.choice((0, 500_000, PPM)),
            window=chance.choice((1, 24)),
            day=chance.choice((1, 2, 24)),
        ),
    )
    brought = brought_at_founding(scenario.funds, len(sites), len(plants))
    scenario = replace(scenario, door=replace(basis.door, daily_cap=usual_cap(brought)))
    names = [one.name for one in (*sites, *plants)]
    fails = chance.random() < 0.4 if faulty is None else faulty
    return Case(
        seed,
        scenario,
        {name: _conduct(chance) for name in names if chance.random() < 0.2},
        _faults(chance, intervals, len(names) + 1) if fails else (),
    )


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


class FaultyField:
    """A field whose meters fail as a case says; everything else is the field's own."""

    def __init__(self, inner: Field, parts: Assembled, faults: Sequence[Fault]) -> None:
        self._inner, self._parts, self._faults = inner, parts, faults

    def expected(self, interval: int) -> Expected:
        return self._inner.expected(interval)

    def orders(self, interval: int) -> Submitted:
        return self._inner.orders(interval)

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        delivered = self._inner.deliver(interval, limits, reactive_var)
        people, market = self._parts.people, self._parts.market
        parties = (*people.sites, *people.plants, people.substation)
        for fault in self._faults:
            if fault.interval == interval:
                party = parties[fault.meter]
                delivered = replace(
                    delivered,
                    local=self._spoilt(delivered.local, fault, party, market.local.domain),
                    zonal=self._spoilt(delivered.zonal, fault, party, market.zonal.domain),
                )
        return delivered

    def _spoilt(
        self, readings: Sequence[SignedReading], fault: Fault, party: Party, domain: Domain
    ) -> list[SignedReading]:
        spoilt: list[SignedReading] = []
        for one in readings:
            if one.reading.meter == party.address:
                spoilt.extend(self._instead(one, fault.kind, party, domain))
            else:
                spoilt.append(one)
        return spoilt

    def _instead(
        self, one: SignedReading, kind: str, party: Party, domain: Domain
    ) -> Sequence[SignedReading]:
        """Return what arrives of a meter in place of its honest reading."""
        now, change = one.reading, msgspec.structs.replace
        other = change(now, export_wh=now.export_wh + 5_000)

        def signed(reading: Reading) -> SignedReading:
            key = party.key
            return SignedReading(
                reading, key.sign(reading.digest(domain)) if one.signature else b""
            )

        if not one.signature and kind == "forged":
            return [one]  # a study without signatures cannot tell
        stranger = change(now, meter=b"\x99" * 20)
        return {
            "silent": list,
            "forged": lambda: [SignedReading(other, one.signature)],
            "backwards": lambda: [signed(change(now, import_wh=now.import_wh // 2))],
            "more export": lambda: [signed(other)],
            "more import": lambda: [signed(change(now, import_wh=now.import_wh + 5_000))],
            "too large": lambda: [signed(change(now, import_wh=2**40 + now.import_wh))],
            "twice": lambda: [one, signed(other)],
            "stranger": lambda: [one, SignedReading(stranger, one.signature)],
            "of another interval": lambda: [signed(change(now, interval=now.interval + 1))],
            "of another region": lambda: [signed(change(now, region=b"\x77" * 32))],
        }[kind]()


def play(case: Case, ledgers: Ledgers | None = None, signed: bool = False) -> DayResult:
    """Run a case, or what is left of it, on the given ledgers or in memory."""
    used = memory_ledgers(case.scenario) if ledgers is None else ledgers
    stopwatch = Stopwatch(lambda _interval, _phase: None)
    parts = assemble(case.scenario, used, signed, case.conduct)
    market = replace(parts.market, field=FaultyField(parts.market.field, parts, case.faults))
    return run_parts(replace(parts, market=market), used, stopwatch)


class PowerCut(Exception):
    """The machine is gone."""


class Failing:
    """A ledger on a machine whose power fails around the n-th write of both chains together."""

    def __init__(self, ledger: Ledger, left: list[int], after: bool) -> None:
        self._ledger, self._left, self._after = ledger, left, after

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    def write(self, key: Key, record: Record) -> Head:
        self._left[0] -= 1
        if self._left[0] == 0 and not self._after:
            raise PowerCut
        head = self._ledger.write(key, record)
        if self._left[0] == 0:
            raise PowerCut
        return head


def require_chains(case: Case, folder: Path) -> DayResult:
    """Run a case with signatures on the embedded chains, and once more with a power cut.

    Raises AssertionError when the chains settle otherwise than the rules in memory, or when the run
    that was cut ends in another state; `Corrupt` when the audit does not pass.
    """
    whole = _embedded(case, folder / "whole.db")
    require_promises(whole)
    plain = play(case, _twins(case), signed=True)
    for there, here in zip(whole.intervals, plain.intervals, strict=True):
        _hold(_decided(there) == _decided(here), "other records than in memory", there.interval)
    chance = random.Random(case.seed)
    writes = sum(end.head.number for end in whole.chains)
    cut = (chance.randrange(2, writes), chance.random() < 0.5)
    try:
        _embedded(case, folder / "cut.db", cut)
    except PowerCut:
        resumed = _embedded(case, folder / "cut.db")
        _hold(_ends(resumed) == _ends(whole), "another end after a power cut at write", cut)
    else:
        raise AssertionError(f"no power cut at write {cut} of {writes}")
    for name in ("whole.db", "cut.db"):
        audit_ledger(folder / name, {})
    return whole


def _embedded(case: Case, path: Path, cut: tuple[int, bool] | None = None) -> DayResult:
    ledgers = embedded_ledgers(case.scenario, path)
    try:
        if cut is None:
            return play(case, ledgers, signed=True)
        left = [cut[0]]
        failing = Ledgers(
            Failing(ledgers.local, left, cut[1]), Failing(ledgers.zonal, left, cut[1])
        )
        return play(case, failing, signed=True)
    finally:
        ledgers.close()


def _ends(day: DayResult) -> list[tuple[bytes, bytes]]:
    return [(end.state_hash, end.head.hash) for end in day.chains]


def _decided(result: IntervalResult) -> tuple[object, ...]:
    """Return what an interval decided: all but the heads that chains name to each other."""
    return (
        (result.prices, result.book, result.plant_book, result.cleared),
        (result.meters, result.plant_meters),
        (result.settlement, result.zonal_settlement),
        (result.rating, result.plant_rating),
    )


class Twin(MemoryLedger):
    """A ledger in memory under a chain's own domain: orders have the same names on both."""

    def __init__(self, name: str, domain: Domain) -> None:
        super().__init__(name)
        self._domain = domain


def _twins(case: Case) -> Ledgers:
    scenario = case.scenario

    def twin(name: str) -> Twin:
        suite = Suite(operator_key(scenario, f"operator of {name}").address)
        return Twin(name, suite.domain(chain_id(scenario, name)))

    return Ledgers(twin(scenario.region), twin(scenario.zone))


def require_promises(day: DayResult) -> None:
    """Raise AssertionError when a run lost or made energy or money."""
    for result in day.intervals:
        _clearing(result)
        _energy(day, result)
        _money(day, result)
        _caps(result)
    _chains(day)
    require_booked(day)


def _hold(fact: bool, what: str, *values: object) -> None:
    if not fact:
        raise AssertionError(" ".join(map(str, (what, *values))))


def _clearing(result: IntervalResult) -> None:
    """Sold = bought per tier; no order filled above its energy; bids are served or unmet."""
    orders = {one.hash: one.order for one in (*result.book.orders, *result.plant_book.orders)}
    used: Counter[bytes] = Counter()
    for fill in result.cleared.fills:
        used[fill.bid] += fill.energy_wh
        used[fill.offer] += fill.energy_wh
        bid, offer = orders[fill.bid], orders[fill.offer]
        _hold((bid.side, offer.side) == (Side.BID, Side.OFFER), "sides of a fill", fill)
        _hold((bid.tier, offer.tier) == (fill.tier, fill.tier), "tiers of a fill", fill)
    for name, energy in used.items():
        _hold(energy <= orders[name].energy_wh, "over-fill", name.hex())
    wanted = sum(
        one.energy_wh for one in orders.values() if (one.side, one.tier) == (Side.BID, Tier.LOCAL)
    )
    served = sum(fill.energy_wh for fill in result.cleared.fills)
    unmet = sum(one.energy_wh for one in result.cleared.unmet)
    _hold(served + unmet == wanted, "bids", wanted, "served", served, "unmet", unmet)
    zonal = [fill for fill in result.cleared.fills if fill.tier is Tier.ZONAL]
    there = result.zonal_settlement.fills
    _hold(
        [(f.offer, f.energy_wh, f.lock) for f in zonal]
        == [(f.offer, f.energy_wh, f.lock) for f in there],
        "zonal fills differ between the chains",
    )


def _energy(day: DayResult, result: IntervalResult) -> None:
    """Deliveries and bills are what each meter that was heard measured, to the watt-hour."""
    received: Counter[bytes] = Counter()
    sent: Counter[bytes] = Counter()
    settlements = (result.settlement, result.zonal_settlement)
    crossed = [fill for fill in result.cleared.fills if fill.tier is Tier.ZONAL]
    for fills, settlement in zip((settlements[0].fills, crossed), settlements, strict=True):
        for fill, delivery in zip(fills, settlement.deliveries, strict=True):
            received[fill.buyer] += delivery.received
            sent[fill.seller] += delivery.sent
    carried = sum(sent.values()) - sum(received.values())
    for settlement in settlements:
        for bill in settlement.bills:
            received[bill.participant] += bill.bought_wh
            sent[bill.participant] += bill.sold_wh
    substation = day.people.substation.address
    for meter, row in result.metered.items():
        if meter != substation:
            _hold(received[meter] == row.import_wh, "import of", meter.hex(), received[meter], row)
            _hold(sent[meter] == row.export_wh, "export of", meter.hex(), sent[meter], row)
    loss = carried + result.settlement.network_loss_wh
    _hold(loss == result.meters.loss_wh, "loss", loss, result.meters.loss_wh)
    _hold(loss >= 0, "negative loss", loss)


def _money(day: DayResult, result: IntervalResult) -> None:
    """Each lock is shared out to the micro-unit, by the rule."""
    terms = day.scenario.settlement
    for settlement in (result.settlement, result.zonal_settlement):
        rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
        for fill, delivery, one in rows:
            rule = split(fill, delivery, terms, result.prices.loss_share)
            _hold(
                (one.case, one.paid, one.charge, one.refund, one.fee_seller, one.fee_network)
                == (rule.case, rule.paid, rule.charge, rule.refund, rule.fee_seller,
                    rule.fee_network),
                "statement", one, rule,
            )  # fmt: skip
            _hold(
                (one.reward + one.unpaid_reward, one.claim + one.unpaid_claim)
                == (rule.reward, rule.claim),
                "reward or claim", one, rule,
            )  # fmt: skip
            if one.case is Verdict.DISPUTE:
                continue
            shared = one.paid + one.charge + one.fee_seller + one.fee_network + one.refund
            _hold(shared == fill.lock, "lock", fill.lock, "shared out", shared)
            _hold(min(one.paid, one.charge, one.fee_seller, one.fee_network, one.refund,
                      one.reward, one.claim) >= 0, "below zero", one)  # fmt: skip


def _caps(result: IntervalResult) -> None:
    """No buyer pays above retail for what a trade brings it, whatever it bid."""
    for fill in result.cleared.fills:
        _hold(fill.price + fill.charge <= result.prices.retail, "above retail", fill)


def _chains(day: DayResult) -> None:
    """Both chains' money adds up, crossings meet, nobody is below zero."""
    local, zonal = day.chains
    for chain in day.chains:
        _hold(chain.totals.holds, "money of", chain.name, chain.totals)
        _hold(chain.totals.reserved == 0, "reserved after the end", chain.name, chain.totals)
        for account in chain.accounts.values():
            _hold(min(account.free, account.reserved, account.locked) >= 0, "below zero", account)
    entered = sum(day.founding[1].values())
    there = zonal.totals.minted - entered - zonal.totals.burned
    _hold(local.totals.transit == there, "transit", local.totals, "is not what is on", zonal.totals)
    for chain, pick in ((local, "settlement"), (zonal, "zonal_settlement")):
        held = sum(
            fill.lock
            for result in day.intervals
            for fill, one in zip(
                getattr(result, pick).fills, getattr(result, pick).statements, strict=True
            )
            if one.case is Verdict.DISPUTE
        )
        _hold(chain.totals.locked == held, "locked", chain.totals.locked, "disputed", held)
