"""The ledger on a chain keeps every promise of the port, on both engines."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.door import deposit
from tests.unit.ledger.conformance import *  # noqa: F403
from tests.unit.ledger.conformance import Pair
from tests.unit.ledger.market_case import (
    ANN,
    BEN,
    COLLECTOR,
    DEPOSIT,
    PRICES,
    REGION,
    ZONE,
    Round,
    accept,
    fill,
    found_local,
    founded,
    key,
    order,
    sealed,
)

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.errors import Disagreement, Reverted
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm import pyevm, revm
from gridpact.ledger.evm.engine import EngineFactory
from gridpact.ledger.files.store import Store, open_store
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, Accepted, Side, Tier
from gridpact.model.participant import Participant, Role
from gridpact.model.record import Book, Cleared, Commitment


def _clock(key: Key) -> int:
    return 1_000 + 3_600 * key.interval + 60 * int(key.phase)


ENGINES = {"revm": revm.open_engine, "py-evm": pyevm.open_engine}


def _pair(store: Store, engine: EngineFactory) -> Pair:
    local = EmbeddedChain(store, "local", 101, COLLECTOR, _clock, engine)
    zonal = EmbeddedChain(store, "zonal", 102, COLLECTOR, _clock, engine)
    return Pair(MarketLedger(local, REGION), MarketLedger(zonal, ZONE))


@pytest.fixture(scope="module", params=list(ENGINES.values()), ids=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> EngineFactory:
    found: EngineFactory = request.param
    return found


@pytest.fixture(scope="module")
def founding(engine: EngineFactory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file in which both chains are founded and nothing more."""
    path = tmp_path_factory.mktemp("founding") / "ledger.db"
    with open_store(path) as store:
        pair = _pair(store, engine)
        founded(pair.local, pair.zonal)
        pair.local.close()
        pair.zonal.close()
    return path


@pytest.fixture
def chains(engine: EngineFactory, founding: Path, tmp_path: Path) -> Iterator[Pair]:
    copy = shutil.copy(founding, tmp_path / "ledger.db")
    with open_store(copy) as store:
        yield _pair(store, engine)


@pytest.fixture
def fresh(engine: EngineFactory, tmp_path: Path) -> Iterator[Pair]:
    with open_store(tmp_path / "fresh.db") as store:
        yield _pair(store, engine)


# what only a chain can do


def test_both_engines_come_to_the_same_blocks_and_states(tmp_path: Path) -> None:
    ends = []
    for n, engine in enumerate(ENGINES.values()):
        with open_store(tmp_path / f"{n}.db") as store:
            pair = _pair(store, engine)
            founded(pair.local, pair.zonal)
            Round(pair.local, pair.zonal, sue_wh=1_500).write()
            ends.append(
                [(one.head(), one.state_hash(), one.totals()) for one in (pair.local, pair.zonal)]
            )
    assert ends[0] == ends[1]


@pytest.mark.parametrize("stop", range(1, 17))
def test_a_run_goes_on_where_the_file_ends(tmp_path: Path, stop: int) -> None:
    path = tmp_path / "ledger.db"
    with open_store(path) as store:
        pair = _pair(store, revm.open_engine)
        founded(pair.local, pair.zonal)
        for ledger, key, record in islice(Round(pair.local, pair.zonal).steps(), stop):
            ledger.write(key, record)
    with open_store(path) as store:
        again = _pair(store, revm.open_engine)
        Round(again.local, again.zonal).write()
        ends = [(one.head(), one.state_hash()) for one in (again.local, again.zonal)]
    with open_store(tmp_path / "undisturbed.db") as store:
        pair = _pair(store, revm.open_engine)
        founded(pair.local, pair.zonal)
        Round(pair.local, pair.zonal).write()
        assert ends == [(one.head(), one.state_hash()) for one in (pair.local, pair.zonal)]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Pair]:
    with open_store(tmp_path / "one.db") as store:
        pair = _pair(store, revm.open_engine)
        founded(pair.local, pair.zonal)
        yield pair


def _book_of(accepted: Accepted) -> Book:
    return Book(b"", (accepted,), ())


def test_an_order_signed_by_another_is_refused(embedded: Pair) -> None:
    market = Round(embedded.local, embedded.zonal)
    forged = accept(market.book.orders[0].order, BEN, embedded.local.domain, 0, 60_000, MAX_FILLS)
    with pytest.raises(Reverted, match="not the participant's signature"):
        embedded.local.write(market.key(Phase.COLLECT), _book_of(forged))


def test_an_order_signed_for_another_chain_is_refused(embedded: Pair) -> None:
    market = Round(embedded.local, embedded.zonal)
    elsewhere = accept(
        market.book.orders[0].order, ANN, embedded.zonal.domain, 0, 60_000, MAX_FILLS
    )
    with pytest.raises(Reverted, match="not the participant's signature"):
        embedded.local.write(market.key(Phase.COLLECT), _book_of(elsewhere))


def test_an_order_without_signature_is_refused(embedded: Pair) -> None:
    market = Round(embedded.local, embedded.zonal)
    unsigned = replace(market.book.orders[0], signature=b"")
    with pytest.raises(Reverted, match="signature"):
        embedded.local.write(market.key(Phase.COLLECT), _book_of(unsigned))


def test_a_disagreement_names_the_row_and_both_sides(embedded: Pair) -> None:
    market = Round(embedded.local, embedded.zonal)
    market.write(until=Phase.SETTLE)
    embedded.zonal.write(market.key(Phase.SETTLE, ZONE), market.zonal_settlement)
    right = market.local_settlement
    ben = right.statements[1]
    wrong = replace(ben, paid=ben.paid - 1, refund=ben.refund + 1)
    with pytest.raises(Disagreement) as caught:
        embedded.local.write(
            market.key(Phase.SETTLE), replace(right, statements=(right.statements[0], wrong))
        )
    assert caught.value.what == "settlement.settle, Settled 1"
    assert caught.value.chain[1] == ben.paid
    assert caught.value.rule[1] == ben.paid - 1


def test_many_orders_and_fills_go_in_batches(tmp_path: Path) -> None:
    """300 orders and 150 fills need three calls each and come to the same as in memory."""
    with open_store(tmp_path / "many.db") as store:
        chain = EmbeddedChain(store, "local", 101, COLLECTOR, _clock)
        ledgers: list[Ledger] = [MarketLedger(chain, REGION), MemoryLedger("local")]
        people = [Device.derive(b"many", str(n)) for n in range(300)]
        found = replace(
            found_local("local", ledgers[0].currency),
            participants=tuple(
                Participant(f"p{n}", one.address, 1, Role.PRODUCER, keccak(one.address), bytes(32))
                for n, one in enumerate(people)
            ),
            deposits=tuple(
                deposit(ledgers[0].currency, one.address, DEPOSIT, keccak(one.address))
                for one in people[:150]
            ),
        )
        domain = ledgers[0].domain
        bids = [
            accept(order(one, Side.BID, Tier.LOCAL, 0, 100, 150_000), one, domain, n, 20_000, 16)
            for n, one in enumerate(people[:150])
        ]
        offers = [
            accept(order(one, Side.OFFER, Tier.LOCAL, 0, 100, 90_000), one, domain, n, 0, 0)
            for n, one in enumerate(people[150:], 150)
        ]
        fills = tuple(
            fill(*pair, 99, n, 20_000) for n, pair in enumerate(zip(bids, offers, strict=True))
        )
        for ledger in ledgers:
            ledger.write(key(Phase.FOUND, 0), found)
            ledger.write(key(Phase.COLLECT, 0), sealed((*bids, *offers)))
            ledger.write(key(Phase.PRICE, 0), PRICES)
            scores = tuple(ledger.score(one.order.participant) for one in (*bids, *offers))
            cleared = Cleared(fills, (), (), (), (), (), scores=scores)
            ledger.write(key(Phase.CLEAR, 0), cleared)
            ledger.write(key(Phase.COMMIT, 0), Commitment(fills))
        assert dict(ledgers[0].accounts()) == dict(ledgers[1].accounts())
        assert ledgers[0].totals() == ledgers[1].totals()
        assert ledgers[0].totals().locked == 150 * fills[0].lock
