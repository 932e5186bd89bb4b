"""A JSON-RPC client as fast as Python's standard library allows: one connection, kept open."""

import gzip
import json
from collections.abc import Sequence
from http.client import HTTPConnection
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from gridpact.ledger.evm.state_hash import State, StateAccount, is_empty

SECONDS_TO_ANSWER = 300


class NodeError(RuntimeError):
    """What a node answered instead of a result."""


class Node:
    """An Ethereum client behind an address. Requests go out one after another, in order."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._connection = HTTPConnection(
            place.hostname or "", place.port, timeout=SECONDS_TO_ANSWER
        )
        self._ids = 0

    def __enter__(self) -> "Node":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call; raises `NodeError` with the node's own words."""
        self._ids += 1
        asked = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        self._connection.request(
            "POST", "/", json.dumps(asked), {"Content-Type": "application/json"}
        )
        answer = json.loads(self._connection.getresponse().read())
        if "error" in answer:
            raise NodeError(f"{method}: {answer['error']}")
        return answer["result"]

    def send(self, raw: bytes) -> bytes:
        """Hand over a signed transaction; return its hash."""
        return unhex(self.call("eth_sendRawTransaction", "0x" + raw.hex()))

    def state(self) -> State:
        """Return the whole state of an anvil, without accounts that do not exist (EIP-161)."""
        dumped = json.loads(gzip.decompress(unhex(self.call("anvil_dumpState"))))
        state = {
            unhex(address): StateAccount(
                int(account["nonce"]),
                int(account["balance"], 16),
                unhex(account["code"]),
                {int(k, 16): int(v, 16) for k, v in account["storage"].items() if int(v, 16)},
            )
            for address, account in dumped["accounts"].items()
        }
        return {address: one for address, one in sorted(state.items()) if not is_empty(one)}


def unhex(text: str) -> bytes:
    """Return the bytes of 0x-prefixed hexadecimal."""
    return bytes.fromhex(text[2:])


def unhex_all(texts: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(map(unhex, texts))
