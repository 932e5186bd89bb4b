"""Orders travel as bytes and come back as they were; what is no order is refused as data."""

import msgspec
import pytest
from tests.unit.market.test_admission import BUYER, COLLECTOR, gate, order, signed

from gridpact.market.admission import admit
from gridpact.market.wire import MAX_BYTES, decode, encode
from gridpact.model.attributes import Attributes, terms_of
from gridpact.model.order import Code, SignedOrder

PLAIN = signed(order(BUYER))


def test_order_comes_back_as_it_was() -> None:
    asked = Attributes(all_or_nothing=True)
    rich = msgspec.structs.replace(signed(order(BUYER, terms=terms_of(asked))), attributes=asked)
    for one in (PLAIN, rich):
        assert decode(encode(one)) == one
        assert len(encode(one)) < MAX_BYTES // 2


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no order"),
        (b"\xc1", "no order"),
        (encode(PLAIN)[:-1], "no order"),
        (encode(PLAIN) + b"\0", "no order"),
        (msgspec.msgpack.encode({"order": 1, "signature": b""}), "no order"),
        (msgspec.msgpack.encode([1] * 40), "no order"),
        (bytes(MAX_BYTES + 1), "1025 bytes, an order has at most 1024"),
        (encode(PLAIN).replace(b"interval", b"intervax"), "no order"),
    ],
)
def test_what_is_no_order_is_refused_and_the_next_one_taken(raw: bytes, said: str) -> None:
    accepted, refused = admit(map(decode, [raw, encode(PLAIN)]), gate(), COLLECTOR.sign)
    assert [one.order for one in accepted] == [PLAIN.order]
    [bad] = refused
    assert (bad.code, bad.participant) == (Code.PRICE_FORM, bytes(20))
    assert said in bad.detail


def test_every_cut_of_an_order_is_refused() -> None:
    raw = encode(PLAIN)
    assert not any(isinstance(decode(raw[:size]), SignedOrder) for size in range(len(raw)))
