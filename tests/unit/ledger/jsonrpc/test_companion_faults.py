"""The companion file on a full disk, a lost one, cut short, overwritten: refused by name.

Real files and real limits, as in `files/test_disk_faults.py`.
"""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.unit.ledger.box import key
from tests.unit.ledger.files.test_disk_faults import PAGE, pages, run, spoil
from tests.unit.ledger.jsonrpc.test_companion import ROW, planned

from gridpact.errors import LedgerError
from gridpact.ledger.jsonrpc.companion import Plan, open_companion, read_companion

FULL = """
import resource, signal, sys
from pathlib import Path
from gridpact.errors import LedgerError
from gridpact.ledger.jsonrpc.companion import open_companion
from gridpact.ledger.ledger import Head
from tests.unit.ledger.box import key
from tests.unit.ledger.jsonrpc.test_companion import ROW, planned

path, room = Path(sys.argv[1]), ROOM
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = open_companion(path)
chain = file.open_chain("north", *ROW).id
first = file.add(chain, key(1), b"first", [planned(0)], ())
size = max(one.stat().st_size for one in path.parent.iterdir())
limit = size + room if room else 0
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
plans, refused = [first], False
for number in range(2, 40):
    try:
        txs = [planned(number), planned(100 + number, 1)]
        plans.append(file.add(chain, key(number), b"x" * 50_000, txs, ()))
    except LedgerError as error:
        assert f"{path}: cannot be written" in str(error), error
        refused = True
        break
assert refused
assert list(file.plans(chain)) == plans
assert file.plan(chain, key(number)) is None
for act in (
    lambda: file.finish(chain, first.number, Head(7, bytes(32))),
    lambda: file.retry(chain, first, [planned(99, 0, 1)]),
    lambda: file.open_chain("zone", *ROW),
):
    if not room:
        try:
            act()
            raise SystemExit("a write was acknowledged that no disk took")
        except LedgerError as error:
            assert f"{path}: cannot be written" in str(error), error
if not room:
    assert list(file.plans(chain)) == plans
    assert [one.name for one in file.chains()] == ["north"]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.add(chain, key(number), b"room again", [planned(number)], ())
file.close()
print(len(plans) + 1)
"""


@pytest.mark.parametrize("room", [0, 200_000])
def test_a_full_disk_refuses_the_plan_before_anything_is_sent(tmp_path: Path, room: int) -> None:
    path = tmp_path / "companion.db"
    count = int(run(FULL.replace("ROOM", str(room)), path))
    file = read_companion(path)
    plans = list(file.plans(1))
    file.close()
    assert len(plans) == count
    assert plans[-1].body == b"room again"
    assert [one.number for one in plans] == list(range(1, count + 1))
    assert all(one.transactions for one in plans)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed companion file of many pages."""
    path = tmp_path_factory.mktemp("sound") / "companion.db"
    file = open_companion(path)
    chain = file.open_chain("north", *ROW).id
    for number in range(12):
        body = random.Random(number).randbytes(3_000)
        file.add(chain, key(number), body, [planned(number)], ())
    file.close()
    return path


def content(path: Path) -> list[Plan]:
    """Return all that a file says."""
    file = read_companion(path)
    try:
        chains = file.chains()
        return [plan for chain in chains for plan in file.plans(chain.id)]
    finally:
        file.close()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
def test_a_truncated_companion_is_refused(sound: Path, tmp_path: Path, share: float) -> None:
    path = tmp_path / "short.db"
    whole = sound.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    before = path.read_bytes()
    for opener in (open_companion, read_companion):
        with pytest.raises(LedgerError, match=r"short\.db"):
            opener(path)
    assert path.read_bytes() == before
    assert not path.with_name("short.db.lock").exists()


@pytest.mark.parametrize("way", ["garbage", "zeros"])
def test_a_spoiled_page_of_the_companion_is_found_and_the_file_named(
    sound: Path, tmp_path: Path, way: str
) -> None:
    for page in range(pages(sound)):
        path = Path(shutil.copy(sound, tmp_path / f"{page}.db"))
        spoil(path, page, random.Random(page).randbytes(PAGE) if way == "garbage" else bytes(PAGE))
        for opener in (read_companion, open_companion):
            with pytest.raises(LedgerError, match=rf"{page}\.db"):
                opener(path)


def test_another_database_with_our_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "marked.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)")
        other.execute("INSERT INTO meta VALUES ('schema', '1')")
        other.execute("PRAGMA application_id = 0x6772706E")
    other.close()
    for opener in (open_companion, read_companion):
        with pytest.raises(LedgerError, match=r"marked\.db: its tables are not"):
            opener(path)
