"""What each provider best takes: against all subsets."""

import numpy as np
import pytest

from gridpact.market.assignment.contents import best_contents
from gridpact.market.assignment.problem import Flags, Reals, Whole

BITS = (np.arange(2**11)[:, None] >> np.arange(11)) & 1 == 1


def best_of_all(gain: Reals, weight: Whole, capacity: int) -> float:
    """Return the largest gain of a subset that fits."""
    useful = np.where(gain > 0, gain, 0.0)
    return float((BITS @ useful)[BITS @ weight <= capacity].max())


def gains(rng: np.random.Generator, kind: str, weight: Whole) -> Reals:
    """Return gains of 4 providers: drawn freely, or hard ones, and some that may not be."""
    gain = rng.uniform(-0.3, 1.0, (4, len(weight)))
    if kind == "by energy":
        gain = np.repeat(weight[None] / 30.0, 4, axis=0)
    if kind == "in lumps":
        gain = np.round(gain * 3) / 3
    gain[rng.uniform(size=gain.shape) < 0.1] = -np.inf
    return np.asarray(gain)


@pytest.mark.parametrize("kind", ["free", "by energy", "in lumps"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("budget", [1e-6, 5.0])
def test_the_best_content_is_that_of_all_subsets(kind: str, seed: int, budget: float) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 40, 11)
    gain, capacity = gains(rng, kind, weight), rng.integers(0, 200, 4)
    found = best_contents(gain, weight, capacity, np.full(4, budget))
    for row in range(4):
        taken = found.taken[row]
        best = best_of_all(gain[row], weight, int(capacity[row]))
        assert found.value[row] == pytest.approx(best, abs=1e-9)
        assert gain[row][taken].sum() == pytest.approx(best, abs=1e-9)
        assert weight[taken].sum() <= capacity[row]


@pytest.mark.parametrize("seed", range(6))
def test_a_table_that_is_too_small_still_gives_what_nothing_can_exceed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 40, 11)
    gain, capacity = gains(rng, "by energy", weight), rng.integers(30, 200, 4)
    found = best_contents(gain, weight, capacity, np.full(4, 3.0), rows=6)
    for row in range(4):
        taken = found.taken[row]
        assert found.value[row] >= best_of_all(gain[row], weight, int(capacity[row])) - 1e-12
        assert weight[taken].sum() <= capacity[row]


def test_who_may_not_be_or_gains_nothing_stays_out() -> None:
    gain = np.array([[-np.inf, 0.0, -1.0, 2.0]])
    found = best_contents(gain, np.full(4, 5), np.array([100]), np.ones(1))
    expected: Flags = np.array([[False, False, False, True]])
    assert (found.taken == expected).all()
    assert found.value.tolist() == [2.0]
