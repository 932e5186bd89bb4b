"""A zone that does not take money in: the trades are called off and every buyer is whole again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.cycle.conftest import quietly, shortened
from tests.cycle.test_resume import Countdown, Cuttable, PowerCut, ends

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import Ledgers, audit_ledger, chain_id, operator_key
from gridpact.crypto.keccak import name_hash
from gridpact.cycle.result import IntervalResult
from gridpact.errors import GridpactError, Reverted, Unavailable, WriteConflict
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.ledger import Head
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Code, Tier
from gridpact.model.record import Commitment, Confirmed, Record, Returned
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.clock import MarketClock

INTERVALS = 11
BAD = 9


@dataclass
class Weather:
    """How a zone answers the commit of one interval: `says` so often, then it works again."""

    says: Callable[[], GridpactError]
    times: int = 1_000
    refuses_too: bool = False
    answer_lost: bool = False
    asked: int = 0

    def hits(self, key: Key, record: Record) -> bool:
        if key.interval != BAD or key.phase is not Phase.COMMIT or self.asked >= self.times:
            return False
        if not isinstance(record, Commitment) or not (record.arrived or self.refuses_too):
            return False
        self.asked += 1
        return True


def refusal() -> GridpactError:
    return Reverted("vault: supply", "mint")


def silence() -> GridpactError:
    return Unavailable("the zone does not answer")


@dataclass
class Sky:
    """The weather of the moment."""

    weather: Weather = field(default_factory=lambda: Weather(refusal, times=0))


class Zone(Cuttable):
    """A zonal ledger in bad weather."""

    sky = Sky()

    def write(self, key: Key, record: Record) -> Head:
        weather = self.sky.weather
        if not weather.hits(key, record):
            return super().write(key, record)
        if weather.answer_lost:
            super().write(key, record)
        raise weather.says()


def ledgers_in(scenario: Scenario, weather: Weather, countdown: Countdown | None = None) -> Ledgers:
    local, zonal = Cuttable(scenario.region, 1), Zone(scenario.zone, 2)
    local.countdown = zonal.countdown = countdown or Countdown()
    zonal.sky = Sky(weather)
    return Ledgers(local, zonal)


def run(scenario: Scenario, ledgers: Ledgers) -> DayResult:
    return run_day(scenario, ledgers, quietly, signed=False)


@pytest.fixture(scope="module")
def short(scenario: Scenario) -> Scenario:
    return shortened(scenario, INTERVALS)


@pytest.fixture(scope="module")
def undisturbed(short: Scenario) -> DayResult:
    return run(short, ledgers_in(short, Weather(refusal, times=0)))


@pytest.fixture(scope="module")
def refused(short: Scenario) -> tuple[DayResult, Ledgers, list[Key]]:
    """A day whose zone refuses the money of one interval once."""
    countdown = Countdown()
    ledgers = ledgers_in(short, Weather(refusal, times=1), countdown)
    return run(short, ledgers), ledgers, countdown.written


def zonal_energy(result: IntervalResult) -> int:
    return sum(fill.energy_wh for fill in result.cleared.fills if fill.tier is Tier.ZONAL)


def outcome(scenario: Scenario, ledgers: Ledgers) -> str:
    """Return how the crossing of the bad interval ended; it must be one way."""
    region, zone = name_hash(scenario.region), name_hash(scenario.zone)
    there = ledgers.zonal.read(Key(zone, BAD, Phase.COMMIT), Commitment)
    confirmed = ledgers.local.read(Key(region, BAD, Phase.COMMIT, 1), Confirmed)
    returned = ledgers.local.read(Key(region, BAD, Phase.COMMIT, 2), Returned)
    assert there is not None
    assert (there.arrived is None) != (there.refused is None)
    assert (confirmed is None) != (returned is None)
    assert (there.refused is None) == (returned is None)
    return "taken in" if returned is None else "returned"


def test_refused_trades_are_called_off_and_grid_supply_serves_them(
    undisturbed: DayResult, refused: tuple[DayResult, Ledgers, list[Key]]
) -> None:
    meant, was = undisturbed.intervals[BAD], refused[0].intervals[BAD]
    off = zonal_energy(meant)
    assert off > 0
    assert zonal_energy(was) == 0
    assert [f for f in was.cleared.fills if f.tier is Tier.LOCAL] == [
        f for f in meant.cleared.fills if f.tier is Tier.LOCAL
    ]
    open_before = sum(one.energy_wh for one in meant.cleared.unmet)
    assert sum(one.energy_wh for one in was.cleared.unmet) == open_before + off
    assert was.metered == meant.metered, "what flows does not change"
    assert was.settlement.statements == meant.settlement.statements
    brought = sum(one.received for one in meant.zonal_settlement.deliveries)
    bought = sum(bill.bought_wh for bill in meant.settlement.bills)
    assert sum(bill.bought_wh for bill in was.settlement.bills) == bought + brought
    sent = sum(one.sent for one in meant.zonal_settlement.deliveries)
    sold = sum(bill.sold_wh for bill in meant.zonal_settlement.bills)
    assert sum(bill.sold_wh for bill in was.zonal_settlement.bills) == sold + sent


def test_everybody_who_lost_a_trade_reads_why(
    undisturbed: DayResult, refused: tuple[DayResult, Ledgers, list[Key]]
) -> None:
    meant, was = undisturbed.intervals[BAD], refused[0].intervals[BAD]
    off = [fill for fill in meant.cleared.fills if fill.tier is Tier.ZONAL]
    told = [one for one in was.cleared.refusals if one.code is Code.CROSSING]
    assert {one.participant for one in told} == {f.buyer for f in off} | {f.seller for f in off}
    assert all("vault: supply" in one.detail for one in told)


def test_nothing_is_lost_or_made_and_the_next_interval_trades_again(
    short: Scenario, refused: tuple[DayResult, Ledgers, list[Key]]
) -> None:
    day, ledgers, _ = refused
    assert outcome(short, ledgers) == "returned"
    assert zonal_energy(day.intervals[BAD + 1]) > 0
    opened = ledgers_founded(short).zonal.accounts().values()
    deposits = sum(account.free + account.locked for account in opened)
    local, zonal = ledgers.local.totals(), ledgers.zonal.totals()
    assert local.holds
    assert zonal.holds
    assert local.locked == zonal.locked == short.council.pledged
    assert local.reserved == zonal.reserved == 0
    assert local.transit == zonal.minted - deposits - zonal.burned


def ledgers_founded(scenario: Scenario) -> Ledgers:
    ledgers = ledgers_in(scenario, Weather(refusal, times=0))
    run(shortened(scenario, 0), ledgers)
    return ledgers


def test_a_late_commit_is_refused_for_ever(
    short: Scenario, refused: tuple[DayResult, Ledgers, list[Key]]
) -> None:
    _, ledgers, _ = refused
    key = Key(name_hash(short.zone), BAD, Phase.COMMIT)
    there = ledgers.zonal.read(key, Commitment)
    assert there is not None
    head = ledgers.zonal.head()
    for _ in range(2):
        with pytest.raises(WriteConflict):
            ledgers.zonal.write(key, Commitment((), arrived=there.refused))
    assert ledgers.zonal.head() == head


@pytest.mark.parametrize(
    "weather",
    [Weather(silence, times=2), Weather(silence, times=1, answer_lost=True)],
    ids=["silent twice", "answer lost"],
)
def test_a_zone_that_answers_in_time_takes_the_money_in(
    short: Scenario, undisturbed: DayResult, weather: Weather
) -> None:
    ledgers = ledgers_in(short, weather)
    assert ends(run(short, ledgers)) == ends(undisturbed)
    assert outcome(short, ledgers) == "taken in"


def test_a_zone_that_is_silent_until_the_deadline_gives_the_money_back(short: Scenario) -> None:
    weather = Weather(silence)
    ledgers = ledgers_in(short, weather)
    day = run(short, ledgers)
    assert weather.asked == 3
    assert outcome(short, ledgers) == "returned"
    told = [one for one in day.intervals[BAD].cleared.refusals if one.code is Code.CROSSING]
    assert all("does not answer" in one.detail for one in told)


def test_a_zone_that_cannot_even_refuse_stops_the_run_until_it_can(
    short: Scenario, undisturbed: DayResult
) -> None:
    weather = Weather(silence, times=4, refuses_too=True)
    ledgers = ledgers_in(short, weather)
    with pytest.raises(Unavailable):
        run(short, ledgers)
    assert ledgers.local.read(Key(name_hash(short.region), BAD, Phase.COMMIT), Commitment)
    assert ledgers.zonal.written_at(Key(name_hash(short.zone), BAD, Phase.COMMIT)) is None
    assert ends(run(short, ledgers)) == ends(undisturbed)


PATH = (
    (Phase.COMMIT, 0, "region"),
    (Phase.COMMIT, 0, "zone"),
    (Phase.COMMIT, 2, "region"),
    (Phase.DELIVER, 0, "region"),
)


@pytest.mark.parametrize("healed", [False, True], ids=["still refusing", "healed"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", PATH, ids=lambda step: f"{step[0].name} {step[1]} {step[2]}")
def test_a_run_cut_at_any_write_of_the_way_back_ends_one_way(
    short: Scenario,
    undisturbed: DayResult,
    refused: tuple[DayResult, Ledgers, list[Key]],
    step: tuple[Phase, int, str],
    after: bool,
    healed: bool,
) -> None:
    phase, part, where = step
    whole, _, written = refused
    chain = name_hash(short.region if where == "region" else short.zone)
    at = written.index(Key(chain, BAD, phase, part)) + 1
    ledgers = ledgers_in(short, Weather(refusal), Countdown(at, after))
    with pytest.raises(PowerCut):
        run(short, ledgers)
    decided = ledgers.zonal.written_at(Key(name_hash(short.zone), BAD, Phase.COMMIT)) is not None
    assert isinstance(ledgers.zonal, Zone)
    if healed:
        ledgers.zonal.sky = Sky()
    day = run(short, ledgers)
    back = decided or not healed
    assert outcome(short, ledgers) == ("returned" if back else "taken in")
    assert ends(day) == ends(whole if back else undisturbed)


class RefusingChain(MarketLedger):
    """An embedded zonal chain in bad weather."""

    sky = Sky()

    def write(self, key: Key, record: Record) -> Head:
        if self.sky.weather.hits(key, record):
            raise self.sky.weather.says()
        return super().write(key, record)


def test_the_audit_accepts_a_run_whose_crossing_came_back(short: Scenario, tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    clock = MarketClock(short.time.begins, short.time.minutes)
    with open_store(file) as store:

        def chain(name: str) -> EmbeddedChain:
            operator = operator_key(short, f"operator of {name}")
            return EmbeddedChain(store, name, chain_id(short, name), operator, clock)

        zonal = RefusingChain(chain(short.zone), name_hash(short.zone))
        zonal.sky = Sky(Weather(refusal))
        ledgers = Ledgers(MarketLedger(chain(short.region), name_hash(short.region)), zonal)
        day = run_day(short, ledgers, quietly)
        assert zonal_energy(day.intervals[BAD]) == 0 < zonal_energy(day.intervals[BAD + 1])
        assert outcome(short, ledgers) == "returned"
        ledgers.close()
    audit_ledger(file, {end.name: end.head.hash for end in day.chains})
