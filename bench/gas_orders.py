"""Gas of orders and fills: what a participant's own calls cost, by true receipts of anvil.

Accounts are opened at registration; each operation is measured once everything that it needs is
there and nothing else was touched in its transaction. "first" is the seller's first sale into a
place of its ring of 16 intervals (a new storage slot), the plain line every later one.
"""

import json
import sys

from tests.anvil import anvil
from tests.contracts.fills import LATER, Hands
from tests.contracts.harness import (
    BOB,
    CHAIN,
    DEVICES,
    INTERVAL,
    MICRO,
    World,
    delivery,
    fill,
)
from tests.contracts.reading import Contract
from tests.onchain import OPTIONS, Onchain

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows
from gridpact.model.order import NONE, Accepted, Side
from gridpact.model.participant import Named
from gridpact.model.rating import RatingTerms
from gridpact.model.trade import Fill

SIZES = (1, 10, 100, 128)
BOOKS = (10, 100, 1_000, 10_000)
GOALS = {
    "post a bid, own call": 60_000,
    "post an offer, own call": 60_000,
    "post a bid, relayed": 64_000,
    "cancel": 62_000,
    "lock": 62_000,
    "match and lock": 85_000,
    "match and lock, signed orders": 100_000,
    "settle a fill, two signed meters": 62_000,
    "rate": 62_000,
    "order check, 40 bids": 36_000,
}
CHARGE = 30_000


class Bench:
    """A founded market on a node whose last receipt tells the gas."""

    def __init__(self, url: str, rating: RatingTerms | None = None) -> None:
        self.node = Onchain(url)
        self.world = World(engine=self.node.opened, timing=LATER, rating=rating)
        self.hands = Hands(self.world)
        self.salt = 0
        for account in (*(device.address for device in DEVICES.values()), *_funded()):
            if self.world.view(Contract.VAULT, "is_open", "0x" + account.hex()):
                self.world.mint(account, 1_000 * MICRO)
        self.node.keep()

    @property
    def gas(self) -> int:
        return self.node.gas

    def pair(self, interval: int = INTERVAL) -> tuple[Accepted, Accepted, Fill]:
        """Return a bid and an offer with random salts of 64 bits, and a fill between them."""
        self.salt += 1
        salt = int.from_bytes(keccak(self.salt.to_bytes(32, "big"))[:8], "big")
        bid = self.world.order("ann", Side.BID, interval=interval, salt=salt)
        offer = self.world.order("bob", Side.OFFER, price=100_000, interval=interval, salt=salt)
        return bid, offer, fill(bid, offer, 1000, 100_000, CHARGE)


def _funded() -> tuple[bytes, ...]:
    return tuple(named.address for named in (Named.REWARD, Named.NETWORK_LOSS, Named.GRID_SUPPLY))


def receipts(url: str) -> dict[str, int]:
    """Return the gas of each operation on the node at `url`, which must be new and empty."""
    bench = Bench(url)
    found = _singles(bench)
    found |= _order_check(bench)
    found |= settled(bench)
    found |= _batches(bench)
    found |= _books(bench)
    bench.node.close()
    return found


def _singles(bench: Bench) -> dict[str, int]:
    found, hands, world = {}, bench.hands, bench.world
    bid, offer, trade = bench.pair()
    hands.post(bid)
    found["post a bid, own call"] = bench.gas
    hands.post(offer)
    found["post an offer, own call"] = bench.gas
    other, another, _ = bench.pair()
    hands.relay(other)
    found["post a bid, relayed"] = bench.gas
    hands.relay(another)
    found["post an offer, relayed"] = bench.gas
    hands.cancel(other)
    found["cancel"] = bench.gas
    world.price()
    hands.match(bid, offer, trade)
    found["match and lock"] = bench.gas
    bid, offer, trade = bench.pair()
    hands.post(bid)
    hands.post(offer)
    hands.match(bid, offer, trade, lock=False)
    found["match"] = bench.gas
    hands.lock(trade)
    found["lock"] = bench.gas
    bid, offer, trade = bench.pair()
    hands.bind(bid, offer, trade)
    found["match and lock, signed orders"] = bench.gas
    bench.node.undo()
    return found


def _order_check(bench: Bench) -> dict[str, int]:
    """Check the order of bids that were sorted off chain, with ranks as the market makes them."""
    found = {}
    for bids in (10, 23, 40, 128):
        names = [keccak(bytes([bid])) for bid in range(bids)]
        ranks = sorted(
            packing.rank(80_000 + 997 * (at % 37), 500_000 + 1_013 * at, name)
            for at, name in enumerate(names)
        )
        call = bench.world.suite.call("clearing", "check_order", Rows(packing.ranks(ranks)))
        bench.world.raw(Contract.CLEARING, call.data)
        found[f"order check, {bids} bids"] = bench.gas
    bench.node.undo()
    return found


def settled(bench: Bench) -> dict[str, int]:
    """Settle by two meters: the seller's first interval, and one that finds its place used."""
    found, hands, world = {}, bench.hands, bench.world
    for label, interval in ((", first", INTERVAL), ("", INTERVAL + 16)):
        hands.at(interval, -5_000)
        world.price_of(interval)
        bid, offer, trade = bench.pair(interval)
        hands.post(bid)
        hands.post(offer)
        hands.match(bid, offer, trade)
        signed = bench.pair(interval)
        hands.bind(*signed)
        third = bench.pair(interval)
        hands.post(third[0])
        hands.post(third[1])
        hands.match(*third)
        hands.at(interval, 7_300)
        hands.settle(trade, 3_000, 3_000, sender=BOB)
        found["settle a fill, two signed meters" + label] = bench.gas
        hands.settle(signed[2], 3_000, 3_000, sender=BOB)
        found["settle a fill that its bid holds"] = bench.gas
        hands.at(interval, 3 * 3_600 + 100)
        hands.take_back(third[2])
        found["take a lock back"] = bench.gas
        hands.at(interval, 5 * 3_600)
        hands.rate(BOB, interval)
        found["rate" + label] = bench.gas
    bench.node.undo()
    world.time = 0
    return found


def _batches(bench: Bench) -> dict[str, int]:
    """Commit and settle batches of fills, each with its own bid and offer, gas per trade."""
    found = {}
    for size in SIZES:
        _, fills = _book(bench, min(size, 60), size)
        found |= _commit_and_settle(bench, fills, f"batch of {size}")
        bench.node.undo()
    return found


def _books(bench: Bench) -> dict[str, int]:
    """Settle 100 fills while the book holds ever more orders that are not filled."""
    found = {}
    for size in BOOKS:
        _book(bench, size // 2, 0)
        _, fills = _book(bench, 10, 100)
        found |= _commit_and_settle(bench, fills, f"100 fills, book of {size}")
        bench.node.undo()
    return found


def _book(bench: Bench, pairs: int, fills: int) -> tuple[list[Accepted], list[Fill]]:
    """Collect so many pairs of orders, and share fills out over them."""
    world, orders, found = bench.world, [], []
    for _ in range(pairs):
        energy, price = 40, 100_000
        orders.append(world.order("ann", Side.BID, energy=energy, charge=CHARGE))
        orders.append(world.order("bob", Side.OFFER, energy=energy, price=price))
    for first in range(0, len(orders), 128):
        world.collect(*orders[first : first + 128])
    world.price()
    for index in range(fills):
        at = 2 * (index % pairs)
        found.append(fill(orders[at], orders[at + 1], 2, 100_000, CHARGE, index))
    return orders, found


def _commit_and_settle(bench: Bench, fills: list[Fill], label: str) -> dict[str, int]:
    world = bench.world
    world.commit(*fills)
    committed = bench.gas
    weighed = sum(one.energy_wh for one in fills)
    world.deliver(loss=0, weighed=weighed)
    world.settle(*((one, delivery(one, one.energy_wh)) for one in fills), expected=NONE)
    return {
        f"commit, {label}, per trade": round(committed / len(fills)),
        f"settle, {label}, per trade": round(bench.gas / len(fills)),
    }


def main() -> int:
    with anvil(CHAIN, *OPTIONS) as url:
        found = receipts(url)
    for what, gas in found.items():
        goal = GOALS.get(what)
        print(f"{what:45} {gas:8,}" + (f"  goal {goal:,}" if goal else ""))
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as out:
            json.dump(found, out, indent=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
