"""Does the audit see it? 200 random changes to stored fields of a real day's ledger."""

import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bench.days import SCENARIOS
from bench.rows import Row
from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.errors import Corrupt, HeadMismatch, LedgerError
from gridpact.scenario.reader import load

CHANGES = 200
TABLES = ("block", "content", "place", "body", "snapshot", "outbox")
NOTES = (
    f"`gridpact audit` on copies of the ledger of `sce56-day.toml`, each with one of {CHANGES} "
    "random changes (one bit of bytes, one unit of a number, one character of a text) in a stored "
    f"field of the tables {', '.join(TABLES)}. Named: the message says "
    "which chain and block (where the row stands now, if its key was changed)."
)


class Found(NamedTuple):
    """What the audit said of one change."""

    seen: bool
    named: bool


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        honest, other = Path(folder) / "ledger.db", Path(folder) / "other.db"
        heads = _made(honest, 1)
        _made(other, 2)
        with ProcessPoolExecutor(2) as pool:
            found = list(pool.map(_judged, [(str(honest), n) for n in range(CHANGES)]))
        return [*_rows(found), _rewritten(other, heads)]


def _made(path: Path, seed: int) -> dict[str, bytes]:
    """Run the day into a ledger file; return its heads."""
    scenario = load(SCENARIOS / "sce56-day.toml", seed)
    ledgers = embedded_ledgers(scenario, path)
    try:
        day = run_day(scenario, ledgers, unwatched)
    finally:
        ledgers.close()
    return {end.name: end.head.hash for end in day.chains}


def _rows(found: list[Found]) -> Iterator[Row]:
    seen, named = sum(one.seen for one in found), sum(one.named for one in found)
    for what, count in (("seen", seen), ("seen and named", named)):
        yield Row(f"changed fields {what} by the audit", count, "fields", f"{CHANGES} changed",
                  count / CHANGES, f"{CHANGES}", count == CHANGES)  # fmt: skip


def _rewritten(other: Path, heads: dict[str, bytes]) -> Row:
    """Audit a wholly different, sound ledger against the heads of the first."""
    audit_ledger(other, {})
    try:
        audit_ledger(other, heads)
    except HeadMismatch:
        refused = True
    else:
        refused = False
    return Row("rewritten ledgers refused against --head", int(refused), "of 1", goal="1",
               holds=refused)  # fmt: skip


class Change(NamedTuple):
    """Where a changed row stood, and where it stands now: a changed key moves it."""

    chains: tuple[str, ...]
    blocks: tuple[int, ...]

    def is_named_in(self, said: str) -> bool:
        """Say whether a message names the chain (or that there is none) and the block."""
        named = any(f"block {block}" in said for block in self.blocks)
        return named and any(chain in said for chain in (*self.chains, "no such chain"))


def _judged(task: tuple[str, int]) -> Found:
    """Change one field of a copy and audit it."""
    path, number = task
    chance = random.Random(number)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "ledger.db"
        shutil.copy(path, copy)
        change = _change(copy, chance)
        try:
            audit_ledger(copy, {})
        except LedgerError as error:
            return Found(True, isinstance(error, Corrupt) and change.is_named_in(str(error)))
    return Found(False, False)


def _change(file: Path, chance: random.Random) -> Change:
    """Change a random stored field."""
    connection = sqlite3.connect(file)
    try:
        names = dict(connection.execute("SELECT id, name FROM chain"))
        while True:
            table = chance.choice(TABLES)
            key = "number" if table == "block" else "block"
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY chain, {key}")
            columns = [column[0] for column in rows.description]
            row = dict(zip(columns, chance.choice(rows.fetchall()), strict=True))
            column = chance.choice(columns)
            where = [name for name in ("chain", key, "position", "prefix") if name in columns]
            values = [row[name] for name in where]
            condition = " AND ".join(f"{name} = ?" for name in where)
            other = _other(row[column], chance)
            try:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? WHERE {condition}", [other, *values]
                )
            except sqlite3.IntegrityError:
                continue
            connection.commit()
            moved = row | {column: other}
            chains = {names[one["chain"]] for one in (row, moved) if one["chain"] in names}
            return Change(tuple(chains), (row[key], moved[key]))
    finally:
        connection.close()


def _other(value: object, chance: random.Random) -> object:
    """Return a value of the same type that differs a little."""
    if isinstance(value, int):
        return value + chance.choice((-1, 1))
    if isinstance(value, bytes):
        changed = bytearray(value or b"\0")
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    text = str(value)
    return text[:-1] + chr(ord(text[-1]) ^ 1)
