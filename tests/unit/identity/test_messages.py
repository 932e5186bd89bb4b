"""A message has one form, one hash, and one who signed it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.guides import examples, ran

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.errors import ForgedSignature, MalformedMessage
from gridpact.identity.messages import (
    MAX_BYTES,
    MAX_WALLETS,
    Appeal,
    Bill,
    Body,
    Buy,
    Certified,
    Choice,
    Choose,
    Confirm,
    Correct,
    Notice,
    Pay,
    Renewed,
    Respond,
    Sell,
    Settled,
    Stop,
    Stopped,
    body_of,
    decode,
    encode,
    require_signed,
    sealed,
)
from gridpact.model.delivery import Profile
from gridpact.model.purchase import PurchaseRecord
from gridpact.model.voucher import Voucher

MARKET = Domain(1, bytes(20))
ANN, BOB = (Key.derive(b"messages", name) for name in ("ann", "bob"))
HASH, SIGNATURE = keccak(b"hash"), bytes(65)
VOUCHER = Voucher(ANN.address, BOB.address, 1, 2, 3, 40, 4, 5, HASH)
RECORD = PurchaseRecord(ANN.address, 1, 1, 0, HASH, (HASH,))
CHOICE = Choice(HASH, BOB.address, 1, 2, 20, 3)
BODIES: tuple[Body, ...] = (
    Buy(1, 2, 3, 4, (ANN.address,)),
    Sell(1, 2, 3, 4),
    Respond(HASH, (CHOICE,)),
    Choose(HASH, HASH, ANN.address),
    Certified(VOUCHER, SIGNATURE, RECORD),
    Pay(VOUCHER, SIGNATURE, SIGNATURE, 1),
    Bill(HASH, b"payment", 1, 2, BOB.address),
    Confirm(HASH, 1, SIGNATURE),
    Correct(HASH, 1),
    Stop(HASH),
    Stopped(HASH, SIGNATURE),
    Appeal(Profile(ANN.address, HASH, 1, 2, 3, 4, 5), SIGNATURE),
    Settled(HASH, 1, 2, 3, HASH),
    Renewed(RECORD, SIGNATURE),
    Notice(1, (CHOICE,), (BOB.address,)),
)


def test_example_of_the_guide_runs() -> None:
    [example] = examples("docs/protocol.md")
    assert ran(example).startswith("message: signed by 0x")


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_body_survives_the_wire_and_is_signed_by_its_sender(body: Body) -> None:
    message = sealed(ANN, b"certificate", BOB.address, 7, 8, body, MARKET)
    heard = decode(encode(message))
    assert heard == message
    assert heard.hash == keccak(encode(message))
    require_signed(heard, MARKET)
    assert body_of(heard, type(body)) == body
    for changed in (
        replace(message, receiver=ANN.address),
        replace(message, certificate=b"other"),
        replace(message, nonce=8),
        replace(message, sent_at=9),
        replace(message, sender=BOB.address),
        replace(message, body=BODIES[0] if body is not BODIES[0] else BODIES[1]),
    ):
        with pytest.raises(ForgedSignature):
            require_signed(changed, MARKET)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(wire: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(wire)


def test_another_form_of_the_same_values_is_refused() -> None:
    message = sealed(ANN, b"", BOB.address, 7, 8, BODIES[0], MARKET)
    wire = encode(message)
    longer = wire.replace(b"\x07\x08", b"\xcc\x07\x08")  # 7 in two bytes
    assert msgspec.msgpack.decode(longer) == msgspec.msgpack.decode(wire)
    with pytest.raises(MalformedMessage, match="one form"):
        decode(longer)


def test_too_much_is_refused_by_name() -> None:
    many = Buy(1, 2, 3, 4, (ANN.address,) * (MAX_WALLETS + 1))
    with pytest.raises(MalformedMessage, match=f"at most {MAX_WALLETS}"):
        decode(encode(sealed(ANN, b"", BOB.address, 1, 1, many, MARKET)))
    big = sealed(ANN, bytes(MAX_BYTES), BOB.address, 1, 1, BODIES[0], MARKET)
    with pytest.raises(MalformedMessage, match=f"at most {MAX_BYTES}"):
        decode(encode(big))
    for lie in ({"sender": b""}, {"receiver": bytes(32)}, {"signature": b""}, {"sent_at": -1}):
        bad = replace(sealed(ANN, b"", BOB.address, 1, 1, BODIES[0], MARKET), **lie)  # type: ignore[arg-type]
        with pytest.raises(MalformedMessage):
            decode(encode(bad))


@pytest.mark.parametrize(
    "lie", [{"serial": 2**64}, {"balance": -1}, {"account": bytes(40)}, {"record_root": b""}]
)
def test_voucher_that_no_contract_could_read_is_refused(lie: dict[str, Any]) -> None:
    pay = Pay(replace(VOUCHER, **lie), SIGNATURE, SIGNATURE, 1)
    with pytest.raises((MalformedMessage, OverflowError)):
        decode(encode(sealed(ANN, b"", BOB.address, 1, 1, pay, MARKET)))


@pytest.mark.parametrize(
    "body",
    [Choose(b"", HASH, ANN.address), Stop(bytes(31)), Confirm(HASH, -1, SIGNATURE)],
)
def test_body_of_another_form_is_refused(body: Body) -> None:
    with pytest.raises(MalformedMessage, match="expected"):
        decode(encode(sealed(ANN, b"", BOB.address, 1, 1, body, MARKET)))
