"""A scenario from beginning to end: run its market, keep what report and summary show."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from gridpact.assembly.founding import founding
from gridpact.assembly.ledgers import Ledgers
from gridpact.assembly.parts import Assembled, assemble
from gridpact.cycle.cycle import Watch, run
from gridpact.cycle.disputes import concluded
from gridpact.cycle.relay import Relay
from gridpact.cycle.result import IntervalResult, read
from gridpact.ledger.ledger import Head, Ledger, Totals
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Account
from gridpact.model.record import Found
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.pricing import Pricing
from gridpact.prosumer.request import Step
from gridpact.quantities import Money, Score
from gridpact.safety.sensors import Row
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.advice import Advisor
from gridpact.simulation.baseline import Before, before
from gridpact.simulation.flow import Flow
from gridpact.simulation.instruments import Instruments
from gridpact.simulation.people import People


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
    `seconds` is the time spent by phase of the cycle, and `set-up`. `relays` are the ways by which
    the local settlements passed the `council` (by rising address); `trust` is its at the end.
    `requests` are the steps of owners who ask their neighbours.
    `sensed` are all verdicts that were not ok, `measured` what is recorded of them: instruments,
    whose meters, salt. Interval 0 `begins` then. [s since 1970, UTC]
    `put_down` are the deposits that sellers began with, on the local and on the zonal chain.
    `persons`: of each address that somebody took later, the one it began with.
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
    council: tuple[str, ...] = ()
    relays: tuple[Relay, ...] = ()
    trust: tuple[Score, ...] = ()
    requests: tuple[Step, ...] = ()
    begins: int = 0
    sensed: tuple[Row, ...] = ()
    measured: tuple[Instruments, Mapping[bytes, tuple[int, ...]], bytes] | None = None
    put_down: tuple[Mapping[bytes, Money], Mapping[bytes, Money]] = ({}, {})
    persons: Mapping[bytes, bytes] = field(default_factory=dict)

    def person(self, address: bytes) -> bytes:
        """Return the address that whoever stands under this one began the run with."""
        return self.persons.get(address, address)


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
    strategy: Pricing | None = None,
) -> DayResult:
    """Run a scenario's horizon, or what is left of it, and return what it came to.

    `strategy` prices the owners' orders instead of the scenario's own.
    """
    stopwatch = Stopwatch(watch)
    return run_parts(assemble(scenario, ledgers, signed, conduct, strategy), ledgers, stopwatch)


def run_parts(parts: Assembled, ledgers: Ledgers, stopwatch: Stopwatch) -> DayResult:
    """Run an assembled market over its scenario's horizon; tests put parts of their own in it."""
    scenario = parts.scenario
    intervals = concluded(tuple(run(parts.market, scenario.time.intervals, stopwatch)))
    stopwatch.lap("close")
    seats, horizon = parts.market.council, scenario.time.intervals
    until = Key(parts.market.region.id, horizon, Phase.SETTLE)
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
        council=tuple(one.name for one in seats.participants),
        relays=seats.relayed(ledgers.local, until),
        trust=seats.trust(ledgers.local, until),
        requests=parts.field.requests.steps if parts.field.requests else (),
        begins=parts.market.begins,
        sensed=tuple(parts.market.watch.seen) if parts.market.watch else (),
        measured=_measured(parts),
        put_down=(
            _put_down(ledgers.local, parts.market.region.id),
            _put_down(ledgers.zonal, parts.market.zone),
        ),
        persons=parts.hiding.persons,
    )


def _measured(
    parts: Assembled,
) -> tuple[Instruments, Mapping[bytes, tuple[int, ...]], bytes] | None:
    watch = parts.market.watch
    if watch is None or parts.instruments is None:
        return None
    return parts.instruments, watch.meters, watch.salt


def _put_down(ledger: Ledger, region: bytes) -> Mapping[bytes, Money]:
    securities = read(ledger, region, 0, Phase.FOUND, Found).securities
    return {one.account: one.amount for one in securities}


def _end(ledger: Ledger) -> ChainEnd:
    return ChainEnd(
        ledger.name, ledger.head(), ledger.state_hash(), ledger.totals(), ledger.accounts()
    )
