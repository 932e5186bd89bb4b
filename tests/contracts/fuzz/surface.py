"""What anybody can call: every external function that may write, its arguments drawn by its ABI.

And the reasons that the sources know: what a campaign reached of both is what it may boast of.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from hypothesis import strategies as st
from tests.contracts.reading import Contract

import gridpact.contracts
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain.abi import abi_type, interface, signature

SOURCES = Path(next(iter(gridpact.contracts.__path__)))
_REASON = re.compile(r'"([a-z_]+: [a-z][^"]*)"')
_CONSTRUCTOR = re.compile(r"^@deploy\n.*?(?=^@|\Z)", re.MULTILINE | re.DOTALL)
LONGEST = 3
"""The most entries of a list that is drawn."""


@cache
def functions(contract: Contract) -> Mapping[bytes, Mapping[str, Any]]:
    """Return a contract's functions that may write, by selector."""
    return {
        keccak(signature(entry).encode())[:4]: entry
        for entry in interface(contract.value)
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def everything() -> list[tuple[Contract, bytes]]:
    """Return all functions that may write."""
    return [(contract, selector) for contract in Contract for selector in functions(contract)]


@cache
def reasons() -> frozenset[str]:
    """Return every reason that a deployed contract can give, as the sources have it."""
    said = {
        reason
        for path in SOURCES.glob("*.vy")
        for reason in _REASON.findall(_CONSTRUCTOR.sub("", path.read_text("utf-8")))
    }
    return frozenset(reason for reason in said if (SOURCES / f"{reason.split(':')[0]}.vy").exists())


def name(contract: Contract, data: bytes) -> str:
    """Return what a call calls, in words."""
    entry = functions(contract).get(data[:4])
    return f"{contract.value}.{entry['name']}" if entry else f"{contract.value}.?"


def decodes(contract: Contract, data: bytes) -> bool:
    """Say whether a call's arguments are what its ABI wants: strictly, and told by another decoder
    than the contract's own."""
    try:
        decode(_types(functions(contract)[data[:4]]), data[4:])
    except (DecodingError, OverflowError, KeyError):
        return False
    return True


def arguments(contract: Contract, data: bytes) -> Mapping[str, Any]:
    """Return an accepted call's arguments by name, structs as mappings.

    Read as the contracts read them: zeros behind the end, lists wherever their offset points. A
    strict decoder refuses such calls; a contract may take them, for it reads no other values.
    """
    return dict(_named(functions(contract)[data[:4]]["inputs"], data[4:], 0))


def structs(value: Any, fields: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """Yield every struct with these fields among a call's arguments."""
    if isinstance(value, Mapping):
        if fields <= value.keys():
            yield value
        for inner in value.values():
            yield from structs(inner, fields)
    elif isinstance(value, list):
        for inner in value:
            yield from structs(inner, fields)


def _types(entry: Mapping[str, Any]) -> list[str]:
    return [abi_type(one) for one in entry["inputs"]]


def _named(
    inputs: Sequence[Mapping[str, Any]], data: bytes, base: int
) -> Iterator[tuple[str, Any]]:
    at = base
    for one in inputs:
        size = _words(one)
        start = at if size else (base + _word(data, at)) % 2**256
        yield one["name"], _read(one, data, start)
        at += 32 * (size or 1)


def _read(one: Mapping[str, Any], data: bytes, at: int) -> Any:
    kind: str = one["type"]
    if kind.endswith("]"):
        inner = {**one, "type": kind[: kind.rindex("[")]}
        count = kind[kind.rindex("[") + 1 : -1]
        first, many = (at, int(count)) if count else (at + 32, _word(data, at))
        size = 32 * _words(inner)
        assert size, "no list of ours holds lists"
        return [_read(inner, data, first + size * place) for place in range(many)]
    if kind == "tuple":
        return dict(_named(one["components"], data, at))
    word = _word(data, at)
    if kind == "bytes":
        return data[at + 32 :][:word]
    if kind == "address":
        return f"0x{word:040x}"
    return word.to_bytes(32, "big") if kind == "bytes32" else word


def _words(one: Mapping[str, Any]) -> int:
    """Return how many words a value takes in place; 0 for one that stands elsewhere."""
    kind: str = one["type"]
    if kind.endswith("[]") or kind == "bytes":
        return 0
    if kind.endswith("]"):
        inner = {**one, "type": kind[: kind.rindex("[")]}
        return int(kind[kind.rindex("[") + 1 : -1]) * _words(inner)
    if kind == "tuple":
        sizes = [_words(part) for part in one["components"]]
        return sum(sizes) if all(sizes) else 0
    return 1


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 32].ljust(32, b"\0"), "big")


def plain(one: Mapping[str, Any], account: bytes) -> Any:
    """Return a small valid value of an ABI type."""
    kind: str = one["type"]
    if kind.endswith("]"):
        size = kind[:-1].rpartition("[")[2]
        inner = {**one, "type": kind[: kind.rindex("[")]}
        return [plain(inner, account)] * (int(size) if size else 0)
    if kind == "tuple":
        return tuple(plain(part, account) for part in one["components"])
    if kind == "address":
        return "0x" + account.hex()
    if kind == "bytes32":
        return account.rjust(32, b"\1")
    if kind == "bytes":
        return b""
    return False if kind == "bool" else 1


def drawn(contract: Contract, selector: bytes, known: Sequence[bytes]) -> st.SearchStrategy[Any]:
    """Return a strategy of a function's arguments; words come often from those `known`."""
    entry = functions(contract)[selector]
    return st.tuples(*(_value(one, known) for one in entry["inputs"]))


def _value(one: Mapping[str, Any], known: Sequence[bytes]) -> st.SearchStrategy[Any]:
    kind: str = one["type"]
    if kind.endswith("]"):
        inner, _, size = kind[:-1].rpartition("[")
        return _list(_value({**one, "type": inner}, known), size)
    if kind == "tuple":
        return st.tuples(*(_value(part, known) for part in one["components"]))
    words = st.sampled_from(known)
    if kind == "address":
        return words.map(lambda word: "0x" + word[-20:].hex())
    if kind == "bytes32":
        return words
    if kind == "bool":
        return st.booleans()
    if kind == "bytes":  # the contracts take signatures of 65 bytes so
        return st.sampled_from([0, 1, 64, 65, 66]).flatmap(
            lambda size: st.binary(min_size=size, max_size=size)
        )
    # an int is drawn from its lower half: all of it is an uint of one bit less
    bits = int(kind.removeprefix("uint")) if kind[0] == "u" else int(kind[3:]) - 1
    return st.one_of(
        st.integers(0, min(2**bits - 1, 60)),
        words.map(lambda word: int.from_bytes(word, "big") % 2**bits),
        st.sampled_from([2**bits - 1, 2 ** (bits - 1), 2 ** (bits // 2)]),
    )


def _list(of: st.SearchStrategy[Any], size: str) -> st.SearchStrategy[Any]:
    least, most = (int(size), int(size)) if size else (0, LONGEST)
    return st.lists(of, min_size=least, max_size=most)
