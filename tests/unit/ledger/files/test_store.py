"""The file: one writer, whole blocks, and a clear word about files that are not ours."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.ledger.box import environment, found, key, open_chain

from gridpact.errors import LedgerError, LedgerLocked
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files import ledger_file, schema
from gridpact.ledger.files.store import open_store, open_to_read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A closed ledger of a few blocks."""
    with open_store(tmp_path / "ledger.db") as store:
        chain = found(open_chain(store))
        for interval in range(1, 6):
            chain.execute(key(interval), b"body" * 1000, [])
        chain.close()
    return tmp_path / "ledger.db"


def test_a_second_writer_is_refused_while_the_first_lives(file: Path) -> None:
    with open_store(file):
        with pytest.raises(LedgerLocked, match="another process writes"):
            open_store(file)
        code = f"from gridpact.ledger.files.store import open_store; open_store({str(file)!r})"
        other = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment()
        )
        assert "LedgerLocked" in other.stderr
    open_store(file).close()


def test_readers_need_no_lock_and_see_one_state(file: Path) -> None:
    with open_store(file) as store, open_to_read(file) as reader:
        before = reader.chains()
        open_chain(store).execute(key(99), b"later", [])
        assert reader.chains() == before
    with open_to_read(file) as reader:
        assert reader.chains()[0].head_number == before[0].head_number + 1


def test_a_reader_changes_nothing_beside_the_file(file: Path) -> None:
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    with open_to_read(file) as reader:
        assert len(list(reader.blocks(1))) == 6
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("these are not the blocks you are looking for" * 100)
    foreign = tmp_path / "foreign.db"
    other = sqlite3.connect(foreign)
    other.execute("CREATE TABLE people (name TEXT)")
    other.close()
    for opener in (open_store, open_to_read):
        with pytest.raises(LedgerError, match=r"text\.db: cannot be opened as a ledger"):
            opener(text)
        with pytest.raises(LedgerError, match=r"foreign\.db: is a database, but not a ledger"):
            opener(foreign)
    assert text.read_text().startswith("these are")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign.db", "text.db"]


def test_a_lock_that_its_owner_removed_meanwhile_does_not_count(tmp_path: Path) -> None:
    foreign = tmp_path / "text.db"
    foreign.write_text("no ledger" * 100)
    place = foreign.with_name("text.db.lock")
    place.touch()
    late = os.open(place, os.O_RDWR)
    with pytest.raises(LedgerError):
        open_store(foreign)
    assert not ledger_file._is_at(late, place)
    os.close(late)
    first = ledger_file.lock(foreign)
    with pytest.raises(LedgerLocked):
        ledger_file.lock(foreign)
    os.close(first)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    for opener in (open_store, open_to_read):
        with pytest.raises(LedgerError), opener(file) as store:
            list(store.blocks(1))


def test_a_newer_schema_is_refused_with_both_versions(file: Path) -> None:
    newer = sqlite3.connect(file)
    newer.execute("UPDATE meta SET value = ?", (str(schema.VERSION + 1),))
    newer.commit()
    newer.close()
    with pytest.raises(
        LedgerError, match=f"has schema {schema.VERSION + 1}, .* reads up to {schema.VERSION}"
    ):
        open_store(file)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE extra (x TEXT)",
        "CREATE TRIGGER t AFTER INSERT ON block BEGIN DELETE FROM place; END",
        "DROP INDEX outbox_step",
        "INSERT INTO meta VALUES ('more', '1')",
        "DELETE FROM meta",
    ],
)
def test_a_file_whose_tables_were_altered_is_refused(file: Path, change: str) -> None:
    altered = sqlite3.connect(file)
    altered.execute(change)
    altered.commit()
    altered.close()
    with pytest.raises(LedgerError, match=r"its tables are not|table meta does not"):
        open_store(file)


def test_a_crash_while_the_file_is_made_leaves_a_file_that_opens(tmp_path: Path) -> None:
    begun = tmp_path / "begun.db"
    empty = sqlite3.connect(begun, isolation_level=None)
    empty.execute("PRAGMA journal_mode = WAL")
    empty.execute("BEGIN IMMEDIATE")
    empty.execute(schema.TABLES[0])
    empty.execute("ROLLBACK")
    empty.close()
    with open_store(begun) as store:
        assert found(open_chain(store)).head().number == 1


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Act without root's right to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_place_that_is_missing_or_read_only_is_named(file: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        with pytest.raises(LedgerError, match="cannot be written: No such file"):
            open_store(place / "none" / "ledger.db")
        place.chmod(0o555)
        with ordinary_user(), pytest.raises(LedgerError, match="written: Permission denied"):
            open_store(place / "ledger.db")
        place.chmod(0o777)
        copy = Path(shutil.copy(file, place / "ledger.db"))
        copy.chmod(0o444)
        with ordinary_user(), pytest.raises(LedgerError, match="readonly database"):
            open_store(copy)
        with ordinary_user(), open_to_read(copy) as reader:
            assert reader.chains()[0].head_number == 6


FULL = """
import resource, signal, sys
from pathlib import Path
from gridpact.errors import LedgerError
from gridpact.ledger.files.store import open_store
from tests.unit.ledger.box import environment, found, key, open_chain

path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_store(path) as store:
    chain = found(open_chain(store, snapshot_every=3))
    size = max(p.stat().st_size for p in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, resource.RLIM_INFINITY))
    interval = 0
    try:
        while True:
            head = chain.head()
            interval += 1
            chain.execute(key(interval), b"x" * 50_000, [])
    except LedgerError as error:
        assert "cannot be written" in str(error), error
        assert chain.head() == head
        assert chain.body(key(interval)) is None
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    chain.execute(key(interval), b"room again", [])
    print(interval, chain.head().hash.hex())
"""


def test_a_full_disk_refuses_the_block_and_nothing_is_half_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    interval, head = done.stdout.split()
    assert int(interval) > 1
    with open_store(path) as store:
        chain: EmbeddedChain = open_chain(store)
        assert chain.head().hash.hex() == head
        assert chain.body(key(int(interval))) == b"room again"
