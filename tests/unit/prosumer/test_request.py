"""Paper D's node model: own storage first, then donors, then the pool."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import FieldError
from gridpact.prosumer.request import RULES, State, Step, Terms, What, advance

LINE = ((0, 1, 2, 3), (1, 0, 1, 2), (2, 1, 0, 1), (3, 2, 1, 0))
"""Four participants along a line."""


def terms(rule: str, **more: int) -> Terms:
    return Terms((100,) * 4, LINE, RULES[rule], base=10_000, transport=7, **more)


def steps_of(steps: tuple[Step, ...], what: What) -> list[tuple[int, int, int, int]]:
    return [(s.participant, s.donor, s.energy_wh, s.cost) for s in steps if s.what is what]


def test_own_storage_is_used_first_and_costs_nothing() -> None:
    after, steps = advance(State((50, 80, 0, 0)), 0, {1: 0}, {0: 40}, terms("cost_aware"))
    assert after == State((10, 80, 0, 0), (), 1)
    assert steps_of(steps, What.OWN) == [(0, -1, 40, 0)]
    assert not steps_of(steps, What.DONATED)


def test_cost_perception_drains_the_nearest_one_after_the_other() -> None:
    """C = C_b n + C_t Dis for each donor: 300 + 7, then 500 + 14."""
    after, steps = advance(
        State((0, 30, 90, 90)), 0, {1: 0, 2: 0, 3: 0}, {0: 80}, terms("cost_aware")
    )
    assert steps_of(steps, What.DONATED) == [(0, 1, 30, 307), (0, 2, 50, 514)]
    assert after.stored_wh == (0, 0, 40, 90)


def test_storage_perception_takes_the_nearest_that_has_it_all() -> None:
    given_by = {1: 0, 2: 0, 3: 0}
    after, steps = advance(State((0, 30, 79, 90)), 0, given_by, {0: 80}, terms("storage_aware"))
    assert steps_of(steps, What.DONATED) == [(0, 3, 80, 821)]
    assert after.stored_wh == (0, 30, 79, 10)


def test_storage_perception_takes_nothing_in_parts() -> None:
    after, steps = advance(State((0, 79, 0, 0)), 0, {1: 0}, {0: 80}, terms("storage_aware"))
    assert steps_of(steps, What.POOLED) == [(0, -1, 80, 0)]
    assert [one.energy_wh for one in after.pool] == [80]


def test_who_requests_gives_nothing() -> None:
    after, _ = advance(State((0, 50, 0, 0)), 0, {}, {0: 10, 1: 5}, terms("cost_aware"))
    assert after.stored_wh == (0, 45, 0, 0)
    assert [(one.participant, one.energy_wh) for one in after.pool] == [(0, 10)]


def test_at_equal_distance_the_fuller_gives_then_the_lower_number() -> None:
    _, steps = advance(State((20, 0, 30, 0)), 0, {0: 0, 2: 0}, {1: 35}, terms("cost_aware"))
    assert [one[1] for one in steps_of(steps, What.DONATED)] == [2, 0]
    _, steps = advance(State((30, 0, 30, 0)), 0, {0: 0, 2: 0}, {1: 35}, terms("cost_aware"))
    assert [one[1] for one in steps_of(steps, What.DONATED)] == [0, 2]


def test_what_the_storage_cannot_hold_is_spilled_and_said() -> None:
    after, steps = advance(State((95, 0, 0, 0)), 0, {0: 20}, {}, terms("cost_aware"))
    assert after.stored_wh[0] == 100
    assert steps_of(steps, What.SPILLED) == [(0, -1, 15, 0)]


def test_the_pool_is_served_in_order_of_arrival_before_new_requests() -> None:
    rules = terms("cost_aware")
    waiting, _ = advance(State((0,) * 4), 0, {}, {0: 30, 3: 30}, rules)
    after, steps = advance(waiting, 1, {1: 50}, {2: 10}, rules)
    assert [one[:3] for one in steps_of(steps, What.DONATED)] == [(0, 1, 30), (3, 1, 20)]
    assert [(one.participant, one.energy_wh) for one in after.pool] == [(3, 10), (2, 10)]


def test_a_request_expires_after_its_patience() -> None:
    rules = terms("cost_aware", patience=2)
    state, _ = advance(State((0,) * 4), 0, {}, {0: 30}, rules)
    state, steps = advance(state, 1, {}, {}, rules)
    assert steps_of(steps, What.POOLED)
    state, steps = advance(state, 2, {}, {}, rules)
    assert steps_of(steps, What.EXPIRED) == [(0, -1, 30, 0)]
    assert state.pool == ()


@pytest.mark.parametrize(
    ("generated", "wanted", "place"),
    [({0: 1}, {0: 1}, "wanted[0]"), ({9: 1}, {}, "generated[9]"), ({}, {1: -1}, "wanted[1][0]")],
)
def test_what_cannot_be_is_refused(
    generated: dict[int, int], wanted: dict[int, int], place: str
) -> None:
    with pytest.raises(FieldError) as refused:
        advance(State((0,) * 4), 0, generated, wanted, terms("cost_aware"))
    assert refused.value.place == place


ENERGY = st.integers(0, 60)


@given(
    st.sampled_from(sorted(RULES)),
    st.integers(0, 3),
    st.lists(st.lists(st.tuples(st.booleans(), ENERGY), min_size=4, max_size=4), max_size=8),
)
def test_no_energy_comes_or_goes_and_every_request_has_one_end(
    rule: str, patience: int, intervals: list[list[tuple[bool, int]]]
) -> None:
    """Stored at the start + generated = stored at the end + spilled + used, to the Wh."""
    rules, state = terms(rule, patience=patience), State((5, 10, 0, 100))
    begun, made, steps = sum(state.stored_wh), 0, list[Step]()
    for interval, people in enumerate(intervals):
        generated = {who: much for who, (gives, much) in enumerate(people) if gives}
        wanted = {who: much for who, (gives, much) in enumerate(people) if not gives}
        made += sum(generated.values())
        state, done = advance(state, interval, generated, wanted, rules)
        steps += done
        assert all(0 <= stored <= 100 for stored in state.stored_wh)
    total = Counter[What]()
    for step in steps:
        assert step.energy_wh > 0
        total[step.what] += step.energy_wh
    used = total[What.OWN] + total[What.DONATED]
    assert begun + made == sum(state.stored_wh) + total[What.SPILLED] + used
    waiting = sum(one.energy_wh for one in state.pool)
    assert total[What.ASKED] == used + total[What.EXPIRED] + waiting
