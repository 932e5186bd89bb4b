"""Files of earlier schemas: migrated in place with all they said, or refused untouched."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.unit.ledger.box import OPERATOR, key, open_chain, sent, stranger, the_box

from gridpact.errors import Corrupt, LedgerError
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.chain import Receipt
from gridpact.ledger.evm.transactions import decode
from gridpact.ledger.files import migration, schema
from gridpact.ledger.files.store import open_store, open_to_read

OLD = Path(__file__).parents[1] / "old" / "ledger-v1.db"
"""Two chains with crossings, snapshots and an empty block, written by the code of c044f38."""

HEADS = {
    "north": bytes.fromhex("b90364de8fecd27c77628e983f8cc66e5eaf6568b609bd07908b286669cd94f8"),
    "zone": bytes.fromhex("531c44a846ee06a6e417c19a9c04d0b831d7ad6faaf236168c528cc9cd4322b7"),
}
STATES = {
    "north": "304baa9785103fe7fc5463dd525247700ef9b886a738063d838ef19a57070877",
    "zone": "6455f8d68e265d5150163049965218c57d1bcf4b84a88be2b3133f30849f7eaf",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "ledger.db"))


def edit(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def version(path: Path) -> str:
    connection = sqlite3.connect(path)
    ((found,),) = connection.execute("SELECT value FROM meta")
    connection.close()
    return str(found)


def test_an_old_file_is_migrated_in_place_and_its_heads_and_states_stay(old: Path) -> None:
    with open_store(old) as store:
        for name, state in STATES.items():
            chain = open_chain(store, name)
            assert chain.head().hash == HEADS[name]
            assert chain.state_hash().hex() == state
    assert version(old) == str(schema.VERSION)
    assert audit(old, HEADS).confirmed


def test_a_migrated_file_goes_on_and_finds_its_old_transactions(old: Path) -> None:
    connection = sqlite3.connect(OLD)
    rows = connection.execute(
        "SELECT t.hash, t.raw, t.block, t.position, r.status, r.output FROM tx t JOIN receipt r"
        " USING (chain, block, position) WHERE chain = 1 ORDER BY block, position"
    ).fetchall()
    connection.close()
    assert len(rows) == 7
    with open_store(old) as store:
        chain = open_chain(store)
        for hash_, raw, block, position, status, output in rows:
            receipt = chain.receipt(hash_)
            assert isinstance(receipt, Receipt)
            assert (receipt.block.number, receipt.position) == (block, position)
            assert (receipt.outcome.status, receipt.outcome.output) == (status, output)
            assert chain.submit(raw) == receipt
        assert decode(rows[0][1]).sender == OPERATOR.address
        chain.execute(key(7), b"more", [the_box().put(1, 1)])
        chain.submit(sent(stranger("ann"), 0, the_box().put(2, 2)))
        head = chain.head()
    audit(old, {"north": head.hash})


def test_a_reader_leaves_an_old_file_as_it_is_and_reads_it_all_the_same(old: Path) -> None:
    before = old.read_bytes()
    assert audit(old, HEADS).confirmed
    with open_to_read(old) as store:
        assert [chain.transactions for chain in store.chains()] == [7, 3]
    assert old.read_bytes() == before
    assert [path.name for path in old.parent.iterdir()] == ["ledger.db"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE tx SET raw = x'00' WHERE rowid = 3", "transaction 0: hash: is not that"),
        ("DELETE FROM receipt WHERE rowid = 2", "do not stand in pairs"),
        ("UPDATE receipt SET logs = x'c1' WHERE rowid = 2", "receipt 0: logs"),
        ("DELETE FROM block WHERE chain = 1 AND number = 2", "tx: rows that belong to no block"),
    ],
)
def test_an_old_file_that_does_not_fit_together_stays_as_it_was(
    old: Path, change: str, problem: str
) -> None:
    edit(old, change)
    before = old.read_bytes()
    for _ in range(2):
        with pytest.raises(Corrupt, match=problem):
            open_store(old)
    assert version(old) == "1"
    connection = sqlite3.connect(old)
    assert connection.execute("SELECT count(*) FROM tx").fetchone() == (10,)
    connection.close()
    assert len(old.read_bytes()) == len(before)


def test_a_change_of_an_old_file_that_hides_in_one_place_is_found_by_the_audit(old: Path) -> None:
    edit(old, "UPDATE receipt SET status = 0 WHERE rowid = 3")
    with pytest.raises(Corrupt, match="north block 2 receipt 0 in receipts: status"):
        audit(old)


def test_an_old_file_with_other_tables_is_refused(old: Path) -> None:
    edit(old, "CREATE TABLE extra (x TEXT)")
    with pytest.raises(LedgerError, match="its tables are not those of schema 1"):
        open_store(old)
    assert version(old) == "1"


def test_an_unknown_newer_schema_is_refused_with_both_versions(old: Path) -> None:
    edit(old, "UPDATE meta SET value = '3'")
    for opener in (open_store, open_to_read):
        with pytest.raises(LedgerError, match="has schema 3, this gridpact reads up to 2"):
            opener(old)


def test_a_migration_cut_off_anywhere_leaves_the_old_file(old: Path) -> None:
    connection = sqlite3.connect(old, isolation_level=None)
    statements = 0

    def stop(limit: int) -> int:
        nonlocal statements
        statements += 1
        return int(statements > limit)

    for limit in (1, 20, 60, 150):
        statements = 0
        connection.set_progress_handler(lambda limit=limit: stop(limit), 10)  # type: ignore[misc]
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            migration.migrate(connection, 1)
        connection.set_progress_handler(None, 0)
        assert connection.execute("SELECT value FROM meta").fetchone() == ("1",)
        assert connection.execute("SELECT count(*) FROM tx").fetchone() == (10,)
    connection.close()
    with open_store(old) as store:
        assert open_chain(store).head().hash == HEADS["north"]
