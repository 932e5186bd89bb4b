"""The audit of a chain on a node: what does not hold is named by block and transaction."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.anvil import anvil, rpc
from tests.unit.ledger.box import CHAIN_ID, stranger
from tests.unit.ledger.faulty_node import Forward, proxy
from tests.unit.ledger.market_case import ANN, REGION, ZONE, Round, founded
from tests.unit.ledger.places import OnNode

from gridpact.assembly import nodes
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import Corrupt, HeadMismatch, LedgerError, Unavailable
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.audit.node import NodeReport
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.jsonrpc.companion import read_companion
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.suite import Suite


def audit_nodes(urls: Sequence[str], path: Path, heads: Mapping[str, bytes]) -> NodeReport:
    """Audit what a node holds of a market whose fills were written by hand, as no mechanism would.

    That clearings are computed again is held by `tests/cycle/test_on_node.py`.
    """
    return nodes.audit_nodes(urls, path, heads, (MarketAudit(),))


class Written:
    """A node on which two intervals of both chains stand, and the file beside it."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self.path = url, path
        self.keys = {name: PrivateKey.derive(b"audit", name) for name in ("local", "zonal")}
        place = OnNode(path, url)
        pair = [
            MarketLedger(place.open(name, self.keys[name]), region)
            for name, region in (("local", REGION), ("zonal", ZONE))
        ]
        founded(*pair)
        for interval in range(2):
            Round(*pair, interval).write()
            self._public(interval)
        self.head, self.state = pair[0].head(), pair[0].state_hash()
        place.close()

    def _public(self, nonce: int) -> None:
        """Let a stranger call a contract of ours: it is refused, and stands in the chain."""
        vault = Suite(self.keys["local"].address)["vault"]
        raw = sign(stranger("eve"), CHAIN_ID, nonce, vault, b"\1\2\3\4" + ANN.address, 90_000).raw
        rpc(self.url, "eth_sendRawTransaction", "0x" + raw.hex())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    with anvil(CHAIN_ID) as url:
        yield Written(url, tmp_path_factory.mktemp("audit") / "companion.db")


def test_a_chain_on_a_node_holds(written: Written) -> None:
    found = audit_nodes([written.url], written.path, {"local": written.head.hash})
    local, zonal = found.report.chains
    assert (local.name, local.confirmed, zonal.confirmed) == ("local", True, False)
    assert local.state_hash == written.state
    companion = read_companion(written.path)
    ours = sum(len(plan.transactions) for plan in companion.plans(1))
    companion.close()
    assert local.transactions == ours + 2
    assert found.blocks == int(rpc(written.url, "eth_blockNumber"), 16)
    # anvil keeps slots that were set back to zero in its storage tries, other clients do not
    assert 0 < found.whole < found.contracts


def test_another_head_is_not_confirmed(written: Written) -> None:
    with pytest.raises(HeadMismatch, match="chain zonal holds no block 0xabab"):
        audit_nodes([written.url], written.path, {"zonal": b"\xab" * 32})
    with pytest.raises(HeadMismatch, match="no chain nowhere"):
        audit_nodes([written.url], written.path, {"nowhere": b"\xab" * 32})


Change = Callable[[str, list[Any], Any], None]


@contextmanager
def lying(url: str, change: Change) -> Iterator[str]:
    """Run a node whose answers a test changes in place."""

    def behave(method: str, params: list[Any], forward: Forward) -> bytes:
        answer = json.loads(forward())
        change(method, params, answer["result"])
        return json.dumps(answer).encode()

    with proxy(url, behave) as liar:
        yield liar.url


def _of_block(number: int, change: Callable[[Any], None]) -> Change:
    def changed(method: str, params: list[Any], result: Any) -> None:
        if method == "eth_getBlockByNumber" and params == [hex(number), True]:
            change(result)

    return changed


def _receipts(number: int, change: Callable[[Any], None]) -> Change:
    def changed(method: str, params: list[Any], result: Any) -> None:
        if method == "eth_getBlockReceipts" and params == [hex(number)]:
            change(result)

    return changed


def _silenced(method: str, _params: list[Any], result: Any) -> None:
    """Leave out the logs of every receipt: which blocks have any changes with the contracts."""
    if method == "eth_getBlockReceipts":
        for row in result:
            row["logs"].clear()


def _proof(change: Callable[[Any], None]) -> Change:
    return lambda method, _, result: change(result) if method == "eth_getProof" else None


def _slot(result: Any) -> None:
    for row in result["storageProof"]:
        row["proof"] = row["proof"][:-1]


LIES: dict[str, tuple[Change, str]] = {
    "a header": (
        _of_block(30, lambda b: b.update(timestamp="0x1")),
        "block 30: hash: is not that of the header",
    ),
    "another block": (_of_block(30, lambda b: b.update(number="0x1d")), "block 29: hash"),
    "a transaction": (
        _of_block(33, lambda b: b["transactions"][0].update(input="0x")),
        "block 33 transaction 0: hash",
    ),
    "a receipt's log": (
        _silenced,
        r"block \d+: receiptsRoot",
    ),
    "a receipt's status": (
        _receipts(40, lambda rows: rows[0].update(status="0x0")),
        "block 40: receiptsRoot",
    ),
    "an account": (
        _proof(lambda one: one.update(storageHash="0x" + "ab" * 32)),
        "proof: shows another account",
    ),
    "a proof": (_proof(lambda one: one["accountProof"].pop()), "proof: a node does not have"),
    "a slot's proof": (_proof(_slot), "slot 0x.*proof: a node does not have"),
}


@pytest.mark.parametrize(("change", "words"), LIES.values(), ids=list(LIES))
def test_a_node_that_lies_is_found_out(written: Written, change: Change, words: str) -> None:
    with lying(written.url, change) as url, pytest.raises(Corrupt, match=words):
        audit_nodes([url], written.path, {})


def _edit(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as file:
        assert file.execute(statement).rowcount > 0
    file.close()


EDITS = {
    "a body": (
        "UPDATE record SET body = (SELECT body FROM record WHERE number = 2) WHERE number = 9",
        "body|content",
    ),
    "a key": ("UPDATE record SET interval = 77 WHERE chain = 1 AND number = 5", "yields no calls"),
    "a lost record": ("DELETE FROM record WHERE chain = 1 AND number = 5", "does not know"),
    "a lost last record": (
        "DELETE FROM record WHERE chain = 1 AND number = (SELECT max(number) FROM record"
        " WHERE chain = 1)",
        "does not know",
    ),
    "a block": (
        "UPDATE record SET block = block + 1 WHERE chain = 2 AND number = 4",
        "names another block",
    ),
    "a transaction": (
        "UPDATE tx SET hash = zeroblob(32) WHERE chain = 2 AND nonce = 20",
        "does not know",
    ),
    "an amount that crosses": ("UPDATE outbox SET amount = '1'", "outbox: not the steps"),
}


@pytest.mark.parametrize(("statement", "words"), EDITS.values(), ids=list(EDITS))
def test_a_changed_companion_file_is_found_out(
    written: Written, tmp_path: Path, statement: str, words: str
) -> None:
    copied = Path(shutil.copy(written.path, tmp_path / "copy.db"))
    _edit(copied, statement)
    with pytest.raises(Corrupt, match=words):
        audit_nodes([written.url], copied, {})


def test_a_copy_of_the_companion_file_is_enough(written: Written, tmp_path: Path) -> None:
    copied = Path(shutil.copy(written.path, tmp_path / "copy.db"))
    copied.chmod(0o400)
    assert audit_nodes([written.url], copied, {}).report.chains[0].name == "local"


def test_another_network_is_not_audited(written: Written) -> None:
    with anvil(CHAIN_ID, "--timestamp", "5") as other, pytest.raises(Unavailable, match="genesis"):
        audit_nodes([other], written.path, {})


def test_an_empty_companion_file_says_so(written: Written, tmp_path: Path) -> None:
    OnNode(tmp_path / "empty.db", written.url).close()
    with pytest.raises(LedgerError, match="nothing was written"):
        audit_nodes([written.url], tmp_path / "empty.db", {})


def test_what_ran_out_of_gas_and_was_made_anew_is_audited(tmp_path: Path) -> None:
    def mean(method: str, _params: list[Any], forward: Forward) -> bytes:
        answer = json.loads(forward())
        if method == "eth_simulateV1":
            last = answer["result"][0]["calls"][-1]
            used = int(last["gasUsed"], 16)
            last["gasUsed"] = hex(max(used * 2 // 3 - 80_000, used // 3))
        return json.dumps(answer).encode()

    with anvil(CHAIN_ID) as url, proxy(url, mean) as poor:
        path = tmp_path / "companion.db"
        place = OnNode(path, poor.url)
        pair = [
            MarketLedger(place.open(name, PrivateKey.derive(b"poor", name)), region)
            for name, region in (("local", REGION), ("zonal", ZONE))
        ]
        founded(*pair)
        Round(*pair).write()
        place.close()
        found = audit_nodes([url], path, {})
    companion = read_companion(path)
    rows = [tx for chain in (1, 2) for plan in companion.plans(chain) for tx in plan.transactions]
    companion.close()
    assert sum(tx.attempt for tx in rows) > 0
    assert sum(chain.transactions for chain in found.report.chains) == len(rows)
