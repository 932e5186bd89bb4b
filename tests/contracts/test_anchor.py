"""Anchors: one head per region and interval, in an unbroken line."""

from typing import Any

import pytest
from tests.contracts.harness import ANN, REGION, World, refused
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.model.order import NONE

FIRST, SECOND = keccak(b"first"), keccak(b"second")


def anchor(world: World, *values: Any, **options: Any) -> list[Event]:
    """Post (interval, number, head, previous)."""
    return world.send(Contract.ANCHOR, "post", REGION, *values, 0, [], **options)


def test_head_is_kept_with_its_predecessor(world: World) -> None:
    anchor(world, 0, 7, FIRST, NONE)
    (posted,) = anchor(world, 1, 9, SECOND, FIRST)
    assert posted.values == {
        "region": REGION,
        "interval": 1,
        "number": 9,
        "head": SECOND,
        "previous": FIRST,
    }
    assert world.view(Contract.ANCHOR, "heads", REGION, 0) == FIRST
    assert world.view(Contract.ANCHOR, "heads", REGION, 1) == SECOND
    assert world.view(Contract.ANCHOR, "latest", REGION) == SECOND


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((5, 9, SECOND, FIRST), "anchor: written before"),
        ((6, 9, SECOND, NONE), "anchor: other predecessor"),
        ((6, 9, SECOND, SECOND), "anchor: other predecessor"),
        ((6, 7, SECOND, FIRST), "anchor: older block"),
        ((4, 9, SECOND, FIRST), "anchor: earlier interval"),
        ((6, 9, NONE, FIRST), "anchor: no head"),
    ],
)
def test_past_is_not_rewritten(world: World, values: tuple[Any, ...], reason: str) -> None:
    anchor(world, 5, 7, FIRST, NONE)
    with refused(reason):
        anchor(world, *values)


def test_first_anchor_names_no_predecessor(world: World) -> None:
    with refused("anchor: other predecessor"):
        anchor(world, 0, 7, FIRST, SECOND)


def test_only_the_operator_anchors(world: World) -> None:
    with refused("anchor: not the operator"):
        anchor(world, 0, 7, FIRST, NONE, sender=ANN)


def test_the_same_anchor_again_changes_nothing(world: World) -> None:
    assert len(anchor(world, 0, 7, FIRST, NONE)) == 1
    assert anchor(world, 0, 7, FIRST, NONE) == []
