"""Parts posted too early, or with another loss than the meters', or another sum to begin with."""

import pytest
from tests.contracts.halves import halves
from tests.contracts.harness import World, refused
from tests.contracts.parts import INTERVAL, NOW, TERMS, NetWorld
from tests.contracts.reading import Contract

from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.part import Part

POSTED, CANCELLED = 3, 5


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


def committed(market: NetWorld, part: Part) -> Part:
    market.reserve(part)
    market.commit(part)
    return part


def altered(part: Part, **header: int) -> Part:
    return part._replace(header=part.header._replace(**header))


def test_a_part_is_not_posted_while_its_interval_runs(market: NetWorld) -> None:
    part = committed(market, market.part(market.market(trades=8)))
    market.world.go_to(INTERVAL)
    with refused("net: interval not over"):
        market.post(part)
    market.world.go_to(NOW)
    market.post(part)
    assert market.state(part)[0] == POSTED


def test_a_part_is_not_posted_before_its_meters(market: NetWorld) -> None:
    part = committed(market, market.part(market.market(trades=8)))
    market.meter = lambda _: None  # type: ignore[method-assign]
    with refused("clearing: no readings"):
        market.post(part)


@pytest.mark.parametrize("name", ["loss_wh", "weighed_wh"])
def test_another_loss_than_the_meters_is_refused(market: NetWorld, name: str) -> None:
    part = committed(market, market.part(market.market(trades=8)))
    market.meter(part)
    with refused("net: other meters"):
        market.post(altered(part, **{name: getattr(part.header, name) + 1}))


def test_a_clearings_first_part_begins_where_the_meters_say(market: NetWorld) -> None:
    part = committed(market, market.part(market.market(trades=8)))
    market.meter(part)
    with refused("net: other energy before"):
        market.post(altered(part, before_wh=7))


def test_a_part_that_begins_with_another_sum_is_proven(market: NetWorld) -> None:
    first, second = halves(market, market.market(trades=8))
    wrong = altered(second, before_wh=second.header.before_wh + 1)
    for part in (first, wrong):
        market.post(committed(market, part))
    market.prove(proofs.running(wrong, first))
    assert market.state(wrong)[0] == CANCELLED
    assert market.state(first)[0] == POSTED


def test_an_honest_sum_is_not_proven_wrong(market: NetWorld) -> None:
    first, second = halves(market, market.market(trades=8))
    for part in (first, second):
        market.post(committed(market, part))
    with refused("evidence: nothing wrong"):
        market.prove(proofs.running(second, first))
    with refused("evidence: not the part before"):
        market.prove(proofs.running(first, second))
    with refused("evidence: not the part before"):
        market.prove(proofs.running(first, first))
    earlier = first._replace(leaves=first.leaves[:-1])
    with refused("proving: another content"):
        market.prove(proofs.running(second, earlier))


def test_another_than_the_last_leaf_proves_nothing(market: NetWorld) -> None:
    first, second = halves(market, market.market(trades=8))
    for part in (first, second):
        market.post(committed(market, part))
    given = proofs.opening(second) + proofs.opening(first) + proofs.shown(first, 2)
    with refused("evidence: not the last leaf"):
        market.send(Contract.EVIDENCE, "running", given)


def test_a_cancelled_part_proves_nothing_of_the_next(market: NetWorld) -> None:
    first, second = halves(market, market.market(trades=8))
    wrong = altered(second, before_wh=second.header.before_wh + 1)
    for part in (first, wrong):
        market.post(committed(market, part))
    market.demand(first, 0)
    market.world.go_to(NOW + TERMS.answer + 1)
    market.unanswered(first, 0)
    with refused("evidence: the part before is cancelled"):
        market.prove(proofs.running(wrong, first))
