"""What does it cost on a real chain? Gas by true receipts of anvil, and the size of each contract.

The figures come from `gas_people`, `gas_orders` and `gas_net`, each on a fresh anvil; here they are
held to their goals. A goal that nothing measures is not met.
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.resources import files
from typing import NamedTuple

from tests.anvil import anvil
from tests.contracts.harness import CHAIN, INTERVAL, REGION, World, fill
from tests.contracts.reading import Contract
from tests.onchain import OPTIONS, Onchain

from bench.rows import Row
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain.calls import Calls
from gridpact.ledger.onchain.suite import ORDER
from gridpact.model.interval import Key, Phase
from gridpact.model.order import NONE, Side
from gridpact.model.record import Book, Cleared, encode

MODULES = (
    *("gas_challenge", "gas_council", "gas_net", "gas_orders", "gas_people", "gas_purchases"),
    "gas_rules",
)
SIZE = 24_576
"""Bytes of code that a chain takes. [B]"""
FLAT = 20
"""Settlement's gas per trade may vary by one part of so many (5 %) about its middle, while the book
grows a thousandfold."""
NOTES = (
    "Gas used by anvil's receipts (London rules), accounts opened at registration, each operation "
    "measured once everything that it needs is there. Per account, trade or signature: the whole "
    "transaction's gas over their number. A proof burns half of a bond or more in the vault's "
    "books; the currency of that goes by `retire`, one call for any number of proofs."
)


class Goal(NamedTuple):
    """Figures whose name fits `pattern` may be at most so much. [gas]"""

    pattern: str
    most: int


GOALS = (
    Goal(r"post an? (bid|offer), own call", 60_000),
    Goal(r"post an? (bid|offer), relayed", 64_000),
    Goal(r"cancel", 62_000),
    Goal(r"lock", 62_000),
    Goal(r"rate(, by credibility)?", 62_000),
    Goal(r"match and lock", 85_000),
    Goal(r"settle a fill, two signed meters", 62_000),
    Goal(r"match and lock, signed orders", 100_000),
    Goal(r".*permit.*", 95_000),
    Goal(r".*clearing post.*", 82_000),
    Goal(r"(challenge|proof): .*", 150_000),
    Goal(r"fallback.*", 125_000),
    Goal(r"order check, 40 bids", 36_000),
    Goal(r"net 80 .*: post \+ finalise per account", 10_500),
    Goal(r"net 80 .*: commit \+ post \+ finalise per account", 15_000),
    Goal(r"net 1000 .*: post \+ finalise per account", 8_000),
    Goal(r"net 1000 .*: commit \+ post \+ finalise per account", 11_500),
    Goal(r"net 80 accounts, 1000 trades: commit \+ post \+ finalise per trade", 1_200),
    Goal(r"net per signature", 6_900),
)


def run() -> list[Row]:
    found: dict[str, int] = {}
    for name in MODULES:
        with anvil(CHAIN, *OPTIONS) as url:
            found |= import_module(f"bench.{name}").receipts(url)
    with anvil(CHAIN, *OPTIONS) as url:
        found |= receipts(url)
    return [*rows(found), *_sizes()]


def receipts(url: str) -> dict[str, int]:
    """Return the gas of posting a clearing on a new node."""
    node = Onchain(url)
    world = World(engine=node.opened)
    world.price()
    bid, offer = world.order("ann", Side.BID), world.order("bob", Side.OFFER, price=100_000)
    fills = (fill(bid, offer, 1_000, 100_000, 30_000),)
    record = Cleared(fills, (), (), (), (), (), scores=(500_000, 500_000))
    key = Key(REGION, INTERVAL, Phase.CLEAR)
    (call,) = Calls(world.suite, lambda _: (Book(NONE, (bid, offer), ()),)).of(
        key, record, keccak(encode(record))
    )
    world.raw(Contract.CLEARING, call.data)
    spent = node.gas
    node.close()
    return {"clearing post": spent}


def rows(found: Mapping[str, int]) -> Iterator[Row]:
    """Yield a row per figure with its goal, and one per goal that nothing measures."""
    left = list(GOALS)
    for name, gas in found.items():
        goal = _goal(name)
        if goal is None:
            yield Row(name, gas, "gas")
            continue
        left = [other for other in left if other != goal]
        ratio = gas / goal.most
        yield Row(name, gas, "gas", "goal", ratio, f"<= {goal.most:,}", gas <= goal.most)
    for goal in left:
        yield Row(f"not measured: {goal.pattern}", 0, "gas", "", None, f"<= {goal.most:,}", False)
    yield from _flat(found)


def _goal(name: str) -> Goal | None:
    """Return the first goal whose pattern is the whole name."""
    return next((goal for goal in GOALS if re.fullmatch(goal.pattern, name)), None)


def _flat(found: Mapping[str, int]) -> Iterator[Row]:
    """Say how much settlement per trade varies with the size of the book."""
    books = [gas for name, gas in found.items() if re.fullmatch(r"settle, .* book of .*", name)]
    if books:
        most, least = max(books), min(books)
        yield Row(
            *("settlement per trade, most of all books", most, "gas", "least", most / least),
            *(f"+-{100 // FLAT} %", FLAT * (most - least) <= most + least),
        )


def _sizes() -> Iterator[Row]:
    place = files("gridpact").joinpath("contracts", "artefacts")
    for name in ORDER:
        size = json.loads(place.joinpath(f"{name}.json").read_text())["size"]
        yield Row(f"code of {name}", size, "B", "limit", size / SIZE, f"< {SIZE:,}", size < SIZE)
