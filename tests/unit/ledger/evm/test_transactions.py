"""Transactions: one form of bytes, bound to one chain and one key."""

import pytest
import rlp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gridpact.crypto.keys import Key
from gridpact.ledger.evm.transactions import (
    NotATransaction,
    _fields,
    create_address,
    decode,
    encode_list,
    sign,
)

KEY = Key.derive(b"transactions", "operator")
TO = bytes(range(20))


@settings(max_examples=50)
@given(
    nonce=st.integers(0, 2**64 - 1),
    chain_id=st.integers(1, 2**53),
    to=st.sampled_from([b"", TO]),
    data=st.binary(max_size=300),
)
def test_what_was_signed_is_what_is_decoded_and_the_signer_is_found(
    nonce: int, chain_id: int, to: bytes, data: bytes
) -> None:
    signed = sign(KEY, chain_id, nonce, to, data)
    read = decode(signed.raw)
    assert read == signed
    assert (read.nonce, read.chain_id, read.to, read.data) == (nonce, chain_id, to, data)
    assert read.sender == KEY.address


def test_the_signer_and_the_v_are_those_of_the_example_in_eip_155() -> None:
    key = Key(b"\x46" * 32)
    assert key.address.hex() == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
    signed = sign(key, 1, 9, b"\x35" * 20, b"", gas=21_000)
    assert rlp.decode(signed.raw)[6] in (b"\x25", b"\x26")
    assert signed.sender == key.address


@settings(max_examples=100)
@given(st.lists(st.one_of(st.binary(max_size=3), st.binary(min_size=50, max_size=70)), max_size=8))
@example([bytes(300), bytes(70_000)])
def test_lists_are_encoded_as_the_rlp_library_does(items: list[bytes]) -> None:
    assert encode_list(items) == rlp.encode(items)


def test_another_ethereum_implementation_reads_our_transaction() -> None:
    from eth.vm.forks.london.transactions import LondonTransactionBuilder

    signed = sign(KEY, 7_001, 3, TO, b"\x01\x02")
    theirs = LondonTransactionBuilder.decode(signed.raw)
    theirs.validate()
    assert (theirs.sender, theirs.hash, theirs.chain_id) == (KEY.address, signed.hash, 7_001)


def test_a_transaction_moved_to_another_chain_has_another_sender() -> None:
    fields = rlp.decode(sign(KEY, 5, 0, TO, b"").raw)
    fields[6] = (int.from_bytes(fields[6], "big") + 2).to_bytes(1, "big")
    moved = decode(rlp.encode(fields))
    assert moved.chain_id == 6
    assert moved.sender != KEY.address


@pytest.mark.parametrize("field", [0, 1, 2, 3, 4, 5, 6, 7, 8])
def test_no_field_can_be_changed_without_losing_the_sender(field: int) -> None:
    fields = rlp.decode(sign(KEY, 300, 1, TO, b"data").raw)
    fields[field] = bytes([fields[field][0] ^ 1 if fields[field] else 1]) + fields[field][1:]
    try:
        changed = decode(rlp.encode(fields))
    except NotATransaction:
        return
    assert changed.sender != KEY.address


def _with(index: int, value: bytes) -> bytes:
    fields = rlp.decode(sign(KEY, 5, 1, TO, b"").raw)
    fields[index] = value
    return bytes(rlp.encode(fields))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not RLP"),
        (b"\xc0\x00", "not RLP"),
        (b"\xc0", "not a legacy"),
        (bytes(rlp.encode([b""] * 8 + [[b""]])), "not a legacy"),
        (_with(0, b"\x00\x01"), "leading zeros"),
        (_with(1, b"\x01"), "must be zero"),
        (_with(4, b"\x01"), "must be zero"),
        (_with(3, b"\x01" * 19), "wrong length"),
        (_with(6, b"\x1b"), "EIP-155"),
    ],
)
def test_bytes_of_another_form_are_refused_by_name(raw: bytes, why: str) -> None:
    with pytest.raises(NotATransaction, match=why):
        decode(raw)


chunks = st.one_of(st.binary(max_size=3), st.binary(min_size=54, max_size=58), st.just(bytes(300)))


@settings(max_examples=300)
@given(st.lists(chunks, max_size=10), st.data())
def test_bytes_are_read_as_a_list_exactly_where_the_rlp_library_reads_one(
    items: list[bytes], data: st.DataObject
) -> None:
    raw = bytearray(encode_list(items))
    for _ in range(data.draw(st.integers(0, 2))):
        raw[data.draw(st.integers(0, min(len(raw), 80) - 1))] = data.draw(st.integers(0, 255))
    try:
        theirs = rlp.decode(bytes(raw))
    except rlp.exceptions.DecodingError:
        theirs = None
    flat = isinstance(theirs, list) and not any(isinstance(item, list) for item in theirs)
    try:
        ours = _fields(bytes(raw))
    except NotATransaction:
        assert not flat or len(theirs) != 9
    else:
        assert ours == theirs


def test_contract_addresses_are_those_of_ethereum() -> None:
    # the first contracts of 0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0, a known example
    sender = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    assert create_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert create_address(sender, 1).hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"
