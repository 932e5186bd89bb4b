"""From people's orders to trades on a ledger: how long [Zeng23] figure 8's delay is with us.

Everything that lies on the way: each participant's device signs its order (EIP-712), the collector
judges it and verifies the signature, signs its receipt, the book is sealed, cleared by paper D's
scheme, and book, prices, fills and locks are written to an embedded chain, on disk.
"""

import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import msgspec
import numpy as np

from bench.load import CHAIN_ID, OPERATOR, REGION, device, founding
from gridpact.crypto.keccak import keccak
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.market.admission import Gate, admit
from gridpact.market.caps import Pairs
from gridpact.market.local_book import cleared
from gridpact.market.mechanism import Mechanism
from gridpact.market.pareto import match
from gridpact.model.interval import Key, Phase
from gridpact.model.market import MarketTerms
from gridpact.model.order import Order, Side, SignedOrder, Tier
from gridpact.model.participant import Participant
from gridpact.model.record import Book, Cleared, Commitment, Prices
from gridpact.quantities import PPM

PRICES = Prices(300_000, 90_000, 80_000, 0, 40_000, 60_000, 0, (), "none")
DEPOSITED = 10**12


class Took(NamedTuple):
    """Seconds of one interval: of a clock and of the processor; the mechanism's share; trades."""

    wall: float
    cpu: float
    clearing: float
    fills: int


def delays(people: int, intervals: int, mechanism: Mechanism = match) -> list[Took]:
    """Return what each of some intervals takes in a region of so many participants."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ledger.db") as store:
        chain = EmbeddedChain(store, "delays", CHAIN_ID, OPERATOR, lambda key: key.interval)
        ledger = MarketLedger(chain, REGION)
        found = founding("delays", people)
        found = msgspec.structs.replace(found, market=MarketTerms("pareto"))
        ledger.write(Key(REGION, 0, Phase.FOUND), found)
        return [
            _interval(ledger, found.participants, number, mechanism)
            for number in range(1, intervals + 1)
        ]


def _interval(
    ledger: Ledger, people: tuple[Participant, ...], interval: int, mechanism: Mechanism
) -> Took:
    chance = np.random.default_rng(interval)
    drawn = [_order(number, len(people), interval, chance) for number in range(len(people))]
    wall, cpu = perf_counter(), process_time()
    signed = [
        SignedOrder(order, device(number).sign(order.digest(ledger.domain)))
        for number, order in enumerate(drawn)
    ]
    accepted, refused = admit(signed, _gate(ledger, people, interval), OPERATOR.sign)
    if refused:
        raise AssertionError(f"an order of the benchmark is refused: {refused[0].detail}")
    seed, scores = keccak(b"seed"), {one.address: PPM // 2 for one in people}
    buses = {one.address: one.bus for one in people}
    began = process_time()
    fills = cleared(mechanism, accepted, Pairs.of(PRICES, Tier.LOCAL), buses, scores, seed)
    clearing = process_time() - began
    ranked = tuple(scores[one.order.participant] for one in accepted)
    for phase, record in (
        (Phase.COLLECT, Book(seed, accepted, ())),
        (Phase.PRICE, PRICES),
        (Phase.CLEAR, Cleared(fills, (), (), (), (), (), scores=ranked)),
        (Phase.COMMIT, Commitment(fills)),
    ):
        ledger.write(Key(REGION, interval, phase), record)
    return Took(perf_counter() - wall, process_time() - cpu, clearing, len(fills))


def _order(number: int, people: int, interval: int, chance: np.random.Generator) -> Order:
    """Return a bid of the first half, an offer of the second."""
    side = Side.BID if number < people // 2 else Side.OFFER
    low, high = (150_000, 250_000) if side is Side.BID else (90_000, 200_000)
    return Order(
        device(number).address,
        side,
        Tier.LOCAL,
        REGION,
        interval,
        int(chance.integers(500, 5_000)),
        int(chance.integers(low, high)),
        expires=interval + 1,
    )


def _gate(ledger: Ledger, people: tuple[Participant, ...], interval: int) -> Gate:
    everybody = [one.address for one in people]
    return Gate(
        ledger.domain,
        REGION,
        interval,
        {one.address: one for one in people},
        frozenset(),
        {Tier.LOCAL: Pairs.of(PRICES, Tier.LOCAL)},
        frozenset(one.bus for one in people),
        dict.fromkeys(everybody, 10_000),
        dict.fromkeys(everybody, 10_000),
        {one: ledger.account(one).free for one in everybody},
    )
