"""Net settlement in a run: one number per account, and everybody has what batches give them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from tests.cycle.conftest import quietly, shortened
from tests.cycle.test_disputes import parties, results
from tests.cycle.test_resume import Countdown, PowerCut, cuttable, ends

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import Ledgers, audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.nodes import Network, node_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.disputes import concluded
from gridpact.cycle.finalise import PART
from gridpact.errors import BadInput, Corrupt, NoQuorum, SettlementError
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.audit.net import check_closed, check_part, require_closed
from gridpact.ledger.audit.seen import Seen
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Account
from gridpact.model.record import Commitment, Finalised, Settlement
from gridpact.quantities import Score
from gridpact.report.findings import examine
from gridpact.report.money import require_booked
from gridpact.report.summary import summary
from gridpact.scenario.scenario import Scenario

INTERVALS = 10
SILENT = 8
"""When a party is silent: neighbours trade already."""
WINDOW = 2


@pytest.fixture(scope="module")
def short(scenario: Scenario) -> Scenario:
    return shortened(scenario, INTERVALS)


@pytest.fixture(scope="module")
def net(short: Scenario) -> Scenario:
    return replace(short, net=True)


@pytest.fixture(scope="module")
def signed(net: Scenario, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DayResult]:
    """A signed run on embedded chains; the file is closed."""
    file = tmp_path_factory.mktemp("net") / "ledger.db"
    ledgers = embedded_ledgers(net, file)
    day = run_day(net, ledgers, quietly)
    ledgers.close()
    return file, day


@pytest.fixture(scope="module")
def seen(signed: tuple[Path, DayResult], net: Scenario) -> Seen:
    """What the audit saw of the region's chain."""
    inspector = MarketAudit()
    audit(signed[0], {}, (inspector,))
    return inspector.chains[net.region]


def scores(ledgers: Ledgers) -> Mapping[bytes, Score]:
    """Return the reputation of everybody on both chains."""
    both = (ledgers.local, ledgers.zonal)
    return {who: ledger.score(who) for ledger in both for who in ledger.accounts()}


def money(ledgers: Ledgers) -> tuple[Mapping[bytes, Account], Mapping[bytes, Account]]:
    return ledgers.local.accounts(), ledgers.zonal.accounts()


def test_everybody_ends_with_the_money_and_reputation_that_batches_give(
    short: Scenario, net: Scenario
) -> None:
    ran = []
    for scenario in (short, net):
        ledgers = memory_ledgers(scenario)
        day = run_day(scenario, ledgers, quietly, signed=False)
        require_booked(day)
        ran.append((money(ledgers), scores(ledgers), ledgers.local.totals(), day))
    batches, netted = ran
    assert netted[:3] == batches[:3]
    assert len(set(netted[1].values())) > 2, "somebody was rated"
    for one, other in zip(batches[3].intervals, netted[3].intervals, strict=True):
        assert other.settlement.statements == one.settlement.statements
        assert other.settlement.bills == one.settlement.bills
        assert other.zonal_settlement == one.zonal_settlement
        assert (other.settlement.net is None) == (not one.settlement.fills)
    first, second = (summary(examine(each[3])) for each in ran)
    other = {name for name in first if first[name] != second[name]}
    assert other <= {"head", "audit_head", "state_hash", "seconds"}


def test_contracts_and_audit_take_a_signed_run(
    short: Scenario, signed: tuple[Path, DayResult], tmp_path: Path
) -> None:
    file, day = signed
    ledgers = embedded_ledgers(short, tmp_path / "batches.db")
    batches = run_day(short, ledgers, quietly)
    assert [end.accounts for end in day.chains] == [end.accounts for end in batches.chains]
    assert [end.totals for end in day.chains] == [end.totals for end in batches.chains]
    local = scores(ledgers)
    last = {row.participant: row.after for one in day.intervals for row in one.rated}
    assert last == {who: local[who] for who in last}
    ledgers.close()
    audit_ledger(file, {end.name: end.head.hash for end in day.chains})


def test_parts_are_closed_in_order_of_time_when_their_window_is_over(
    signed: tuple[Path, DayResult],
) -> None:
    _, day = signed
    traded = [one.interval for one in day.intervals if one.settlement.net is not None]
    assert len(traded) > 2
    closed = [part.interval for one in day.intervals for done in one.closed for part in done.parts]
    assert closed == traded
    for result in day.intervals[:-1]:
        for done in result.closed:
            assert [part.interval for part in done.parts] == [result.interval - WINDOW - 1]


# cut off anywhere


AFTER_THE_DAY = 2 * (WINDOW + 1)


@pytest.fixture(scope="module")
def undisturbed(net: Scenario) -> tuple[DayResult, list[Key]]:
    countdown = Countdown()
    day = run_day(net, cuttable(net, countdown), quietly, signed=False)
    return day, countdown.written


def test_writes_after_the_day_close_its_last_parts(
    undisturbed: tuple[DayResult, list[Key]],
) -> None:
    _, written = undisturbed
    late = [key for key in written if key.interval >= INTERVALS]
    assert [key.interval for key in late] == [INTERVALS, INTERVALS + 1, INTERVALS + 2]
    assert {(key.phase, key.part) for key in late} == {(Phase.SETTLE, PART)}


@pytest.mark.parametrize("back", [0, 1, 3, 8, 11, 17])
def test_a_run_cut_at_any_write_ends_the_same(
    net: Scenario, undisturbed: tuple[DayResult, list[Key]], back: int
) -> None:
    whole, written = undisturbed
    countdown = Countdown(left=len(written) - back, after=back % 2 == 0)
    ledgers = cuttable(net, countdown)
    with pytest.raises(PowerCut):
        run_day(net, ledgers, quietly, signed=False)
    day = run_day(net, ledgers, quietly, signed=False)
    assert ends(day) == ends(whole)
    assert [one.closed for one in day.intervals] == [one.closed for one in whole.intervals]


# disputes


@pytest.fixture(scope="module")
def honest(undisturbed: tuple[DayResult, list[Key]]) -> DayResult:
    return undisturbed[0]


@pytest.mark.parametrize("kind", ["seller", "buyer"])
def test_what_a_part_held_is_settled_as_batches_settle_a_dispute(
    scenario: Scenario, honest: DayResult, kind: str
) -> None:
    # a dispute that lasts until the next window lets both ways rate in one order
    terms = changed(scenario.settlement, dispute_window=2 * WINDOW)
    batches = replace(shortened(scenario, SILENT + 2 * WINDOW + 1), settlement=terms)
    who = parties(honest.intervals[SILENT])[kind]
    ran = []
    for each in (batches, replace(batches, net=True)):
        ledgers = memory_ledgers(each)
        results_ = results(each, ledgers, who, SILENT)
        ran.append((results_, money(ledgers), scores(ledgers)))
    (first, *one), (second, *other) = ran
    assert other == one
    held = [done for result in second for done in result.closed if done.held]
    assert [done.parts[0].interval for done in held] == [SILENT]
    for result, same in zip(concluded(first), concluded(second), strict=True):
        assert result.settlement.statements == same.settlement.statements


def test_the_audit_takes_a_dispute_that_a_part_held(
    net: Scenario, honest: DayResult, tmp_path: Path
) -> None:
    who = parties(honest.intervals[SILENT])["seller"]
    ledgers = embedded_ledgers(net, tmp_path / "ledger.db")
    ran = results(net, ledgers, who, SILENT, signed=True)
    assert ledgers.local.totals().reserved == 0
    ledgers.close()
    assert any(done.held for done in ran[-1].closed)
    assert ran[-1].closed[-1].parts[-1].number, "the part of what was held is closed last"
    audit_ledger(tmp_path / "ledger.db", {})


# refusals


def test_chains_on_nodes_refuse_a_scenario_that_settles_net(net: Scenario, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r'payment = "net" runs on embedded chains only'):
        node_ledgers(net, Network(("http://127.0.0.1:1",)), tmp_path / "companion.db")


def test_no_aggregator_signs_locks_or_a_part_that_are_not_its_own(
    net: Scenario, signed: tuple[Path, DayResult]
) -> None:
    ledgers = embedded_ledgers(net, signed[0])
    market = assemble(net, ledgers).market
    last = signed[1].intervals[-1]
    member = market.council.aggregators[0]
    key = Key(market.region.id, last.interval, Phase.SETTLE)
    part = last.settlement.net
    assert part is not None
    wrong = replaced(last.settlement, deltas=part.deltas[:-1] + b"\1")
    with pytest.raises(SettlementError, match="net: other deltas stated"):
        member.sign_part(ledgers.local, key, wrong)
    with pytest.raises(NoQuorum, match="0 aggregators signed, 3 are needed"):
        market.council.under_part(ledgers.local, key, wrong, key)
    lock_key = Key(market.region.id, last.interval, Phase.COMMIT)
    commitment = ledgers.local.read(lock_key, Commitment)
    assert commitment is not None
    assert commitment.net is not None
    dearer = changed(commitment.net, rows=commitment.net.rows[:-1] + b"\1")
    with pytest.raises(SettlementError, match="other locks than its fills can cost"):
        member.sign_locks(ledgers.local, lock_key, changed(commitment, net=dearer))
    ledgers.close()


def replaced(settlement: Settlement, **changes: bytes) -> Settlement:
    assert settlement.net is not None
    return changed(settlement, net=changed(settlement.net, **changes))


@pytest.mark.parametrize("field", ["root", "header", "deltas", "ratings"])
def test_the_audit_names_a_part_that_is_not_what_its_records_come_to(
    seen: Seen, field: str
) -> None:
    key, settled = next(row for row in seen.of(Settlement) if row[1].net is not None)
    check_part("there", key, settled, seen)
    words = getattr(settled.net, field)
    with pytest.raises(Corrupt, match="not the part that its statements"):
        check_part("there", key, replaced(settled, **{field: words[:-1] + b"\7"}), seen)
    with pytest.raises(Corrupt, match="a part without locks, or locks without a part"):
        check_part("there", key, changed(settled, net=None), seen)


def test_the_audit_wants_each_part_closed_with_its_sellers(seen: Seen) -> None:
    key, final = next(seen.of(Finalised))
    check_closed("there", key, final, seen)
    with pytest.raises(Corrupt, match="not those whose window is over"):
        check_closed("there", key, changed(final, parts=()), seen)
    with pytest.raises(Corrupt, match="not the sellers of these parts"):
        check_closed("there", key, changed(final, rated=final.rated[1:]), seen)
    rate = Key(key.region, key.interval, Phase.RATE)
    require_closed("there", rate, seen)
    without = {at: record for at, record in seen.records.items() if at != key}
    with pytest.raises(Corrupt, match="not closed when their window was over"):
        require_closed("there", rate, replace(seen, records=without))
