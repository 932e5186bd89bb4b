"""A block's transactions and receipts as two byte strings, each in one form.

One row per block instead of two per transaction. Receipts name each byte string once (addresses,
topics, repeated amounts) and refer to it by its place in the order of first appearance, which
makes them a third as long. Nothing is compressed: other versions of a compressor write other bytes.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from gridpact.ledger.chain import Log, Outcome

_Ref: TypeAlias = int
_LogRefs: TypeAlias = tuple[_Ref, tuple[_Ref, ...], _Ref]
_Receipt: TypeAlias = tuple[int, _Ref, tuple[_LogRefs, ...]]

_encoder = msgspec.msgpack.Encoder()
_raws = msgspec.msgpack.Decoder(tuple[bytes, ...])
_receipts = msgspec.msgpack.Decoder(tuple[tuple[bytes, ...], tuple[_Receipt, ...]])


def pack_transactions(raws: Sequence[bytes]) -> bytes:
    return _encoder.encode(raws)


def unpack_transactions(packed: bytes) -> tuple[bytes, ...]:
    """Return the raw transactions; raises `ValueError` on bytes of another form."""
    raws = _raws.decode(packed)
    if pack_transactions(raws) != packed:
        raise ValueError("not in canonical form")
    return raws


def pack_receipts(outcomes: Sequence[Outcome]) -> bytes:
    places: dict[bytes, int] = {}

    def place(part: bytes) -> int:
        return places.setdefault(part, len(places))

    receipts = [
        (
            done.status,
            place(done.output),
            [
                (place(log.address), [place(topic) for topic in log.topics], place(log.data))
                for log in done.logs
            ],
        )
        for done in outcomes
    ]
    return _encoder.encode((list(places), receipts))


def unpack_receipts(packed: bytes) -> tuple[Outcome, ...]:
    """Return the receipts; raises `ValueError` on bytes of another form."""
    parts, receipts = _receipts.decode(packed)
    try:
        outcomes = tuple(
            Outcome(
                status,
                parts[output],
                tuple(
                    Log(parts[address], tuple(parts[topic] for topic in topics), parts[data])
                    for address, topics, data in logs
                ),
            )
            for status, output, logs in receipts
        )
    except IndexError as error:
        raise ValueError("a receipt refers to nothing") from error
    if pack_receipts(outcomes) != packed:
        raise ValueError("not in canonical form")
    return outcomes
