"""A ledger that tells a true market passes; each lie a sound chain can tell is found and named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import (
    ANN,
    BEN,
    COLLECTOR,
    PLANT,
    REGION,
    SUE,
    ZONE,
    Round,
    accept,
    founded,
    reading,
)

from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import Corrupt
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.chain import Call
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.files.store import open_store
from gridpact.ledger.onchain.abi import Rows
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.interval import Key, Phase
from gridpact.model.record import (
    Anchor,
    Book,
    Cleared,
    Commitment,
    Confirmed,
    Meters,
    Prices,
    Record,
    Returned,
    Settlement,
    encode,
)

Lie = Callable[[Any], Record]
THIEF = PrivateKey.derive(b"people", "thief")
DOMAIN = Suite(COLLECTOR.address).domain(1)


def _clock(key: Key) -> int:
    return 1_000 + 3_600 * key.interval + 60 * int(key.phase)


def ledger_call(function: str, *given: Rows) -> Call:
    return Suite(COLLECTOR.address).call("vault", function, *given)


def _write(path: Path, lie: Lie | None = None, kind: type | None = None, on: str = "local",
           plant_wh: int = 900, writes: int = 1_000, intervals: int = 1,
           refusing: bool = False) -> None:  # fmt: skip
    """Run the market; the first record of `kind` on chain `on` is not what it should be."""
    with open_store(path) as store:
        local = MarketLedger(EmbeddedChain(store, "local", 1, COLLECTOR, _clock), REGION)
        zonal = MarketLedger(EmbeddedChain(store, "zonal", 2, COLLECTOR, _clock), ZONE)
        founded(local, zonal)
        left = writes
        for interval in range(intervals):
            market = Round(local, zonal, interval, sue_wh=1_700, plant_wh=plant_wh)
            market.refusing = refusing and interval == 0
            for ledger, key, record in market.steps():
                if left == 0:
                    return
                left -= 1
                if lie and kind and isinstance(record, kind) and ledger.name == on:
                    record, lie = lie(record), None
                ledger.write(key, record)
        local.close()
        zonal.close()


def _audit(path: Path) -> None:
    audit(path, inspectors=[MarketAudit()])


def test_a_true_market_passes(tmp_path: Path) -> None:
    _write(tmp_path / "ledger.db", intervals=2)
    _audit(tmp_path / "ledger.db")


@pytest.mark.parametrize("writes", range(17))
def test_a_run_that_was_stopped_anywhere_passes(tmp_path: Path, writes: int) -> None:
    _write(tmp_path / "ledger.db", writes=writes)
    _audit(tmp_path / "ledger.db")


@pytest.mark.parametrize("writes", [*range(7, 16), 1_000])
def test_a_crossing_that_was_refused_and_returned_passes(tmp_path: Path, writes: int) -> None:
    _write(tmp_path / "ledger.db", writes=writes, intervals=2, refusing=True)
    _audit(tmp_path / "ledger.db")


def _refused_by_nothing(returned: Returned) -> Returned:
    return replace(returned, receipt=bytes(32))


def _served_and_unserved(returned: Returned) -> Returned:
    return replace(returned, unmet=())


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        (_refused_by_nothing, "refused by no block of zonal"),
        (_served_and_unserved, "unmet: not what the fills"),
    ],
)
def test_a_lie_about_a_refused_crossing_is_found(tmp_path: Path, lie: Lie, problem: str) -> None:
    _write(tmp_path / "ledger.db", lie, Returned, refusing=True)
    with pytest.raises(Corrupt, match=problem) as caught:
        _audit(tmp_path / "ledger.db")
    assert "interval 0" in caught.value.place


def _receipt_of_another(book: Book) -> Book:
    last = book.orders[-1]
    forged = replace(last, receipt=SUE.sign(last.digest(DOMAIN)))
    return replace(book, orders=(*book.orders[:-1], forged))


def _sequence_twice(book: Book) -> Book:
    last = book.orders[-1]
    again = accept(last.order, ANN, DOMAIN, 0, last.charge, 16)
    return replace(book, orders=(*book.orders[:-1], again))


def _seed_of_choice(book: Book) -> Book:
    return replace(book, seed=bytes(32))


def _unsigned_reading(meters: Meters) -> Meters:
    first = replace(meters.readings[0], signature=BEN.sign(bytes(32)))
    return replace(meters, readings=(first, *meters.readings[1:]))


def _meter_of_nobody(meters: Meters) -> Meters:
    stranger = reading(PLANT, DOMAIN, 0, 0, 0)
    return replace(meters, readings=(stranger, *meters.readings))


def _reading_twice(meters: Meters) -> Meters:
    return replace(meters, readings=(meters.readings[0], *meters.readings))


def _loss_hidden(meters: Meters) -> Meters:
    # Ann's meter says 10 Wh more than the balance knows of
    more = reading(ANN, DOMAIN, 0, Round.ann_wh + 10, 0)
    return replace(meters, readings=(more, *meters.readings[1:]))


def _rest_made_up(meters: Meters) -> Meters:
    # every meter was heard: nothing may be carried into the next interval
    return replace(meters, carried_wh=10)


def _meter_left_out(meters: Meters) -> Meters:
    # without Ben's reading the expected loss is shared out, and his 900 Wh stay open
    return replace(meters, readings=(meters.readings[0], *meters.readings[2:]))


def _other_prices(prices: Prices) -> Prices:
    return replace(prices, margin=prices.margin + 1)


def _confirmed_by_nothing(confirmed: Confirmed) -> Confirmed:
    return replace(confirmed, receipt=bytes(32))


def _anchor_of_nothing(anchor: Anchor) -> Anchor:
    return replace(anchor, head=bytes([1]) * 32)


def _bought_more(settlement: Settlement) -> Settlement:
    # Ann's bill moves a kilowatt-hour to Ben: each price is right, the energy is not
    ann, ben, *rest = settlement.bills
    return replace(settlement, bills=(_energy(ann, -1_000), _energy(ben, 1_000), *rest))


def _energy(bill: Any, more: int) -> Any:
    bought = bill.bought_wh + more
    return replace(bill, bought_wh=bought, purchase=300 * bought, network_share=90 * bought)


def _loss_left_out(settlement: Settlement) -> Settlement:
    return replace(settlement, network_loss_wh=0, network_loss_cost=0)


def _kept_by_the_zone(settlement: Settlement) -> Settlement:
    return replace(settlement, departed=None)


def _sequence_of_the_plant(commitment: Commitment) -> Commitment:
    bid = commitment.bid
    assert bid is not None
    bare = replace(bid, sequence=0)
    digest = bare.digest(Suite(COLLECTOR.address).domain(2))
    return replace(commitment, bid=replace(bare, receipt=COLLECTOR.sign(digest)))


def _cleared_otherwise(cleared: Cleared) -> Cleared:
    first = replace(cleared.fills[0], energy_wh=cleared.fills[0].energy_wh - 1)
    return replace(cleared, fills=(first, *cleared.fills[1:]))


def _cleared_too_much(cleared: Cleared) -> Cleared:
    first = replace(cleared.fills[0], energy_wh=2_001)
    return replace(cleared, fills=(first, *cleared.fills[1:]))


@pytest.mark.parametrize(
    ("lie", "kind", "on", "problem"),
    [
        (_cleared_otherwise, Cleared, "local", "fills: not those that were cleared"),
        (_cleared_otherwise, Cleared, "zonal", "fills: not those that were cleared"),
        (_cleared_too_much, Cleared, "local", "filled above its energy"),
        (_sequence_of_the_plant, Commitment, "zonal", "two receipts with one sequence"),
        (_receipt_of_another, Book, "local", "receipt not signed by the collector"),
        (_sequence_twice, Book, "local", "two receipts with one sequence"),
        (_seed_of_choice, Book, "local", "seed: not drawn from the closed book"),
        (_unsigned_reading, Meters, "local", "not signed by its meter"),
        (_meter_of_nobody, Meters, "local", "nobody's meter"),
        (_reading_twice, Meters, "local", "two of one meter"),
        (_loss_hidden, Meters, "local", "the meters leave 50"),
        (_rest_made_up, Meters, "local", "10 Wh carried on, the meters leave 0"),
        (_meter_left_out, Meters, "local", "0 Wh carried on, the meters leave 900"),
        (_other_prices, Prices, "zonal", "not the same on all chains"),
        (_confirmed_by_nothing, Confirmed, "local", "confirmed by no block of zonal"),
        (_anchor_of_nothing, Anchor, "zonal", "region has no such block"),
        (_bought_more, Settlement, "local", "energy of"),
        (_loss_left_out, Settlement, "local", "loss: fills carry"),
    ],
)
def test_a_lie_that_the_contracts_cannot_see_is_found(
    tmp_path: Path, lie: Lie, kind: type, on: str, problem: str
) -> None:
    _write(tmp_path / "ledger.db", lie, kind, on)
    with pytest.raises(Corrupt, match=problem) as caught:
        _audit(tmp_path / "ledger.db")
    assert "interval 0" in caught.value.place


def test_money_that_a_zone_keeps_from_a_region_is_found(tmp_path: Path) -> None:
    # 11 writes later the zonal settlement is the last record: nothing can come home
    _write(tmp_path / "ledger.db", _kept_by_the_zone, Settlement, "zonal", writes=12, plant_wh=500)
    with pytest.raises(Corrupt, match="did not go home"):
        _audit(tmp_path / "ledger.db")


def _chain_with(path: Path, key: Key, body: bytes) -> None:
    """Write a body beside calls that it does not yield: none at all."""
    with open_store(path) as store:
        chain = EmbeddedChain(store, "local", 1, COLLECTOR, _clock)
        zonal = EmbeddedChain(store, "zonal", 2, COLLECTOR, _clock)
        founded(MarketLedger(chain, REGION), MarketLedger(zonal, ZONE))
        chain.execute(key, body, ())
        chain.close()
        zonal.close()


def test_a_record_without_its_calls_is_found(tmp_path: Path) -> None:
    key = Key(REGION, 0, Phase.COLLECT)
    _chain_with(tmp_path / "ledger.db", key, encode(Book(b"", (), ())))
    with pytest.raises(Corrupt, match="0 transactions, the record yields 1"):
        _audit(tmp_path / "ledger.db")


def test_a_body_that_is_no_record_is_found(tmp_path: Path) -> None:
    _chain_with(tmp_path / "ledger.db", Key(REGION, 0, Phase.COLLECT), b"\x00nothing")
    with pytest.raises(Corrupt, match="no record"):
        _audit(tmp_path / "ledger.db")


def test_a_record_in_another_phase_is_found(tmp_path: Path) -> None:
    _chain_with(tmp_path / "ledger.db", Key(REGION, 0, Phase.RATE), encode(Book(b"", (), ())))
    with pytest.raises(Corrupt, match="no content of this phase"):
        _audit(tmp_path / "ledger.db")


def test_a_key_of_another_region_is_found(tmp_path: Path) -> None:
    _chain_with(tmp_path / "ledger.db", Key(ZONE, 0, Phase.COLLECT), encode(Book(b"", (), ())))
    with pytest.raises(Corrupt, match="another region"):
        _audit(tmp_path / "ledger.db")


def test_a_market_passes_with_strangers_transactions_between_its_records(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    _write(path)
    with open_store(path) as store:
        chain = EmbeddedChain(store, "local", 1, COLLECTOR, _clock)
        ledger = MarketLedger(chain, REGION)
        before = ledger.accounts()
        assert ledger.accounts() is before
        calls = [ledger_call("totals"), ledger_call("mint", Rows([bytes(32)]))]
        for nonce, call in enumerate(calls):
            raw = sign(THIEF, 1, nonce, call.to, call.data).raw
            assert chain.submit(raw).outcome.status == (nonce == 0)
        assert ledger.accounts() is not before
        assert ledger.accounts() == before
    _audit(path)
