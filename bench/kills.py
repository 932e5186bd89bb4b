"""Does an acknowledged write survive `kill -9`? A hundred kills at random moments under load.

A process of its own opens a ledger file; four threads submit transactions and a fifth writes market
blocks, and each notes what was acknowledged in a file beside the ledger. It is killed at a random
moment, opening and snapshots included; then the file is audited from genesis and every note is
looked up in it. The next process goes on with the same file; every tenth begins a new one.
"""

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.rows import Row
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import LedgerError
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.chain import Call
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm.transactions import create_address, decode, sign
from gridpact.ledger.files.store import open_store, open_to_read
from gridpact.model.interval import Key, Phase

KILLS = 100
PER_FILE = 10
SEED = 5_003
CHAIN_ID = 5_603
OPERATOR = PrivateKey.derive(b"kills", "operator")
SENDERS = tuple(PrivateKey.derive(b"kills", f"sender {number}") for number in range(4))
WHILE_OPENING = 0.2
"""Share of the processes that are killed before or while they open the file."""
LATEST = 0.5
"""The others are killed at most so long after they began to write. [s]"""

RUNTIME = bytes.fromhex("602035600035556020600060008037 60206000a000".replace(" ", ""))
"""Stores the second word of the call under its first, and logs the first."""
CODE = bytes([0x60, len(RUNTIME), 0x80, 0x60, 0x0B, 0x60, 0, 0x39, 0x60, 0, 0xF3]) + RUNTIME
CONTRACT = create_address(OPERATOR.address, 0)

NOTES = (
    "A process submits transactions from four threads and writes market blocks beside them, with "
    "snapshots every 16 blocks; it is killed with SIGKILL at a random moment (seed "
    f"{SEED}), one in five while it opens the file, {KILLS} times, {PER_FILE} per file. After each "
    "kill the file is audited from genesis and every acknowledgement that the process had noted is "
    "looked up: same "
    "block, same hash, same position, same sender and nonce."
)


class Found(NamedTuple):
    """What a kill left: what was acknowledged, what of it is lost, what the audit said."""

    acknowledged: int
    lost: int
    written: int
    broken: str


def run() -> list[Row]:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = list(kills(Path(folder), KILLS))
    broken = [one.broken for one in found if one.broken]
    under_load = sum(one.acknowledged > 0 for one in found)
    acknowledged, lost = sum(f.acknowledged for f in found), sum(f.lost for f in found)
    unit = "transactions and market blocks"
    named = "" if not broken else f": {broken[0]}"
    return [
        Row("processes killed", len(found), "kills", goal=f"{KILLS}", holds=len(found) == KILLS),
        Row("of these while acknowledging", under_load, "kills"),
        Row("acknowledged before the kills", acknowledged, unit),
        Row("acknowledged and lost", lost, "", goal="0", holds=lost == 0),
        Row(f"audits that failed{named}", len(broken), "audits", goal="0", holds=not broken),
        Row("in the files, acknowledged or not", sum(f.written for f in found), unit),
        Row("wall time", time.perf_counter() - begun, "s"),
    ]


def kills(folder: Path, count: int, seed: int = SEED) -> Iterator[Found]:
    """Kill `count` processes, one after another, and judge what each left."""
    chance = random.Random(seed)
    before = Found(0, 0, 0, "")
    for number in range(count):
        path = folder / f"{number // PER_FILE}" / "ledger.db"
        if number % PER_FILE == 0:
            path.parent.mkdir()
            before = Found(0, 0, 0, "")
        _kill_one(path, chance.random() < WHILE_OPENING, chance.uniform(0, LATEST))
        found = judged(path)
        yield found._replace(
            acknowledged=found.acknowledged - before.acknowledged,
            written=found.written - before.written,
        )
        before = found


def _kill_one(path: Path, opening: bool, seconds: float) -> None:
    """Start a writer and kill it some seconds after its start, or after its first write."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"from bench.kills import write; write({str(path)!r})"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
    )
    with process:
        if not opening and process.stdout is not None:
            process.stdout.readline()
        time.sleep(seconds)
        alive = process.poll() is None
        process.kill()
    if not alive:
        raise RuntimeError(f"the writer ended by itself with status {process.returncode}")


def judged(path: Path) -> Found:
    """Audit a file and look up everything that was acknowledged."""
    if not path.exists() or path.stat().st_size == 0:
        return Found(*_counted(path, set()), 0, "")
    try:
        with open_to_read(path) as store:
            there = {
                note
                for chain in store.chains()
                for block in store.blocks(chain.id)
                for note in _told(block.header.number, block.header.hash, block.header.interval,
                                  block.header.phase, block.raws)
            }  # fmt: skip
        audit(path)
    except LedgerError as error:
        # killed before the first chain stood in it: a file without content holds no ledger
        empty = "holds no ledger" in str(error)
        return Found(*_counted(path, set()), 0, "" if empty else str(error))
    return Found(*_counted(path, there), len(there), "")


def _told(
    number: int, digest: bytes, interval: int, phase: int, raws: tuple[bytes, ...]
) -> Iterator[str]:
    """Yield what may have been acknowledged of a block, in the words of `_note`."""
    if phase != Phase.PUBLIC:
        yield f"block {number} {digest.hex()} {interval}"
        return
    for position, raw in enumerate(raws):
        transaction = decode(raw)
        sender = (transaction.sender or b"").hex()
        yield f"tx {number} {digest.hex()} {position} {sender} {transaction.nonce}"


def _counted(path: Path, there: set[str]) -> tuple[int, int]:
    """Return how many lines were noted as acknowledged and how many of them are not there."""
    notes = _notes_of(path)
    if not notes.exists():
        return 0, 0
    lines = notes.read_text().split("\n")[:-1]  # the last may be half a line
    return len(lines), sum(line not in there for line in lines)


def _notes_of(path: Path) -> Path:
    return path.with_suffix(".acknowledged")


# --- the process that is killed ------------------------------------------------------------------


def write(path: str) -> None:
    """Load a ledger until killed, noting each acknowledgement after it was given."""
    notes = os.open(_notes_of(Path(path)), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with open_store(path) as store:
        chain = EmbeddedChain(
            store, "kills", CHAIN_ID, OPERATOR, lambda key: key.interval, snapshot_every=16
        )
        if chain.head().number == 0:
            chain.execute(_key(0), b"found", [Call(b"", CODE, "deploy")])
        for sender in SENDERS:
            threading.Thread(target=_submit, args=(chain, sender, notes), daemon=True).start()
        print("writing", flush=True)
        _write_blocks(chain, notes)


def _key(interval: int) -> Key:
    return Key(bytes(31) + b"\1", interval, Phase.COLLECT)


def _submit(chain: EmbeddedChain, sender: PrivateKey, notes: int) -> None:
    nonce = _next_nonce(chain, sender)
    while True:
        data = nonce.to_bytes(32, "big") + (nonce + 1).to_bytes(32, "big")
        receipt = chain.submit(sign(sender, CHAIN_ID, nonce, CONTRACT, data).raw)
        if receipt.outcome.status != 1:
            raise RuntimeError(f"a transaction failed: {receipt}")
        block, place = receipt.block, receipt.position
        line = f"tx {block.number} {block.hash.hex()} {place} {sender.address.hex()} {nonce}"
        _note(notes, line)
        nonce += 1


def _next_nonce(chain: EmbeddedChain, sender: PrivateKey) -> int:
    """Return how many transactions of a sender the chain took: what is sent twice is known."""
    nonce = 0
    step = 1 << 20
    while step:
        data = (nonce + step - 1).to_bytes(32, "big") + (nonce + step).to_bytes(32, "big")
        raw = sign(sender, CHAIN_ID, nonce + step - 1, CONTRACT, data)
        if chain.receipt(raw.hash) is not None:
            nonce += step
        else:
            step //= 2
    return nonce


def _write_blocks(chain: EmbeddedChain, notes: int) -> None:
    interval = 1
    while True:
        if chain.written_at(_key(interval)) is None:
            word = interval.to_bytes(32, "big")
            head, _ = chain.execute(_key(interval), b"body" * 50, [Call(CONTRACT, word * 2, "put")])
            _note(notes, f"block {head.number} {head.hash.hex()} {interval}")
        interval += 1


def _note(notes: int, line: str) -> None:
    os.write(notes, (line + "\n").encode())
