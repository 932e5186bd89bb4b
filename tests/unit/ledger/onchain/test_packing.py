"""The packed words of records: the same layout as the contracts', with nothing lost."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Accepted, Order, Side, Tier
from gridpact.model.participant import Account, Participant, Role
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import amount

energy = st.integers(0, 2**40 - 1)
money = st.integers(0, 2**80 - 1)


def word_list(data: bytes) -> list[int]:
    assert len(data) % 32 == 0
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


@given(money, money, money, st.booleans())
def test_account_word_keeps_its_fields_apart(
    free: int, reserved: int, locked: int, opened: bool
) -> None:
    word = free << 161 | reserved << 81 | locked << 1 | opened
    assert packing.account(word) == Account(free, reserved, locked)
    assert packing.is_open(word) == opened


@given(energy, energy, energy, energy, energy, energy, st.booleans())
def test_delivery_word_keeps_its_fields_apart(
    agreed: int, sent: int, received: int, unused: int, unused_sent: int, held: int, disputed: bool
) -> None:
    record = Delivery(bytes(32), agreed, sent, received, unused, unused_sent, held, disputed)
    word = packing.delivery(record)
    fields = [word >> place & 2**40 - 1 for place in (208, 168, 128, 88, 48, 8)]
    assert fields == [agreed, sent, received, unused, unused_sent, held]
    assert word & 255 == disputed
    assert word < 2**248


@given(st.integers(0, 2**32 - 1), st.integers(0, 31))
def test_place_comes_back_from_the_status(bus: int, roles: int) -> None:
    one = Participant("x", bytes(20), bus, Role(roles), bytes(32), bytes(32))
    assert packing.status(packing.place(one) << 8 | 2) == (bus, Role(roles), 2)


def test_write_names_the_key_and_its_content() -> None:
    content = keccak(b"content")
    write = packing.write(Key(keccak(b"region"), 23, Phase.SETTLE, 2), 5, content)
    assert write[:32] == keccak(b"region")
    assert word_list(write)[1:5] == [23, Phase.SETTLE, 2, 5]
    assert write[160:] == content


def accepted(side: Side, reserved: int) -> Accepted:
    order = Order(
        keccak(b"participant")[12:], side, Tier.LOCAL, keccak(b"region"), 23, 1234, 150_001, salt=9
    )
    digest = order.digest(Domain(1, bytes(20)))
    return Accepted(digest, order, bytes(range(64)) + b"\x1b", 0, reserved, b"", 40_000)


def test_bid_states_the_fills_it_reserved_for() -> None:
    whole = amount(150_001, 1234) + amount(40_000, 1234)
    words = word_list(packing.collection(accepted(Side.BID, whole + 16)))
    assert len(words) == 17
    assert words[14:] == [40_000, 16, whole + 16]
    assert word_list(packing.collection(accepted(Side.BID, whole), 300))[-2:] == [300, whole]


def test_a_signature_is_sent_compact() -> None:
    r, s = bytes(range(32)), bytes(range(1, 33))
    for v in (27, 28):
        packed = packing.compact(r + s + bytes([v]))
        assert packed[:32] == r
        assert packed[32] == s[0] | (v - 27) << 7
        assert packed[33:] == s[1:]
    for none in (b"", r + s, r + s + b"\x1d", r + b"\x80" + s[1:] + b"\x1b"):
        assert packing.compact(none) == bytes(64)


def test_offer_states_no_fills() -> None:
    words = word_list(packing.collection(accepted(Side.OFFER, 0)))
    assert words[1:3] == [1, 0]
    assert words[-2:] == [0, 0]


def test_fill_row_ends_with_the_terms_that_its_hash_holds() -> None:
    record = Fill(
        keccak(b"region"), 23, Tier.ZONAL, 3, keccak(b"bid"), keccak(b"offer"), bytes(20),
        b"\x01" * 20, 1234, 150_001, 40_000,
    )  # fmt: skip
    row = packing.fill(record)
    region, interval = record.region, record.interval.to_bytes(32, "big")
    assert keccak(region + interval + row) == record.hash
    assert word_list(row)[-1] == record.terms
    sent = Delivery(record.hash, 1234, 1000, 950, 0, 0, 0)
    assert packing.settlement(record, sent) == row + packing.delivery(sent).to_bytes(32, "big")


@given(st.lists(st.integers(0, 2**80), min_size=9, max_size=9), st.integers(0, 8))
def test_digest_changes_with_every_amount_and_with_the_order(values: list[int], at: int) -> None:
    def statement(changed: int = 0) -> Statement:
        numbers = [value + (changed if place == at else 0) for place, value in enumerate(values)]
        return Statement(keccak(b"fill"), Case.FULL, *numbers)

    other = Statement(keccak(b"other"), Case.FULL, *values)
    digest = packing.statements_digest
    assert digest([statement()]) != digest([statement(1)])
    assert digest([statement(), other]) != digest([other, statement()])
    assert digest([]) == bytes(32)
