"""The file beside a chain on a node: ours or refused, and on disk before anything is sent."""

import sqlite3
from pathlib import Path

import pytest
from tests.unit.ledger.box import key

from gridpact.errors import LedgerError
from gridpact.ledger.chain import OutboxStep
from gridpact.ledger.files.store import open_store
from gridpact.ledger.jsonrpc.companion import (
    PlannedTx,
    is_companion,
    open_companion,
    read_companion,
)
from gridpact.ledger.ledger import Head
from gridpact.model.record import Crossing

ROW = (7, b"\1" * 32, b"\2" * 20)


def planned(nonce: int, position: int = 0, attempt: int = 0) -> PlannedTx:
    return PlannedTx(position, attempt, nonce, bytes([nonce]) * 32, b"raw", "put", b"", b"")


def test_a_plan_is_there_before_it_is_finished(tmp_path: Path) -> None:
    file = open_companion(tmp_path / "c.db")
    chain = file.open_chain("north", *ROW).id
    plan = file.add(chain, key(1), b"body", [planned(0), planned(1, 1)], ())
    with_copy = read_companion(tmp_path / "c.db")
    assert list(with_copy.plans(chain)) == [plan]
    assert with_copy.next_nonce(chain) == 2
    assert with_copy.last(chain) is None
    file.finish(chain, plan.number, Head(5, b"\5" * 32))
    assert list(with_copy.plans(chain, finished=False)) == []
    assert with_copy.last(chain) == plan._replace(block=Head(5, b"\5" * 32))
    with_copy.close()
    file.close()


def test_the_last_attempt_at_each_call_counts(tmp_path: Path) -> None:
    file = open_companion(tmp_path / "c.db")
    chain = file.open_chain("north", *ROW).id
    plan = file.add(chain, key(1), b"", [planned(0), planned(1, 1), planned(2, 2)], ())
    plan = file.retry(chain, plan, [planned(3, 1, 1)])
    assert [tx.nonce for tx in plan.last] == [0, 3, 2]
    assert file.plan(chain, key(1)) == plan
    file.close()


def test_steps_count_when_their_record_is_finished(tmp_path: Path) -> None:
    crossing = Crossing(b"\3" * 32, "north", "zone", 2**90)
    file = open_companion(tmp_path / "c.db")
    chain = file.open_chain("north", *ROW).id
    plan = file.add(chain, key(1), b"", (), [OutboxStep(crossing, "sent")])
    assert file.steps(crossing.id) == []
    assert [row.amount for row in file.steps_of(chain, plan.number)] == [str(2**90)]
    file.finish(chain, plan.number, Head(1, b"\5" * 32))
    assert [(row.state, row.amount) for row in file.steps(crossing.id)] == [("sent", str(2**90))]
    file.close()


def test_a_key_and_a_nonce_are_planned_once(tmp_path: Path) -> None:
    file = open_companion(tmp_path / "c.db")
    chain = file.open_chain("north", *ROW).id
    file.add(chain, key(1), b"", [planned(0)], ())
    for again in ((key(1), 1), (key(2), 0)):
        with pytest.raises(LedgerError, match="cannot be written"):
            file.add(chain, again[0], b"", [planned(again[1])], ())
    assert len(list(file.plans(chain))) == 1
    file.close()


@pytest.mark.parametrize("kind", ["text", "database", "ledger", "newer"])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.db"
    if kind == "text":
        path.write_text("no database" * 100)
    elif kind == "database":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE t (x)")
        other.close()
    elif kind == "ledger":
        open_store(path).close()
    else:
        open_companion(path).close()
        with sqlite3.connect(path) as newer:
            newer.execute("UPDATE meta SET value = '99'")
        newer.close()
    before = path.read_bytes()
    for way in (open_companion, read_companion):
        with pytest.raises(LedgerError, match=r"x\.db"):
            way(path)
    assert path.read_bytes() == before
    assert is_companion(path) is (kind == "newer")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such file"):
        read_companion(tmp_path / "nowhere.db")
    with pytest.raises(LedgerError, match="cannot be written"):
        open_companion(tmp_path / "no folder" / "c.db")
