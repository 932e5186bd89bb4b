"""Contract calls as bytes: words of 32, and lists of such words.

All our contracts take static words and at most lists of static structs, so packing by hand is
enough and twenty times faster than a general encoder. Names and types come from the artefacts.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from gridpact.crypto.eip712 import word
from gridpact.crypto.keccak import name_hash

WORD = 32


class Rows(NamedTuple):
    """A list argument: each item is a static struct, already packed."""

    items: Sequence[bytes]


class Tail(NamedTuple):
    """Any other argument of no fixed length, already packed: it goes behind, as lists do."""

    data: bytes


class Contract(NamedTuple):
    """A compiled contract: its creation code, selectors by function, topics by event."""

    name: str
    bytecode: bytes
    selectors: Mapping[str, bytes]
    topics: Mapping[str, bytes]


@cache
def contract(name: str) -> Contract:
    """Return a contract as it was compiled and committed."""
    entries = interface(name)
    return Contract(
        name,
        bytes.fromhex(_artefact(name)["bytecode"].removeprefix("0x")),
        {e["name"]: name_hash(signature(e))[:4] for e in entries if e["type"] == "function"},
        {e["name"]: name_hash(signature(e)) for e in entries if e["type"] == "event"},
    )


def interface(name: str) -> Sequence[Mapping[str, Any]]:
    """Return a contract's ABI: one entry per function and event."""
    entries: Sequence[Mapping[str, Any]] = _artefact(name)["abi"]
    return entries


@cache
def _artefact(name: str) -> Any:
    place = files("gridpact").joinpath("contracts", "artefacts", f"{name}.json")
    return json.loads(place.read_text())


def signature(entry: Mapping[str, Any]) -> str:
    """Return the text that selectors and topics are hashes of: name and types."""
    return f"{entry['name']}({','.join(map(abi_type, entry['inputs']))})"


def abi_type(argument: Mapping[str, Any]) -> str:
    """Return an argument's type as signatures write it: structs as tuples of their types."""
    kind: str = argument["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(abi_type, argument['components']))}){kind.removeprefix('tuple')}"


def pack(*values: int | bytes) -> bytes:
    """Return whole numbers, addresses and 32-byte values as words."""
    return b"".join(map(word, values))


def arguments(*given: bytes | Rows | Tail) -> bytes:
    """Return a call's arguments: packed words stay in place, lists go behind them."""
    heads = sum(len(part) if isinstance(part, bytes) else WORD for part in given)
    front, back = [], b""
    for part in given:
        if isinstance(part, bytes):
            front.append(part)
            continue
        front.append(word(heads + len(back)))
        match part:
            case Rows(items):
                back += word(len(items)) + b"".join(items)
            case Tail(data):
                back += data
    return b"".join(front) + back


def numbers(data: bytes) -> tuple[int, ...]:
    """Return the words of an output or an event as whole numbers."""
    return tuple(int.from_bytes(data[at : at + WORD], "big") for at in range(0, len(data), WORD))


def listed(output: bytes) -> tuple[int, ...]:
    """Return the words of an output that is one list."""
    return numbers(output)[2:]
