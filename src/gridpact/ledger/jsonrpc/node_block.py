"""A block as a node words it, checked against its own hash: header, transactions, receipts.

Nothing of an answer is believed that its hash does not cover. Headers of all forks up to Prague are
known by the fields they have; transactions of types 0, 1 and 2 are encoded again from their fields.
A QBFT block of Besu is hashed without its commit seals and round, so that form is tried too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import rlp

from gridpact.crypto.keccak import keccak
from gridpact.crypto.recovery import recover
from gridpact.errors import Corrupt
from gridpact.ledger.chain import Log
from gridpact.ledger.evm.trie import ordered_root
from gridpact.ledger.jsonrpc.node import data, number, read_logs

_WORDS = ("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot")
_NUMBERS = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
_LATER = (
    ("baseFeePerGas", number),
    ("withdrawalsRoot", data),
    ("blobGasUsed", number),
    ("excessBlobGas", number),
    ("parentBeaconBlockRoot", data),
    ("requestsHash", data),
)
"""Fields that later forks added at the end, in this order."""


class Mined(NamedTuple):
    """A transaction in a block, with its receipt: what the block's roots cover.

    `out_of_gas` says that it failed and used all the gas it was given.
    """

    hash: bytes
    sender: bytes
    nonce: int
    gas: int
    to: bytes
    data: bytes
    status: int
    logs: tuple[Log, ...]
    out_of_gas: bool


class Block(NamedTuple):
    """A block whose header has its hash and whose lists have its roots. `time` in seconds."""

    number: int
    hash: bytes
    parent: bytes
    time: int
    state_root: bytes
    transactions: tuple[Mined, ...]


def verified(header: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]]) -> Block:
    """Return a block that a node answered, if all of it follows from its hash.

    Raises
    ------
    Corrupt
        Hash, transactions or receipts do not fit; the block is named.
    """
    try:
        place = f"block {number(header['number'])}"
    except (KeyError, TypeError, ValueError) as error:
        raise Corrupt("block", f"number: {error}") from error
    try:
        return _verified(place, header, receipts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Corrupt(place, f"is not worded as a block: {error!r}") from error


def _verified(
    place: str, header: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]]
) -> Block:
    digest = data(header["hash"])
    _require_hash(place, header, digest)
    raws = []
    for at, row in enumerate(header["transactions"]):
        raw = encode_transaction(f"{place} transaction {at}", row)
        if keccak(raw) != data(row["hash"]):
            raise Corrupt(f"{place} transaction {at}", "hash: is not that of its fields")
        raws.append(raw)
    if ordered_root(raws) != data(header["transactionsRoot"]):
        raise Corrupt(place, "transactionsRoot: does not cover the transactions")
    if len(receipts) != len(raws):
        raise Corrupt(place, f"receipts: {len(receipts)} of {len(raws)} transactions")
    if ordered_root([encode_receipt(row) for row in receipts]) != data(header["receiptsRoot"]):
        raise Corrupt(place, "receiptsRoot: does not cover the receipts")
    used = 0
    mined = []
    rows = zip(header["transactions"], raws, receipts, strict=True)
    for at, (row, raw, receipt) in enumerate(rows):
        total = number(receipt["cumulativeGasUsed"])
        sender = _sender(f"{place} transaction {at}", row, raw)
        mined.append(_mined(row, receipt, sender, total - used))
        used = total
    return Block(
        number(header["number"]),
        digest,
        data(header["parentHash"]),
        number(header["timestamp"]),
        data(header["stateRoot"]),
        tuple(mined),
    )


def _mined(row: Mapping[str, Any], receipt: Mapping[str, Any], sender: bytes, used: int) -> Mined:
    gas, status = number(row["gas"]), number(receipt["status"])
    return Mined(
        data(row["hash"]),
        sender,
        number(row["nonce"]),
        gas,
        data(row["to"]) if row.get("to") else b"",
        data(row["input"]),
        status,
        read_logs(receipt["logs"]),
        status == 0 and used == gas,
    )


# the header


def _require_hash(place: str, header: Mapping[str, Any], digest: bytes) -> None:
    extra = data(header["extraData"])
    if keccak(rlp.encode(_header(header, extra))) == digest:
        return
    unsealed = _without_seals(extra)
    if unsealed and keccak(rlp.encode(_header(header, unsealed))) == digest:
        return
    raise Corrupt(place, "hash: is not that of the header's fields")


def _header(header: Mapping[str, Any], extra: bytes) -> list[object]:
    later = [read(header[name]) for name, read in _LATER if header.get(name) is not None]
    return [
        *(data(header[name]) for name in _WORDS),
        data(header["logsBloom"]),
        *(number(header[name]) for name in _NUMBERS),
        extra,
        data(header["mixHash"]),
        data(header["nonce"]),
        *later,
    ]


def _without_seals(extra: bytes) -> bytes:
    """Return a QBFT block's extra data as its hash covers it; empty for any other block's."""
    try:
        fields = rlp.decode(extra)
    except rlp.exceptions.DecodingError:
        return b""
    if not isinstance(fields, list) or len(fields) != 5:
        return b""
    unsealed: bytes = rlp.encode([*fields[:3], b"", []])
    return unsealed


# transactions and receipts


def encode_transaction(place: str, row: Mapping[str, Any]) -> bytes:
    """Return the raw bytes of a transaction from the fields that a node names."""
    kind, head = _unsigned(place, row)
    parity = "v" if kind == b"" else "yParity" if row.get("yParity") else "v"
    encoded: bytes = rlp.encode([*head, *(number(row[name]) for name in (parity, "r", "s"))])
    return kind + encoded


def _unsigned(place: str, row: Mapping[str, Any]) -> tuple[bytes, list[object]]:
    """Return a transaction's type byte and its fields before the signature."""
    kind = number(row.get("type") or "0x0")
    to = data(row["to"]) if row.get("to") else b""
    gas, value, given = number(row["gas"]), number(row["value"]), data(row["input"])
    nonce = number(row["nonce"])
    if kind == 0:
        return b"", [nonce, number(row["gasPrice"]), gas, to, value, given]
    access = [
        [data(one["address"]), [data(key) for key in one["storageKeys"]]]
        for one in row.get("accessList") or ()
    ]
    if kind == 1:
        prices = [number(row["gasPrice"])]
    elif kind == 2:
        prices = [number(row["maxPriorityFeePerGas"]), number(row["maxFeePerGas"])]
    else:
        raise Corrupt(place, f"type: transactions of type {kind} are not known")
    chain = number(row["chainId"])
    return bytes([kind]), [chain, nonce, *prices, gas, to, value, given, access]


def _sender(place: str, row: Mapping[str, Any], raw: bytes) -> bytes:
    kind, head = _unsigned(place, row)
    v = number(row["v"])
    parity = v
    if kind == b"":
        parity = (v - 35) & 1 if v >= 35 else v - 27
        head = [*head, (v - 35) >> 1, b"", b""] if v >= 35 else head
    elif row.get("yParity"):
        parity = number(row["yParity"])
    r, s = number(row["r"]), number(row["s"])
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])
    sender = recover(keccak(kind + rlp.encode(head)), signature)
    if sender is None or sender != data(row["from"]):
        raise Corrupt(place, f"from: did not sign the {len(raw)} bytes")
    return sender


def encode_receipt(row: Mapping[str, Any]) -> bytes:
    """Return the bytes of a receipt that the receipts' root covers."""
    kind = number(row.get("type") or "0x0")
    logs = [[log.address, list(log.topics), log.data] for log in read_logs(row["logs"])]
    bloom = data(row["logsBloom"])
    encoded: bytes = rlp.encode(
        [number(row["status"]), number(row["cumulativeGasUsed"]), bloom, logs]
    )
    return (bytes([kind]) if kind else b"") + encoded
