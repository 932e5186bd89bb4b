"""Clearing: what is posted of an interval stands, and other contracts read it there."""

import pytest
from tests.contracts.harness import (
    ANN,
    COSTS,
    FEED_IN,
    INTERVAL,
    LOSS_SHARE,
    REGION,
    RETAIL,
    SHARE,
    STRANGER,
    World,
    decoded,
    refused,
)
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows
from gridpact.ledger.onchain.roots import Posting
from gridpact.model.interval import Phase

ROOT, FILLS, SEED = keccak(b"orders"), keccak(b"fills"), keccak(b"seed")


def test_tariffs_of_an_interval_are_posted_once(world: World) -> None:
    (priced,) = world.price()
    assert priced.values["retail"] == RETAIL
    assert priced.values["root"] == COSTS[-1]
    tariffs = world.view(Contract.CLEARING, "tariffs", REGION, INTERVAL)
    assert tariffs == (RETAIL, SHARE, FEED_IN, LOSS_SHARE)
    assert world.price() == []
    write = decoded(world.write(Phase.PRICE, number=0))
    with refused("clearing: priced before"):
        world.send(Contract.CLEARING, "price", write, (RETAIL, 0, 0, 0), COSTS)


@pytest.mark.parametrize(
    ("tariffs", "reason"),
    [
        ((2**48, 0, 0, 0), "clearing: price too large"),
        ((1, 0, 2**48, 0), "clearing: price too large"),
        ((1, 2, 0, 0), "clearing: network share above retail"),
        ((1, 0, 0, 1_000_001), "clearing: loss share above one"),
    ],
)
def test_impossible_tariffs_are_refused(
    world: World, tariffs: tuple[int, int, int, int], reason: str
) -> None:
    with refused(reason):
        world.send(Contract.CLEARING, "price", decoded(world.write()), tariffs, COSTS)


def test_clearing_is_posted_with_its_roots(world: World) -> None:
    write = decoded(world.write(Phase.CLEAR))
    (posted,) = world.send(Contract.CLEARING, "post", write, ROOT, FILLS, SEED, 40, 12_345)
    assert posted.values["order_root"] == ROOT
    assert posted.values["fill_root"] == FILLS
    assert (posted.values["count"], posted.values["volume"]) == (40, 12_345)
    name = Posting(write[-1], ROOT, FILLS, SEED, 40, 12_345).name(REGION, INTERVAL)
    assert world.view(Contract.CLEARING, "posted", REGION, INTERVAL) == name
    assert world.view(Contract.CLEARING, "is_posted", REGION, INTERVAL)
    again = decoded(world.write(Phase.CLEAR))
    with refused("clearing: posted before"):
        world.send(Contract.CLEARING, "post", again, ROOT, ROOT, SEED, 41, 12_345)


def test_balance_of_the_meters_is_posted_once(world: World) -> None:
    (delivered,) = world.deliver(loss=50, weighed=1050, before=7)
    assert delivered.values["root"] == keccak(b"readings")
    assert world.view(Contract.CLEARING, "metered", REGION, INTERVAL) == (50, 1050, 7)
    with refused("clearing: delivered before"):
        world.deliver()


@pytest.mark.parametrize(
    ("balance", "reason"),
    [
        ((1, 2**64, 0), "clearing: energy too large"),
        ((11, 10, 0), "clearing: loss above what it is shared over"),
        ((1, 10, 11), "clearing: before above what it is shared over"),
    ],
)
def test_impossible_balance_is_refused(
    world: World, balance: tuple[int, int, int], reason: str
) -> None:
    with refused(reason):
        world.deliver(*balance)


def test_nothing_is_read_that_was_not_posted(world: World) -> None:
    assert not world.view(Contract.CLEARING, "is_posted", REGION, INTERVAL)
    with refused("clearing: no prices"):
        world.view(Contract.CLEARING, "tariffs", REGION, INTERVAL)
    with refused("clearing: no readings"):
        world.view(Contract.CLEARING, "metered", REGION, INTERVAL)


def test_only_the_operator_posts(world: World) -> None:
    write = decoded(world.write())
    for name, arguments in (
        ("price", ((1, 0, 0, 0), COSTS)),
        ("post", (ROOT, FILLS, SEED, 1, 1)),
        ("deliver", (ROOT, (0, 0, 0))),
    ):
        with refused("clearing: not the operator"):
            world.send(Contract.CLEARING, name, write, *arguments, sender=ANN)


def test_the_same_write_again_changes_nothing(world: World) -> None:
    write = decoded(world.write())
    for name, arguments in (
        ("price", ((1, 0, 0, 0), COSTS)),
        ("post", (ROOT, FILLS, SEED, 1, 1)),
        ("deliver", (ROOT, (0, 0, 0))),
    ):
        assert len(world.send(Contract.CLEARING, name, write, *arguments)) == 1
        assert world.send(Contract.CLEARING, name, write, *arguments) == []


# the order of offers


def check_order(world: World, ranks: list[int]) -> int:
    call = world.suite.call("clearing", "check_order", Rows(packing.ranks(ranks)))
    (event,) = world.raw(Contract.CLEARING, call.data, sender=STRANGER)
    count: int = event.values["words"]
    return count


def test_offers_in_merit_order_pass(world: World) -> None:
    offers = [
        (price, reputation, keccak(bytes([price % 251, reputation % 251, n])))
        for price in (100_000, 90_000)
        for reputation in (1_000_000, 0, 500_000)
        for n in range(7)
    ]
    merit = sorted(offers, key=lambda one: (one[0], -one[1], one[2]))
    for count in (0, 1, 2, 41, 42):
        ranks = [packing.rank(*one) for one in merit[:count]]
        assert check_order(world, ranks) == (count + 1) // 2


@pytest.mark.parametrize("count", [2, 3, 8, 9])
def test_offers_out_of_order_are_refused(world: World, count: int) -> None:
    ranks = [packing.rank(90_000 + at, 500_000, bytes(32)) for at in range(count)]
    for at in range(count - 1):
        swapped = [*ranks]
        swapped[at : at + 2] = swapped[at + 1], swapped[at]
        twice = [*ranks]
        twice[at + 1] = twice[at]
        for wrong in (swapped, twice):
            with refused("clearing: out of order"):
                check_order(world, wrong)
