"""The report's money is the ledgers' money."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.assembly.day import DayResult
from gridpact.errors import SettlementError
from gridpact.model.participant import Named
from gridpact.report.findings import Findings
from gridpact.report.money import between, interval_flows, require_booked
from gridpact.settlement.account_lines import Flow, Reason


def test_every_account_of_both_chains_is_its_deposit_and_its_flows(day: DayResult) -> None:
    require_booked(day)


@pytest.mark.parametrize("chain", [0, 1])
def test_one_micro_unit_that_no_flow_explains_is_found_and_named(
    day: DayResult, chain: int
) -> None:
    founding = [dict(brought) for brought in day.founding]
    founding[chain][Named.GRID_SUPPLY.address] += 1
    changed = dataclasses.replace(day, founding=(founding[0], founding[1]))
    with pytest.raises(SettlementError, match=f"{day.chains[chain].name}: grid_supply"):
        require_booked(changed)


def test_a_day_with_an_interval_missing_is_refused(day: DayResult) -> None:
    with pytest.raises(SettlementError):
        require_booked(dataclasses.replace(day, intervals=day.intervals[:-1]))


def test_every_flow_of_an_interval_has_two_known_ends(day: DayResult) -> None:
    for result in day.intervals:
        for flow in interval_flows(result, day.scenario.settlement):
            assert flow.amount > 0
            assert flow.source != flow.target
            assert {flow.source, flow.target} <= day.names.keys()


def test_every_account_that_money_touches_belongs_to_a_group(found: Findings) -> None:
    paid = between(found.compared.flows, found.compared.group_of)
    for group in found.compared.groups:
        received = sum(money for (_, payee), money in paid.items() if payee == group.name)
        spent = sum(money for (payer, _), money in paid.items() if payer == group.name)
        assert received - spent == group.after


_ACCOUNTS = [bytes([i]) * 20 for i in range(6)]


@given(
    st.lists(
        st.builds(
            Flow,
            st.sampled_from(_ACCOUNTS),
            st.sampled_from(_ACCOUNTS),
            st.sampled_from(list(Reason)),
            st.integers(1, 10**12),
        )
    ),
    st.lists(st.sampled_from("abc"), min_size=6, max_size=6),
)
def test_grouping_flows_loses_no_money(moved: list[Flow], groups: list[str]) -> None:
    paid = between(moved, dict(zip(_ACCOUNTS, groups, strict=True)))
    assert sum(paid.values()) == sum(flow.amount for flow in moved)
