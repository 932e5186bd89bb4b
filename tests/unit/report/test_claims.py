"""A claim holds exactly when the numbers say so."""

import dataclasses

import numpy as np
import pytest

from gridpact.assembly.day import DayResult
from gridpact.report.claims import Claim, claims
from gridpact.report.comparison import Comparison
from gridpact.report.findings import Findings
from gridpact.report.series import Series


def _row(rows: tuple[Claim, ...], words: str) -> Claim:
    (row,) = [row for row in rows if words in row.claimed]
    return row


def _change_hours(compared: Comparison, **changes: int) -> Comparison:
    hours = tuple(
        dataclasses.replace(
            hour, **{name: getattr(hour, name) + by for name, by in changes.items()}
        )
        for hour in compared.hours
    )
    return dataclasses.replace(compared, hours=hours)


def test_own_promises_hold_on_the_real_day(found: Findings) -> None:
    ours = [row for row in found.claims if row.source == "gridpact"]
    assert len(ours) == 5
    assert all(row.holds for row in ours)


def test_claims_that_need_trade_at_night_do_not_hold_and_say_by_how_much(found: Findings) -> None:
    hours = found.compared.hours
    lower = sum(hour.contracted_after < hour.contracted_before for hour in hours)
    row = _row(found.claims, "lower with the scheme at all hours")
    assert not row.holds
    assert f"lower in {lower} intervals, equal in {24 - lower}, higher in 0" in row.obtained


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("higher in no hour", {"contracted_after": 2_000_000}),
        ("mean price is higher in no hour", {"price_before": -200_000}),
    ],
)
def test_promise_breaks_when_the_numbers_do(
    found: Findings, words: str, changes: dict[str, int]
) -> None:
    compared = _change_hours(found.compared, **changes)
    rows = claims(found.day, compared, found.curves)
    assert not all(row.holds for row in rows if words in row.claimed)


def test_paper_claims_hold_where_every_hour_is_lower(found: Findings) -> None:
    compared = _change_hours(found.compared, contracted_before=1, price_before=1)
    rows = claims(found.day, compared, found.curves)
    assert _row(rows, "lower with the scheme at all hours").holds
    assert _row(rows, "lower than the original at all hours").holds


def test_one_dearer_bill_in_sixty_breaks_the_promise_of_99_percent(found: Findings) -> None:
    compared = found.compared
    worse = tuple(
        dataclasses.replace(one, after=one.before + 1) if one is compared.consumers[0] else one
        for one in compared.accounts
    )
    changed = dataclasses.replace(compared, accounts=worse)
    row = _row(claims(found.day, changed, found.curves), "99 %")
    assert not row.holds
    assert row.obtained == "59 of 60 (98.3 %)"


def test_an_unpaid_claim_is_told(found: Findings) -> None:
    compared = dataclasses.replace(found.compared, unpaid=2_500_000)
    row = _row(claims(found.day, compared, found.curves), "every claim is paid")
    assert not row.holds
    assert "2.50 unpaid" in row.obtained


def test_batteries_that_supply_all_night_meet_the_claim(found: Findings) -> None:
    curves = dataclasses.replace(found.curves, discharge=found.curves.demand / 2)
    row = _row(claims(found.day, found.compared, curves), "batteries supply")
    assert row.holds
    assert "00:00-24:00" in row.obtained


def test_enough_sun_covers_the_deficit(found: Findings) -> None:
    curves = dataclasses.replace(found.curves, plants=found.curves.plants + 5000.0)
    row = _row(claims(found.day, found.compared, curves), "PV covers")
    assert row.holds


def test_part_of_a_day_is_judged_by_our_promises_only(day: DayResult, found: Findings) -> None:
    curves = found.curves
    fields = {
        field.name: getattr(curves, field.name)[:6]
        for field in dataclasses.fields(Series)
        if isinstance(getattr(curves, field.name), np.ndarray)
    }
    morning = dataclasses.replace(curves, **fields)
    compared = dataclasses.replace(found.compared, hours=found.compared.hours[:6])
    assert {row.source for row in claims(day, compared, morning)} == {"gridpact"}
