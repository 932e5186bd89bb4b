"""The compiled contracts: their addresses, and how to call and read them.

Loads ABI and bytecode from `contracts/artefacts` (written by `scripts/compile_contracts.py`); no
compiler is needed at run time. What a call means is for `market_ledger` to say; rows of batches
are packed by `packing`.
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
from gridpact.ledger.packing import words
from gridpact.ledger.transactions import create_address
from gridpact.model.record import IncentiveTerms, RatingTerms
from gridpact.model.statement import SettlementTerms


class Contract(StrEnum):
    """The contracts of one chain, in the order in which they are deployed."""

    REGISTRY = "registry"
    VAULT = "vault"
    ORDERS = "orders"
    CLEARING = "clearing"
    SETTLEMENT = "settlement"
    REPUTATION = "reputation"
    INCENTIVE = "incentive"
    ANCHOR = "anchor"


class Function(NamedTuple):
    """An external function: its selector, and the ABI types of what goes in and comes out."""

    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    batch: int
    """Place of the only dynamic argument, an array of static rows; -1 without one."""


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
    constructor: tuple[str, ...]
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
        constructor=next(
            (_types(entry["inputs"]) for entry in abi if entry["type"] == "constructor"), ()
        ),
        functions={entry["name"]: _function(entry) for entry in abi if entry["type"] == "function"},
        events=dict(_event(entry) for entry in abi if entry["type"] == "event"),
    )


def addresses(operator: bytes, first_nonce: int = 0) -> dict[Contract, bytes]:
    """Return where the contracts will stand when `operator` deploys them one after another."""
    return {
        contract: create_address(operator, first_nonce + place)
        for place, contract in enumerate(Contract)
    }


def deployments(
    operator: bytes,
    settlement: SettlementTerms,
    rating: RatingTerms,
    incentive: IncentiveTerms,
    first_nonce: int = 0,
) -> dict[Contract, bytes]:
    """Return the init code of each contract, to be deployed in this order.

    Peers are immutable: each contract is told where the others will stand.
    """
    at = {name: "0x" + address.hex() for name, address in addresses(operator, first_nonce).items()}
    me, c = "0x" + operator.hex(), Contract
    arguments: dict[Contract, tuple[Any, ...]] = {
        c.REGISTRY: (me, at[c.VAULT]),
        c.VAULT: (me, at[c.REGISTRY], at[c.ORDERS], at[c.SETTLEMENT], at[c.INCENTIVE]),
        c.ORDERS: (me, at[c.REGISTRY], at[c.VAULT], at[c.SETTLEMENT]),
        c.CLEARING: (me,),
        c.SETTLEMENT: (
            *(me, at[c.REGISTRY], at[c.VAULT], at[c.ORDERS], at[c.CLEARING]),
            (
                *(settlement.tau, settlement.eps, settlement.eps_floor_wh, settlement.kappa),
                *(settlement.reward, settlement.unused_fee, settlement.feed_in),
                settlement.loss_fund_share,
            ),
        ),
        c.REPUTATION: (
            *(me, at[c.SETTLEMENT]),
            (rating.gain, rating.loss, rating.prior, rating.floor, rating.reference_wh),
        ),
        c.INCENTIVE: (
            *(me, at[c.VAULT], at[c.SETTLEMENT]),
            (incentive.difficulty, incentive.daily_budget, incentive.day),
        ),
        c.ANCHOR: (me,),
    }
    return {
        name: artefact(name).bytecode + encode(artefact(name).constructor, values)
        for name, values in arguments.items()
    }


def call(contract: Contract, name: str, *arguments: Any) -> bytes:
    """Return the data of a call, encoded by `eth_abi`: for calls that are few."""
    function = artefact(contract).functions[name]
    return function.selector + encode(function.inputs, arguments)


def batch(
    contract: Contract,
    name: str,
    write: bytes,
    rows: Sequence[bytes],
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return the data of a batched call: a write, rows, and static words before or after them.

    Every row is the words of one static struct (`packing`).
    """
    function = artefact(contract).functions[name]
    if function.batch < 0:
        raise TypeError(f"{contract}.{name} takes no rows")
    head = len(write) + len(before) + 32 + len(after)
    return b"".join(
        (function.selector, write, before, words((head,)), after, words((len(rows),)), *rows)
    )


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
    arrays = [place for place, kind in enumerate(inputs) if kind.endswith("[]")]
    return Function(
        selector=keccak(f"{entry['name']}({','.join(inputs)})".encode())[:4],
        inputs=inputs,
        outputs=_types(entry["outputs"]),
        batch=arrays[0] if len(arrays) == 1 else -1,
    )


def _event(entry: Mapping[str, Any]) -> tuple[bytes, EventType]:
    inputs = entry["inputs"]
    signature = f"{entry['name']}({','.join(_types(inputs))})"
    kind = EventType(
        entry["name"],
        tuple((one["name"], one["type"]) for one in inputs if one["indexed"]),
        tuple((one["name"], one["type"]) for one in inputs if not one["indexed"]),
    )
    return keccak(signature.encode()), kind
