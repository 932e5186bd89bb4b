"""Zones and classes: of each kind at least k alike, or all there are."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gridpact.identity.hiding import classes, groups, zones

STATIONS = st.lists(st.tuples(st.integers(1, 12), st.sampled_from("cp")), min_size=1, max_size=40)


def test_zone_ends_as_soon_as_it_holds_enough() -> None:
    row = [(1, "c"), (1, "c"), (2, "c"), (3, "c"), (4, "c"), (5, "c")]
    assert zones(row, 3) == {1: 1, 2: 1, 3: 3, 4: 3, 5: 3}


def test_what_is_left_over_joins_the_zone_before() -> None:
    assert zones([(1, "c"), (2, "c"), (3, "c")], 2) == {1: 1, 2: 1, 3: 1}


def test_lone_producer_pulls_the_zone_on_to_the_next_one() -> None:
    row = [(1, "c"), (1, "c"), (2, "p"), (3, "c"), (4, "p"), (5, "c"), (5, "c")]
    assert zones(row, 2) == {1: 1, 2: 2, 3: 2, 4: 2, 5: 2}


def test_of_whom_there_are_few_one_zone_holds_all() -> None:
    row = [(1, "p"), (2, "c"), (3, "p"), (4, "c"), (5, "c"), (6, "c")]
    assert zones(row, 3) == dict.fromkeys(range(1, 7), 1)


def test_among_one_everybody_stands_at_its_own_bus() -> None:
    assert zones([(1, "c"), (2, "p"), (3, "c")], 1) == {1: 1, 2: 2, 3: 3}


@given(STATIONS, st.integers(1, 6))
def test_every_zone_holds_enough_of_each_kind_or_all(
    stations: list[tuple[int, str]], least: int
) -> None:
    stations.sort()
    under = zones(stations, least)
    assert under.keys() == {bus for bus, _ in stations}
    there = Counter(kind for _, kind in stations)
    held = Counter((under[bus], kind) for bus, kind in stations)
    assert all(count >= min(least, there[kind]) for (_, kind), count in held.items())


@given(st.dictionaries(st.binary(min_size=2, max_size=2), st.integers(0, 10**6), min_size=1))
def test_classes_hold_near_scores_and_everybody_once(scores: dict[bytes, int]) -> None:
    made = classes(scores, 3)
    assert sorted(who for one in made for who in one) == sorted(scores)
    assert all(len(one) >= min(3, len(scores)) for one in made)
    tops = [max(scores[who] for who in one) for one in made]
    assert all(
        top <= min(scores[who] for who in one) for top, one in zip(tops, made[1:], strict=False)
    )


def test_groups_hold_whom_the_same_is_known_of() -> None:
    assert groups({b"a": 1, b"b": 2, b"c": 1}) == ((b"a", b"c"), (b"b",))
