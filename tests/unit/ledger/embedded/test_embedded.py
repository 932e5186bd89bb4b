"""The embedded chain: whole blocks or nothing, durable when acknowledged, the same on reopening."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ledger.box import (
    CHAIN_ID,
    FOUND,
    OPERATOR,
    Box,
    clock,
    environment,
    found,
    key,
    open_chain,
    sent,
    stranger,
    the_box,
)

from gridpact.errors import Corrupt, LedgerError, Reverted, WriteConflict
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.chain import Call
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm import pyevm
from gridpact.ledger.evm.engine import default_engine, has_revm
from gridpact.ledger.evm.transactions import create_address
from gridpact.ledger.files.store import Store, open_store
from gridpact.ledger.ledger import Head


def total(chain: EmbeddedChain, box: Box) -> int:
    return int.from_bytes(chain.view(box.call("total")), "big")


def test_a_block_executes_its_calls_in_order_and_keeps_its_body(
    chain: EmbeddedChain, box: Box
) -> None:
    head, outcomes = chain.execute(key(1), b"record", [box.put(1, 5), box.put(2, 7), box.put(1, 1)])
    assert [int.from_bytes(done.output, "big") for done in outcomes] == [5, 12, 8]
    assert [len(done.logs) for done in outcomes] == [1, 1, 1]
    assert total(chain, box) == 8
    assert chain.body(key(1)) == b"record"
    assert chain.head() == head == chain.written_at(key(1)) == Head(2, head.hash)


def test_a_deployment_returns_the_address_of_the_contract(store: Store, box: Box) -> None:
    chain = open_chain(store)
    _, outcomes = chain.execute(FOUND, b"", [box.deploy(), box.deploy()])
    assert [done.output for done in outcomes] == [
        create_address(chain.operator, 0),
        create_address(chain.operator, 1),
    ]


def test_a_refused_call_names_its_reason_and_leaves_no_trace(
    store: Store, chain: EmbeddedChain, box: Box
) -> None:
    chain.execute(key(1), b"first", [box.put(1, 5)])
    head, state = chain.head(), chain.state_hash()
    rows = [store.chains(), list(store.blocks(1))]
    with pytest.raises(Reverted) as refused:
        chain.execute(key(2), b"second", [box.put(1, 6), box.put(2, 13), box.put(3, 1)])
    assert (refused.value.reason, refused.value.call) == ("box: unlucky", "put")
    assert (chain.head(), chain.state_hash()) == (head, state)
    assert [store.chains(), list(store.blocks(1))] == rows
    assert chain.body(key(2)) is None
    assert chain.written_at(key(2)) is None


def test_after_a_refusal_the_chain_goes_on_as_if_it_had_not_been(tmp_path: Path, box: Box) -> None:
    heads = []
    for name, stumbles in (("a.db", True), ("b.db", False)):
        with open_store(tmp_path / name) as store:
            chain = found(open_chain(store))
            if stumbles:
                with pytest.raises(Reverted):
                    chain.execute(key(1), b"", [box.put(1, 6), box.deploy(), box.put(2, 13)])
                chain.propose([box.put(4, 4), box.deploy()])
            chain.execute(key(1), b"", [box.put(1, 7), box.deploy()])
            heads.append((chain.head(), chain.state_hash()))
    assert heads[0] == heads[1]


def test_a_taken_key_is_refused(chain: EmbeddedChain, box: Box) -> None:
    with pytest.raises(WriteConflict):
        chain.execute(FOUND, b"other", [box.put(1, 1)])
    assert total(chain, box) == 0


def test_a_proposal_tells_what_would_happen_and_is_forgotten(
    chain: EmbeddedChain, box: Box
) -> None:
    head, state = chain.head(), chain.state_hash()
    proposed = chain.propose([box.put(1, 5), box.put(2, 7)])
    with pytest.raises(Reverted, match="box: unlucky"):
        chain.propose([box.put(1, 5), box.put(2, 13)])
    assert (chain.head(), chain.state_hash(), total(chain, box)) == (head, state, 0)
    assert chain.execute(key(1), b"", [box.put(1, 5), box.put(2, 7)])[1] == proposed


def test_a_view_reads_and_cannot_write(chain: EmbeddedChain, box: Box) -> None:
    state = chain.state_hash()
    with pytest.raises(Reverted):
        chain.view(box.put(1, 5))
    with pytest.raises(Reverted, match="view"):
        chain.view(Call(box.address, b"\1\2\3\4", "view"))
    assert chain.state_hash() == state


def test_contracts_see_market_time_not_the_machines(chain: EmbeddedChain, box: Box) -> None:
    chain.execute(key(9), b"", [])
    seen = chain.view(box.call("where"))
    assert int.from_bytes(seen[32:64], "big") == clock(key(9))


blocks = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=3), min_size=1, max_size=7
)


@settings(max_examples=15, deadline=None)
@given(blocks=blocks, every=st.integers(1, 4), cut=st.data())
def test_a_run_cut_anywhere_and_reopened_ends_like_an_undisturbed_one(
    tmp_path_factory: pytest.TempPathFactory,
    blocks: list[list[tuple[int, int]]],
    every: int,
    cut: st.DataObject,
) -> None:
    box, place = the_box(), tmp_path_factory.mktemp("cut")
    ends = []
    for name in ("whole.db", "cut.db"):
        store = open_store(place / name)
        chain = found(open_chain(store, snapshot_every=every))
        for interval, puts in enumerate(blocks):
            if name == "cut.db" and cut.draw(st.booleans()):
                if cut.draw(st.booleans()):
                    chain.close()
                store.close()
                store = open_store(place / name)
                chain = open_chain(store, snapshot_every=every)
            chain.execute(key(interval), b"body", [box.put(*put) for put in puts])
        ends.append((chain.head(), chain.state_hash()))
        store.close()
    assert ends[0] == ends[1]
    audit(place / "cut.db", {"north": ends[0][0].hash})


@pytest.mark.skipif(not has_revm(), reason="one engine only on this platform")
def test_both_engines_write_the_same_chain_and_go_on_where_the_other_stopped(
    tmp_path: Path, box: Box
) -> None:
    ends = []
    for name, engines in (
        ("fast.db", [default_engine(), default_engine()]),
        ("exact.db", [pyevm.open_engine, pyevm.open_engine]),
        ("mixed.db", [default_engine(), pyevm.open_engine]),
    ):
        for part, engine in enumerate(engines):
            with open_store(tmp_path / name) as store:
                chain = open_chain(store, engine=engine, snapshot_every=3)
                if part == 0:
                    found(chain)
                for interval in range(part * 5, part * 5 + 5):
                    chain.execute(key(interval), b"", [box.put(interval, 3), box.put(0, interval)])
                end = (chain.head(), chain.state_hash())
        ends.append(end)
    assert ends[0] == ends[1] == ends[2]


def test_chains_of_one_file_do_not_touch_each_other(store: Store, box: Box) -> None:
    north, zone = found(open_chain(store)), found(open_chain(store, "zone"))
    north.execute(key(1), b"north", [box.put(1, 5)])
    assert total(zone, box) == 0
    assert zone.body(key(1)) is None
    zone.execute(key(1), b"zone", [])
    assert north.body(key(1)) == b"north"
    assert north.head().hash != zone.head().hash


@pytest.mark.parametrize(
    ("chain_id", "operator"), [(CHAIN_ID + 1, OPERATOR), (CHAIN_ID, type(OPERATOR)(b"\x01" * 32))]
)
def test_a_chain_is_not_opened_under_another_id_or_operator(
    store: Store, chain: EmbeddedChain, chain_id: int, operator: object
) -> None:
    with pytest.raises(LedgerError, match="chain north has id 7001 and operator"):
        EmbeddedChain(store, chain.name, chain_id, operator, clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("chain_id", [0, -1, 2**53])
def test_a_chain_id_that_no_client_takes_is_refused(store: Store, chain_id: int) -> None:
    with pytest.raises(LedgerError, match="chain id"):
        EmbeddedChain(store, "north", chain_id, OPERATOR, clock)


def test_opening_refuses_a_snapshot_that_does_not_have_its_hash(tmp_path: Path, box: Box) -> None:
    import sqlite3

    path = tmp_path / "ledger.db"
    with open_store(path) as store:
        chain = found(open_chain(store))
        chain.execute(key(1), b"", [box.put(1, 5)])
        chain.close()
    raw = sqlite3.connect(path)
    last_byte_lost = "CAST(substr(content, 1, length(content) - 1) || x'63' AS BLOB)"
    raw.execute(f"UPDATE snapshot SET content = {last_byte_lost}")
    raw.commit()
    raw.close()
    with open_store(path) as store, pytest.raises(Corrupt, match="snapshot at block 2"):
        open_chain(store)


def test_only_the_last_snapshots_are_kept(store: Store) -> None:
    chain = found(open_chain(store, snapshot_every=2))
    for interval in range(1, 12):
        chain.execute(key(interval), b"", [])
    chain.close()
    assert [snapshot.block for snapshot in store.snapshots(1)] == [12, 10]


WRITER = """
import sys
from gridpact.ledger.files.store import open_store
from tests.unit.ledger.box import FOUND, OPERATOR, Box, key, open_chain
from gridpact.ledger.evm.transactions import create_address

path, last, code, put = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
address = create_address(OPERATOR.address, 0)
box = Box(bytes.fromhex(code), {"put(uint256,uint256)": bytes.fromhex(put)}, address)
print("ready", flush=True)
with open_store(path) as store:
    chain = open_chain(store, snapshot_every=5)
    if chain.written_at(FOUND) is None:
        chain.execute(FOUND, b"found", [box.deploy()])
    for interval in range(1, last + 1):
        if chain.written_at(key(interval)) is None:
            calls = [box.put(interval % 9, interval + 20)] * 3
            head, _ = chain.execute(key(interval), b"body" * 5000, calls)
            print(interval, head.hash.hex(), flush=True)
    chain.close()
    print("end", chain.state_hash().hex(), flush=True)
"""


def _writer(path: Path, last: int) -> subprocess.Popen[str]:
    box = the_box()
    put = next(selector for name, selector in box.selectors.items() if name.startswith("put"))
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(last), box.code.hex(), put.hex()],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def test_a_process_killed_at_any_moment_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
) -> None:
    chance, last, path = random.Random(7), 100, tmp_path / "killed.db"
    acknowledged: dict[int, str] = {}
    ended, kills = "", 0
    while not ended:
        with _writer(path, last) as writer:
            assert writer.stdout is not None
            patience = chance.randrange(1, 40) if kills < 6 else 10**9
            for line in writer.stdout:
                what, *value = line.split()
                if what == "end":
                    ended = value[0]
                elif value:
                    acknowledged[int(what)] = value[0]
                patience -= 1
                if patience == 0:
                    kills += 1
                    writer.send_signal(signal.SIGKILL)
    assert kills == 6
    report = audit(path)
    with open_store(path) as store:
        chain = open_chain(store)
        for interval, head in acknowledged.items():
            written = chain.written_at(key(interval))
            assert written is not None
            assert written.hash.hex() == head
            assert chain.body(key(interval)) == b"body" * 5000
    with _writer(tmp_path / "whole.db", last) as undisturbed:
        lines = undisturbed.communicate()[0].split()
    assert lines[-1] == ended == report.chains[0].state_hash.hex()
    assert lines[-3] == report.chains[0].head.hash.hex()


def test_large_blocks_bring_the_next_snapshot_nearer(
    store: Store, chain: EmbeddedChain, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridpact.ledger.embedded.chain.SNAPSHOT_AFTER", 100)
    ann = stranger("ann")
    for first in range(0, 240, 60):
        chain.submit_many([sent(ann, first + n, box.put(n, first)) for n in range(60)])
    assert [snapshot.block for snapshot in store.snapshots(1)] == [3]
    chain.execute(key(1), b"", [])
    assert [snapshot.block for snapshot in store.snapshots(1)] == [5, 3]
