"""Within the window nothing counts twice; after it nothing is remembered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import BadInput, OutOfTime, Replayed, TooMany
from gridpact.identity.freshness import Freshness, FreshnessTerms

ANN, BOB = b"a" * 20, b"b" * 20


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(-15, 15), st.integers(0, 5)), max_size=60)
)
def test_no_nonce_is_taken_twice_while_its_message_counts(
    messages: list[tuple[int, int, int]],
) -> None:
    fresh, now = Freshness(FreshnessTerms(window_s=10, most=1_000)), 100
    taken: set[tuple[int, int]] = set()
    for wait, skew, nonce in messages:
        now += wait
        try:
            fresh.take(ANN, nonce, now + skew, now)
        except OutOfTime:
            assert abs(skew) > 10
            continue
        except Replayed:
            continue
        assert (nonce, now + skew) not in taken
        taken.add((nonce, now + skew))


def test_rate_is_per_sender_and_per_window() -> None:
    fresh = Freshness(FreshnessTerms(window_s=10, most=3))
    for _ in range(3):
        fresh.count(ANN, 100)
    with pytest.raises(TooMany):
        fresh.count(ANN, 109)
    fresh.count(BOB, 109)
    fresh.count(ANN, 110)


def test_memory_of_who_is_silent_is_dropped() -> None:
    fresh = Freshness(FreshnessTerms(window_s=10, most=3))
    for number in range(100):
        sender = number.to_bytes(20, "big")
        fresh.count(sender, 100)
        fresh.take(sender, 1, 100, 100)
    fresh.forget(121)
    assert not fresh._heard


def test_strangers_who_never_come_back_fill_no_memory() -> None:
    fresh = Freshness(FreshnessTerms(window_s=10, most=3))
    for number in range(1_000):
        fresh.count(number.to_bytes(20, "big"), 100 + number)
    assert len(fresh._heard) < 50


@pytest.mark.parametrize("terms", [{"window_s": 0}, {"most": 0}])
def test_settings_out_of_range_are_refused(terms: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="at least 1"):
        FreshnessTerms(**terms)
