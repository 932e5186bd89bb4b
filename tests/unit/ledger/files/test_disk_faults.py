"""Disks that stop taking bytes and files that lose some: an error, and nothing half-written.

Real files and real limits: RLIMIT_FSIZE refuses a write beyond a size as a full disk does, at 0
every write, as a disk that went read-only does.
"""

import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.unit.ledger.box import environment, found, key, open_chain, the_box
from tests.unit.ledger.files.test_store import ordinary_user

from gridpact.errors import GridpactError, LedgerError
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.files.store import open_store, open_to_read

PAGE = 4096
BLOCKS = 12


def run(code: str, path: Path) -> str:
    """Run code in a process of its own, whose limits end with it, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


GONE = """
import resource, signal, sys
from pathlib import Path
from gridpact.errors import LedgerError
from gridpact.ledger.files.store import open_store
from tests.unit.ledger.box import found, key, open_chain

path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_store(path) as store:
    chain = found(open_chain(store, snapshot_every=2))
    chain.execute(key(1), b"kept", [])
    head = chain.head()
    was = {one.name: one.read_bytes() for one in path.parent.iterdir() if "-shm" not in one.name}
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    for _ in range(3):
        try:
            chain.execute(key(2), b"x" * 10_000, [])
            raise SystemExit("a write was acknowledged that no disk took")
        except LedgerError as error:
            assert f"{path}: cannot be written" in str(error), error
        assert chain.head() == head
        assert chain.body(key(1)) == b"kept"
        assert chain.body(key(2)) is None
    now = {one.name: one.read_bytes() for one in path.parent.iterdir() if "-shm" not in one.name}
    assert now == was, "something was written"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    chain.execute(key(2), b"again", [])
    chain.close()
"""


def test_a_disk_that_takes_nothing_more_refuses_every_write_and_changes_no_byte(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    run(GONE, path)
    assert [chain.head.number for chain in audit(path).chains] == [3]
    with open_to_read(path) as store:
        assert store.body(1, 3) == b"again"


def test_a_folder_made_read_only_meanwhile_loses_nothing_and_is_named_when_opened_again() -> None:
    the_box()  # compiled before rights are given up
    with tempfile.TemporaryDirectory() as place:  # pytest's own is root's alone
        folder = Path(place)
        folder.chmod(0o777)
        path = folder / "ledger.db"
        with ordinary_user():
            store = open_store(path)
            chain = found(open_chain(store))
            for one in folder.iterdir():
                one.chmod(0o444)
        folder.chmod(0o555)
        with ordinary_user():
            chain.execute(key(1), b"kept", [])  # open handles keep their right
            head = chain.head()
            chain.close()
            store.close()
            with pytest.raises(LedgerError, match=r"ledger\.db: cannot be"):
                open_store(path)
            with open_to_read(path) as reader:
                assert reader.chains()[0].head_hash == head.hash
        folder.chmod(0o777)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger with blocks, bodies and snapshots over many pages."""
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    with open_store(path) as store:
        chain = found(open_chain(store, snapshot_every=3))
        for interval in range(1, BLOCKS):
            chain.execute(key(interval), random.Random(interval).randbytes(3_000), [])
        chain.close()
    return path


def pages(path: Path) -> int:
    return path.stat().st_size // PAGE


def spoil(path: Path, page: int, content: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(page * PAGE)
        stream.write(content)


def unused(path: Path) -> set[int]:
    """Return the pages that hold nothing: SQLite's own list of them."""
    connection = sqlite3.connect(path)
    try:
        size = connection.execute("PRAGMA page_size").fetchone()
        assert size == (PAGE,)
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    finally:
        connection.close()
    content, found = path.read_bytes(), set()
    trunk = int.from_bytes(content[32:36], "big")
    while trunk:
        found.add(trunk - 1)
        at = (trunk - 1) * PAGE
        words = [int.from_bytes(content[at + n : at + n + 4], "big") for n in range(0, PAGE, 4)]
        found |= {page - 1 for page in words[2 : 2 + words[1]]}
        trunk = words[0]
    assert len(found) == free
    return found


@pytest.mark.parametrize("way", ["garbage", "zeros", "another page"])
def test_every_page_that_is_spoiled_is_found_and_the_file_named(
    sound: Path, tmp_path: Path, way: str
) -> None:
    number = pages(sound)
    free = unused(sound)
    assert number > 15
    for page in range(number):
        path = Path(shutil.copy(sound, tmp_path / f"{page}.db"))
        content = {
            "garbage": random.Random(page).randbytes(PAGE),
            "zeros": bytes(PAGE),
            "another page": sound.read_bytes()[((page + 1) % number) * PAGE :][:PAGE],
        }[way]
        spoil(path, page, content)
        if page in free or path.read_bytes() == sound.read_bytes():
            audit(path)  # nothing stood there, or the same
            continue
        with pytest.raises(GridpactError) as error:
            audit(path)
        named = f"{page}.db", "north "  # the file, or its chain with block and field
        assert any(name in str(error.value) for name in named), (page, error.value)


def go_on(path: Path) -> None:
    with open_store(path) as store:
        chain = open_chain(store)
        chain.execute(key(99), b"more", [])
        chain.close()
    audit(path)


@pytest.mark.parametrize("way", ["garbage", "zeros"])
def test_a_writer_does_not_go_on_with_a_spoiled_file_as_if_nothing_were(
    sound: Path, tmp_path: Path, way: str
) -> None:
    """It refuses with the file's name, or what it goes on with still fails the audit."""
    for page in set(range(pages(sound))) - unused(sound):
        path = Path(shutil.copy(sound, tmp_path / f"{page}.db"))
        spoil(path, page, random.Random(page).randbytes(PAGE) if way == "garbage" else bytes(PAGE))
        with pytest.raises(GridpactError) as error:
            go_on(path)
        named = f"{page}.db", "north "
        assert any(name in str(error.value) for name in named), (page, error.value)
