"""Keccak-256, not SHA-3."""

from eth_hash.auto import keccak as another
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.crypto.keccak import keccak, name_hash


def test_empty_input_has_the_hash_every_ethereum_chain_knows() -> None:
    expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak(b"").hex() == expected


def test_a_function_name_hashes_to_its_selector() -> None:
    assert name_hash("transfer(address,uint256)")[:4].hex() == "a9059cbb"


@settings(deadline=None)  # the first call imports a library
@given(st.binary(max_size=600))
def test_two_libraries_agree(data: bytes) -> None:
    assert keccak(data) == another(data)
