"""What people and devices sign is frozen: a changed digest is another protocol."""

import json
from pathlib import Path
from typing import Any

import pytest

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.recovery import recover
from gridpact.model.delivery import Quality, Reading
from gridpact.model.order import Accepted, Order, Side, Tier
from gridpact.model.typed import ACCEPTED, ALL, ORDER, READING

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "eip712.json").read_text())
DOMAIN = Domain(VECTORS["chainId"], bytes.fromhex(VECTORS["verifyingContract"]))
BY_NAME = {vector["name"]: vector for vector in VECTORS["structs"]}
each = pytest.mark.parametrize("struct", ALL, ids=lambda struct: struct.name)


def _values(struct: Any) -> list[int | bytes]:
    return [
        bytes.fromhex(text) if kind in ("address", "bytes32") else int(text)
        for (kind, _), text in zip(struct.fields, BY_NAME[struct.name]["values"], strict=True)
    ]


@each
def test_each_struct_has_its_frozen_type_and_digest(struct: Any) -> None:
    vector = BY_NAME[struct.name]
    assert struct.signature == vector["type"]
    assert struct.type_hash.hex() == vector["typeHash"]
    digest = DOMAIN.digest(struct.struct_hash(_values(struct)))
    assert digest.hex() == vector["digest"]
    signer = recover(digest, bytes.fromhex(vector["signature"]))
    assert signer is not None
    assert signer.hex() == VECTORS["signer"]


def test_every_struct_is_frozen() -> None:
    assert set(BY_NAME) == {struct.name for struct in ALL}
    assert DOMAIN.separator.hex() == VECTORS["separator"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@each
def test_a_wallet_library_signs_the_same_digest(struct: Any) -> None:
    from eth_account.messages import _hash_eip191_message, encode_typed_data

    message = {
        name: bool(value) if kind == "bool" else value
        for (kind, name), value in zip(struct.fields, _values(struct), strict=True)
    }
    message = {
        name: "0x" + value.hex() if isinstance(value, bytes) and len(value) == 20 else value
        for name, value in message.items()
    }
    signable = encode_typed_data(
        domain_data={
            "name": "gridpact",
            "version": "1",
            "chainId": DOMAIN.chain_id,
            "verifyingContract": "0x" + DOMAIN.verifying_contract.hex(),
        },
        message_types={struct.name: [{"name": name, "type": kind} for kind, name in struct.fields]},
        message_data=message,
    )
    assert _hash_eip191_message(signable).hex() == BY_NAME[struct.name]["digest"]


def test_an_order_signs_its_fields_in_the_structs_order() -> None:
    placed = Order(
        b"\x01" * 20, Side.OFFER, Tier.ZONAL, b"\x02" * 32, 3, 4, 5, 6, b"\x07" * 32, b"\x08" * 32,
        9, 10,
    )  # fmt: skip
    values = (
        b"\x01" * 20, 1, 1, b"\x02" * 32, 3, 4, 5, 6, b"\x07" * 32, b"\x08" * 32, 9, 10
    )  # fmt: skip
    assert placed.digest(DOMAIN) == DOMAIN.digest(ORDER.struct_hash(values))
    accepted = Accepted(b"\x0b" * 32, placed, b"", 12, 0, b"")
    assert accepted.digest(DOMAIN) == DOMAIN.digest(
        ACCEPTED.struct_hash((b"\x0b" * 32, b"\x02" * 32, 3, 12))
    )


def test_a_reading_signs_its_fields_in_the_structs_order() -> None:
    said = Reading(b"\x01" * 20, b"\x02" * 32, 3, 4, 5, Quality.ESTIMATED)
    values = (b"\x01" * 20, b"\x02" * 32, 3, 4, 5, 1)
    assert said.digest(DOMAIN) == DOMAIN.digest(READING.struct_hash(values))
