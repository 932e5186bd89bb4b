"""Typed data as every wallet encodes it: checked against the example of EIP-712 itself."""

from gridpact.crypto.eip712 import Domain, StructType, word
from gridpact.crypto.keccak import keccak


def test_a_type_is_written_as_the_standard_writes_it() -> None:
    mail = StructType("Person", (("string", "name"), ("address", "wallet")))
    assert mail.signature == "Person(string name,address wallet)"
    expected = "b9d8c78acf9b987311de6c7b45bb6a9c8e1bf361fa7fd3467a2163f994c79500"
    assert mail.type_hash.hex() == expected


def test_a_flat_struct_hashes_as_the_standards_example_does() -> None:
    person = StructType("Person", (("bytes32", "name"), ("address", "wallet")))
    typed = StructType("Person", (("string", "name"), ("address", "wallet")))
    cow = bytes.fromhex("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")
    hashed = keccak(typed.type_hash + keccak(b"Cow") + word(cow))
    assert hashed.hex() == "fc71e5fa27ff56c350aa531bc129ebdf613b772b6604664f5d8dbe21b85eb0c8"
    assert person.struct_hash((keccak(b"Cow"), cow)) == keccak(
        person.type_hash + keccak(b"Cow") + word(cow)
    )


def test_a_message_counts_on_one_chain_and_one_registry_only() -> None:
    here = Domain(7, b"\x11" * 20)
    elsewhere = (Domain(8, b"\x11" * 20), Domain(7, b"\x12" * 20))
    digest = here.digest(b"\x01" * 32)
    assert digest != here.digest(b"\x02" * 32)
    assert all(digest != other.digest(b"\x01" * 32) for other in elsewhere)
    assert digest == keccak(b"\x19\x01" + here.separator + b"\x01" * 32)


def test_numbers_and_addresses_fill_a_word_from_the_left() -> None:
    assert word(1) == b"\0" * 31 + b"\x01"
    assert word(b"\xff" * 20) == b"\0" * 12 + b"\xff" * 20
    assert word(b"\x01" * 32) == b"\x01" * 32
