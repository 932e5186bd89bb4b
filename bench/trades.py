"""How many trades a second the embedded chain settles: records of 1,000 fills, on disk each."""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.load import CHAIN_ID, OPERATOR, REGION, device, founding
from gridpact.crypto.keccak import keccak
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, Accepted, Order, Side, Tier
from gridpact.model.participant import Named
from gridpact.model.record import (
    Book,
    Cleared,
    Commitment,
    Meters,
    Prices,
    Record,
    Settlement,
)
from gridpact.model.trade import Fill
from gridpact.quantities import amount
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

TRADES, ACCOUNTS, ENERGY = 1_000, 80, 1_000
BID, OFFER, CHARGE = 200_000, 100_000, 40_000
PRICES = Prices(300_000, 90_000, 80_000, 0, CHARGE, 60_000, 0, (), "none")


class Rates(NamedTuple):
    """Trades a second: locked by a commitment, settled by the five-case rule."""

    committed: float
    settled: float


def rates(intervals: int) -> Rates:
    """Trade in several intervals; return the medians."""
    committed, settled = [], []
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ledger.db") as store:
        chain = EmbeddedChain(store, "trades", CHAIN_ID, OPERATOR, lambda key: key.interval)
        ledger = MarketLedger(chain, REGION)
        ledger.write(Key(REGION, 0, Phase.FOUND), founding("trades", ACCOUNTS))
        for interval in range(1, intervals + 1):
            took = _interval(ledger, interval)
            committed.append(TRADES / took[Phase.COMMIT])
            settled.append(TRADES / took[Phase.SETTLE])
    return Rates(median(committed), median(settled))


def _interval(ledger: MarketLedger, interval: int) -> dict[Phase, float]:
    """Write one interval's records; return the seconds that each took."""
    bids, offers = (_orders(ledger, interval, side) for side in (Side.BID, Side.OFFER))
    fills = tuple(
        Fill(
            *(REGION, interval, Tier.LOCAL, at, bid.hash, offer.hash),
            *(bid.order.participant, offer.order.participant, ENERGY, OFFER, CHARGE),
        )
        for at in range(TRADES)
        for bid, offer in [(bids[at // MAX_FILLS], offers[at % len(offers)])]
    )
    made = tuple(Delivery(fill.hash, ENERGY, ENERGY, ENERGY, 0, 0, 0) for fill in fills)
    terms = founding().settlement
    statements = [
        split(fill, delivered, terms, 0) for fill, delivered in zip(fills, made, strict=True)
    ]
    pots = [ledger.account(name.address).free for name in (Named.REWARD, Named.NETWORK_LOSS)]
    said = fund(statements, *pots, terms)
    scores = (500_000,) * (len(bids) + len(offers))
    records: dict[Phase, Record] = {
        Phase.COLLECT: Book(keccak(b"seed"), (*bids, *offers), ()),
        Phase.PRICE: PRICES,
        Phase.CLEAR: Cleared(fills, (), (), (), (), (), scores=scores),
        Phase.COMMIT: Commitment(fills),
        Phase.DELIVER: Meters((), 0, TRADES * ENERGY),
        Phase.SETTLE: Settlement(fills, made, said, ()),
    }
    took = {}
    for phase, record in records.items():
        start = time.perf_counter()
        ledger.write(Key(REGION, interval, phase), record)
        took[phase] = time.perf_counter() - start
    return took


def _orders(ledger: MarketLedger, interval: int, side: Side) -> list[Accepted]:
    """Return enough orders of one side for all fills, in turn by half the accounts."""
    half = ACCOUNTS // 2
    first, price = (0, BID) if side is Side.BID else (half, OFFER)
    orders = []
    for number in range(-(-TRADES // MAX_FILLS) + 1):
        key, energy = device(first + number % half), MAX_FILLS * ENERGY
        order = Order(
            *(key.address, side, Tier.LOCAL, REGION, interval, energy, price),
            expires=interval + 1,
            salt=number,
        )
        digest = order.digest(ledger.domain)
        reserved = amount(price, energy) + amount(CHARGE, energy) + MAX_FILLS
        bid = side is Side.BID
        orders.append(
            Accepted(
                *(digest, order, key.sign(digest), number),
                *(reserved if bid else 0, b"", CHARGE if bid else 0),
            )
        )
    return orders
