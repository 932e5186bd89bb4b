"""Shards, delegates, wrong reports, and how many participants fit."""

from itertools import product

import numpy as np
import pytest

from gridpact.errors import TreeError
from gridpact.propagation.confirmation import FITTED, Confirming, simulated
from gridpact.propagation.consensus import Model, falls_to, general, sharded
from gridpact.propagation.planner import Clock, LedgerCosts, most, plan
from gridpact.propagation.regions import (
    Candidate,
    Chain,
    Proof,
    Report,
    delegate,
    elect,
    extended,
    recorded,
)

DRAWS = 400
VARIANTS = [
    Model(puzzle, route, wave)  # type: ignore[arg-type]
    for puzzle, route, wave in product(
        ("first", "one"), ("binary", "star", "line"), ("confirm", "vote", "none")
    )
]


@pytest.mark.parametrize("model", VARIANTS, ids=lambda m: f"{m.puzzle}-{m.route}-{m.wave}")
def test_sharded_consensus_grows_slower_in_all_variants(model: Model) -> None:
    few, many = 100, 1200
    whole = [general(n, 12, model, DRAWS, 1).mean() for n in (few, many)]
    split = [sharded(n, 12, 3, model, DRAWS, 1) for n in (few, many)]
    growth = whole[1] - whole[0]
    assert split[1].regional.mean() - split[0].regional.mean() < 0.5 * growth
    assert split[1].final.mean() - split[0].final.mean() < 0.5 * growth
    assert (split[0].final >= split[0].regional).all()


@pytest.mark.parametrize("trades", [3, 50, 100, 101, 300, 1000])
def test_general_consensus_is_slower_everywhere_by_default(trades: int) -> None:
    whole = general(trades, 12, Model(), DRAWS, 2)
    split = sharded(trades, 12, 3, Model(), DRAWS, 2)
    for times in (split.regional, split.final):
        error = np.sqrt((whole.var() + times.var()) / DRAWS)
        assert whole.mean() - times.mean() > 3 * error


def test_one_round_of_one_node_is_its_puzzle() -> None:
    times = general(1, 1, Model(wave="none"), 50, 3)
    assert (times >= 20).all()
    assert (times <= 40).all()
    assert np.array_equal(times, general(1, 1, Model(wave="none"), 50, 3))
    assert not general(0, 12, Model(), 5, 3).any()


def test_small_shards_fall_to_fewer() -> None:
    assert (falls_to(4), falls_to(12)) == (3, 7)


def test_the_most_trusted_are_elected_and_take_turns() -> None:
    people = [
        Candidate(b"d", 900_000),
        Candidate(b"b", 900_000),
        Candidate(b"a", 800_000),
        Candidate(b"c", 990_000, qualified=False),
    ]
    elected = elect(people, 3)
    assert [one.fingerprint for one in elected] == [b"b", b"d", b"a"]
    assert [one.fingerprint for one in elect(people, 2)] == [b"b", b"d"]
    assert [delegate(elected, i).fingerprint for i in range(4)] == [b"a", b"b", b"d", b"a"]
    with pytest.raises(TreeError, match="seats: 0"):
        elect(people, 0)


def test_a_wrong_report_is_corrected_by_the_next_block_and_costs_the_bond() -> None:
    bonds = {b"x": 101, b"y": 50}
    good, wrong = Report("north", 7, b"true", b"x"), Report("south", 7, b"false", b"y")
    chain: Chain = (extended((), [good, wrong], [], bonds),)
    assert recorded(chain)["south", 7] == wrong
    shown = [Proof("south", 7, b"true", b"z"), Proof("north", 7, b"true", b"z")]
    late = Report("west", 7, b"true", b"x")
    block = extended(chain, [late, Report("south", 7, b"other", b"y")], shown, bonds)
    chain = (*chain, block)
    assert block.reports == (late,)
    assert block.corrected == (Report("south", 7, b"true", b"y"),)
    [struck] = block.struck
    assert (struck.delegate, struck.burned, struck.rewarded, struck.to) == (b"y", 25, 25, b"z")
    assert recorded(chain)["south", 7].root == b"true"
    assert recorded(chain)["north", 7] == good
    again = extended(chain, [], shown, {b"x": 101})
    assert (again.corrected, again.struck) == ((), ())


def test_at_least_half_of_a_bond_is_burned_and_once() -> None:
    chain: Chain = (extended((), [Report("a", i, b"no", b"x") for i in range(2)], [], {b"x": 101}),)
    block = extended(chain, [], [Proof("a", i, b"yes", b"z") for i in range(2)], {b"x": 101})
    [struck] = block.struck
    assert (struck.burned, struck.rewarded) == (51, 50)
    assert len(block.corrected) == 2


COSTS = LedgerCosts(60_000, 13_000, 100_000, 500, 200, 5_000)
CLOCK = Clock(block_s=5, block_gas=30_000_000, interval_s=900)


def test_plans_count_regions_parts_and_blocks() -> None:
    small = plan(1_500, COSTS, CLOCK)
    assert (small.regions, small.gas, small.bytes) == (2, 2 * 73_000 + 100_000, 2 * 700 + 5_000)
    assert (small.blocks, small.used) == (180, small.gas / (180 * 30_000_000))
    assert plan(1_500, COSTS, CLOCK, regions=10).regions == 10
    large = plan(10_000_000, COSTS, CLOCK)
    assert (large.regions, large.gas) == (10_000, 10_000 * 73_000 + 10 * 100_000)
    assert large.fits
    limit = most(COSTS, CLOCK)
    assert plan(limit, COSTS, CLOCK).fits
    assert not plan(limit + 1_000, COSTS, CLOCK).fits


@pytest.mark.parametrize(("participants", "regions"), [(0, None), (1_001, 1), (5, 6)])
def test_plans_that_cannot_be_are_refused(participants: int, regions: int | None) -> None:
    with pytest.raises(TreeError, match=r"expected|is no whole number"):
        plan(participants, COSTS, CLOCK, regions)
    with pytest.raises(TreeError, match="shorter than a block"):
        plan(5, COSTS, Clock(5, 1, 4))


@pytest.mark.parametrize("chain", [*FITTED, Confirming("fixed", 3, 5, 1, fixed=True)])
def test_confirmation_times_are_what_the_formula_says(chain: Confirming) -> None:
    times = simulated(chain, 40_000, 1)
    # neighbouring transactions share their blocks, so that the error is that of the blocks
    assert times.mean() == pytest.approx(chain.mean, rel=0.03)
    assert times.min() >= chain.spreading


def test_fitted_parameters_give_the_papers_minutes() -> None:
    minutes = {one.name: one.mean for one in FITTED}
    assert minutes == {"public chain": 60, "scheme [8]": 10, "scheme [17]": 6.5, "WCT": 6}
