"""A dispute ends: after its window what was signed stands, and no lock is held for ever."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from tests.cycle.conftest import quietly, shortened
from tests.cycle.test_resume import Countdown, PowerCut, cuttable

from gridpact.assembly.day import ChainEnd, DayResult, run_day
from gridpact.assembly.ledgers import Ledgers, audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.cycle import run
from gridpact.cycle.disputes import PART, concluded
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.cycle.result import IntervalResult
from gridpact.model.order import Tier
from gridpact.model.record import Limit
from gridpact.model.statement import Case
from gridpact.report.findings import examine
from gridpact.report.money import require_booked
from gridpact.report.page import page
from gridpact.report.progress import short_table
from gridpact.report.summary import summary
from gridpact.report.trades import Trade, of_interval
from gridpact.scenario.scenario import Scenario

NOON = 12
WINDOW = 2
INTERVALS = NOON + WINDOW + 2


@dataclass
class Silence:
    """A field in which the meter of `who` is not heard in interval `when`."""

    field: Field
    who: bytes
    when: int = NOON

    def expected(self, interval: int) -> Expected:
        return self.field.expected(interval)

    def orders(self, interval: int) -> Submitted:
        return self.field.orders(interval)

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        heard = self.field.deliver(interval, limits, reactive_var)
        if interval != self.when:
            return heard
        return replace(
            heard,
            local=[one for one in heard.local if one.reading.meter != self.who],
            zonal=[one for one in heard.zonal if one.reading.meter != self.who],
        )


def results(
    scenario: Scenario,
    ledgers: Ledgers,
    who: bytes,
    when: int = NOON,
    signed: bool = False,
) -> tuple[IntervalResult, ...]:
    market = assemble(scenario, ledgers, signed).market
    silent = replace(market, field=Silence(market.field, who, when))
    return tuple(run(silent, scenario.time.intervals))


def parties(result: IntervalResult) -> dict[str, bytes]:
    """Return one party of each kind that an hour's trades know."""
    local = result.settlement.fills[0]
    crossed = [fill for fill in result.cleared.fills if fill.tier is Tier.ZONAL]
    return {
        "seller": local.seller,
        "buyer": local.buyer,
        "zonal buyer": crossed[0].buyer,
        "plant": crossed[0].seller,
    }


def disputed(result: IntervalResult) -> list[Trade]:
    trades = of_interval(result)
    return [one for one in trades if one.settled.statement.case is Case.DISPUTE]


@pytest.fixture(scope="module")
def short(scenario: Scenario) -> Scenario:
    return shortened(scenario, INTERVALS)


@pytest.fixture(scope="module")
def honest(short: Scenario) -> DayResult:
    return run_day(short, memory_ledgers(short), quietly, signed=False)


@pytest.mark.parametrize("kind", ["seller", "buyer", "zonal buyer", "plant"])
def test_what_a_silent_party_traded_is_settled_by_what_was_signed(
    short: Scenario, honest: DayResult, kind: str
) -> None:
    who = parties(honest.intervals[NOON])[kind]
    ledgers = memory_ledgers(short)
    ran = results(short, ledgers, who)
    before = disputed(ran[NOON])
    assert before
    assert all(who in (one.settled.fill.buyer, one.settled.fill.seller) for one in before)
    assert [one.interval for one in ran if one.ended] == [NOON + WINDOW]
    after = {one.name: one.settled for one in of_interval(concluded(ran)[NOON])}
    for one in before:
        fill, made, said = after.pop(one.name)
        assert made == changed(one.settled.delivery, disputed=False), "no energy moves"
        fees = said.fee_seller + said.fee_network
        assert (said.paid, said.charge, said.reward, said.claim) == (0, 0, 0, 0)
        assert fees + said.refund == fill.lock
        if fill.seller == who:
            assert said.case is Case.SHORT or made.agreed <= 10
    rest = {one.name: one.settled for one in of_interval(ran[NOON])}
    assert all(rest[name] == row for name, row in after.items())


@pytest.mark.parametrize("kind", ["seller", "zonal buyer", "plant"])
def test_no_lock_outlives_its_window_and_no_money_is_lost(
    short: Scenario, honest: DayResult, kind: str
) -> None:
    who = parties(honest.intervals[NOON])[kind]
    ledgers = memory_ledgers(short)
    ran = results(short, ledgers, who)
    require_booked(day_of(honest, concluded(ran), ledgers))
    bonds = short.council.pledged
    assert ledgers.local.totals().locked == ledgers.zonal.totals().locked == bonds
    assert ledgers.local.totals().holds
    assert ledgers.zonal.totals().holds
    start, zonal = honest.chains[1].totals, ledgers.zonal.totals()
    deposits = start.minted - sum(crossed(one) for one in honest.intervals)
    assert ledgers.local.totals().transit == zonal.minted - deposits - zonal.burned


def crossed(result: IntervalResult) -> int:
    return sum(fill.lock for fill in result.zonal_settlement.fills)


def test_a_silent_seller_is_rated_once_its_dispute_has_ended(
    short: Scenario, honest: DayResult
) -> None:
    who = parties(honest.intervals[NOON])["seller"]
    ran = results(short, memory_ledgers(short), who)
    ended = ran[NOON + WINDOW].ended
    assert ended is not None
    assert who not in {row.participant for row in ran[NOON].rated}
    agreed = sum(
        one.settled.delivery.agreed for one in disputed(ran[NOON]) if one.settled.fill.seller == who
    )
    [rated] = [
        row for row in (*ended.rating.rated, *ended.plant_rating.rated) if row.participant == who
    ]
    assert (rated.agreed_wh, rated.sent_wh) == (agreed, 0)
    assert rated.after < rated.before
    assert rated in ran[NOON + WINDOW].rated


@pytest.mark.parametrize("kind", ["seller", "zonal buyer", "plant"])
def test_a_dispute_within_its_window_at_the_end_of_the_day_is_shown_as_held(
    short: Scenario, honest: DayResult, kind: str
) -> None:
    who = parties(honest.intervals[NOON])[kind]
    last = shortened(short, NOON + WINDOW)
    ledgers = memory_ledgers(last)
    ran = results(last, ledgers, who)
    upto = run_day(last, memory_ledgers(last), quietly, signed=False)
    day = day_of(upto, concluded(ran), ledgers)
    locked = ledgers.local.totals().locked + ledgers.zonal.totals().locked
    locked -= 2 * last.council.pledged
    found = examine(day)
    assert found.compared.held_in_dispute == locked > 0
    assert summary(found)["money"]["held_in_dispute"] == locked
    assert any(cell == "held in dispute" for cell in short_table(found).columns[0].cells)
    assert f"Held in dispute: {len(disputed(ran[NOON]))} trades" in page(found, {}, [])


def day_of(day: DayResult, ran: tuple[IntervalResult, ...], ledgers: Ledgers) -> DayResult:
    """Return a run's result in the surroundings of an honest day."""
    ends = (
        ChainEnd(one.name, one.head(), one.state_hash(), one.totals(), one.accounts())
        for one in (ledgers.local, ledgers.zonal)
    )
    return replace(day, intervals=ran, chains=tuple(ends))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(7))
def test_a_run_cut_at_any_write_of_a_dispute_s_end_ends_the_same(
    short: Scenario, honest: DayResult, write: int, after: bool
) -> None:
    who = parties(honest.intervals[NOON])["plant"]
    counted = Countdown()
    whole = cuttable(short, counted)
    results(short, whole, who)
    late = [n for n, key in enumerate(counted.written) if key.interval == NOON and key.part >= PART]
    first = next(n for n in late if counted.written[n - 1].interval == NOON + WINDOW)
    assert late[-1] - first == 4, "two settlements, a confirmation, two ratings"
    ledgers = cuttable(short, Countdown(first + write, after))
    with pytest.raises(PowerCut):
        results(short, ledgers, who)
    results(short, ledgers, who)
    for one, other in ((whole.local, ledgers.local), (whole.zonal, ledgers.zonal)):
        assert one.state_hash() == other.state_hash()
        assert one.head() == other.head()


@pytest.mark.parametrize("kind", ["seller", "zonal buyer", "plant"])
def test_the_audit_accepts_a_dispute_and_its_end(
    short: Scenario, honest: DayResult, kind: str, tmp_path: Path
) -> None:
    file, who = tmp_path / "ledger.db", parties(honest.intervals[NOON])[kind]
    ledgers = embedded_ledgers(short, file)
    ran = results(short, ledgers, who, signed=True)
    assert ran[NOON + WINDOW].ended is not None
    bonds = short.council.pledged
    assert ledgers.local.totals().locked == ledgers.zonal.totals().locked == bonds
    ledgers.close()
    audit_ledger(file, {})
