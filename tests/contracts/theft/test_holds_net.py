"""Net settlement and holds: a leaf that leaves out another energy than was held is proven wrong."""

import pytest
from msgspec.structs import replace
from tests.contracts.failing import Failed
from tests.contracts.harness import World, refused
from tests.contracts.holds import curtail, hold, judge, names
from tests.contracts.parts import NOW, NetWorld, Settled
from tests.contracts.reading import Contract

from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.part import Part
from gridpact.model.statement import Case
from gridpact.quantities import Wh

POSTED, CANCELLED = 3, 5
INDEX, HELD = 4, 60


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


def held(market: NetWorld, settled: Settled, energy: Wh) -> None:
    """Have the council hold so much of one fill."""
    one = hold(settled.trades[INDEX][1], energy)
    market.attest(names(one))
    judge(market.world, one)


def leaving_out(market: NetWorld, settled: Settled, energy: Wh) -> Part:
    """Return the part whose leaf leaves out so much of the fill."""
    part = market.part(settled)
    leaf = part.leaves[INDEX]
    made = replace(leaf.delivery, agreed=leaf.delivery.agreed - energy, held=energy)
    leaves = (*part.leaves[:INDEX], replace(leaf, delivery=made), *part.leaves[INDEX + 1 :])
    return part._replace(leaves=leaves)


def post(market: NetWorld, part: Part) -> Part:
    market.reserve(part)
    market.commit(part)
    market.post(part)
    return part


@pytest.mark.parametrize("said", [0, HELD - 1, HELD + 1])
def test_another_energy_than_was_held_is_proven(market: NetWorld, said: Wh) -> None:
    settled = market.market(trades=12)
    held(market, settled, HELD)
    part = post(market, leaving_out(market, settled, said))
    fill = settled.trades[INDEX][1]
    market.prove(proofs.stopped(part, fill, INDEX))
    assert market.state(part)[0] == CANCELLED
    assert market.holds()


def test_a_leaf_that_leaves_out_what_was_held_is_not_proven_wrong(market: NetWorld) -> None:
    settled = market.market(trades=12)
    held(market, settled, HELD)
    part = post(market, leaving_out(market, settled, HELD))
    for index in (INDEX, INDEX + 1):
        with refused("evidence: nothing wrong"):
            market.prove(proofs.stopped(part, settled.trades[index][1], index))
    assert market.state(part)[0] == POSTED


def test_what_was_curtailed_may_be_left_out(market: NetWorld) -> None:
    settled = market.market(trades=12)
    fill = settled.trades[INDEX][1]
    curtail(market.world, fill.seller, HELD)
    part = post(market, leaving_out(market, settled, HELD))
    with refused("evidence: nothing wrong"):
        market.prove(proofs.stopped(part, fill, INDEX))


def test_a_failed_part_pays_nothing_for_what_was_held(market: NetWorld) -> None:
    settled = market.market(trades=12, shortfall=0.0)
    fill = settled.trades[INDEX][1]
    held(market, settled, HELD)
    failed = Failed.unposted(market, settled)
    failed.open_all()
    before = market.world.account(fill.buyer)
    (paid,) = [one for one in failed.pay(INDEX) if one.name == "Paid"]
    said, money = paid.values["delivery"], paid.values["money"]
    assert (said >> 208, said >> 8 & 2**40 - 1) == (fill.energy_wh - HELD, HELD)
    assert money >> 240 == Case.FULL
    spent = (money >> 160 & 2**80 - 1) + (money >> 80 & 2**80 - 1)
    assert market.world.account(fill.buyer).free == before.free + fill.lock - spent
    assert market.world.view(Contract.SETTLEMENT, "held", fill.hash) == HELD
    assert market.holds()


def test_a_failed_part_gives_a_fill_back_that_was_held_as_a_whole(market: NetWorld) -> None:
    settled = market.market(trades=12, shortfall=0.0)
    fill = settled.trades[INDEX][1]
    held(market, settled, fill.energy_wh)
    failed = Failed.unposted(market, settled)
    failed.open_all()
    before = market.world.account(fill.buyer).free
    failed.pay(INDEX)
    assert market.world.account(fill.buyer).free == before + fill.lock
    assert market.holds()
