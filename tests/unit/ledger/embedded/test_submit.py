"""Anybody's transactions: taken once, in order, on disk when acknowledged, the same on replay."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.ledger.box import (
    CHAIN_ID,
    FOUND,
    OPERATOR,
    Box,
    environment,
    found,
    key,
    open_chain,
    sent,
    stranger,
    the_box,
)

from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import InvalidTransaction, LedgerError
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.chain import Call, Receipt
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.embedded.public import MAX_TRANSACTIONS
from gridpact.ledger.evm import pyevm
from gridpact.ledger.evm.engine import Execution, Moment, default_engine, revert_reason
from gridpact.ledger.evm.state_hash import State
from gridpact.ledger.evm.transactions import GAS, Transaction, encode_list, sign
from gridpact.ledger.files.store import Store, open_store
from gridpact.ledger.ledger import Head
from gridpact.model.interval import public_key

ANN, BOB = stranger("ann"), stranger("bob")


def receipts(answers: tuple[Receipt | LedgerError, ...]) -> list[Receipt]:
    """Return the receipts of transactions that were all taken."""
    assert all(isinstance(answer, Receipt) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, Receipt)]


def total(chain: EmbeddedChain) -> int:
    return int.from_bytes(chain.view(the_box().call("total")), "big")


def test_a_stranger_s_transaction_is_executed_under_the_strangers_name(
    chain: EmbeddedChain, box: Box
) -> None:
    raw = sent(ANN, 0, box.put(1, 5))
    receipt = chain.submit(raw)
    assert receipt.block == chain.head() == chain.written_at(public_key(2))
    assert (receipt.position, receipt.outcome.status) == (0, 1)
    assert int.from_bytes(receipt.outcome.output, "big") == 5
    assert len(receipt.outcome.logs) == 1
    assert chain.view(box.call("last"))[12:] == ANN.address
    assert chain.receipt(receipt.transaction) == receipt
    assert chain.receipt(bytes(32)) is None


def test_a_refused_transaction_is_recorded_with_its_reason_and_its_nonce_counts(
    chain: EmbeddedChain, box: Box
) -> None:
    refused = chain.submit(sent(ANN, 0, box.put(1, 13)))
    assert refused.outcome.status == 0
    assert revert_reason(refused.outcome.output) == "box: unlucky"
    assert refused.outcome.logs == ()
    assert total(chain) == 0
    assert chain.submit(sent(ANN, 1, box.put(1, 6))).outcome.status == 1


def test_many_are_taken_in_order_and_the_bad_ones_do_not_stop_the_others(
    chain: EmbeddedChain, box: Box
) -> None:
    answers = chain.submit_many(
        [
            sent(ANN, 0, box.put(1, 5)),
            b"not a transaction",
            sent(BOB, 0, box.put(1, 13)),
            sent(ANN, 5, box.put(1, 6)),
            sent(BOB, 1, box.put(1, 7)),
            sent(ANN, 1, box.put(2, 1)),
        ]
    )
    taken = [answer for answer in answers if isinstance(answer, Receipt)]
    assert [answer.outcome.status for answer in taken] == [1, 0, 1, 1]
    assert [answer.position for answer in taken] == [0, 1, 2, 3]
    assert {answer.block for answer in taken} == {chain.head()}
    assert [type(answer) for answer in answers].index(InvalidTransaction) == 1
    assert "leaves a gap" in str(answers[3])
    assert total(chain) == 8
    assert chain.submit_many([]) == ()


def test_a_block_that_is_full_is_followed_by_another(chain: EmbeddedChain, box: Box) -> None:
    count = MAX_TRANSACTIONS + 7
    answers = receipts(
        chain.submit_many([sent(ANN, nonce, box.put(nonce % 9, nonce)) for nonce in range(count)])
    )
    assert [answer.block.number for answer in answers] == [2] * MAX_TRANSACTIONS + [3] * 7
    assert answers[-1].position == 6


def test_the_same_bytes_again_return_the_first_receipt(tmp_path: Path, box: Box) -> None:
    raw, refused = sent(ANN, 0, box.put(1, 5)), sent(ANN, 1, box.put(1, 13))
    with open_store(tmp_path / "ledger.db") as store:
        chain = found(open_chain(store))
        first, second, third = receipts(chain.submit_many([raw, refused, raw]))
        assert first == third
        assert chain.submit(raw) == first
        head = chain.head()
    with open_store(tmp_path / "ledger.db") as store:
        chain = open_chain(store)
        assert receipts(chain.submit_many([refused, raw])) == [second, first]
        assert chain.head() == head


def _too_large(box: Box) -> bytes:
    call = box.put(1, 1)
    return sign(ANN, CHAIN_ID, 0, call.to, call.data + bytes(128 * 1024)).raw


def _of_value(field: int, value: bytes) -> bytes:
    """Return a signed transaction that brings ether, or offers to pay for gas."""
    from gridpact.crypto.keccak import keccak

    fields = [b"", b"", b"\x0f\x42\x40", the_box().address, b"", b""]
    fields[field] = value
    signature = ANN.sign(keccak(encode_list([*fields, CHAIN_ID.to_bytes(2, "big"), b"", b""])))
    v = (signature[64] - 27 + 35 + 2 * CHAIN_ID).to_bytes(2, "big")
    words = (signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0"))
    return encode_list([*fields, v, *words])


def _high_s(box: Box) -> bytes:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    signed = sign(ANN, CHAIN_ID, 0, box.address, b"")
    s = (order - int.from_bytes(signed.signature[32:64], "big")).to_bytes(32, "big").lstrip(b"\0")
    v = 35 + 2 * CHAIN_ID + (1 - (signed.signature[64] - 27))
    fields = [b"", b"", GAS.to_bytes(4, "big"), box.address, b"", b"", v.to_bytes(2, "big")]
    return encode_list([*fields, signed.signature[:32].lstrip(b"\0"), s])


BAD: list[tuple[str, Callable[[Box], bytes]]] = [
    ("not RLP", lambda _: b""),
    ("not RLP", lambda box: sent(ANN, 0, box.put(1, 1))[:-1]),
    ("not RLP", lambda box: sent(ANN, 0, box.put(1, 1)) + b"\0"),
    ("not a legacy transaction", lambda _: encode_list([b"\x01"] * 8)),
    ("not RLP", lambda box: b"\x02" + sent(ANN, 0, box.put(1, 1))),
    ("at most 131072 are taken", _too_large),
    ("chain id 7002, this is chain 7001", lambda box: sign(ANN, 7_002, 0, box.address, b"").raw),
    ("nonce 1 leaves a gap, the sender's next is 0", lambda box: sent(ANN, 1, box.put(1, 1))),
    ("no successor", lambda box: sent(ANN, 2**64 - 1, box.put(1, 1))),
    ("gas 0, it needs 21000", lambda box: sign(ANN, CHAIN_ID, 0, box.address, b"", gas=0).raw),
    ("it needs 21020", lambda box: sign(ANN, CHAIN_ID, 0, box.address, b"\0\1", gas=21_019).raw),
    ("at most 60000000", lambda box: sign(ANN, CHAIN_ID, 0, box.address, b"", gas=GAS + 1).raw),
    ("accounts hold no ether", lambda _: _of_value(1, b"\x01")),
    ("accounts hold no ether", lambda _: _of_value(4, b"\x01")),
    ("signature is not valid, or its s is high", _high_s),
    ("creates a contract, only the operator may", lambda box: sent(ANN, 0, box.deploy())),
]


@pytest.mark.parametrize(("why", "make"), BAD)
def test_what_no_block_can_hold_is_refused_by_name_and_leaves_no_trace(
    chain: EmbeddedChain, box: Box, why: str, make: Callable[[Box], bytes]
) -> None:
    head, state = chain.head(), chain.state_hash()
    with pytest.raises(InvalidTransaction, match=why):
        chain.submit(make(box))
    assert (chain.head(), chain.state_hash()) == (head, state)
    chain.submit(sent(ANN, 0, box.put(1, 1)))


def test_a_nonce_that_was_used_by_other_bytes_is_refused(chain: EmbeddedChain, box: Box) -> None:
    chain.submit(sent(ANN, 0, box.put(1, 1)))
    with pytest.raises(InvalidTransaction, match="nonce 0 is used, the sender's next is 1"):
        chain.submit(sent(ANN, 0, box.put(1, 2)))


def test_the_operator_deploys_and_writes_beside_its_own_public_transactions(
    chain: EmbeddedChain, box: Box
) -> None:
    deployed = chain.submit(sent(OPERATOR, 1, box.deploy()))
    assert len(deployed.outcome.output) == 20
    chain.execute(key(1), b"", [box.put(1, 4)])
    assert chain.submit(sent(OPERATOR, 3, box.put(1, 3))).outcome.status == 1
    assert total(chain) == 3


def test_the_market_does_not_write_under_a_public_key(chain: EmbeddedChain) -> None:
    with pytest.raises(LedgerError, match="made by `submit`"):
        chain.execute(public_key(2), b"", [])


def _story(path: Path, engines: list) -> tuple[Head, bytes]:  # type: ignore[type-arg]
    """Live through market and public blocks, reopening the chain between them."""
    box = the_box()
    for part, engine in enumerate(engines):
        with open_store(path) as store:
            chain = open_chain(store, engine=engine, snapshot_every=3)
            if chain.written_at(FOUND) is None:
                found(chain)
            for round_ in range(part * 3, part * 3 + 3):
                chain.execute(key(round_), b"body", [box.put(round_, 3)])
                chain.submit_many(
                    [
                        sent(ANN, 2 * round_, box.put(round_, 20 + round_)),
                        sent(stranger(f"new {round_}"), 0, box.put(1, 13)),
                        sent(ANN, 2 * round_ + 1, box.put(8, 13)),
                        sent(BOB, round_, box.call("attempt", 3, 13)),
                    ]
                )
            end = (chain.head(), chain.state_hash())
    return end


def test_public_blocks_are_replayed_and_audited_like_the_markets(tmp_path: Path) -> None:
    fast, exact = default_engine(), pyevm.open_engine
    ends = []
    for name, engines in (("a", [fast]), ("b", [fast] * 2), ("c", [exact, fast]), ("d", [exact])):
        ends.append(_story(tmp_path / name, (engines * 2)[:2]))
        report = audit(tmp_path / name, engine=exact if name == "b" else fast)
        assert (report.chains[0].head, report.chains[0].state_hash) == ends[-1]
        assert report.chains[0].transactions == 1 + 6 * 5
    assert len(set(ends)) == 1


class Fragile:
    """An engine that breaks off at one call, as a defect of it would."""

    def __init__(self, chain_id: int, state: State) -> None:
        self._engine = default_engine()(chain_id, state)

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        done = self._engine.execute(transaction, sender, moment)
        if transaction.data == b"poison":
            raise LedgerError("revm: something new")
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def test_a_transaction_at_which_the_engine_breaks_off_does_not_stop_the_others(
    tmp_path: Path, box: Box
) -> None:
    with open_store(tmp_path / "ledger.db") as store:
        chain = found(open_chain(store, engine=Fragile))
        poison = sent(BOB, 0, Call(box.address, b"poison", ""))
        answers = chain.submit_many(
            [sent(ANN, 0, box.put(1, 5)), poison, sent(ANN, 1, box.put(2, 6)), poison]
        )
        assert [isinstance(answer, Receipt) for answer in answers] == [True, False, True, False]
        assert "cannot be executed: revm: something new" in str(answers[1])
        assert total(chain) == 11
        chain.submit(sent(BOB, 0, box.put(3, 1)))
        head = chain.head()
    audit(tmp_path / "ledger.db", {"north": head.hash})


def test_two_chains_of_one_file_take_transactions_at_the_same_time(
    store: Store, chain: EmbeddedChain, box: Box
) -> None:
    zone = found(open_chain(store, "zone"))

    def work(on: EmbeddedChain, name: str) -> None:
        for nonce in range(30):
            assert on.submit(sent(stranger(name), nonce, box.put(nonce, 20))).outcome.status == 1

    threads = [
        threading.Thread(target=work, args=(on, f"{number}"))
        for on in (chain, zone)
        for number in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = audit(store.path, {on.name: on.head().hash for on in (chain, zone)})
    assert [each.transactions for each in report.chains] == [91, 91]


def test_callers_of_several_threads_share_blocks_and_each_gets_its_own_receipt(
    store: Store, chain: EmbeddedChain, box: Box
) -> None:
    threads, each = 8, 25
    answers: dict[tuple[int, int], Receipt] = {}

    def work(name: int) -> None:
        sender = stranger(f"thread {name}")
        for nonce in range(each):
            raw = sent(sender, nonce, box.put(name, 100 * (name + 1) + nonce))
            answers[name, nonce] = chain.submit(raw)

    workers = [threading.Thread(target=work, args=(name,)) for name in range(threads)]
    for worker in workers:
        worker.start()
    for interval in range(5):
        chain.execute(key(interval), b"beside", [box.put(50 + interval, 1)])
    for worker in workers:
        worker.join()
    assert len(answers) == threads * each
    for (name, nonce), receipt in answers.items():
        assert receipt.outcome.status == 1
        assert receipt.outcome.logs[0].topics[1] == name.to_bytes(32, "big")
        assert receipt.outcome.logs[0].data == (100 * (name + 1) + nonce).to_bytes(32, "big")
        assert chain.receipt(receipt.transaction) == receipt
    assert total(chain) == sum(100 * (name + 1) + each - 1 for name in range(threads)) + 5
    public = chain.head().number - 6
    assert public < threads * each
    audit(store.path, {"north": chain.head().hash})


FULL = """
import resource, signal, sys
from pathlib import Path
from gridpact.errors import LedgerError, Unavailable
from gridpact.ledger.chain import Call, Receipt
from gridpact.ledger.files.store import open_store
from tests.unit.ledger.box import found, open_chain, sent, stranger, the_box

path, box = Path(sys.argv[1]), the_box()
ann = stranger("ann")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_store(path) as store:
    chain = found(open_chain(store))
    size = max(p.stat().st_size for p in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, resource.RLIM_INFINITY))
    nonce = 0
    while True:
        raws = [sent(ann, nonce + i, box.put(i, nonce)) for i in range(100)]
        head, state = chain.head(), chain.state_hash()
        answers = chain.submit_many(raws)
        if not isinstance(answers[0], Receipt):
            break
        nonce += 100
    assert all(isinstance(answer, Unavailable) for answer in answers), answers
    assert (chain.head(), chain.state_hash()) == (head, state)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert all(isinstance(answer, Receipt) for answer in chain.submit_many(raws))
    print(nonce + 100, chain.head().hash.hex())
"""


def test_on_a_full_disk_nobody_is_acknowledged_and_asking_again_works(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    taken, head = done.stdout.split()
    report = audit(path, {"north": bytes.fromhex(head)})
    assert report.chains[0].transactions == int(taken) + 1


def test_public_blocks_have_the_time_that_the_chain_was_given(tmp_path: Path, box: Box) -> None:
    times = iter([1_800_000_000, 1_800_000_060])
    with open_store(tmp_path / "ledger.db") as store:
        chain = found(open_chain(store, now=lambda: next(times)))
        for nonce in range(2):
            chain.submit(sent(ANN, nonce, box.put(1, nonce)))
        assert [block.header.time for block in store.blocks(1)][1:] == [
            1_800_000_000,
            1_800_000_060,
        ]
    audit(tmp_path / "ledger.db")


def test_without_a_clock_public_blocks_have_the_time_of_the_block_before(
    store: Store, chain: EmbeddedChain, box: Box
) -> None:
    chain.submit(sent(PrivateKey(b"\x07" * 32), 0, box.put(1, 1)))
    before, public = (block.header.time for block in store.blocks(1))
    assert before == public
