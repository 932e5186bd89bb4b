"""What bytes on a chain say, by the contracts' own interface: calls, deployments and events.

For people and for `export`; the ledger itself packs and reads by hand (`abi`, `packing`). Anything
that no contract of the chain understands stays bytes: a chain may carry transactions that failed.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from gridpact.crypto.keccak import name_hash
from gridpact.ledger.chain import Log
from gridpact.ledger.onchain.abi import abi_type, contract, interface, signature
from gridpact.ledger.onchain.suite import ORDER, Suite
from gridpact.model.record import decode_any

Entry = Mapping[str, Any]


class Decoded(NamedTuple):
    """A call or an event in words: whose it is, its name, its values by name as plain data."""

    contract: str
    name: str
    arguments: Mapping[str, object]


class Decoder:
    """Reads what was sent to and logged by the contracts of one chain."""

    def __init__(self, operator: bytes) -> None:
        self.suite = Suite(operator)

    def call(self, to: bytes, data: bytes) -> Decoded | None:
        """Return a transaction's call, or None when it fits no function of the contract."""
        if not to:
            return _deployment(data)
        name = self.suite.names.get(to)
        entry = self._functions.get((name, data[:4])) if name else None
        if name is None or entry is None:
            return None
        values = _values(entry["inputs"], data[4:])
        return None if values is None else Decoded(name, entry["name"], values)

    def output(self, to: bytes, data: bytes, output: bytes) -> object:
        """Return what a function returned: a value, a list of values, or bytes if it fits none."""
        name = self.suite.names.get(to)
        entry = self._functions.get((name, data[:4])) if name else None
        if entry is None:
            return plain(output)
        values = _values(entry["outputs"], output)
        if values is None:
            return plain(output)
        found = list(values.values())
        return found[0] if len(found) == 1 else found or None

    def event(self, log: Log) -> Decoded | None:
        """Return a log, or None when it is no event of our contracts."""
        name = self.suite.names.get(log.address)
        entry = self._events.get((name, log.topics[0])) if name and log.topics else None
        if name is None or entry is None:
            return None
        indexed = [one for one in entry["inputs"] if one["indexed"]]
        told = [one for one in entry["inputs"] if not one["indexed"]]
        first, rest = _values(indexed, b"".join(log.topics[1:])), _values(told, log.data)
        if first is None or rest is None:
            return None
        values = first | rest
        in_order = {one["name"]: values[one["name"]] for one in entry["inputs"]}
        return Decoded(name, entry["name"], in_order)

    @cached_property
    def _functions(self) -> Mapping[tuple[str, bytes], Entry]:
        return {
            (name, name_hash(signature(entry))[:4]): entry
            for name in ORDER
            for entry in interface(name)
            if entry["type"] == "function"
        }

    @cached_property
    def _events(self) -> Mapping[tuple[str, bytes], Entry]:
        return {
            (name, name_hash(signature(entry))): entry
            for name in ORDER
            for entry in interface(name)
            if entry["type"] == "event"
        }


def _deployment(code: bytes) -> Decoded | None:
    for name in ORDER:
        created = contract(name).bytecode
        if code.startswith(created):
            builders = (one for one in interface(name) if one["type"] == "constructor")
            inputs = next(builders, {"inputs": ()})["inputs"]
            values = _values(inputs, code[len(created) :])
            return None if values is None else Decoded(name, "deploy", values)
    return None


def _values(arguments: Sequence[Entry], data: bytes) -> dict[str, object] | None:
    """Return arguments by name; those without one are called by their place."""
    try:
        found = decode([abi_type(one) for one in arguments], data)
    except (DecodingError, OverflowError):
        return None
    return {
        one["name"] or str(place): _named(one, value)
        for place, (one, value) in enumerate(zip(arguments, found, strict=True))
    }


def _named(argument: Entry, value: Any) -> object:
    """Return a value with its structs as mappings from field names."""
    kind: str = argument["type"]
    if kind.endswith("]"):
        inner = {**argument, "type": kind[: kind.rindex("[")]}
        return [_named(inner, one) for one in value]
    if kind == "tuple":
        fields = argument["components"]
        return {one["name"]: _named(one, part) for one, part in zip(fields, value, strict=True)}
    return plain(value)


def record(body: bytes) -> tuple[str, object]:
    """Return a record's kind and what it says as plain data; bytes in hexadecimal otherwise."""
    try:
        found = decode_any(body)
    except (msgspec.DecodeError, ValueError):
        return "", plain(body)
    said = msgspec.to_builtins(found, builtin_types=(bytes,))
    said.pop("type", None)
    return type(found).__name__, plain(said)


def plain(value: Any) -> Any:
    """Return data as JSON has it: bytes as 0x-prefixed hexadecimal, tuples as lists."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
