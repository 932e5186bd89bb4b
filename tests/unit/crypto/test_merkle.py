"""One root for an ordered list; a proof holds for one content at one place only."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.crypto.merkle import EMPTY, leaf_hash, proof, root, verify

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "merkle.json").read_text())
lists = st.lists(st.binary(max_size=40), min_size=1, max_size=40)


@pytest.mark.parametrize("vector", VECTORS["trees"], ids=lambda vector: str(len(vector["leaves"])))
def test_roots_and_proofs_are_the_frozen_ones(vector: dict[str, object]) -> None:
    leaves = [bytes.fromhex(leaf) for leaf in vector["leaves"]]  # type: ignore[attr-defined]
    assert root(leaves).hex() == vector["root"]
    for index, siblings in enumerate(vector["proofs"]):  # type: ignore[arg-type, var-annotated]
        assert [sibling.hex() for sibling in proof(leaves, index)] == siblings


@given(lists, st.data())
def test_each_leaf_is_proven_at_its_place_and_nowhere_else(
    contents: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(contents) - 1))
    other = data.draw(st.integers(0, len(contents) + 1))
    count, top, siblings = len(contents), root(contents), proof(contents, index)
    assert verify(contents[index], index, count, siblings, top)
    same = other < count and contents[other] == contents[index]
    if other != index and not same:
        assert not verify(contents[index], other, count, siblings, top)


@given(lists, st.data())
def test_another_content_count_or_sibling_is_no_proof(
    contents: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(contents) - 1))
    count, top, siblings = len(contents), root(contents), proof(contents, index)
    assert not verify(contents[index] + b"x", index, count, siblings, top)
    assert not verify(contents[index], index, count + 1, siblings, top)
    assert not verify(contents[index], index, count, [*siblings, EMPTY], top)
    assert not verify(contents[index], index, count, siblings[1:], top) or not siblings


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    contents = [b"a", b"b", b"c", b"d"]
    inner = leaf_hash(b"a") + leaf_hash(b"b")
    assert not verify(inner, 0, 2, proof(contents, 0)[1:], root(contents))


def test_an_empty_list_has_the_zero_root() -> None:
    assert root([]) == EMPTY
    assert not verify(b"", 0, 0, [], EMPTY)
