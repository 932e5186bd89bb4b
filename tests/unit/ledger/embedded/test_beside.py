"""Signatures recovered beside the chain's process: the same blocks, answers and errors."""

import os
import signal
import time
from pathlib import Path

import pytest
from tests.unit.ledger.box import CHAIN_ID, OPERATOR, clock, found, sent, stranger, the_box

from gridpact.crypto.signers import WORTH, Signers
from gridpact.errors import Corrupt, InvalidTransaction
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import Store, open_store

PEOPLE = [stranger(f"person {n}") for n in range(7)]
COUNT = 3 * WORTH


def transactions() -> list[bytes]:
    """Return transactions in order; some that no block can hold and some that are refused."""
    box, made, nonces = the_box(), list[bytes](), [0] * len(PEOPLE)
    for n in range(COUNT):
        who = n % len(PEOPLE)
        raw = sent(PEOPLE[who], nonces[who], box.put(n % 9, 13 if n % 50 == 0 else n))
        if n % 70 == 1:  # another signature: another sender, whose nonce leaves a gap
            made.append(raw[:-1] + bytes([raw[-1] ^ 1]))
        elif n % 70 == 2:
            made.append(raw[:-3])
        else:
            made.append(raw)
            nonces[who] += 1
    return made


RAWS = transactions()


def up() -> Signers:
    """Return a finder of signers whose helper is up."""
    signers, deadline = Signers(cores=2), time.monotonic() + 30
    while not signers.begin(iter([(b"", b"")] * WORTH), WORTH).beside:
        assert time.monotonic() < deadline, "the helper is not up within 30 s"
        time.sleep(0.02)
    return signers


def opened(store: Store, signers: Signers) -> EmbeddedChain:
    return EmbeddedChain(store, "north", CHAIN_ID, OPERATOR, clock, signers=signers)


def answers(chain: EmbeddedChain, raws: list[bytes]) -> list[object]:
    return [
        str(answer) if isinstance(answer, InvalidTransaction) else answer
        for answer in chain.submit_many(raws)
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_a_chain_with_a_helper_writes_what_one_without_writes(tmp_path: Path, killed: bool) -> None:
    told, heads = [], []
    for name, signers in (("alone", Signers(cores=1)), ("beside", up())):
        with open_store(tmp_path / f"{name}.db") as store:
            chain = found(opened(store, signers))
            first = answers(chain, RAWS[: 2 * WORTH])
            if killed and signers.helper is not None:
                os.kill(signers.helper, signal.SIGKILL)
            told.append(first + answers(chain, RAWS[2 * WORTH :]))
            heads.append((chain.head(), chain.state_hash()))
            assert ("gone" in chain.recovering) == (killed and name == "beside")
            signers.close()
    assert told[0] == told[1]
    assert 5 < sum(isinstance(one, str) for one in told[0]) < COUNT // 2
    assert heads[0] == heads[1]
    assert audit(tmp_path / "beside.db").chains[0].head == heads[0][0]


def test_replay_with_a_helper_ends_at_the_same_head_and_finds_the_same_fault(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path / "ledger.db") as store:
        chain = found(opened(store, Signers(cores=1)))
        for at in range(0, COUNT, WORTH):
            answers(chain, RAWS[at : at + WORTH])
        before = (chain.head(), chain.state_hash())
        signers = up()
        again = opened(store, signers)
        assert (again.head(), again.state_hash()) == before
        store._file._connection.execute(
            "UPDATE content SET transactions = substr(transactions, 1, 9) WHERE block = 3"
        )
        with pytest.raises(Corrupt, match="north block 3 content: transactions"):
            opened(store, signers)
        signers.close()
