"""How fast is the embedded chain, and what does it cost, beside the chains that others use?

The same signed transactions (`bench.load`: one order each) go to all of them, in alternated runs;
medians of `RUNS`. Ours is durable: an acknowledged transaction is on disk. Of the peers only
ganache keeps a database; anvil and eth-tester work in memory.
"""

from collections.abc import Callable
from importlib.metadata import version
from statistics import median

from bench import net_speed
from bench.embedded import ROUND, acknowledged, disk, embedded, embedded_alone, restart
from bench.ledger_floor import floor
from bench.load import CHAIN_ID, PEOPLE, Load, load
from bench.net_speed import TRADES as NET
from bench.peers import (
    Peer,
    Timed,
    anvil_automine,
    anvil_pipelined,
    eth_tester,
    ganache,
    version_of,
)
from bench.rows import Row
from bench.trades import TRADES, rates

RUNS = 5
MANY, FEW = 16_384, 192
"""Transactions of a run on fast chains, and on those that mine each by itself."""
ALONE = 200
"""Transactions acknowledged one by one."""
DISK_GOAL = 250
"""Bytes that a transaction may take on disk beyond its own. [B]"""
PEERS: tuple[tuple[str, Peer, int], ...] = (
    ("embedded", embedded, MANY),
    ("embedded in one process", embedded_alone, MANY),
    ("anvil pipelined", anvil_pipelined, MANY),
    ("anvil automine", anvil_automine, FEW),
    ("eth-tester", eth_tester, FEW),
    ("ganache", ganache, FEW),
)
GOALS = (("anvil pipelined", 3), ("anvil automine", 20), ("eth-tester", 80), ("ganache", 100))


def _notes() -> str:
    return (
        f"The same {MANY:,} raw transactions (a participant posts its own bid in each, a market "
        f"of {PEOPLE} founded before) to the embedded chain in blocks of {ROUND} and to anvil with "
        f"1 s blocks, requests pipelined down one connection; the first {FEW} to the chains that "
        f"mine each transaction by itself. Runs alternate; medians of {RUNS}. Embedded: SQLite "
        "WAL, synchronous=FULL, so acknowledged is on disk; anvil and eth-tester keep nothing, "
        "ganache writes its database without such a promise. ganache and eth-tester run Berlin "
        "rules, since theirs of London refuse a gas price of zero. CPU time is that of the "
        "chain's process, for the embedded chain this process and its helper from its start on "
        "(`crypto/signers.py`: signatures are recovered in a process beside), for anvil "
        "without the client that feeds it. The bare commit writes the very rows of the "
        "acknowledged transactions with Python's sqlite3 into the same tables, one commit each. "
        f"Net settlement: parts of {NET:,} trades; rule, leaves, root, then commit, post and "
        "finalise as blocks on disk (`bench/net_speed.py`). Each run of the embedded chain "
        "reads its state back from revm once, as it does every 16,384 transactions. The floor is "
        "each part called alone, the least of some blocks: libsecp256k1, pyrevm, the hashes, "
        "SQLite; the rest of a transaction is Python (decoding, blocks, receipts, the garbage "
        "collector). Of revm's part a third is pyrevm's: it takes call data byte by byte through "
        "Python's iterator (17 ns each), whatever type they come in, and its state can only be "
        "had as text. Tried and dropped: recovery in threads (the interpreter's lock changes "
        "hands at each signature: 176 us CPU, 151 us by the clock on this machine where one thread "
        "took 133), verifying instead of recovering (the sender is not in the bytes), "
        "signatures in batches (no library with a wheel has it), another keccak (half a "
        "microsecond of each call is the object around it), the garbage collector off (more page "
        "faults than it saves). "
        "Other work on the machine slows all of them; trust ratios, not absolutes. "
        f"anvil {version_of('anvil')}, ganache {version_of('ganache')}, "
        f"eth-tester {version('eth-tester')}, py-evm {version('py-evm')}."
    )


NOTES = _notes()


def run() -> list[Row]:
    given = load(MANY)
    timed: dict[str, list[Timed]] = {name: [] for name, _, _ in PEERS}
    for _ in range(RUNS):
        for name, peer, count in PEERS:
            timed[name].append(peer(CHAIN_ID, given.before, given.measured[:count]))
    return [
        *_speed(timed),
        *_floor(given),
        *_single(given),
        *_trades(),
        *_stored(given),
        *_restarted(),
    ]


def _middle(timed: list[Timed], figure: Callable[[Timed], float]) -> float:
    return median(map(figure, timed))


def _speed(timed: dict[str, list[Timed]]) -> list[Row]:
    rate = {name: _middle(runs, lambda one: one.rate) for name, runs in timed.items()}
    cpu = {name: _middle(runs, lambda one: one.cpu_each) * 1e6 for name, runs in timed.items()}
    ours, alone = rate["embedded"], rate["embedded in one process"]
    unit = "transactions/s"
    rows = [
        Row("embedded, durable", ours, unit),
        Row("embedded in one process", alone, unit, "embedded", alone / ours),
    ]
    for name, goal in GOALS:
        ratio = ours / rate[name]
        rows.append(Row(name, rate[name], unit, "embedded", 1 / ratio))
        wanted = f">= {goal}x" + (" (stretch 10x)" if goal == 3 else "")
        rows.append(Row(f"embedded over {name}", ours, unit, name, ratio, wanted, ratio >= goal))
    for name, used in cpu.items():
        ratio = used / cpu["anvil pipelined"]
        goal = name == "embedded"
        rows.append(
            Row(
                *(f"CPU of {name}", used, "us/transaction", "anvil pipelined", ratio),
                *(("<= 1/3", ratio <= 1 / 3) if goal else ("", None)),
            )
        )
    return rows


def _floor(given: Load) -> list[Row]:
    least, unit = floor(given), "us/transaction"
    named = ("recovering", "revm", "keccak", "SQLite", "reading revm's state back")
    rows = [Row(f"floor: {name}", cost, unit) for name, cost in zip(named, least, strict=True)]
    return [*rows, Row("floor in all", sum(least), unit)]


def _single(given: Load) -> list[Row]:
    runs = [acknowledged(given, ALONE) for _ in range(RUNS)]
    ours, bare = median(r.submitted for r in runs), median(r.bare for r in runs)
    ratio = median(r.submitted / r.bare for r in runs)
    return [
        Row("bare SQLite commit of the same rows", bare * 1e3, "ms"),
        Row(
            *("one acknowledged transaction", ours * 1e3, "ms", "bare commit", ratio),
            *("<= 2x", ratio <= 2),
        ),
    ]


def _trades() -> list[Row]:
    found, net = rates(RUNS), net_speed.measured()
    what = f"records of {TRADES:,} trades"
    return [
        Row(f"committed, {what}", found.committed, "trades/s"),
        Row(
            *(f"settled in batches, {what}", found.settled, "trades/s", "", None),
            *(">= 10,000", found.settled >= 10_000),
        ),
        Row(
            *(f"settled net, parts of {NET:,} trades", net.rate, "trades/s", "", None),
            *(">= 50,000", net.rate >= 50_000),
        ),
        Row("settled net, by CPU time", net.cpu_rate, "trades/s"),
    ]


def _stored(given: Load) -> list[Row]:
    runs = [disk(given) for _ in range(3)]
    extra = median(r.stored_each - r.raw_each for r in runs)
    stored = median(r.stored_each for r in runs)
    rate, durable = median(r.replay_rate for r in runs), median(r.durable_rate for r in runs)
    ratio = median(r.replay_rate / r.durable_rate for r in runs)
    return [
        Row("a transaction's own bytes", runs[0].raw_each, "B"),
        Row("on disk", stored, "B/transaction", "its own bytes", stored / runs[0].raw_each),
        Row(
            *("on disk beyond its own bytes", extra, "B/transaction", "", None),
            *(f"<= {DISK_GOAL}", extra <= DISK_GOAL),
        ),
        Row("durable rate of these runs", durable, "transactions/s"),
        Row(
            *("replay by the audit, all checks", rate, "transactions/s", "durable rate", ratio),
            *(">= 1x", ratio >= 1),
        ),
    ]


def _restarted() -> list[Row]:
    runs = [restart() for _ in range(RUNS)]
    seconds = median(r.seconds for r in runs)
    what = f"restart from a snapshot of {runs[0].slots:,} slots"
    return [Row(what, seconds, "s", "", None, "< 1", seconds < 1)]
