"""Orders as they travel: one canonical form of bytes, and a refusal for every other.

MessagePack of `SignedOrder`, fields in order. The signature is over the order's EIP-712 digest, so
whatever form it travels in, it is the same order.
"""

import msgspec

from gridpact.model.order import NONE, Code, Refusal, SignedOrder

MAX_BYTES = 1024
"""An order takes about 300; longer ones are not looked at."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SignedOrder)


def encode(signed: SignedOrder) -> bytes:
    """Return the bytes of an order."""
    return _ENCODER.encode(signed)


def decode(raw: bytes) -> SignedOrder | Refusal:
    """Return the order that bytes stand for, or why they are none."""
    if len(raw) > MAX_BYTES:
        return _refused(f"{len(raw)} bytes, an order has at most {MAX_BYTES}")
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, ValueError) as error:
        return _refused(f"no order: {error}")


def _refused(problem: str) -> Refusal:
    return Refusal(NONE, bytes(20), Code.PRICE_FORM, problem)
