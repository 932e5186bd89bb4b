"""Contract calls and events by name, through `eth_abi` and the committed ABI.

Slower than what the ledger does (`ledger.abi` packs by hand) and independent of it: the tests of
the contracts speak to them as any Ethereum client would.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from eth_abi.abi import decode, encode

from gridpact.crypto.keccak import keccak
from gridpact.ledger.chain import Log


class Contract(StrEnum):
    """The contracts of one chain."""

    REGISTRY = "registry"
    VAULT = "vault"
    ORDERS = "orders"
    CLEARING = "clearing"
    SETTLEMENT = "settlement"
    REPUTATION = "reputation"
    INCENTIVE = "incentive"
    ANCHOR = "anchor"
    COUNCIL = "council"
    NET = "net"
    FRAUD = "fraud"
    EVIDENCE = "evidence"
    CURRENCY = "currency"
    CROSSING = "crossing"
    WALLETS = "wallets"
    CHALLENGE_BOOK = "challenge_book"
    CHALLENGE_FILLS = "challenge_fills"
    FALLBACK = "fallback"
    SUPPLY = "supply"
    VERDICTS = "verdicts"


class Function(NamedTuple):
    """An external function: its selector, and the ABI types of what goes in and comes out."""

    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class EventType(NamedTuple):
    """An event: names and types of its indexed and of its other values."""

    name: str
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]


class Event(NamedTuple):
    """A decoded log; addresses and hashes are bytes."""

    contract: Contract
    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Artefact:
    """One compiled contract."""

    bytecode: bytes
    functions: Mapping[str, Function]
    events: Mapping[bytes, EventType]


@cache
def artefact(contract: Contract) -> Artefact:
    """Return a contract's artefact, read once."""
    path = files("gridpact").joinpath("contracts", "artefacts", f"{contract.value}.json")
    content = json.loads(path.read_text("utf-8"))
    abi: list[dict[str, Any]] = content["abi"]
    return Artefact(
        bytecode=bytes.fromhex(content["bytecode"].removeprefix("0x")),
        functions={entry["name"]: _function(entry) for entry in abi if entry["type"] == "function"},
        events=dict(_event(entry) for entry in abi if entry["type"] == "event"),
    )


def call(contract: Contract, name: str, *arguments: Any) -> bytes:
    """Return the data of a call."""
    function = artefact(contract).functions[name]
    return function.selector + encode(function.inputs, arguments)


def result(contract: Contract, name: str, output: bytes) -> tuple[Any, ...]:
    """Return what a call returned."""
    return decode(artefact(contract).functions[name].outputs, output)


def event(contract: Contract, log: Log) -> Event:
    """Return a log of a contract in words."""
    kind = artefact(contract).events[log.topics[0]]
    values: dict[str, Any] = {}
    for (name, type_), topic in zip(kind.indexed, log.topics[1:], strict=True):
        values[name] = _value(type_, topic)
    for place, (name, type_) in enumerate(kind.plain):
        values[name] = _value(type_, log.data[32 * place : 32 * place + 32])
    return Event(contract, kind.name, values)


def _value(kind: str, word: bytes) -> int | bytes:
    # our events hold whole numbers, addresses and hashes only
    if kind == "address":
        return word[12:]
    return word if kind == "bytes32" else int.from_bytes(word, "big")


def _types(inputs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(_type(one) for one in inputs)


def _type(one: Mapping[str, Any]) -> str:
    kind: str = one["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_types(one['components']))}){kind.removeprefix('tuple')}"


def _function(entry: Mapping[str, Any]) -> Function:
    inputs = _types(entry["inputs"])
    selector = keccak(f"{entry['name']}({','.join(inputs)})".encode())[:4]
    return Function(selector, inputs, _types(entry["outputs"]))


def _event(entry: Mapping[str, Any]) -> tuple[bytes, EventType]:
    inputs = entry["inputs"]
    signature = f"{entry['name']}({','.join(_types(inputs))})"
    kind = EventType(
        entry["name"],
        tuple((one["name"], one["type"]) for one in inputs if one["indexed"]),
        tuple((one["name"], one["type"]) for one in inputs if not one["indexed"]),
    )
    return keccak(signature.encode()), kind
