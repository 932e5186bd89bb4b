"""A state has one form of bytes and one hash, whatever the order in which it came about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.crypto.keccak import keccak
from gridpact.errors import Corrupt
from gridpact.ledger.evm.state_hash import StateAccount, pack, state_hash, unpack

words = st.integers(0, 2**256 - 1)
accounts = st.builds(
    StateAccount,
    nonce=st.integers(0, 2**64 - 1),
    balance=words,
    code=st.binary(max_size=70),
    storage=st.dictionaries(words, words.filter(bool), max_size=5),
)
states = st.dictionaries(st.binary(min_size=20, max_size=20), accounts, max_size=5)


@settings(max_examples=60)
@given(states)
def test_a_packed_state_comes_back_whole(state: dict[bytes, StateAccount]) -> None:
    assert unpack(pack(state), "here") == state


@settings(max_examples=60)
@given(states)
def test_order_of_writing_does_not_matter(state: dict[bytes, StateAccount]) -> None:
    turned = {
        address: account._replace(storage=dict(reversed(account.storage.items())))
        for address, account in reversed(state.items())
    }
    assert state_hash(turned) == state_hash(state)
    assert pack(turned) == pack(state)


@settings(max_examples=60)
@given(states, st.data())
def test_no_change_keeps_the_hash(state: dict[bytes, StateAccount], data: st.DataObject) -> None:
    other = data.draw(states)
    assert (state_hash(other) == state_hash(state)) == (other == state)


def test_the_hash_is_over_the_words_that_the_specification_names() -> None:
    address, code = b"\x11" * 20, b"\x60\x01"
    state = {address: StateAccount(3, 0, code, {7: 9})}
    words_ = [(3).to_bytes(32, "big"), bytes(32), keccak(code), (1).to_bytes(32, "big")]
    slot = (7).to_bytes(32, "big") + (9).to_bytes(32, "big")
    assert state_hash(state) == keccak(address + b"".join(words_) + slot)


@settings(max_examples=60)
@given(states.filter(bool), st.data())
def test_no_other_bytes_pass_for_a_state(
    state: dict[bytes, StateAccount], data: st.DataObject
) -> None:
    content = bytearray(pack(state))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = unpack(bytes(content), "here")
    except Corrupt:
        return
    assert changed != state


def test_a_cut_or_disordered_snapshot_is_refused_with_its_place() -> None:
    one = {b"\x01" * 20: StateAccount(1, 0, b"", {})}
    two = {b"\x02" * 20: StateAccount(1, 0, b"", {})}
    with pytest.raises(Corrupt, match="snapshot 7: content ends too early"):
        unpack(pack(one)[:-1], "snapshot 7")
    with pytest.raises(Corrupt, match="canonical"):
        unpack(pack(two) + pack(one), "snapshot 7")
