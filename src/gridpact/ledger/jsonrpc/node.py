"""What we ask of an Ethereum client, each question with the form its answer must have.

A garbled answer counts as none (`endpoints`). Blocks are asked for by number, so that a node which
lags behind says so instead of answering for an older state.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from gridpact.errors import Reverted, Unavailable
from gridpact.ledger.chain import Call, Log
from gridpact.ledger.evm.engine import revert_reason
from gridpact.ledger.jsonrpc.endpoints import Endpoints, NodeError
from gridpact.ledger.ledger import Head

MOST_GAS = 16_700_000
"""Gas that every network lets a transaction have (EIP-7825 draws the line at 2^24)."""

_OURS_ALREADY = ("already known", "already imported", "known transaction", "already exists")
_NONCE_USED = ("nonce too low", "nonce is too low", "nonce_too_low")


class NodeReceipt(msgspec.Struct, frozen=True):
    """Where a transaction stands and what it did."""

    block: Head
    status: int
    created: bytes
    logs: tuple[Log, ...]
    position: int


class Tip(NamedTuple):
    """A block on whose state calls are tried. `time` in seconds."""

    head: Head
    time: int
    gas_limit: int


class Simulated(NamedTuple):
    """What a call would do. `failure` says why it would fail; empty when it would not."""

    output: bytes
    logs: tuple[Log, ...]
    gas: int
    failure: str


class Proof(NamedTuple):
    """An account as a node states it, with the nodes of the state trie that prove it."""

    nonce: int
    balance: int
    storage_hash: bytes
    code_hash: bytes
    nodes: tuple[bytes, ...]


class Node:
    """An Ethereum client behind one or several endpoints."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._floor = 0

    @property
    def chain_id(self) -> int:
        return self._endpoints.identity.chain_id

    @property
    def genesis(self) -> bytes:
        return self._endpoints.identity.genesis

    def close(self) -> None:
        self._endpoints.close()

    def tip(self, at: int | str = "latest") -> Tip | None:
        """Return the block at a height or of a tag; None where there is none.

        An endpoint behind what was seen before is passed over, unless all are: then a
        reorganisation has made the chain shorter.
        """
        if at != "latest":
            return self._tip(at, 0)
        try:
            return self._tip(at, self._floor)
        except Unavailable:
            if not self._floor:
                raise
        found = self._tip(at, 0)
        self._floor = 0
        return found

    def expect(self, block: int) -> None:
        """Pass over endpoints that have not reached a block of which we know."""
        self._floor = max(self._floor, block)

    def _tip(self, at: int | str, floor: int) -> Tip | None:
        def parse(answer: Any) -> Tip | None:
            if answer is None:
                return None
            found = Head(number(answer["number"]), _word(answer["hash"]))
            if found.number < floor:
                raise ValueError(f"is behind: block {found.number} of {floor}")
            return Tip(found, number(answer["timestamp"]), number(answer["gasLimit"]))

        try:
            return self._endpoints.ask("eth_getBlockByNumber", _at(at), False, parse=parse)
        except NodeError as error:
            if error.unknown_method:
                raise
            return None

    def block(self, at: int) -> Head | None:
        """Return the block at a height, or None."""
        found = self.tip(at)
        return None if found is None else found.head

    def header(self, at: int | str) -> Mapping[str, Any] | None:
        """Return a block as the node words it, with its transactions in full."""
        return self._endpoints.ask("eth_getBlockByNumber", _at(at), True, parse=_mapping)

    def receipts(self, at: int, hashes: Sequence[bytes]) -> list[Mapping[str, Any]]:
        """Return all receipts of a block as the node words them, in order."""
        try:
            found = self._endpoints.ask("eth_getBlockReceipts", _at(at), parse=list)
        except NodeError as error:
            if not error.unknown_method:
                raise
            found = [
                self._endpoints.ask("eth_getTransactionReceipt", text(one), parse=_mapping)
                for one in hashes
            ]
        return [one for one in found if one is not None]

    def receipt(self, transaction: bytes) -> NodeReceipt | None:
        """Return a transaction's receipt, None while it is in no block."""
        return self._endpoints.ask("eth_getTransactionReceipt", text(transaction), parse=_receipt)

    def send(self, raw: bytes) -> str:
        """Send a signed transaction; return why the node did not take it, empty if it did.

        That it knows the transaction already, or has executed one with its nonce, is no refusal.
        """
        try:
            self._endpoints.ask("eth_sendRawTransaction", text(raw), parse=data)
        except NodeError as error:
            message = error.message.lower()
            known = any(words in message for words in (*_OURS_ALREADY, *_NONCE_USED))
            return "" if known else error.message
        return ""

    def knows(self, transaction: bytes) -> bool:
        """Say whether a transaction stands in a block or waits for one."""
        return self._endpoints.ask(
            "eth_getTransactionByHash", text(transaction), parse=lambda answer: answer is not None
        )

    def nonce(self, account: bytes, at: str = "latest") -> int:
        """Return how many transactions of an account stand in blocks; with "pending", wait too."""
        return self._endpoints.ask("eth_getTransactionCount", text(account), at, parse=number)

    def gas_price(self) -> int:
        return self._endpoints.ask("eth_gasPrice", parse=number)

    def call(self, sender: bytes, call: Call, at: int | str) -> bytes:
        """Return what a call returns on the state of a block. Raises `Reverted`."""
        asked = _asked(sender, call)
        try:
            return self._endpoints.ask("eth_call", asked, _at(at), parse=data)
        except NodeError as error:
            raise Reverted(_reason(error), call.label) from error

    def simulate(
        self,
        calls: Sequence[Mapping[str, Any]],
        at: Tip,
        overrides: Mapping[str, Any],
    ) -> list[Simulated]:
        """Return what calls would do one after another in the block after `at`.

        Raises `NodeError` with `unknown_method` where the node has no `eth_simulateV1`.
        """
        block = {
            "blockOverrides": {
                "number": hex(at.head.number + 1),
                "time": hex(at.time + 1),
                "gasLimit": hex(2**50),
            },
            "stateOverrides": dict(overrides),
            "calls": list(calls),
        }
        asked = {"blockStateCalls": [block], "validation": False}

        def parse(answer: Any) -> list[Simulated]:
            found = [_simulated(one) for one in answer[0]["calls"]]
            if len(found) != len(calls):
                raise ValueError(f"{len(found)} results of {len(calls)} calls")
            return found

        return self._endpoints.ask("eth_simulateV1", asked, _at(at.head.number), parse=parse)

    def proof(self, account: bytes, at: int | str) -> Proof:
        """Return an account with its proof under the state root of a block."""
        return self._endpoints.ask("eth_getProof", text(account), [], _at(at), parse=_proof)

    def slot_proofs(
        self, account: bytes, slots: Sequence[bytes], at: int
    ) -> list[tuple[bytes, ...]]:
        """Return, for each slot, the nodes of the storage trie that prove its value."""
        asked = [text(slot) for slot in slots]
        return self._endpoints.ask(
            "eth_getProof",
            *(text(account), asked, _at(at)),
            parse=lambda answer: [tuple(map(data, row["proof"])) for row in answer["storageProof"]],
        )

    def has(self, method: str, *params: Any) -> bool:
        """Say whether a node answers a question at all."""
        try:
            return self._endpoints.ask(method, *params, parse=lambda answer: answer is not None)
        except NodeError:
            return False


def text(value: bytes) -> str:
    return "0x" + value.hex()


def data(value: Any) -> bytes:
    """Return the bytes of "0x…"; raises `ValueError` on anything else."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError("expected 0x and hexadecimal digits")
    return bytes.fromhex(value[2:])


def number(value: Any) -> int:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError("expected a number in hexadecimal")
    return int(value, 16)


def read_logs(rows: Sequence[Mapping[str, Any]]) -> tuple[Log, ...]:
    """Return the logs of a receipt."""
    return tuple(
        Log(data(row["address"]), tuple(map(data, row["topics"])), data(row["data"]))
        for row in rows
    )


def _at(block: int | str) -> str:
    return block if isinstance(block, str) else hex(block)


def _word(value: Any) -> bytes:
    found = data(value)
    if len(found) != 32:
        raise ValueError("expected 32 bytes")
    return found


def _mapping(answer: Any) -> Mapping[str, Any] | None:
    if answer is not None and not isinstance(answer, dict):
        raise ValueError("expected an object")
    return answer


def _receipt(answer: Any) -> NodeReceipt | None:
    if answer is None or answer["blockHash"] is None:
        return None
    created = answer.get("contractAddress")
    return NodeReceipt(
        Head(number(answer["blockNumber"]), _word(answer["blockHash"])),
        number(answer["status"]),
        data(created) if created else b"",
        read_logs(answer["logs"]),
        number(answer["transactionIndex"]),
    )


def _simulated(answer: Any) -> Simulated:
    output = data(answer["returnData"])
    failure = ""
    if number(answer["status"]) != 1:
        failure = revert_reason(output)
        if not output:
            failure = str((answer.get("error") or {}).get("message", failure))
    return Simulated(output, read_logs(answer["logs"]), number(answer["gasUsed"]), failure)


def _proof(answer: Any) -> Proof:
    return Proof(
        number(answer["nonce"]),
        number(answer["balance"]),
        _word(answer["storageHash"]),
        _word(answer["codeHash"]),
        tuple(map(data, answer["accountProof"])),
    )


def _asked(sender: bytes, call: Call) -> dict[str, str]:
    asked = {"from": text(sender), "input": text(call.data), "gas": hex(MOST_GAS)}
    return asked | {"to": text(call.to)} if call.to else asked


def _reason(error: NodeError) -> str:
    if isinstance(error.data, str) and error.data.startswith("0x") and len(error.data) > 2:
        return revert_reason(bytes.fromhex(error.data[2:]))
    return error.message.removeprefix("execution reverted: ")
