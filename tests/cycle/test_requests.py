"""Owners who ask their neighbours by paper D's rule, through a whole day on the ledgers."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.cycle import test_cycle as laws
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers, memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.cycle import run
from gridpact.model.attributes import NOBODY
from gridpact.model.order import Side, Tier
from gridpact.prosumer.neighbours import RequestSettings
from gridpact.prosumer.request import What
from gridpact.report.findings import examine
from gridpact.report.requests import sums
from gridpact.report.write import write_all
from gridpact.scenario.scenario import Scenario


def asking(scenario: Scenario, rule: str) -> Scenario:
    return replace(scenario, requests=RequestSettings(rule))


@pytest.fixture(scope="module", params=["cost_aware", "storage_aware"])
def asked_day(request: pytest.FixtureRequest, scenario: Scenario) -> DayResult:
    chosen = asking(scenario, request.param)
    return run_day(chosen, memory_ledgers(chosen), quietly, signed=False)


def test_energy_and_money_are_conserved(asked_day: DayResult) -> None:
    for law in (
        laws.test_energy_sold_equals_energy_bought_per_interval_and_tier,
        laws.test_no_fill_exceeds_its_order,
        laws.test_bought_and_unmet_energy_add_up_to_the_bids,
        laws.test_deliveries_and_imbalances_equal_the_meters,
        laws.test_every_lock_is_shared_out_to_the_micro_unit,
        laws.test_money_of_both_chains_holds_and_crossings_meet,
        laws.test_no_account_runs_empty,
        laws.test_buyers_never_pay_more_than_retail_for_what_they_receive,
    ):
        law(asked_day)


def test_no_order_of_the_rule_is_refused(asked_day: DayResult) -> None:
    assert not [one for row in asked_day.intervals for one in row.book.refusals]


def test_neighbours_with_batteries_sell_more_than_their_surplus(
    asked_day: DayResult, day: DayResult
) -> None:
    def traded(of: DayResult) -> int:
        fills = [fill for row in of.intervals for fill in row.cleared.fills]
        return sum(fill.energy_wh for fill in fills if fill.tier is Tier.LOCAL)

    assert traded(asked_day) > 1.5 * traded(day)


def test_bids_prefer_the_donor_that_the_rule_found(asked_day: DayResult) -> None:
    orders = [one for row in asked_day.intervals for one in row.book.orders]
    bids = [one for one in orders if one.order.side is Side.BID and one.attributes]
    donors = {step.donor for step in asked_day.requests if step.what is What.DONATED}
    sellers = {asked_day.people.sites[donor].address for donor in donors}
    preferred = {one.attributes.partner for one in bids if one.attributes} - {NOBODY}
    assert preferred
    assert preferred <= sellers


def test_every_request_is_served_expires_or_waits(asked_day: DayResult, tmp_path: Path) -> None:
    found = sums(asked_day)
    assert found is not None
    ends = ("own_wh", "taken_wh", "expired_wh", "still_waiting_wh")
    assert found["asked_wh"] == sum(found[name] for name in ends)
    assert found["donated_wh"] > 1_000_000
    late = [one for one in asked_day.requests if one.what is What.TAKEN and one.request >= 0]
    since = {one.request: one.interval for one in asked_day.requests if one.what is What.ASKED}
    waited = {one.interval - since[one.request] for one in late}
    assert waited == {0, 1, 2, 3}
    write_all(examine(asked_day), (), tmp_path)
    assert (tmp_path / "requests.parquet").exists()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "requests between neighbours" in page


def test_a_run_that_was_cut_off_asks_the_same_again(scenario: Scenario) -> None:
    short = asking(shortened(scenario, 9), "cost_aware")
    whole, cut = memory_ledgers(short), memory_ledgers(short)
    at_once = run_day(short, whole, quietly, signed=False)
    for _ in run(assemble(short, cut, signed=False).market, 6, quietly):
        pass
    resumed = run_day(short, cut, quietly, signed=False)
    assert at_once.requests == resumed.requests
    assert sum(step.what is What.POOLED for step in resumed.requests) > 50
    assert [end.state_hash for end in at_once.chains] == [end.state_hash for end in resumed.chains]


def test_a_signed_run_by_the_scheme_is_audited(scenario: Scenario, tmp_path: Path) -> None:
    short = asking(shortened(scenario, 8), "cost_aware")
    ledgers = embedded_ledgers(short, tmp_path / "ledger.db")
    run_day(short, ledgers, quietly)
    ledgers.close()
    audit_ledger(tmp_path / "ledger.db", {})
