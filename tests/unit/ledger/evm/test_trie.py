"""Roots and proofs are those of the `trie` package, whatever the keys and values."""

import warnings

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.crypto.keccak import keccak
from gridpact.ledger.evm import trie

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from trie import HexaryTrie

values = st.binary(min_size=1, max_size=70)
items = st.dictionaries(st.binary(min_size=1, max_size=4), values, max_size=40)


def theirs(content: dict[bytes, bytes]) -> "HexaryTrie":
    made = HexaryTrie({})
    for key, value in content.items():
        made[key] = value
    return made


@settings(max_examples=60, deadline=None)
@given(items)
def test_the_root_over_items_is_the_librarys(content: dict[bytes, bytes]) -> None:
    assert trie.root(content) == theirs(content).root_hash


@settings(max_examples=30, deadline=None)
@given(st.lists(values, max_size=200))
def test_the_root_over_a_list_is_the_librarys(listed: list[bytes]) -> None:
    keyed = {rlp.encode(place): value for place, value in enumerate(listed)}
    assert trie.ordered_root(listed) == theirs(keyed).root_hash


def test_the_empty_root_is_ethereums() -> None:
    known = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert trie.root({}).hex() == trie.ordered_root([]).hex() == known


@settings(max_examples=40, deadline=None)
@given(items, st.binary(min_size=1, max_size=4))
def test_a_proof_shows_a_value_or_that_there_is_none(
    content: dict[bytes, bytes], other: bytes
) -> None:
    made = theirs(content)
    for key in [*content, other]:
        nodes = [rlp.encode(node) for node in made.get_proof(key)]
        if content:
            assert trie.proven(made.root_hash, key, nodes) == content.get(key, b"")


def test_a_proof_that_leads_nowhere_proves_nothing() -> None:
    content = {keccak(bytes([n])): bytes([n]) * 40 for n in range(1, 60)}
    made, key = theirs(content), keccak(b"\5")
    nodes = [rlp.encode(node) for node in made.get_proof(key)]
    assert trie.proven(made.root_hash, key, nodes) == content[key]
    for wrong in (nodes[1:], nodes[:-1], [*nodes[:-1], b"\xc0"], [], [nodes[0][:-1] + b"\0"]):
        with pytest.raises(trie.Unproven):
            trie.proven(made.root_hash, key, wrong)
    with pytest.raises(trie.Unproven):
        trie.proven(keccak(b"another root"), key, nodes)
