"""Where the ledger's tests open their chains: in a file, or on a node that runs for the session."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.anvil import rpc
from tests.unit.ledger.box import CHAIN_ID, OPERATOR, clock

from gridpact.crypto.keys import Key as PrivateKey
from gridpact.ledger.chain import OpenChain
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm.engine import EngineFactory
from gridpact.ledger.files.store import open_store
from gridpact.ledger.jsonrpc.chain import JsonRpcChain
from gridpact.ledger.jsonrpc.companion import open_companion
from gridpact.ledger.jsonrpc.endpoints import Endpoints
from gridpact.ledger.jsonrpc.node import Node
from gridpact.ledger.jsonrpc.watch import NodeSettings

QUICK = NodeSettings(timeout=2.0, patience=10.0, resend=0.3, poll=0.002, slowest_poll=0.05)
"""Settings for a node that answers in milliseconds."""


class Place(Protocol):
    """Opens a chain as a new process would: what was written before is there again."""

    def open(self, name: str = "north", operator: PrivateKey = OPERATOR) -> OpenChain: ...

    def close(self) -> None: ...


class InFile:
    """Embedded chains of one file."""

    def __init__(self, path: Path, engine: EngineFactory, chain_id: int = CHAIN_ID) -> None:
        self._path, self._engine, self._chain_id = path, engine, chain_id
        self._store = open_store(path)

    def open(self, name: str = "north", operator: PrivateKey = OPERATOR) -> OpenChain:
        return EmbeddedChain(self._store, name, self._chain_id, operator, clock, self._engine)

    def close(self) -> None:
        self._store.close()


class OnNode:
    """Chains on a node, with one companion file."""

    def __init__(self, path: Path, *urls: str, settings: NodeSettings = QUICK) -> None:
        self.companion = open_companion(path)
        known = next(iter(self.companion.chains()), None)
        expected = (known.chain_id, known.genesis) if known else None
        self.settings = settings
        try:
            self.node = Node(Endpoints(urls, settings.timeout, expected))
        except BaseException:
            self.companion.close()
            raise

    def open(self, name: str = "north", operator: PrivateKey = OPERATOR) -> JsonRpcChain:
        return JsonRpcChain(self.node, self.companion, name, operator, self.settings)

    def close(self) -> None:
        self.node.close()
        self.companion.close()


@contextmanager
def restored(url: str) -> Iterator[str]:
    """Yield a node and afterwards take back whatever was done on it."""
    state = rpc(url, "evm_snapshot")
    try:
        yield url
    finally:
        assert rpc(url, "evm_revert", state)
