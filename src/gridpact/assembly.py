"""The one place that names every concrete part: from a scenario to a market that runs.

`assemble` puts the simulated world, the wires, the rules and two ledgers together; `run_day` runs
it and keeps what report and summary show. Nothing is decided here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.crypto.keys import signed_by
from gridpact.cycle.cycle import run
from gridpact.cycle.found import found
from gridpact.cycle.market import Collector, Market, PlantFacts, Region, Rules
from gridpact.cycle.result import IntervalResult
from gridpact.grid.check import RadialCheck
from gridpact.ledger.audit import Report, audit
from gridpact.ledger.embedded import EmbeddedChain
from gridpact.ledger.ledger import Head, Ledger, Totals
from gridpact.ledger.market_audit import MarketAudit
from gridpact.ledger.market_ledger import MarketLedger
from gridpact.ledger.memory import MemoryLedger
from gridpact.ledger.store import open_store
from gridpact.ledger.suite import fingerprint
from gridpact.market.zonal import Window
from gridpact.model.order import Order
from gridpact.model.participant import Account, Named, Participant, Role
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.fleet import stack
from gridpact.prosumer.plan import Planner
from gridpact.quantities import Money
from gridpact.scenario.digest import digest
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.advice import Advisor
from gridpact.simulation.baseline import Before, before
from gridpact.simulation.clock import MarketClock
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.flow import Flow
from gridpact.simulation.forecast import forecast
from gridpact.simulation.meters import gains
from gridpact.simulation.orders import Desk, Venue
from gridpact.simulation.people import People, enlist, key_seed
from gridpact.simulation.wires import radial
from gridpact.simulation.world import World

Watch = Callable[[int, str], None]


@dataclass(frozen=True)
class Ledgers:
    """The two chains of a region and its zone."""

    local: Ledger
    zonal: Ledger
    release: Callable[[], None] = lambda: None

    def close(self) -> None:
        """Close both chains, then release what holds them."""
        self.local.close()
        self.zonal.close()
        self.release()


@dataclass(frozen=True, eq=False)
class Assembled:
    """A market with its parts at hand."""

    scenario: Scenario
    market: Market
    field: SimulatedField
    people: People
    advice: Advisor

    @property
    def names(self) -> dict[bytes, str]:
        """Return the name of every account: participants, plants, the region, the named ones."""
        known = {one.address: one.name for one in self.market.participants}
        known |= {one.address: one.name for one in self.market.zonal_participants}
        known[self.people.substation.address] = "substation meter"
        return known | {account.address: account.value for account in Named}


@dataclass(frozen=True)
class ChainEnd:
    """How a chain ended."""

    name: str
    head: Head
    state_hash: bytes
    totals: Totals
    accounts: Mapping[bytes, Account]


@dataclass(frozen=True, eq=False)
class DayResult:
    """A finished run: the records of every interval, the physical truth, and the day before.

    `founding` is the money that entered at the door, per account, on the local and the zonal chain.
    `seconds` is the time spent by phase of the cycle, and `set-up`.
    """

    scenario: Scenario
    names: Mapping[bytes, str]
    people: People
    intervals: tuple[IntervalResult, ...]
    flows: tuple[Flow, ...]
    before: Before
    advice: Advisor
    chains: tuple[ChainEnd, ...]
    founding: tuple[Mapping[bytes, Money], Mapping[bytes, Money]]
    seconds: Mapping[str, float]


def memory_ledgers(scenario: Scenario) -> Ledgers:
    """Return two ledgers in memory: for studies and tests."""
    return Ledgers(
        MemoryLedger(scenario.region, chain_id(scenario, scenario.region)),
        MemoryLedger(scenario.zone, chain_id(scenario, scenario.zone)),
    )


def embedded_ledgers(scenario: Scenario, path: Path) -> Ledgers:
    """Open or make the two embedded chains of one ledger file."""
    store = open_store(path)
    clock = MarketClock(scenario.time.begins, scenario.time.minutes)

    def ledger(name: str) -> MarketLedger:
        operator = operator_key(scenario, f"operator of {name}")
        chain = EmbeddedChain(store, name, chain_id(scenario, name), operator, clock)
        return MarketLedger(chain, name_hash(name))

    try:
        return Ledgers(ledger(scenario.region), ledger(scenario.zone), store.close)
    except BaseException:
        store.close()
        raise


def audit_ledger(path: Path, heads: Mapping[str, bytes]) -> Report:
    """Verify every chain of a ledger file from genesis, and what its records mean to the market.

    Raises
    ------
    Corrupt, HeadMismatch, LedgerError
        See `ledger.audit.audit`.
    """
    return audit(path, heads, (MarketAudit(),))


def chain_id(scenario: Scenario, chain: str) -> int:
    """Return the chain id that the scenario's seed draws for a chain, below 2^53."""
    digest = keccak(key_seed(scenario.seed) + b"chain id of " + chain.encode())
    return 1 + int.from_bytes(digest[:8], "big") % (2**53 - 2)


def operator_key(scenario: Scenario, role: str) -> PrivateKey:
    """Return a key of the market's own: its operator, its collector, the region on the zone."""
    return PrivateKey.derive(key_seed(scenario.seed), f"market {role}")


def assemble(
    scenario: Scenario,
    ledgers: Ledgers,
    signed: bool = True,
    conduct: Mapping[str, Conduct] | None = None,
) -> Assembled:
    """Put the market of a scenario together and found its chains if they are new.

    Parameters
    ----------
    signed
        Whether devices and collector sign. Studies over many seeds leave signatures out; then
        nothing is verified either.
    conduct
        Participants who depart from honest orders, by name.
    """
    grid, feeder = scenario.grid, scenario.grid.file.feeder
    people = enlist(scenario.sites, scenario.plants, int(feeder.ids[0]), scenario.seed)
    check = RadialCheck(feeder, grid.v_min_pu, grid.v_max_pu, grid.root_voltage_pu, grid.inverter_q)
    world = World(
        stack(scenario.sites),
        scenario.plants,
        tuple(party.address for party in (*people.sites, *people.plants)),
        radial(feeder, grid.root_voltage_pu, grid.power_factor, check),
        scenario.time.hours,
    )
    outlook = forecast(world.fleet, scenario.plants, scenario.forecast, scenario.seed)
    region, zone = name_hash(scenario.region), name_hash(scenario.zone)
    name = None if signed else plain_name
    desk = Desk(
        Venue(ledgers.local.domain, ledgers.zonal.domain, region, zone),
        people,
        scenario.tariff,
        scenario.seed,
        conduct or {},
        signed,
        name,
    )
    hours, tariff = scenario.time.hours, scenario.tariff
    plans = scenario.strategy == "market"
    planner = Planner(world.fleet, outlook, tariff, hours) if plans else None
    meters = len(people.sites) + len(people.plants) + 1
    simulated = SimulatedField(
        world, outlook, desk, tuple(gains(meters, scenario.meter_error, scenario.seed)), planner
    )
    advice = Advisor(world, outlook, feeder, scenario.tariff, grid.root_voltage_pu,
                    (grid.v_min_pu, grid.v_max_pu), grid.inverter_q)  # fmt: skip
    region_key = operator_key(scenario, "region")
    market = Market(
        local=ledgers.local,
        zonal=ledgers.zonal,
        field=simulated,
        day_ahead=advice,
        grid_check=check,
        region=Region(region, region_key.address, region_key.sign),
        zone=zone,
        collector=Collector(operator_key(scenario, "collector").sign if signed else None),
        participants=tuple(party.participant for party in people.sites),
        zonal_participants=(
            *(party.participant for party in people.plants),
            _region_party(scenario, region_key.address, int(feeder.ids[0])),
        ),
        plants={
            party.address: PlantFacts(Window(*plant.window), round(plant.peak_w))
            for party, plant in zip(people.plants, scenario.plants, strict=True)
        },
        tariff=scenario.tariff,
        rules=Rules(scenario.settlement, scenario.rating, scenario.incentive),
        minutes=scenario.time.minutes,
        check=signed_by if signed else _trusting,
        name=name,
    )
    _found(scenario, market)
    return Assembled(scenario, market, simulated, people, advice)


def plain_name(order: Order) -> bytes:
    """Return a unique name of an order without its EIP-712 digest, for studies."""
    return keccak(
        order.participant
        + bytes((order.side, order.tier))
        + order.interval.to_bytes(8, "big")
        + order.energy_wh.to_bytes(8, "big")
        + order.salt.to_bytes(8, "big")
    )


def _trusting(_participant: bytes, _digest: bytes, _signature: bytes) -> bool:
    return True


def _region_party(scenario: Scenario, address: bytes, bus: int) -> Participant:
    label = scenario.region.encode()
    return Participant(
        name=f"region {scenario.region}",
        address=address,
        bus=bus,
        roles=Role.REGION,
        certificate=keccak(b"certificate of region " + label),
        meter=keccak(b"meter of region " + label),
    )


def founding(
    scenario: Scenario, market: Market
) -> tuple[Mapping[bytes, Money], Mapping[bytes, Money]]:
    """Return what every account brings, on the local and the zonal chain."""
    funds = scenario.funds
    both = {
        Named.GRID_SUPPLY.address: funds.grid_supply,
        Named.NETWORK_LOSS.address: funds.network_loss,
        Named.REWARD.address: funds.reward,
    }
    local = {one.address: funds.participant for one in market.participants}
    local |= both | {Named.NETWORK_OPERATOR.address: funds.network_operator}
    zonal = {
        one.address: funds.region if one.roles & Role.REGION else funds.plant
        for one in market.zonal_participants
    }
    return local, zonal | both | {Named.INCENTIVE.address: funds.incentive}


def _found(scenario: Scenario, market: Market) -> None:
    """Open both chains' accounts with the scenario's funds."""
    (local, zonal), rules = founding(scenario, market), market.rules
    whole = keccak(digest(scenario) + fingerprint())
    found(market.local, market.region.id, market.participants, local, rules, whole)
    found(market.zonal, market.zone, market.zonal_participants, zonal, rules, whole)


@dataclass
class Stopwatch:
    """Seconds by phase; hands on to another watch."""

    onward: Watch
    seconds: dict[str, float] = field(default_factory=dict)
    _phase: str = "set-up"
    _since: float = field(default_factory=time.perf_counter)

    def __call__(self, interval: int, phase: str) -> None:
        self.lap(phase)
        self.onward(interval, phase)

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = phase, now


def run_day(
    scenario: Scenario,
    ledgers: Ledgers,
    watch: Watch,
    signed: bool = True,
    conduct: Mapping[str, Conduct] | None = None,
) -> DayResult:
    """Run a scenario's horizon, or what is left of it, and return what it came to."""
    stopwatch = Stopwatch(watch)
    parts = assemble(scenario, ledgers, signed, conduct)
    intervals = tuple(run(parts.market, scenario.time.intervals, stopwatch))
    stopwatch.lap("close")
    ends = tuple(_end(ledger) for ledger in (ledgers.local, ledgers.zonal))
    compared = before(parts.field.world, scenario.tariff, parts.field.meter_gain)
    stopwatch.lap("end")
    return DayResult(
        scenario=scenario,
        names=parts.names,
        people=parts.people,
        intervals=intervals,
        flows=tuple(parts.field.flows),
        before=compared,
        advice=parts.advice,
        chains=ends,
        founding=founding(scenario, parts.market),
        seconds=stopwatch.seconds,
    )


def _end(ledger: Ledger) -> ChainEnd:
    return ChainEnd(
        ledger.name, ledger.head(), ledger.state_hash(), ledger.totals(), ledger.accounts()
    )
