"""Records have one canonical form: equal records are equal bytes, and bytes give them back."""

import pytest
from tests.unit.ledger.market_case import Round, found_local, found_zonal, founded

from gridpact.crypto.eip712 import Domain
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.model.record import Book, Found, Prices, content_hash, decode, decode_any, encode

CURRENCY = Domain(1, bytes(20))


def test_every_record_of_a_market_comes_back_from_its_bytes() -> None:
    local, zonal = MemoryLedger("local"), MemoryLedger("zonal")
    founded(local, zonal)
    kinds = set()
    for refusing in (False, True):
        for ledger, key, record in Round(local, zonal, int(refusing), refusing=refusing).steps():
            ledger.write(key, record)
            assert decode(encode(record), type(record)) == record
            assert decode_any(encode(record)) == record
            kinds.add(type(record).__name__)
    assert kinds == {
        "Book", "Prices", "Cleared", "Commitment", "Confirmed", "Returned", "Meters", "Settlement",
        "Rating", "Anchor",
    }  # fmt: skip


def test_the_founding_comes_back_from_its_bytes() -> None:
    for found in (found_local("a", CURRENCY), found_zonal("b", CURRENCY)):
        assert decode(encode(found), Found) == found


def test_another_content_has_another_hash() -> None:
    empty, other = Book(b"seed", (), ()), Book(b"seen", (), ())
    assert content_hash(encode(empty)) == content_hash(encode(Book(b"seed", (), ())))
    assert content_hash(encode(empty)) != content_hash(encode(other))


def test_bytes_of_one_kind_are_no_record_of_another() -> None:
    with pytest.raises(ValueError, match="Book"):
        decode(encode(Book(b"seed", (), ())), Prices)
