"""summary.json: complete, the same in every run, and in step with the ledgers."""

import json

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.report.findings import Findings, examine
from gridpact.report.summary import heads, refusals, summary
from gridpact.scenario.scenario import Scenario


def test_equal_runs_give_equal_summaries_but_for_the_seconds(
    scenario: Scenario, found: Findings
) -> None:
    again = examine(run_day(scenario, memory_ledgers(scenario), unwatched, signed=False))
    first, second = summary(found), summary(again)
    assert first.pop("seconds").keys() == second.pop("seconds").keys()
    assert json.dumps(first) == json.dumps(second)


def test_summary_survives_json(found: Findings) -> None:
    told = summary(found)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_heads_and_state_hashes_are_the_chains(day: DayResult, found: Findings) -> None:
    told = summary(found)
    for chain in day.chains:
        assert told["state_hash"][chain.name] == chain.state_hash.hex()
        assert told["head"][chain.name]["number"] == chain.head.number
        assert f"{chain.name}={chain.head.hash.hex()}" in heads(day)


def test_money_of_every_chain_is_what_was_minted_less_what_was_burned(found: Findings) -> None:
    for chain in summary(found)["chains"].values():
        held = chain["free"] + chain["reserved"] + chain["locked"] + chain["transit"]
        assert held == chain["minted"] - chain["burned"]


def test_bills_add_up_to_the_groups(found: Findings) -> None:
    told = summary(found)
    groups = told["money"]["groups"]
    people = groups["participants without generation"], groups["participants with PV or battery"]
    assert told["money"]["bill_after"] == -sum(group["after"] for group in people)
    assert sum(bill["after"] for bill in told["bills"]) == (
        told["money"]["bill_after"] - groups["renewable plants"]["after"]
    )
    assert len(told["bills"]) == 122


def test_every_refusal_is_counted_under_its_code(day: DayResult, found: Findings) -> None:
    assert sum(summary(found)["refusals"].values()) == len(refusals(day))


def test_cases_add_up_to_the_fills(found: Findings) -> None:
    told = summary(found)["trades"]
    assert sum(told["cases"].values()) == told["fills"] == told["local"] + told["zonal"]
