"""Calls packed by hand are those that a general encoder makes of the compiled interface."""

import json
from importlib.resources import files

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from gridpact.crypto.keccak import name_hash
from gridpact.ledger.onchain.abi import Rows, arguments, contract, listed, numbers, pack

numbers_drawn = st.integers(0, 2**256 - 1)
addresses = st.binary(min_size=20, max_size=20)
hashes = st.binary(min_size=32, max_size=32)


@given(
    st.tuples(hashes, numbers_drawn),
    st.lists(st.tuples(addresses, numbers_drawn), max_size=5),
    hashes,
)
def test_a_list_between_words_is_packed_as_the_standard_says(
    write: tuple[bytes, int], rows: list[tuple[bytes, int]], expected: bytes
) -> None:
    by_hand = arguments(pack(*write), Rows([pack(*row) for row in rows]), expected)
    assert by_hand == encode(
        ["(bytes32,uint256)", "(address,uint256)[]", "bytes32"],
        [write, [("0x" + to.hex(), sum_) for to, sum_ in rows], expected],
    )


@given(st.lists(hashes, max_size=4), st.lists(numbers_drawn, max_size=4))
def test_two_lists_stand_behind_their_places(one: list[bytes], other: list[int]) -> None:
    by_hand = arguments(Rows(one), Rows([pack(number) for number in other]))
    assert by_hand == encode(["bytes32[]", "uint256[]"], [one, other])


@given(st.lists(numbers_drawn, max_size=6))
def test_outputs_come_back_as_numbers(values: list[int]) -> None:
    assert list(numbers(pack(*values))) == values
    assert list(listed(encode(["uint256[]"], [values]))) == values


def test_a_function_of_structs_has_the_selector_of_its_flat_types() -> None:
    flat = "refund((bytes32,uint64,uint8,uint32,uint32,bytes32),bytes32,(bytes32,uint256)[])"
    assert contract("crossing").selectors["refund"] == name_hash(flat)[:4]


@pytest.mark.parametrize("name", ["registry", "vault", "orders", "settlement"])
def test_a_contract_is_read_as_it_was_committed(name: str) -> None:
    text = files("gridpact").joinpath("contracts", "artefacts", f"{name}.json").read_text()
    artefact = json.loads(text)
    assert "0x" + contract(name).bytecode.hex() == artefact["bytecode"]
    names = {entry["name"] for entry in artefact["abi"] if entry["type"] == "event"}
    assert set(contract(name).topics) == names
