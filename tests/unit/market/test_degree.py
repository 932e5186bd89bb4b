"""The matching degree of [Cui22], and its modes."""

import numpy as np
import pytest

from gridpact.market.degree import Mode, degrees

ONE = np.array([2.0])
TWO = np.array([0.1, 0.3])


def test_in_the_paper_the_degree_saturates_at_the_reputation() -> None:
    """[Cui22] eqs. 3, 4 to the letter: zeta = 2 * 0.3 - 0.1 = 0.5, RC = 0.5: M = 0.25."""
    found = degrees(Mode.PAPER, ONE, TWO, np.array([[0.1, 0.1]]), np.array([0.5, 0.5]))
    assert found.degree[0] == pytest.approx([0.1 * 0.5 / 0.6, 0.25])
    dear = degrees(Mode.PAPER, 1e6 * ONE, TWO, np.zeros((1, 2)), np.array([0.5, 0.5]))
    assert dear.degree[0] == pytest.approx([0.5, 0.5], rel=1e-4)


def test_scaled_degrees_do_not_hang_on_the_currency() -> None:
    charge, belief = np.array([[0.1, 0.2], [0.0, 0.1]]), np.array([0.5, 0.9])
    euro, cent = (
        degrees(Mode.SCALED, np.array([2.0, 3.0]), unit * TWO, unit * charge, belief).degree
        for unit in (1, 100)
    )
    assert euro == pytest.approx(cent)


def test_balanced_degrees_prefer_the_cheaper_of_two_equals() -> None:
    belief = np.array([0.8, 0.8])
    found = degrees(Mode.BALANCED, ONE, TWO, np.zeros((1, 2)), belief, np.array([0.4]))
    # savings 0.6 and 0.2, over the larger: 1 and 1/3
    assert found.gain[0] == pytest.approx([1, 1 / 3])
    assert found.degree[0] == pytest.approx([0.8 / 1.8, 0.8 / 3 / (0.8 + 1 / 3)])
    income = degrees(Mode.SCALED, ONE, TWO, np.zeros((1, 2)), belief)
    assert income.degree[0, 1] > income.degree[0, 0]


def test_a_pair_that_loses_is_forbidden_and_nothing_against_nothing_is_zero() -> None:
    charge = np.array([[0.21, 0.6]])
    found = degrees(Mode.SCALED, ONE, TWO, charge, np.array([0.9, 0.0]))
    assert found.degree[0].tolist() == [-np.inf, 0.0]
