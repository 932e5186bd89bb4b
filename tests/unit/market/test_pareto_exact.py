"""The exact front: two independent methods, and no scheme beyond it."""

import numpy as np
import pytest
from hypothesis import given, settings
from tests.unit.market.pareto_cases import cases, paper_case

from gridpact.errors import FieldError
from gridpact.market import aneja_nair, parametric
from gridpact.market.pareto_case import Case
from gridpact.market.pareto_exact import exact
from gridpact.market.pareto_front import Front, hypervolume


def walked(case: Case) -> Front:
    front = parametric.exact(case)
    assert front is not None, "the walk got lost"
    return front


@settings(max_examples=80, deadline=None)
@given(cases())
def test_the_walk_finds_the_front_that_linear_programs_find(case: Case) -> None:
    ours, theirs = walked(case), aneja_nair.exact(case)
    assert bool(len(ours)) == bool(len(theirs))
    if len(ours):
        size = 1e-6 * case.scale * 10
        assert ours.points[[0, -1]] == pytest.approx(theirs.points[[0, -1]], abs=size)
        both = hypervolume(ours.points, theirs.points, True)
        if np.ptp(theirs.points, axis=0).min() > size:
            assert both == pytest.approx(hypervolume(theirs.points, theirs.points, True), abs=1e-5)


@settings(max_examples=80, deadline=None)
@given(cases())
def test_corners_keep_every_limit_and_the_front_bends_one_way(case: Case) -> None:
    front = walked(case)
    for point in range(len(front)):
        assert float(case.violation(front.table(point))) < 1e-9
        assert not front.table(point).ravel()[case.barred].any()
        assert case.objectives(front.table(point)) == pytest.approx(
            front.points[point], rel=1e-9, abs=1e-9 * case.scale
        )
    steps = np.diff(front.points, axis=0)
    assert (steps > 0).all()
    assert (np.diff(steps[:, 1] / steps[:, 0]) <= 1e-6 * (steps[:-1, 1] / steps[:-1, 0])).all()


@pytest.mark.parametrize("seed", range(6))
def test_paper_size_fronts_agree_corner_by_corner(seed: int) -> None:
    case = paper_case(seed, capped=seed % 3 > 0)
    ours, theirs = walked(case), aneja_nair.exact(case)
    assert len(ours) == len(theirs) > 3
    assert ours.points == pytest.approx(theirs.points, rel=1e-5, abs=1e-5)


def test_thirty_participants_have_the_volume_that_highs_finds() -> None:
    case = paper_case(5, 15, 15)
    ours, theirs = walked(case), aneja_nair.exact(case)
    theirs_volume = hypervolume(theirs.points, theirs.points, True)
    assert hypervolume(ours.points, theirs.points, True) == pytest.approx(theirs_volume, rel=1e-7)


def test_no_scheme_at_all_is_an_empty_front() -> None:
    short = Case.of([[1, 1]], [3], [2, 2], [3, 3], [1])
    dear = Case.of([[5.0]], [10], [1], [2], [1], price_cap=4)
    for case in (short, dear):
        assert len(walked(case)) == len(aneja_nair.exact(case)) == 0


def test_a_small_shortage_beside_huge_numbers_is_one() -> None:
    assert len(exact(Case.of([[1.0, 1.0]], [0.0], [0.001, 0.0], [0.001, 1e12], [1]))) == 0
    assert len(exact(Case.of([[1.0, 1.0]], [0.001], [0.001, 0.0], [0.001, 1e12], [1]))) > 0


def test_corners_that_rounding_alone_tells_apart_are_one() -> None:
    """Both give the user 3 for nothing; sums of thirds differ in the last digit."""
    free = [[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    case = Case.of(free, [1, 0, 2], [0, 3], [0, 5], [1, 0, 1])
    assert len(walked(case)) == 1


def test_a_bend_with_thousands_of_equal_pairs_is_passed() -> None:
    """On ticks of price most pairs stand at a few bends; both methods sell all there is."""
    chance = np.random.default_rng(3)
    saved = chance.integers(0, 5, 40)[:, None] - chance.integers(0, 5, 40)
    energy = chance.integers(1, 9, (2, 40)).astype(float)
    front = walked(Case.of(saved, energy[0], np.zeros(40), energy[1], np.ones(40)))
    assert front.points[-1, 1] == pytest.approx(min(energy[0].sum(), energy[1].sum()))
    ends = aneja_nair.exact(front.case).points[[0, -1]]
    assert front.points[[0, -1]] == pytest.approx(ends, abs=1e-6)


def test_numbers_too_far_apart_for_both_methods_still_have_a_front() -> None:
    """Prices from 1e-8 to 1e9, energies from 1e-8 to 1e8: the walk gets lost, and a scheme of the
    linear program breaks a limit by less than its tolerance, but by more than the next one allows.
    """
    case = Case.of(
        [
            [3e-4, -9e-3, 0, 5e7, 80, 0, 0, -2e-8, 8],
            [2e5, 0, 0, 2e6, -90, 0, 0, 200, 0],
            [0, 8, -9e-3, 0, -600, 8e8, -5e-6, -0.8, -4e6],
        ],
        [9e5, 6e7, 0.5],
        [0, 0, 9e-5, 0, 5e-8, 0, 1e-2, 0, 2e-5],
        [8e6, 4e-5, 9e-5, 0, 0.10000005, 0, 10.01, 3e-5, 5e4],
        [1, 1, 1],
        price_cap=-1.0,
    )
    assert parametric.exact(case) is None
    front = exact(case)
    assert len(front) > 0
    assert all(case.violation(front.table(point)) < 1e-6 for point in range(len(front)))


def test_one_supplier_one_user_by_hand() -> None:
    """From the least demand to all there is."""
    front = exact(Case.of([[2.0]], [10], [3], [20], [1]))
    assert front.points == pytest.approx(np.array([[6.0, 3.0], [20.0, 10.0]]))


def test_cheap_energy_pays_for_dear_up_to_the_cap() -> None:
    """10 at 2 and x at 5 cost 3.5 in the mean when x = 10."""
    front = exact(Case.of([[2.0], [5.0]], [10, 100], [0], [200], [1, 1], price_cap=3.5))
    assert front.points[-1] == pytest.approx([70.0, 20.0])


def test_renewables_count_and_fossil_fills_up() -> None:
    """Without weight the cheaper fossil serves; for sales users pay the difference."""
    front = exact(Case.of([[1.0], [3.0]], [10, 4], [6], [6], [0, 1]))
    assert front.points == pytest.approx(np.array([[6.0, 0.0], [14.0, 4.0]]))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("capacity[0]", {"capacity": [-1.0, 2.0]}),
        ("capacity", {"capacity": [1.0]}),
        ("weight[1]", {"weight": [0.0, float("nan")]}),
        ("demand_min[0]", {"demand_min": [9.0]}),
        ("unit_cost", {"unit_cost": [[float("inf")], [1.0]]}),
        ("unit_cost", {"unit_cost": []}),
        ("price_cap", {"price_cap": float("nan")}),
    ],
)
def test_numbers_that_mean_nothing_are_refused(field: str, change: dict[str, object]) -> None:
    costs = {"unit_cost": [[1.0], [2.0]], "price_cap": 3.0, "weight": [1.0, 1.0]}
    limits = {"capacity": [1.0, 2.0], "demand_min": [1.0], "demand_max": [2.0]}
    with pytest.raises(FieldError) as refused:
        Case.of(**{**costs, **limits, **change})  # type: ignore[arg-type]
    assert refused.value.place == field
