"""anvil as an `EvmEngine`: the contract tests' market on a real client, with true gas.

    with onchain(CHAIN) as opener:
        world = World(engine=opener)
        world.send(...)
        world.engine.gas          # of the last transaction, from its receipt

Transactions are sent for any sender without its key (anvil impersonates), one block each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from json import dumps, loads
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

from tests.anvil import anvil

from gridpact.ledger.chain import Log, Outcome
from gridpact.ledger.evm.engine import EngineFactory, Execution, Moment, revert_reason
from gridpact.ledger.evm.state_hash import State
from gridpact.ledger.evm.transactions import Transaction

OPTIONS = ("--auto-impersonate", "--gas-limit", "2000000000", "--prune-history")
_SECONDS_TO_MINE = 20


class NodeError(RuntimeError):
    """What a node answered instead of a result."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('message')}")
        self.data = error.get("data")


class Onchain:
    """An `EvmEngine` on a running anvil that mines each transaction at once."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._connection = HTTPConnection(place.hostname or "", place.port, timeout=120)
        self._ids = count(1)
        self._snapshot = self.rpc("evm_snapshot")
        self.receipt: dict[str, Any] = {}

    def opened(self, chain_id: int, state: State) -> "Onchain":
        """Return this engine, as an `EngineFactory` does: the node's chain must be empty too."""
        found = int(self.rpc("eth_chainId"), 16)
        if found != chain_id or state:
            raise ValueError(f"node has chain id {found}, wanted {chain_id} and no state")
        return self

    @property
    def gas(self) -> int:
        """Gas used by the last transaction, by its receipt."""
        return int(self.receipt["gasUsed"], 16)

    def rpc(self, method: str, *params: Any) -> Any:
        asked = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        self._connection.request("POST", "/", dumps(asked), {"Content-Type": "application/json"})
        answer = loads(self._connection.getresponse().read())
        if "error" in answer:
            raise NodeError(method, answer["error"])
        return answer["result"]

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        if moment.time:
            self.rpc("evm_setNextBlockTimestamp", moment.time)
        call = _call(sender, transaction.to, transaction.data, transaction.gas)
        output, failure = self._call(call, "pending")
        self.receipt = self._mined(self.rpc("eth_sendTransaction", call))
        if self.receipt["status"] == "0x0":
            return Execution(Outcome(0, output, ()), failure or "failed")
        if not transaction.to:
            output = bytes.fromhex(self.receipt["contractAddress"][2:])
        logs = tuple(
            Log(_bytes(log["address"]), tuple(map(_bytes, log["topics"])), _bytes(log["data"]))
            for log in self.receipt["logs"]
        )
        return Execution(Outcome(1, output, logs), "")

    def view(self, sender: bytes, to: bytes, data: bytes, _: Moment) -> Execution:
        output, failure = self._call(_call(sender, to, data, 60_000_000), "latest")
        return Execution(Outcome(0 if failure else 1, output, ()), failure)

    def keep(self) -> None:
        self._snapshot = self.rpc("evm_snapshot")

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot.

        A node answers with a receipt a moment before its pool has let the transaction go. A
        transaction of the same sender that comes after a revert in between would be lost.
        """
        while any(int(waiting, 16) for waiting in self.rpc("txpool_status").values()):
            sleep(0.001)
        self.rpc("evm_revert", snapshot)

    def undo(self) -> None:
        self.revert(self._snapshot)
        self._snapshot = self.rpc("evm_snapshot")

    def nonce(self, address: bytes) -> int:
        return int(self.rpc("eth_getTransactionCount", "0x" + address.hex(), "pending"), 16)

    def state(self) -> State:
        raise NotImplementedError("a node tells no whole state")

    def close(self) -> None:
        self._connection.close()

    def _mined(self, name: str) -> dict[str, Any]:
        """Return a transaction's receipt; the node mines a moment after it has answered."""
        deadline = monotonic() + _SECONDS_TO_MINE
        while monotonic() < deadline:
            if receipt := self.rpc("eth_getTransactionReceipt", name):
                return dict(receipt)
            sleep(0.001)
        raise NodeError("eth_getTransactionReceipt", {"message": f"{name} is not mined"})

    def _call(self, call: dict[str, str], block: str) -> tuple[bytes, str]:
        """Return output and reason of a call that changes nothing; no reason when it succeeds."""
        try:
            return _bytes(self.rpc("eth_call", call, block)), ""
        except NodeError as error:
            output = _bytes(error.data) if isinstance(error.data, str) else b""
            return output, revert_reason(output) if output else f"halted: {error}"


@contextmanager
def onchain(chain_id: int) -> Iterator[EngineFactory]:
    """Run an anvil until the block ends and yield what opens an engine on it."""
    with anvil(chain_id, *OPTIONS) as url:
        engine = Onchain(url)
        try:
            yield engine.opened
        finally:
            engine.close()


def _call(sender: bytes, to: bytes, data: bytes, gas: int) -> dict[str, str]:
    call = {"from": "0x" + sender.hex(), "data": "0x" + data.hex(), "gas": hex(gas)}
    return call | {"gasPrice": "0x0"} | ({"to": "0x" + to.hex()} if to else {})


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
