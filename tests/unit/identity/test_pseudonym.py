"""A device's keys by period, and sums that are alike."""

import pytest
from tests.unit.identity.authorities import BEGINS

from gridpact.errors import BadInput
from gridpact.identity.pseudonym import DAY, carried, period_key, period_of

SECRET = bytes(range(32))


def test_each_period_has_a_key_that_its_secret_alone_gives() -> None:
    keys = [period_key(SECRET, period) for period in range(100)]
    assert len({key.address for key in keys}) == 100
    assert keys == [period_key(SECRET, period) for period in range(100)]
    assert period_key(bytes(32), 0) != keys[0]


def test_periods_follow_each_other_without_a_gap() -> None:
    assert [period_of(BEGINS + at, BEGINS, 30) for at in (0, 30 * DAY - 1, 30 * DAY)] == [0, 0, 1]


def test_unusable_periods_and_secrets_are_refused() -> None:
    with pytest.raises(BadInput, match="period of"):
        period_of(BEGINS - 1, BEGINS, 30)
    with pytest.raises(BadInput, match="at least one day"):
        period_of(BEGINS, BEGINS, 0)
    with pytest.raises(BadInput, match="expected 32 bytes"):
        period_key(b"short", 0)


def test_everybody_enters_with_the_same_sum_and_nothing_is_lost() -> None:
    plan = carried({1: 0, 2: 70, 3: 50}, 50)
    assert {row.enters for row in plan.values()} == {50}
    assert {n: row.outside for n, row in plan.items()} == {1: -50, 2: 20, 3: 0}
    assert all(row.leaves == row.enters + row.outside for row in plan.values())
    with pytest.raises(BadInput, match="standard sum 0"):
        carried({1: 5}, 0)
