"""Who breaks its word and stands below the floor is suspended, and comes back after its time."""

from dataclasses import replace

import pytest
from tests.cycle.conftest import SCENARIOS, quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.model.order import Code
from gridpact.model.rating import CredibilityTerms
from gridpact.scenario.reader import load

AWAY = 2
TERMS = CredibilityTerms(floor=20_000, away=AWAY)


@pytest.fixture(scope="module")
def strict() -> DayResult:
    """The day until 14 o'clock, with a floor that nobody stands above so soon."""
    scenario = load(SCENARIOS / "sce56-day.toml", scheme="credibility")
    strict = replace(shortened(scenario, 14), rating=TERMS)
    return run_day(strict, memory_ledgers(strict), quietly, signed=False)


def _breaches(day: DayResult) -> dict[int, set[bytes]]:
    """Return who broke its word in each interval, seller by seller."""
    broken: dict[bytes, int] = {}
    found: dict[int, set[bytes]] = {}
    for one in day.intervals:
        for row in one.rated:
            assert row.standing is not None
            if row.standing.broken > broken.get(row.participant, 0):
                found.setdefault(one.interval, set()).add(row.participant)
            broken[row.participant] = row.standing.broken
    return found


def test_orders_of_the_suspended_are_refused_and_others_trade(strict: DayResult) -> None:
    broken = _breaches(strict)
    refused = 0
    for one in strict.intervals:
        out = set().union(*(broken.get(one.interval - back, ()) for back in range(1, AWAY)))
        listed = {
            refusal.participant
            for book in (one.book, one.plant_book)
            for refusal in book.refusals
            if refusal.code is Code.BLACKLIST
        }
        accepted = {
            row.order.participant for book in (one.book, one.plant_book) for row in book.orders
        }
        assert not out & accepted
        assert out <= {*one.book.suspended, *one.plant_book.suspended}
        assert not {*one.book.suspended, *one.plant_book.suspended} & accepted
        assert not listed & accepted
        assert listed <= set().union(*broken.values())
        refused += len(listed)
    assert refused > 5
    assert sum(len(one.cleared.fills) for one in strict.intervals) > 100


def test_who_was_suspended_comes_back_with_its_record(strict: DayResult) -> None:
    broken = _breaches(strict)
    rated = [(one.interval, row) for one in strict.intervals for row in one.rated]
    back = [
        row
        for first, who in broken.items()
        for interval, row in rated
        if interval >= first + AWAY and row.participant in who
    ]
    assert back
    assert all(row.standing is not None and row.standing.broken for row in back)
