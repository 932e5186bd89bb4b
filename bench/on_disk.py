"""The contract tests' world on an embedded chain: each of its transactions is a block on disk."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contracts.harness import CHAIN, OPERATOR_DEVICE, World
from tests.contracts.reading import Contract, call, result

from gridpact.crypto.keys import Key as Device
from gridpact.errors import Reverted
from gridpact.ledger.chain import Call, Outcome
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm.engine import revert_reason
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.files.store import Store, open_store


class OnDisk(World):
    """A world whose calls are signed, submitted, and on disk when they return."""

    def __init__(self, store: Store, devices: Iterable[Device]) -> None:
        self._devices = {one.address: one for one in (OPERATOR_DEVICE, *devices)}
        self._nonces = dict.fromkeys(self._devices, 0)
        self._chain = EmbeddedChain(
            *(store, "on disk", CHAIN, OPERATOR_DEVICE, lambda _: 0), now=lambda: self.time
        )
        super().__init__(ends_founding=False)

    def _run(self, sender: bytes, to: bytes, data: bytes) -> Outcome:
        signed = sign(self._devices[sender], CHAIN, self._nonces[sender], to, data)
        outcome = self._chain.submit(signed.raw).outcome
        self._nonces[sender] += 1
        if not outcome.status:
            raise Reverted(revert_reason(outcome.output))
        return outcome

    def view(self, contract: Contract, name: str, *arguments: Any) -> Any:
        output = self._chain.view(Call(self.at[contract], call(contract, name, *arguments), name))
        values = result(contract, name, output)
        return values[0] if len(values) == 1 else values


@contextmanager
def on_disk(path: Path, devices: Iterable[Device]) -> Iterator[OnDisk]:
    """Open a new world in a file; `devices` sign for those who send, beside the operator."""
    with open_store(path) as store:
        yield OnDisk(store, devices)
