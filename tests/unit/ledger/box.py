"""A small contract, an operator and chains of it: what the ledger's tests are made of."""

import os
import sys
from functools import cache
from typing import NamedTuple

from gridpact.crypto.keccak import name_hash
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.ledger.chain import Call
from gridpact.ledger.embedded.chain import EmbeddedChain, Now
from gridpact.ledger.evm.engine import EngineFactory
from gridpact.ledger.evm.transactions import create_address, sign
from gridpact.ledger.files.store import Store
from gridpact.model.interval import Key, Phase

REGION = name_hash("north")
OPERATOR = PrivateKey.derive(b"test", "operator")
CHAIN_ID = 7_001

SOURCE = """
# pragma version 0.4.3
# pragma evm-version london

event Put:
    slot: indexed(uint256)
    amount: uint256

event Told:
    text: Bytes[64]

amounts: public(HashMap[uint256, uint256])
last: public(address)
total: public(uint256)


@external
def put(slot: uint256, amount: uint256) -> uint256:
    assert amount != 13, "box: unlucky"
    self.total = self.total + amount - self.amounts[slot]
    self.amounts[slot] = amount
    self.last = msg.sender
    log Put(slot=slot, amount=amount)
    return self.total


@external
def tell(text: Bytes[64]):
    log Told(text=text)


@external
def burn(rounds: uint256) -> uint256:
    for i: uint256 in range(rounds, bound=max_value(uint256)):
        self.total += i
    return self.total


@external
def spawn() -> address:
    return create_minimal_proxy_to(self)


@external
def attempt(slot: uint256, amount: uint256) -> bool:
    self.amounts[slot + 1] = amount
    data: Bytes[68] = abi_encode(slot, amount, method_id=method_id("put(uint256,uint256)"))
    return raw_call(self, data, revert_on_failure=False)


@external
@view
def where() -> (uint256, uint256, uint256, address):
    return block.number, block.timestamp, chain.id, tx.origin
"""


class Box(NamedTuple):
    """The compiled test contract, with its calls."""

    code: bytes
    selectors: dict[str, bytes]
    address: bytes

    def deploy(self) -> Call:
        return Call(b"", self.code, "deploy box")

    def call(self, function: str, *words: int) -> Call:
        selector = next(s for name, s in self.selectors.items() if name.startswith(function + "("))
        data = selector + b"".join(word.to_bytes(32, "big") for word in words)
        return Call(self.address, data, function)

    def put(self, slot: int, amount: int) -> Call:
        return self.call("put", slot, amount)


@cache
def the_box() -> Box:
    """Return the test contract, compiled once."""
    from vyper.compiler import compile_code

    out = compile_code(SOURCE, output_formats=["bytecode", "method_identifiers"])
    selectors = {
        name: int(value, 16).to_bytes(4, "big") for name, value in out["method_identifiers"].items()
    }
    code = bytes.fromhex(out["bytecode"].removeprefix("0x"))
    return Box(code, selectors, create_address(OPERATOR.address, 0))


def key(interval: int, phase: Phase = Phase.COLLECT, part: int = 0) -> Key:
    return Key(REGION, interval, phase, part)


FOUND = key(0, Phase.FOUND)


def clock(name: Key) -> int:
    """Market time of the tests: an hour per interval, a minute per phase. [s]"""
    return 1_700_000_000 + 3600 * name.interval + 60 * int(name.phase) + name.part


def environment() -> dict[str, str]:
    """Return the environment in which a process of a test finds what this one finds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def stranger(name: str) -> PrivateKey:
    """Return the key of somebody who is not the operator."""
    return PrivateKey.derive(b"strangers", name)


def sent(sender: PrivateKey, nonce: int, call: Call) -> bytes:
    """Return a call as a signed transaction, as anybody sends it."""
    return sign(sender, CHAIN_ID, nonce, call.to, call.data).raw


def open_chain(
    store: Store,
    name: str = "north",
    engine: EngineFactory | None = None,
    snapshot_every: int = 64,
    now: Now | None = None,
) -> EmbeddedChain:
    return EmbeddedChain(store, name, CHAIN_ID, OPERATOR, clock, engine, snapshot_every, now)


def found(chain: EmbeddedChain) -> EmbeddedChain:
    """Write the first block: it deploys the box."""
    chain.execute(FOUND, b"found", [the_box().deploy()])
    return chain
