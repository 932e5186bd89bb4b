"""Nodes that hang, lie, lose and reorder: all is written once, or an error says why."""

import importlib
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.anvil import anvil, free_port, rpc
from tests.unit.ledger.box import CHAIN_ID, FOUND, OPERATOR, Box, environment, key
from tests.unit.ledger.faulty_node import Forward, Proxy, Silence, error, proxy, result
from tests.unit.ledger.places import QUICK, OnNode

from gridpact.errors import BadInput, LedgerError, Reverted, Unavailable
from gridpact.ledger.chain import Chain
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.jsonrpc.chain import JsonRpcChain

IMPATIENT = replace(QUICK, timeout=0.4, patience=1.5)
SEND = "eth_sendRawTransaction"


@contextmanager
def opened(path: Path, *urls: str, settings: Any = QUICK) -> Iterator[JsonRpcChain]:
    place = OnNode(path, *urls, settings=settings)
    try:
        yield place.open()
    finally:
        place.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "companion.db"


@pytest.fixture
def founded(node_url: str, path: Path, box: Box) -> str:
    """Return the address of a node on which the box stands; `path` is the file beside it."""
    with opened(path, node_url) as chain:
        chain.execute(FOUND, b"found", [box.deploy()])
    return node_url


def total(chain: Chain, box: Box) -> int:
    return int.from_bytes(chain.view(box.call("total")), "big")


def puts(url: str, box: Box) -> int:
    """Return how many puts the chain has seen."""
    return len(rpc(url, "eth_getLogs", {"address": "0x" + box.address.hex(), "fromBlock": "0x0"}))


# who is asked


def hangs(running: list[Proxy]) -> Callable[[str, list[Any], Forward], bytes]:
    def behave(_method: str, _params: list[Any], _forward: Forward) -> bytes:
        running[0].over.wait(30)
        raise Silence

    return behave


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>502 Bad Gateway</html>", "JSON"),
        (b'{"jsonrpc": "2.0", "id": 1, "resul', "JSON"),
        (b"[]", "no JSON-RPC"),
        (b"{}", "no JSON-RPC"),
        (b"7", "no JSON-RPC"),
        (result(None), "answers eth_chainId"),
        (result(["0x1b59"]), "answers eth_chainId"),
        (result("a chain"), "answers eth_chainId"),
        (b'{"error": "no"}', "an error that is none"),
        (error(-32005, "limit exceeded"), "limit exceeded"),
        (b"\xff\xfe\x00", "no node answers"),
        (b"", "no node answers"),
    ],
)
def test_an_endpoint_that_answers_garbage_is_passed_over(
    founded: str, path: Path, box: Box, answer: bytes, words: str
) -> None:
    with proxy(founded, lambda *_: answer) as bad:
        with opened(path, bad.url, founded) as chain:
            chain.execute(key(1), b"", [box.put(1, 5)])
            assert total(chain, box) == 5
        with pytest.raises(Unavailable, match=words) as caught, opened(path, bad.url):
            pass
        assert bad.url in str(caught.value)


def test_an_endpoint_that_hangs_is_passed_over(founded: str, path: Path, box: Box) -> None:
    held: list[Proxy] = []
    with proxy(founded, hangs(held)) as bad:
        held.append(bad)
        with opened(path, bad.url, founded, settings=IMPATIENT) as chain:
            chain.execute(key(1), b"", [box.put(1, 5)])
        assert len(bad.asked) == 1
        with (
            pytest.raises(Unavailable, match="does not answer in time"),
            opened(path, bad.url, settings=IMPATIENT),
        ):
            pass


def test_an_address_where_nobody_listens_is_passed_over(founded: str, path: Path, box: Box) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with opened(path, nobody, founded) as chain:
        chain.execute(key(1), b"", [box.put(1, 5)])
    with pytest.raises(Unavailable, match="cannot be reached"), opened(path, nobody):
        pass


def _lies(method: str, _params: list[Any], forward: Forward) -> bytes:
    return result("0x1") if method == "eth_chainId" else forward()


def test_an_endpoint_that_lies_about_its_chain_id_is_never_asked_again(
    founded: str, path: Path, box: Box
) -> None:
    with proxy(founded, _lies) as liar:
        with opened(path, liar.url, founded) as chain:
            chain.execute(key(1), b"", [box.put(1, 5)])
        assert liar.sent() == []
        assert len(liar.asked) == 2
        with pytest.raises(Unavailable, match="says chain id 1, not 7001"), opened(path, liar.url):
            pass


def test_a_new_chain_is_not_begun_where_the_nodes_disagree(node_url: str, path: Path) -> None:
    with (
        proxy(node_url, _lies) as liar,
        pytest.raises(LedgerError, match="different chains"),
        opened(path, node_url, liar.url),
    ):
        pass


def test_another_chain_of_the_same_id_is_not_taken_for_ours(founded: str, path: Path) -> None:
    assert founded
    with (
        anvil(CHAIN_ID, "--timestamp", "1000") as restarted,
        pytest.raises(Unavailable, match="another chain of id 7001: its genesis"),
        opened(path, restarted),
    ):
        pass


def test_an_endpoint_that_lags_behind_is_passed_over(founded: str, path: Path, box: Box) -> None:
    def lag(method: str, params: list[Any], forward: Forward) -> bytes:
        answer = json.loads(forward())
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            answer["result"]["number"] = "0x0"
        return json.dumps(answer).encode()

    with proxy(founded, lag) as late, opened(path, late.url, founded) as chain:
        chain.execute(key(1), b"", [box.put(1, 5)])
        head, _ = chain.execute(key(2), b"", [box.put(1, 6)])
        assert chain.head() == head
        assert total(chain, box) == 6


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(BadInput, match=r"pip install 'gridpact\[rpc\]'"), opened(path, "http://x"):
        pass


@pytest.mark.parametrize("url", ["ftp://x", "x", ""])
def test_an_address_of_another_kind_is_bad_input(path: Path, url: str) -> None:
    with pytest.raises(BadInput, match="expected http"), opened(path, url):
        pass


def test_a_websocket_does_what_http_does(node_url: str, path: Path, box: Box) -> None:
    address = node_url.replace("http", "ws")
    with opened(path, address) as chain:
        chain.execute(FOUND, b"", [box.deploy()])
        chain.execute(key(1), b"", [box.put(1, 5), box.put(2, 6)])
        with pytest.raises(Reverted, match="box: unlucky"):
            chain.execute(key(2), b"", [box.put(1, 13)])
        assert total(chain, box) == 11
    nobody = f"ws://127.0.0.1:{free_port()}"
    with opened(path, nobody, address) as chain:
        assert total(chain, box) == 11
    with pytest.raises(Unavailable, match="no node answers"), opened(path, nobody):
        pass


# how transactions get in


def test_a_transaction_that_a_node_loses_is_sent_again_with_the_same_bytes(
    founded: str, path: Path, box: Box
) -> None:
    lost: list[str] = []

    def lose(method: str, params: list[Any], forward: Forward) -> bytes:
        if method == SEND and len(lost) < 3:
            lost.append(params[0])
            return result("0x" + "ab" * 32)
        return forward()

    with proxy(founded, lose) as loser, opened(path, loser.url) as chain:
        chain.execute(key(1), b"", [box.put(1, 5), box.put(2, 6), box.put(3, 7)])
        assert total(chain, box) == 18
        assert loser.sent() == lost * 2
    assert puts(founded, box) == 3


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Do something in another thread while the block runs; what fails there fails here."""
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        yield
        acting.result(20)


def until(true: Callable[[], object]) -> None:
    """Wait for a condition, ten seconds at most."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_transaction_dropped_from_the_pool_is_sent_again(
    founded: str, path: Path, box: Box
) -> None:
    def drop() -> None:
        until(seen.sent)
        until(lambda: rpc(founded, "txpool_content")["pending"])
        waiting = rpc(founded, "txpool_content")["pending"]["0x" + OPERATOR.address.hex()]
        for transaction in waiting.values():
            rpc(founded, "anvil_dropTransaction", transaction["hash"])
        rpc(founded, "evm_setAutomine", True)

    rpc(founded, "evm_setAutomine", False)
    with proxy(founded) as seen, opened(path, seen.url) as chain:
        with meanwhile(drop):
            chain.execute(key(1), b"", [box.put(1, 5)])
        assert total(chain, box) == 5
        assert len(seen.sent()) > 1
        assert len(set(seen.sent())) == 1
    assert puts(founded, box) == 1


def test_transactions_that_arrive_in_another_order_are_executed_in_ours(
    founded: str, path: Path, box: Box
) -> None:
    held: list[Forward] = []

    def swap(method: str, _params: list[Any], forward: Forward) -> bytes:
        if method != SEND:
            return forward()
        if not held:
            held.append(forward)
            return result("0x" + "ab" * 32)
        answer = forward()
        held[0]()
        return answer

    with proxy(founded, swap) as swapping, opened(path, swapping.url) as chain:
        _, outcomes = chain.execute(key(1), b"", [box.put(1, 5), box.put(1, 6)])
        assert [int.from_bytes(one.output, "big") for one in outcomes] == [5, 6]
        assert total(chain, box) == 6
    assert puts(founded, box) == 2


def test_the_next_node_finishes_a_record_that_the_first_left_half_sent(
    founded: str, path: Path, box: Box
) -> None:
    def dies(_method: str, _params: list[Any], forward: Forward) -> bytes:
        if dying.sent()[1:]:
            raise Silence
        return forward()

    with proxy(founded, dies) as dying, proxy(founded) as second:
        with opened(path, dying.url, second.url) as chain:
            chain.execute(key(1), b"", [box.put(n, n + 20) for n in range(4)])
            assert total(chain, box) == 86
        assert 1 < len(dying.sent()) < 4 <= len(second.sent()) + 1
    assert puts(founded, box) == 4


def test_a_record_cut_off_by_an_outage_is_finished_by_the_next_start(
    founded: str, path: Path, box: Box
) -> None:
    def dies(_method: str, _params: list[Any], forward: Forward) -> bytes:
        if dying.sent()[1:]:
            raise Silence
        return forward()

    with proxy(founded, dies) as dying, opened(path, dying.url, settings=IMPATIENT) as chain:
        with pytest.raises(Unavailable, match=r"north: \d of 3 transactions are in blocks"):
            chain.execute(key(1), b"kept", [box.put(n, n + 20) for n in range(3)])
        assert chain.body(key(1)) is None
    with opened(path, founded) as chain:
        assert chain.body(key(1)) == b"kept"
        assert total(chain, box) == 63
    assert puts(founded, box) == 3


def test_a_record_under_way_stands_as_soon_as_its_node_has_it(
    founded: str, path: Path, box: Box
) -> None:
    deaf = threading.Event()

    def loses_receipts(method: str, _params: list[Any], forward: Forward) -> bytes:
        if method == "eth_getTransactionReceipt" and not deaf.is_set():
            return result(None)
        return forward()

    settings = replace(IMPATIENT, resend=30.0)
    with (
        proxy(founded, loses_receipts) as slow,
        opened(path, slow.url, settings=settings) as chain,
    ):
        with pytest.raises(Unavailable):
            chain.execute(key(1), b"late", [box.put(1, 5)])
        assert chain.written_at(key(1)) is None
        deaf.set()
        assert chain.body(key(1)) == b"late"
        assert chain.written_at(key(1)) is not None


def test_an_operator_whose_key_signs_elsewhere_too_is_told(
    founded: str, path: Path, box: Box
) -> None:
    with opened(path, founded) as chain:
        theirs = sign(OPERATOR, CHAIN_ID, 1, box.address, box.put(9, 9).data, 200_000)
        assert rpc(founded, SEND, "0x" + theirs.raw.hex())
        with pytest.raises(LedgerError, match="somebody else signs with its key"):
            chain.execute(key(1), b"", [box.put(1, 5)])


def test_a_receipt_that_comes_between_two_questions_is_nobodys_theft(
    founded: str, path: Path, box: Box
) -> None:
    counted: list[bool] = []

    def slow(method: str, _params: list[Any], forward: Forward) -> bytes:
        sent = any(asked == SEND for asked, _ in running.asked)
        if method == "eth_getTransactionCount" and sent:
            counted.append(True)
        return result(None) if method == "eth_getTransactionReceipt" and not counted else forward()

    with proxy(founded, slow) as running, opened(path, running.url, settings=IMPATIENT) as chain:
        chain.execute(key(1), b"", [box.put(1, 5)])
        assert counted
        assert total(chain, box) == 5


def test_a_lost_companion_file_is_told(founded: str, tmp_path: Path) -> None:
    with (
        pytest.raises(
            LedgerError, match="has sent 1 transactions on chain 7001, this file knows 0"
        ),
        opened(tmp_path / "another.db", founded),
    ):
        pass


# what a node cannot do, or gets wrong


def _cannot_simulate(method: str, _params: list[Any], forward: Forward) -> bytes:
    return error(-32601, "Method not found") if method == "eth_simulateV1" else forward()


def test_a_node_that_cannot_simulate_is_asked_about_the_first_call(
    node_url: str, path: Path, box: Box
) -> None:
    with proxy(node_url, _cannot_simulate) as plain, opened(path, plain.url) as chain:
        chain.execute(FOUND, b"", [box.deploy()])
        chain.execute(key(1), b"", [box.put(1, 5), box.put(2, 7)])
        assert total(chain, box) == 12
        with pytest.raises(Reverted, match="put reverted: box: unlucky"):
            chain.execute(key(2), b"", [box.put(1, 13)])
        assert chain.written_at(key(2)) is None
        with pytest.raises(LedgerError, match="written in part only: put reverted: box: unlucky"):
            chain.execute(key(2), b"", [box.put(1, 6), box.put(1, 13)])


def test_a_transaction_that_runs_out_of_gas_is_made_anew_with_more(
    founded: str, path: Path, box: Box
) -> None:
    def too_little(method: str, _params: list[Any], forward: Forward) -> bytes:
        answer = json.loads(forward())
        if method == "eth_simulateV1":
            for call in answer["result"][0]["calls"]:
                call["gasUsed"] = "0x1"
        return json.dumps(answer).encode()

    with proxy(founded, too_little) as mean, opened(path, mean.url) as chain:
        _, outcomes = chain.execute(key(1), b"", [box.call("burn", 900), box.put(1, 5)])
        assert int.from_bytes(outcomes[1].output, "big") == total(chain, box) == 404_555
        assert chain.body(key(1)) == b""


# reorganisations


@contextmanager
def mining(url: str, every: float = 0.02) -> Iterator[None]:
    """Make a block every few milliseconds, as a network does that does not wait for us."""
    stop = threading.Event()

    def mine() -> None:
        while not stop.wait(every):
            rpc(url, "anvil_mine", "0x1")

    with meanwhile(mine):
        try:
            yield
        finally:
            stop.set()


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_what_a_reorganisation_takes_away_is_written_again(
    founded: str, path: Path, box: Box, depth: int
) -> None:
    with opened(path, founded) as chain:
        before = [chain.execute(key(n), bytes([n]), [box.put(n, n + 20)])[0] for n in range(1, 7)]
        rpc(founded, "anvil_reorg", depth, [])
        chain.execute(key(7), b"", [box.put(7, 27)])
        after = [chain.written_at(key(n)) for n in range(1, 7)]
        assert after[: 6 - depth] == before[: 6 - depth]
        assert all(one != other for one, other in zip(after[-depth:], before[-depth:], strict=True))
        assert total(chain, box) == sum(range(21, 28))
    assert puts(founded, box) == 7


@pytest.mark.parametrize("depth", [1, 2])
def test_a_reorganisation_before_enough_confirmations_delays_a_write(
    founded: str, path: Path, box: Box, depth: int
) -> None:
    def disturb() -> None:
        until(lambda: puts(founded, box))
        if depth == 2:
            rpc(founded, "anvil_mine", "0x1")
        rpc(founded, "anvil_reorg", depth, [])
        assert not puts(founded, box)
        rpc(founded, "anvil_mine", "0x1")
        until(lambda: puts(founded, box))
        rpc(founded, "anvil_mine", "0x3")

    settings = replace(QUICK, confirmations=4)
    with opened(path, founded, settings=settings) as chain:
        with meanwhile(disturb):
            head, _ = chain.execute(key(1), b"", [box.put(1, 5)])
        there = rpc(founded, "eth_getBlockByNumber", hex(head.number), False)
        assert there["hash"] == "0x" + head.hash.hex()
        assert total(chain, box) == 5
    assert puts(founded, box) == 1


def test_a_chain_set_back_to_its_beginning_is_written_again(
    node_url: str, path: Path, box: Box
) -> None:
    start = rpc(node_url, "evm_snapshot")
    with opened(path, node_url) as chain:
        chain.execute(FOUND, b"", [box.deploy()])
        for n in range(1, 4):
            chain.execute(key(n), bytes([n]), [box.put(n, 5)] * 2)
        state = chain.state_hash()
    rpc(node_url, "evm_revert", start)
    with opened(path, node_url) as chain:
        assert (total(chain, box), chain.state_hash()) == (15, state)
        assert chain.body(key(3)) == b"\3"


def test_finalized_blocks_are_waited_for(founded: str, path: Path, box: Box) -> None:
    settings = replace(QUICK, confirmations=0)
    with mining(founded, 0.001), opened(path, founded, settings=settings) as chain:
        head, _ = chain.execute(key(1), b"", [box.put(1, 5)])
        final = rpc(founded, "eth_getBlockByNumber", "finalized", False)
        assert int(final["number"], 16) >= head.number


# a process that dies

WRITER = """
import sys
from pathlib import Path
from tests.unit.ledger.box import FOUND, OPERATOR, Box, key
from tests.unit.ledger.places import OnNode
from gridpact.ledger.evm.transactions import create_address

path, url, last, code, put = *sys.argv[1:3], int(sys.argv[3]), *sys.argv[4:]
address = create_address(OPERATOR.address, 0)
box = Box(bytes.fromhex(code), {"put(uint256,uint256)": bytes.fromhex(put)}, address)
chain = OnNode(Path(path), url).open()
print("ready", flush=True)
if chain.written_at(FOUND) is None:
    chain.execute(FOUND, b"found", [box.deploy()])
for interval in range(1, last + 1):
    if chain.written_at(key(interval)) is None:
        chain.execute(key(interval), b"body", [box.put(interval, interval + 20)] * 3)
        print(interval, flush=True)
print("end", chain.state_hash().hex(), flush=True)
"""


def _writer(path: Path, url: str, last: int, box: Box) -> subprocess.Popen[str]:
    put = next(selector for name, selector in box.selectors.items() if name.startswith("put"))
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), url, str(last), box.code.hex(), put.hex()],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def test_a_process_killed_while_it_sends_goes_on_with_the_same_transactions(
    node_url: str, path: Path, box: Box
) -> None:
    """It dies before, between and after its sends: after the n-th question of its record."""
    chance, last, kills, ended = random.Random(3), 8, 0, ""
    with proxy(node_url) as seen:
        while not ended:
            with _writer(path, seen.url, last, box) as writer:
                assert writer.stdout is not None
                assert writer.stdout.readline() == "ready\n"
                if kills < 2:
                    heard = len(seen.asked) + chance.randrange(2, 60)
                    until(lambda heard=heard: len(seen.asked) >= heard)
                    writer.kill()
                    kills += 1
                for line in writer.stdout:
                    ended = line.split()[1] if line.startswith("end") else ended
        raws = seen.sent()
    assert puts(node_url, box) == 3 * last
    assert len(set(raws)) == 1 + 3 * last
    assert rpc(node_url, "eth_getTransactionCount", "0x" + OPERATOR.address.hex(), "latest") == hex(
        1 + 3 * last
    )
    with opened(path, node_url) as chain:
        assert chain.state_hash().hex() == ended
        assert total(chain, box) == sum(range(21, 21 + last))
        assert all(chain.body(key(n)) == b"body" for n in range(1, last + 1))
