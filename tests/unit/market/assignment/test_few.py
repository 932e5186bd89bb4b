"""A few providers' users placed anew: better, allowed, and the best where all are the few."""

import numpy as np
import pytest
from tests.unit.market.assignment.cases import best_of_all, case, fits

from gridpact.market.assignment.few import placed_anew
from gridpact.market.assignment.greedy import by_value
from gridpact.market.assignment.prices import net_values, prices_for
from gridpact.market.assignment.problem import NOBODY


@pytest.mark.parametrize("seed", range(4))
def test_three_providers_are_all_there_are_and_their_best_is_found(seed: int) -> None:
    problem = case(seed, 7, 3, 1.4)
    best, start = best_of_all(problem), by_value(problem)
    prices = prices_for(problem, problem.reachable)
    net = net_values(problem, prices.provider, prices.served)
    found = placed_anew(problem, start, net, 1, lambda: False)
    assert fits(problem, found)
    if (start != NOBODY).all():
        assert problem.worth(found).value == pytest.approx(best.value)


def test_it_serves_all_who_were_served_and_none_is_worse() -> None:
    problem = case(2, 40, 6, 1.3)
    start, net = by_value(problem), problem.open_value
    found = placed_anew(problem, start, net, 8, lambda: False)
    assert fits(problem, found)
    assert ((found == NOBODY) == (start == NOBODY)).all()
    assert problem.worth(found).value > problem.worth(start).value
    again = placed_anew(problem, start, net, 8, lambda: False)
    assert np.array_equal(found, again)


def test_it_stops_when_told() -> None:
    problem = case(2, 40, 6, 1.3)
    start = by_value(problem)
    assert placed_anew(problem, start, problem.open_value, 8, lambda: True) is start
