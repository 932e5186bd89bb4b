"""The same market on a real client: same events, same money, and receipts that tell the gas."""

from tests.contracts.harness import ANN, BOB, CHAIN, MICRO, World, delivery, refused
from tests.contracts.reading import Event
from tests.onchain import onchain

from gridpact.ledger.evm.engine import EngineFactory


def trade(engine: EngineFactory | None) -> tuple[World, list[Event]]:
    world = World(engine=engine)
    world.mint(ANN, 10 * MICRO)
    world.price()
    _, _, fill = world.trade()
    world.commit(fill)
    world.deliver()
    events = world.settle((fill, delivery(fill, 1000, loss=48)))
    with refused("settlement: not locked"):
        world.settle((fill, delivery(fill, 1000, loss=48)))
    return world, events


def test_a_trade_on_anvil_is_the_trade_on_our_engine() -> None:
    ours, expected = trade(None)
    with onchain(CHAIN) as opener:
        theirs, found = trade(opener)
        assert found == expected
        assert [theirs.account(one) for one in (ANN, BOB)] == [
            ours.account(one) for one in (ANN, BOB)
        ]
        assert theirs.holds()
        assert theirs.engine.gas > 21_000  # type: ignore[attr-defined]
