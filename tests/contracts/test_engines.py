"""The contracts come to the same on both engines: events, balances, refusals, whole state."""

from collections.abc import Callable

import pytest
from tests.contracts.harness import ANN, MICRO, World, delivery, fill
from tests.contracts.reading import Event

from gridpact.crypto.keccak import keccak
from gridpact.errors import Reverted
from gridpact.ledger.evm import pyevm, revm
from gridpact.ledger.evm.engine import EngineFactory
from gridpact.ledger.evm.state_hash import state_hash
from gridpact.model.order import Side, Tier
from gridpact.model.participant import Named


def story(engine: EngineFactory) -> tuple[list[Event], list[str], bytes]:
    """Live through one interval with refusals; return events, refusals and the state's hash."""
    world, seen, refusals = World(engine), [], []
    for account in (ANN, Named.REWARD.address, Named.NETWORK_LOSS.address):
        seen += world.mint(account, MICRO)
    bid, offer = world.order("ann", Side.BID), world.order("bob", Side.OFFER, price=100_000)
    child = world.order("ann", Side.BID, tier=Tier.ZONAL, parent=bid.hash)
    seen += world.collect(bid, offer, child)
    local = fill(bid, offer, 700, 150_000, 30_000)
    zonal = fill(child, offer, 300, 160_000, 40_000, index=1)
    seen += world.commit(local)
    seen += world.cross(keccak(b"out"), zonal)
    seen += world.close(bid, offer, child)
    twice: list[Callable[[], object]] = [lambda: world.commit(local), lambda: world.collect(bid)]
    for again in twice:
        with pytest.raises(Reverted) as refusal:
            again()
        refusals.append(refusal.value.reason)
    seen += world.price()
    seen += world.deliver()
    seen += world.settle((local, delivery(local, 650, loss=30, unused=20, unused_sent=10)))
    seen += world.refund(keccak(b"home"), (zonal.hash, 12_345))
    assert world.holds()
    world.engine.keep()
    return seen, refusals, state_hash(world.engine.state())


def test_an_interval_is_the_same_on_revm_and_on_py_evm() -> None:
    assert story(revm.open_engine) == story(pyevm.open_engine)
