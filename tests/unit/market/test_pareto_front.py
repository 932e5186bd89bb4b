"""The choice of a point, and the volume that measures a front."""

import numpy as np
import pytest

from gridpact.market.pareto_front import hypervolume, knee, undominated, weighted

EXACT = np.array([[0.0, 0.0], [1.0, 6.0], [4.0, 8.0]])


def test_the_exact_front_is_measured_under_its_lines() -> None:
    """(1/4 x 3/4)/2 + 3/4 x (3/4 + 1)/2."""
    assert hypervolume(EXACT, EXACT, mixed=True) == pytest.approx(0.09375 + 0.65625)


def test_single_points_count_as_steps() -> None:
    assert hypervolume(EXACT, EXACT) == pytest.approx(0.75 * 0.75)
    assert hypervolume(np.array([[2.0, 6.0]]), EXACT) == pytest.approx(0.5 * 0.75)


def test_points_behind_the_nadir_add_nothing() -> None:
    assert hypervolume(np.array([[5.0, 9.0]]), EXACT) == 0.0
    assert hypervolume(np.array([[1.0, 6.0], [5.0, 9.0]]), EXACT) == pytest.approx(0.75 * 0.75)


def test_a_front_of_one_point_is_reached_or_not() -> None:
    one = np.array([[3.0, 2.0]])
    assert hypervolume(one, one) == 1.0
    assert hypervolume(np.array([[3.1, 2.0]]), one) == 0.0


def test_only_the_best_of_equal_cost_stays() -> None:
    points = np.array([[2.0, 1.0], [1.0, 1.0], [1.0, 3.0], [4.0, 4.0], [1.0, 3.0]])
    assert undominated(points).tolist() == [2, 3]


def test_the_knee_is_the_farthest_from_the_line_between_the_ends() -> None:
    assert knee(EXACT) == 1
    scaled = EXACT * [1000.0, 0.01]
    assert knee(scaled) == 1


def test_without_a_bend_most_is_sold() -> None:
    assert knee(np.array([[0.0, 0.0], [1.0, 1.0]])) == 1
    assert knee(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])) == 2
    assert knee(np.array([[3.0, 7.0]])) == 0


def test_weights_choose_the_corner_they_make_best() -> None:
    assert weighted(EXACT, (1.0, 0.0)) == 0
    assert weighted(EXACT, (1.0, 1.0)) == 1
    assert weighted(EXACT, (0.0, 1.0)) == 2
