"""What would the calls of a record do on a node, one after another? Asked before any is sent.

A node simulates a row of calls (`eth_simulateV1`), so that a refusal of the last of them is known
before the first is sent. A node that cannot is asked about the first call alone.

Creations: not every client simulates them, so a record with some is rehearsed through a stand-in
at the operator's address, 85 bytes of code that live in the simulation only. It makes each call or
creation in the operator's name and uses up one nonce for each, so that every contract gets the
address that it will have.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gridpact.errors import LedgerError, Reverted
from gridpact.ledger.chain import Call, Log, Outcome
from gridpact.ledger.jsonrpc.endpoints import NodeError
from gridpact.ledger.jsonrpc.node import MOST_GAS, Node, Simulated, Tip, text

_STAND_IN = bytes.fromhex(
    "60203603"  # size of what follows the first word
    "80602060003760003580602e57"  # copy it to memory; the first word is the target: 0 creates
    "5060006000f080602557"  # create, and go on if there is an address
    "3d600060003e3d6000fd"  # revert with what the constructor said
    "5b60005260206000f3"  # return the address
    "5b600060006000f050"  # call: first an empty creation, which uses up a nonce
    "600060008360006000855af1"  # then the call itself, with all gas
    "3d600060003e605057"  # hand on what it said
    "3d6000fd"
    "5b3d6000f3"
)
_SOMEBODY = b"\xaa" * 20
"""Who calls the stand-in; any address without code."""


class Rehearsed(NamedTuple):
    """What a call would do, and the gas to give it."""

    outcome: Outcome
    gas: int


def rehearse(node: Node, operator: bytes, calls: Sequence[Call], at: Tip) -> list[Rehearsed]:
    """Return what calls of the operator would do on top of block `at`.

    Where a node cannot simulate, outcomes are empty but for the first call's.

    Raises
    ------
    Reverted
        A contract would refuse a call, or it would need more gas than a transaction may have.
    """
    if not calls:
        return []
    try:
        found = _simulate(node, operator, calls, at)
    except NodeError as error:
        if not error.unknown_method:
            raise LedgerError(f"the node cannot rehearse a record: {error}") from error
        return _first_alone(node, operator, calls, at)
    limit = most_gas(at)
    return [_judged(call, one, limit) for call, one in zip(calls, found, strict=True)]


def most_gas(at: Tip) -> int:
    """Return the most gas that one transaction may have after a block."""
    return min(MOST_GAS, at.gas_limit)


def _simulate(node: Node, operator: bytes, calls: Sequence[Call], at: Tip) -> list[Simulated]:
    if all(call.to for call in calls):
        return node.simulate([_plain(operator, call) for call in calls], at, {})
    overrides = {text(operator): {"code": text(_STAND_IN)}}
    found = node.simulate([_through(operator, call) for call in calls], at, overrides)
    return [
        one if call.to or one.failure else one._replace(output=one.output[12:])
        for call, one in zip(calls, found, strict=True)
    ]


def _plain(operator: bytes, call: Call) -> Mapping[str, Any]:
    return {
        "from": text(operator),
        "to": text(call.to),
        "input": text(call.data),
        "gas": hex(MOST_GAS),
    }


def _through(operator: bytes, call: Call) -> Mapping[str, Any]:
    return {
        "from": text(_SOMEBODY),
        "to": text(operator),
        "input": text(call.to.rjust(32, b"\0") + call.data),
        "gas": hex(MOST_GAS),
    }


def _judged(call: Call, done: Simulated, limit: int) -> Rehearsed:
    if done.failure:
        raise Reverted(done.failure, call.label)
    logs: tuple[Log, ...] = done.logs
    return Rehearsed(Outcome(1, done.output, logs), _given(call, done.gas, limit))


def _given(call: Call, gas: int, limit: int) -> int:
    """Return the gas to give: half more than it used, for refunds come after the last step.

    A creation gets all there may be: it cannot be made anew, its address follows from its nonce.
    """
    return min(gas + gas // 2 + 100_000, limit) if call.to else limit


def _first_alone(node: Node, operator: bytes, calls: Sequence[Call], at: Tip) -> list[Rehearsed]:
    limit = most_gas(at)
    output = node.call(operator, calls[0], at.head.number)
    first = Outcome(1, output if calls[0].to else b"", ())
    return [Rehearsed(first, limit), *(Rehearsed(Outcome(1, b"", ()), limit) for _ in calls[1:])]
