"""Deposits cover what newcomers sell, a breach takes a fine of them, and nothing is lost by it."""

from dataclasses import replace
from pathlib import Path

import pytest
from bench.promises import require_promises
from bench.random_markets import draw, strict
from bench.random_runs import play, require_chains
from tests.cycle.conftest import SCENARIOS, quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.errors import ScenarioError
from gridpact.model.order import Code, Refusal
from gridpact.model.participant import Named
from gridpact.quantities import PPM
from gridpact.report.comparison import compare
from gridpact.report.money import require_booked
from gridpact.scenario.reader import load
from gridpact.scenario.scenario import Scenario
from gridpact.settlement.account_lines import Reason

DISPUTE_ENDS_IN_A_FINE, SHUT_OUT, EXHAUSTED = 3_103, 3_138, 3_197


def believing(deposit: int = PPM // 2, until: int = 14) -> Scenario:
    """Return the day until an hour under credibility, with a deposit of so much. [ppm]"""
    scenario = shortened(load(SCENARIOS / "sce56-day.toml", scheme="credibility"), until)
    return replace(scenario, sanctions=replace(scenario.sanctions, deposit=deposit))


def run(scenario: Scenario) -> DayResult:
    return run_day(scenario, memory_ledgers(scenario), quietly, signed=False)


def uncovered(day: DayResult) -> list[Refusal]:
    return [
        one
        for result in day.intervals
        for book in (result.book, result.plant_book)
        for one in book.refusals
        if one.order is not None
    ]


@pytest.fixture(scope="module")
def usual() -> DayResult:
    return run(believing())


@pytest.fixture(scope="module")
def thin() -> DayResult:
    """Deposits of a fifth of the usual ones."""
    return run(believing(PPM // 10))


def test_the_usual_deposit_covers_whom_no_fine_has_lowered_it(usual: DayResult) -> None:
    fined = {row.participant for one in usual.intervals for rows in one.fines for row in rows}
    assert {one.participant for one in uncovered(usual)} <= fined
    assert len(uncovered(usual)) < 3
    assert sum(len(one.cleared.fills) for one in usual.intervals) > 100
    local, zonal = usual.put_down
    assert (len(local), len(zonal)) == (60, 2)
    require_booked(usual)
    require_promises(usual)


def test_a_breach_is_fined_from_the_deposit_on_both_chains(usual: DayResult) -> None:
    for at, chain in enumerate(usual.chains):
        fines = [row for one in usual.intervals for row in one.fines[at]]
        assert fines
        assert chain.accounts[Named.FINES.address].free == sum(row.amount for row in fines)
    flows = [flow for flow in compare(usual).flows if flow.reason is Reason.FINE]
    assert {flow.target for flow in flows} == {Named.FINES.address}


def test_what_neither_credibility_nor_deposit_covers_is_refused(thin: DayResult) -> None:
    refused = uncovered(thin)
    assert len(refused) > 10
    for one in refused:
        assert one.code is Code.OVER_LIMIT
        assert "needs a deposit" in one.detail
    require_promises(thin)


def test_without_any_deposit_no_newcomer_sells() -> None:
    day = run(believing(0, until=10))
    assert uncovered(day)
    assert not any(one.cleared.fills for one in day.intervals)


def test_by_other_rules_nobody_puts_anything_down_unless_asked(day: DayResult) -> None:
    assert day.put_down == ({}, {})
    assert not any(rows for one in day.intervals for rows in one.fines)
    assert not uncovered(day)


def test_a_deposit_beyond_what_its_seller_has_is_refused_with_both_sums() -> None:
    with pytest.raises(
        ScenarioError, match=r"deposit_share: a deposit of 840 for plant-53 is more"
    ):
        run(believing(2 * PPM, until=1))


@pytest.mark.parametrize(
    "seed", [3_000, 3_060, 3_096, DISPUTE_ENDS_IN_A_FINE, SHUT_OUT, EXHAUSTED, *range(3_004, 3_009)]
)
def test_random_market_with_deposits_keeps_every_promise(seed: int) -> None:
    require_promises(play(strict(draw(seed, faulty=True))))


@pytest.mark.parametrize("seed", [SHUT_OUT, DISPUTE_ENDS_IN_A_FINE])
def test_random_market_with_deposits_agrees_on_both_chains_is_audited_and_resumes(
    seed: int, tmp_path: Path
) -> None:
    day = require_chains(strict(draw(seed, faulty=True)), tmp_path)
    assert any(rows for one in day.intervals for rows in one.fines)
