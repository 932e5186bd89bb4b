"""Trust of an aggregator, and trees that follow it."""

import numpy as np
import pytest

from gridpact.propagation.course import CourseTerms, Round, course
from gridpact.propagation.dissemination import Conduct, Terms
from gridpact.propagation.rule import Rule
from gridpact.propagation.scenarios import drawn
from gridpact.propagation.trust import INVALID, after, earlier, standing
from gridpact.propagation.trust import Conduct as Remembered
from gridpact.propagation.weighted import weighted
from gridpact.quantities import PPM

KEPT = 950_000


def test_a_newcomer_has_half_and_each_task_counts() -> None:
    new = Remembered()
    assert new.trust == PPM // 2
    assert after(new, 1, 0, 0, PPM) == Remembered(PPM, 0, 1)
    assert after(new, 1, 0, 0, PPM).trust == 666_666
    assert after(new, 0, 1, 0, PPM).trust == 333_333
    assert after(new, 0, 0, 1, PPM).trust == PPM // (2 + INVALID)


def test_what_was_long_ago_counts_less() -> None:
    known = Remembered()
    for _ in range(200):
        known = after(known, 0, 1, 0, KEPT)
    assert known.fail == pytest.approx(20 * PPM, rel=1e-4)
    for _ in range(60):
        known = after(known, 1, 0, 0, KEPT)
    assert known.trust > 890_000
    assert known.tasks == 260


def test_standing_changes_only_beyond_the_margin() -> None:
    assert standing(785_000, True, 800_000, 20_000)
    assert not standing(785_000, False, 800_000, 20_000)
    assert not standing(815_000, False, 800_000, 20_000)
    assert standing(820_000, False, 800_000, 20_000)
    assert not standing(779_999, True, 800_000, 20_000)


def terms(margin: int = 20_000) -> CourseTerms:
    return CourseTerms(weighted, Rule(0.8, 8.2), Terms(patience=20), decay=KEPT, margin=margin)


def honest_below_honest(one: Round, bad: list[bool]) -> bool:
    """Say whether data come to every honest node by honest ones, along the tree alone."""
    pairs = zip(one.tree.senders.tolist(), one.tree.receivers.tolist(), strict=True)
    return all(bad[receiver] or not bad[sender] for sender, receiver in pairs)


def test_droppers_lose_trust_and_trees_stand_still_when_nothing_changes() -> None:
    one = drawn(50, 2)
    rounds = list(course(one.nodes.links, one.costs, lambda _: one.conduct, 20, terms()))
    bad = [how is not Conduct.HONEST for how in one.conduct]
    last = rounds[-1]
    assert max(np.array(last.trust)[bad]) < 500_000
    assert min(np.array(last.trust)[~np.array(bad)]) > 800_000
    assert rounds[0].tree.degraded
    assert not last.tree.degraded
    assert [one.rebuilt for one in rounds].count(True) <= 4
    assert all(one.spread.share >= 0.97 for one in rounds)
    assert all(one.spread.share == 1 for one in rounds[6:])
    assert honest_below_honest(last, bad)


def test_sleepers_that_wake_are_found_out() -> None:
    one = drawn(50, 4)

    def conduct(number: int) -> tuple[Conduct, ...]:
        return one.conduct if number >= 10 else (Conduct.HONEST,) * 50

    rounds = list(course(one.nodes.links, one.costs, conduct, 40, terms()))
    bad = np.array([how is not Conduct.HONEST for how in one.conduct])
    assert np.array(rounds[9].trust)[bad].min() > 800_000
    assert np.array(rounds[-1].trust)[bad].max() < 800_000
    assert rounds[-1].spread.share == 1
    assert honest_below_honest(rounds[-1], bad.tolist())


def test_silent_proposers_are_replaced_and_remembered() -> None:
    links, costs = drawn(12, 0).nodes.links, drawn(12, 0).costs
    how = [Conduct.DROPPER] * 2 + [Conduct.HONEST] * 10
    first = next(course(np.ones_like(links), costs, lambda _: how, 1, terms()))
    assert first.replaced == (0, 1)
    assert first.tree.root == 2
    assert first.trust[0] == first.trust[1] == 333_333
    assert first.spread.share == 1
    assert links.sum() >= 12


@pytest.mark.parametrize("trust", [50_000, 300_000, 500_000, 850_000, 950_000])
def test_a_node_comes_with_the_trust_that_it_brings(trust: int) -> None:
    known = earlier(trust)
    assert abs(known.trust - trust) <= 1
    assert min(known.ok, known.fail) >= 0
    assert after(known, 0, 1, 0, 950_000).trust < known.trust


def test_a_trust_beyond_what_tasks_can_show_is_the_most_they_can() -> None:
    assert earlier(PPM).fail == 0
    assert earlier(0).ok == 0
