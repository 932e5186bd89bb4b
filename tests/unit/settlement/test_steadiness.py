"""How steady a plant is: stability over the window, and accumulated hours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import SettlementError
from gridpact.model.record import IncentiveTerms
from gridpact.quantities import PPM
from gridpact.settlement.steadiness import Steadiness, follow, observe, scale, stability

TERMS = IncentiveTerms()


def test_stability_is_one_less_the_mean_deviation():
    assert stability([(1000, 900), (1000, 1100)]) == 900_000
    assert stability([(1000, 1000)]) == PPM


def test_deviation_beyond_what_was_declared_leaves_no_stability():
    assert stability([(100, 1000)]) == 0


def test_dawn_does_not_outweigh_noon():
    # 50 Wh missed of 10, 50 of 10000: weighted with energy
    assert stability([(10, 60), (10_000, 10_000)]) == 995_004


def test_plant_that_declared_nothing_has_shown_nothing():
    assert stability([]) == 0
    assert stability([(0, 500)]) == 0


def test_steady_hours_accumulate_and_make_x():
    state = follow([(800_000, 800_000)] * 3, 60, TERMS)
    assert state.steady_minutes == 180
    # 0.8 MW * 3 h + 1
    assert scale(state, 800_000) == 3_400_000


def test_steady_hours_start_anew_when_supply_becomes_unsteady():
    good, bad = (1000, 1000), (1000, 0)
    assert follow([good, good, bad], 60, TERMS).steady_minutes == 180
    assert follow([good, bad, bad], 60, TERMS).steady_minutes == 0
    assert follow([good, bad, bad, good, good], 60, TERMS).steady_minutes == 120


def test_night_neither_adds_nor_takes():
    day = follow([(1000, 1000)] * 5, 60, TERMS)
    assert observe(day, 0, 0, 60, TERMS) == day


def test_window_forgets_what_is_older():
    terms = IncentiveTerms(window=2)
    state = follow([(1000, 0), (1000, 1000), (1000, 1000)], 60, terms)
    assert state.window == ((1000, 1000), (1000, 1000))
    assert stability(state.window) == PPM


def test_negative_energy_is_refused():
    with pytest.raises(SettlementError, match="declared -1"):
        observe(Steadiness(), -1, 0, 60, TERMS)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), max_size=40))
def test_stability_is_a_share_and_steady_time_never_exceeds_time(history):
    state = follow(history, 15, TERMS)
    assert 0 <= stability(state.window) <= PPM
    assert 0 <= state.steady_minutes <= 15 * sum(1 for declared, _ in history if declared)
    assert len(state.window) <= TERMS.window
