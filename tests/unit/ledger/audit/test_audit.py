"""The audit: it accepts what happened and names every field that somebody changed."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.unit.ledger.box import (
    CHAIN_ID,
    FOUND,
    OPERATOR,
    found,
    key,
    open_chain,
    sent,
    stranger,
    the_box,
)

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import Corrupt, HeadMismatch, LedgerError
from gridpact.ledger.audit.audit import AuditedBlock, View, audit
from gridpact.ledger.chain import Call, OutboxStep, Outcome
from gridpact.ledger.evm import pyevm
from gridpact.ledger.evm.transactions import decode, sign
from gridpact.ledger.files import header as head
from gridpact.ledger.files.content import pack_receipts, pack_transactions
from gridpact.ledger.files.rows import BlockRow, SnapshotRow, places_of
from gridpact.ledger.files.store import open_store
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Crossing

BOX = the_box()
ANN, BOB = stranger("ann"), stranger("bob")
CROSSINGS = tuple(Crossing(bytes([i]) * 32, "north", "zone", 10**20 + i) for i in (1, 2))
TABLES = ("chain", "block", "content", "place", "body", "snapshot", "outbox")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two chains with crossings between them, snapshots, logs and empty blocks."""
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    with open_store(path) as store:
        north = found(open_chain(store, snapshot_every=3))
        zone = found(open_chain(store, "zone", snapshot_every=3))
        for interval, crossing in enumerate(CROSSINGS):
            puts = [BOX.put(interval, 7), BOX.put(9, interval + 20)]
            north.execute(key(interval), b"book", puts)
            north.execute(
                key(interval, Phase.COMMIT), b"commit", [], [OutboxStep(crossing, "sent")]
            )
            zone.execute(key(interval), b"take", puts[:1], [OutboxStep(crossing, "received")])
            north.execute(
                key(interval, Phase.SEAL), b"seal", puts[:1], [OutboxStep(crossing, "confirmed")]
            )
        zone.submit_many([sent(ANN, 0, BOX.put(1, 13)), sent(BOB, 0, BOX.put(2, 30))])
        north.close()
        zone.close()
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "ledger.db"))


def edit(path: Path, statement: str, *values: object) -> int:
    """Change the file behind gridpact's back."""
    connection = sqlite3.connect(path)
    try:
        changed = connection.execute(statement, values).rowcount
        connection.commit()
    finally:
        connection.close()
    return changed


def test_a_sound_file_is_reported_with_its_heads(sound: Path) -> None:
    report = audit(sound)
    assert [(c.name, c.head.number, c.transactions) for c in report.chains] == [
        ("north", 7, 7),
        ("zone", 4, 5),
    ]
    assert not report.confirmed
    heads = {chain.name: chain.head.hash for chain in report.chains}
    assert audit(sound, heads).confirmed
    assert not audit(sound, {"north": heads["north"]}).confirmed


def test_the_exact_engine_audits_what_the_fast_one_wrote(sound: Path) -> None:
    assert audit(sound, engine=pyevm.open_engine) == audit(sound)


def test_the_state_hash_is_that_of_the_running_chain(sound: Path, copy: Path) -> None:
    with open_store(copy) as store:
        states = [open_chain(store, name).state_hash() for name in ("north", "zone")]
    assert [chain.state_hash for chain in audit(sound).chains] == states


def test_another_head_or_an_unknown_chain_is_no_match(sound: Path) -> None:
    with pytest.raises(HeadMismatch, match="chain zone ends at block 4"):
        audit(sound, {"zone": keccak(b"other")})
    with pytest.raises(HeadMismatch, match="no chain south"):
        audit(sound, {"south": keccak(b"other")})


def test_a_missing_file_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no such file"):
        audit(tmp_path / "none.db")


def test_a_file_that_is_written_to_during_the_audit_is_not_judged(copy: Path) -> None:
    class Late(Watcher):
        def finish(self) -> None:
            with open_store(copy) as store:
                open_chain(store).execute(key(50), b"late", [])

    with pytest.raises(LedgerError, match="was written to while it was read"):
        audit(copy, inspectors=[Late()])
    assert audit(copy).chains[0].head.number == 8


def test_a_ledger_is_audited_beside_its_running_writer(copy: Path) -> None:
    class Late(Watcher):
        def finish(self) -> None:
            chain.execute(key(51), b"later", [])

    with open_store(copy) as store:
        chain = open_chain(store)
        chain.execute(key(50), b"late", [])
        assert audit(copy, inspectors=[Late()]).chains[0].head.number == 8
        assert audit(copy).chains[0].head.number == 9


# --- fields changed at random -----------------------------------------------------------------


def flipped(value: object, chance: random.Random) -> object:
    """Return a stored value with one thing about it changed."""
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(24))
    if isinstance(value, str):
        at = chance.randrange(len(value))
        return value[:at] + chr(ord(value[at]) ^ (1 << chance.randrange(4))) + value[at + 1 :]
    assert isinstance(value, bytes)
    if not value or chance.random() < 0.1:
        return value + b"\x01" if chance.random() < 0.5 else value[:-1]
    at = chance.randrange(len(value))
    return value[:at] + bytes([value[at] ^ (1 << chance.randrange(8))]) + value[at + 1 :]


@dataclass(frozen=True)
class Flip:
    """One stored field and what it was changed to."""

    table: str
    column: str
    row: dict[str, object]
    value: object

    def apply(self, path: Path) -> bool:
        """Change the field; False when a constraint of the file forbids it."""
        where = " AND ".join(f"{name} = ?" for name in self.row)
        statement = f"UPDATE {self.table} SET {self.column} = ? WHERE {where}"
        try:
            return edit(path, statement, self.value, *self.row.values()) == 1
        except sqlite3.IntegrityError:
            return False

    def is_named_in(self, text: str, names: dict[object, str]) -> bool:
        """Say whether an error tells field, chain and block (as they were or as they are)."""
        if self.table == "chain":
            return self.column in text
        number = "number" if self.table == "block" else "block"
        changed = self.row | {self.column: self.value}
        chains = {names.get(r["chain"], f"chain {r['chain']}") for r in (self.row, changed)}
        blocks = {r[number] for r in (self.row, changed)}
        return (
            self.column in text
            and any(chain in text for chain in chains)
            and any(f"block {block}" in text for block in blocks)
        )


def random_flip(path: Path, chance: random.Random) -> Flip:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    table = chance.choice(TABLES)
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    row = chance.choice(rows)
    column = chance.choice(list(row))
    return Flip(table, column, row, flipped(row[column], chance))


@pytest.mark.parametrize("seed", range(10))
def test_twenty_random_fields_changed_one_by_one_are_all_found_and_named(
    sound: Path, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    names: dict[object, str] = {1: "north", 2: "zone"}
    done = 0
    while done < 20:
        copied = Path(shutil.copy(sound, tmp_path / "ledger.db"))
        flip = random_flip(copied, chance)
        if not flip.apply(copied):
            continue
        done += 1
        with pytest.raises(Corrupt) as found_:
            audit(copied)
        assert flip.is_named_in(str(found_.value), names), (flip, str(found_.value))


@pytest.mark.parametrize("table", TABLES)
def test_each_column_changed_is_found_and_named(sound: Path, tmp_path: Path, table: str) -> None:
    chance = random.Random(table)
    names: dict[object, str] = {1: "north", 2: "zone"}
    connection = sqlite3.connect(sound)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    for column in rows[0]:
        for row in (rows[0], rows[-1]):
            copied = Path(shutil.copy(sound, tmp_path / "ledger.db"))
            flip = Flip(table, column, row, flipped(row[column], chance))
            while not flip.apply(copied):
                flip = Flip(table, column, row, flipped(row[column], chance))
            with pytest.raises(Corrupt) as found_:
                audit(copied)
            assert flip.is_named_in(str(found_.value), names), (flip, str(found_.value))


@pytest.mark.parametrize("table", ["block", "content", "place", "body", "outbox"])
def test_a_row_that_was_removed_is_missed(sound: Path, tmp_path: Path, table: str) -> None:
    connection = sqlite3.connect(sound)
    number = "number" if table == "block" else "block"
    rows = connection.execute(f"SELECT chain, {number} FROM {table}").fetchall()
    connection.close()
    for chain, block in {rows[0], rows[len(rows) // 2], rows[-1]}:
        copied = Path(shutil.copy(sound, tmp_path / "ledger.db"))
        assert edit(copied, f"DELETE FROM {table} WHERE chain = ? AND {number} = ?", chain, block)
        with pytest.raises(Corrupt, match=f"block {block}"):
            audit(copied)


def test_a_block_that_was_added_outside_the_chain_is_found(copy: Path) -> None:
    columns = "time, parent, region, interval + 9, phase, part, body_hash, transaction_root"
    roots = "receipt_root, steps_root, state_chain, hash"
    for number in (0, 8):
        edit(
            copy,
            f"INSERT INTO block SELECT chain, {number}, {columns}, {roots}"
            " FROM block WHERE chain = 1 AND number = 7",
        )
        with pytest.raises(Corrupt, match=f"north block (at block )?{number}"):
            audit(copy)
        edit(copy, f"DELETE FROM block WHERE chain = 1 AND number = {number}")
    audit(copy)


def test_a_chain_that_was_removed_is_missed(copy: Path) -> None:
    edit(copy, "DELETE FROM chain WHERE name = 'zone'")
    with pytest.raises(Corrupt, match="chain 2"):
        audit(copy)


# --- forgeries that make all derived fields fit again --------------------------------------------


@dataclass
class Forgery:
    """The last block of the north chain, whose stored fields can be made to fit again."""

    path: Path
    chain: int = 1
    block: BlockRow = field(init=False)
    raws: list[bytes] = field(init=False)
    outcomes: list[Outcome] = field(init=False)

    def __post_init__(self) -> None:
        with open_store(self.path) as store:
            *_, before, last = store.blocks(self.chain)
        self.block, self.content = last.header, last.content
        self.raws, self.outcomes = list(last.raws), list(last.outcomes)
        self.state_chain = before.header.state_chain

    def replace(self, raw: bytes, position: int = 0) -> None:
        self.raws[position] = raw
        hashes = [keccak(each) for each in self.raws]
        self.write("transactions", pack_transactions(self.raws))
        where = (self.chain, self.block.number)
        edit(self.path, "DELETE FROM place WHERE chain = ? AND block = ?", *where)
        for place in places_of(*where, self.content.first, hashes):
            edit(self.path, "INSERT INTO place VALUES (?, ?, ?, ?, ?)", *place)
        self.seal(transaction_root=head.transaction_root(hashes))

    def tell(self, outcome: Outcome, position: int = 0) -> None:
        """Replace a receipt, with all that follows from it."""
        self.outcomes[position] = outcome
        self.write("receipts", pack_receipts(self.outcomes))
        root = head.receipt_root(self.outcomes)
        self.seal(receipt_root=root, state_chain=head.next_state_chain(self.state_chain, root))

    def write(self, column: str, content: bytes) -> None:
        edit(
            self.path,
            f"UPDATE content SET {column} = ? WHERE chain = ? AND block = ?",
            *(content, self.chain, self.block.number),
        )

    def seal(self, **changed: bytes) -> None:
        """Write the block's fields and hash, and the chain's head, so that they fit each other."""
        block = self.block._replace(**changed)
        named = Key(block.region, block.interval, Phase(block.phase), block.part)
        roots = (block.body_hash, block.transaction_root, block.receipt_root, block.steps_root)
        sealed = head.Header(
            CHAIN_ID, block.number, block.time, block.parent, named, *roots, block.state_chain
        )
        columns = {**changed, "hash": sealed.hash}
        edit(
            self.path,
            f"UPDATE block SET {', '.join(f'{name} = ?' for name in columns)}"
            " WHERE chain = ? AND number = ?",
            *(*columns.values(), self.chain, block.number),
        )
        edit(self.path, "UPDATE chain SET head_hash = ? WHERE id = ?", sealed.hash, self.chain)


Resign = Callable[[int, bytes, bytes], bytes]
RESIGNED: dict[str, tuple[Resign, str]] = {
    "foreign signature": (
        lambda nonce, to, data: sign(PrivateKey(b"\x09" * 32), CHAIN_ID, nonce, to, data).raw,
        "sender in raw",
    ),
    "nonce": (
        lambda nonce, to, data: sign(OPERATOR, CHAIN_ID, nonce + 1, to, data).raw,
        "nonce in raw",
    ),
    "chain id": (
        lambda nonce, to, data: sign(OPERATOR, CHAIN_ID + 1, nonce, to, data).raw,
        "chain id in raw",
    ),
    "other data": (
        lambda nonce, to, _: sign(OPERATOR, CHAIN_ID, nonce, to, BOX.put(3, 99).data).raw,
        "output",
    ),
    "no transaction": (lambda *_: b"nothing", "raw"),
}


@pytest.mark.parametrize("case", RESIGNED)
def test_a_transaction_replaced_under_fitting_roots_is_found(copy: Path, case: str) -> None:
    make, named = RESIGNED[case]
    forgery = Forgery(copy)
    before = decode(forgery.raws[0])
    forgery.replace(make(before.nonce, before.to, before.data))
    place = f"north block {forgery.block.number} (transaction|receipt) 0( in receipts)?: {named}"
    with pytest.raises(Corrupt, match=place):
        audit(copy)


def test_a_receipt_replaced_under_fitting_roots_is_found(copy: Path) -> None:
    forgery = Forgery(copy)
    told = forgery.outcomes[0]
    more = int.from_bytes(told.output, "big") + 1
    forgery.tell(Outcome(told.status, more.to_bytes(32, "big"), told.logs))
    place = f"north block {forgery.block.number} receipt 0 in receipts: output"
    with pytest.raises(Corrupt, match=place):
        audit(copy)


PUBLIC: dict[str, tuple[Callable[[], bytes], str]] = {
    "another sender": (lambda: sent(BOB, 1, BOX.put(1, 13)), "nonce in raw"),
    "nonce": (lambda: sent(ANN, 1, BOX.put(1, 13)), "nonce in raw"),
    "chain id": (lambda: sign(ANN, CHAIN_ID + 1, 0, BOX.address, b"").raw, "chain id in raw"),
    "gas": (lambda: sign(ANN, CHAIN_ID, 0, BOX.address, b"", gas=20_000).raw, "raw: gas 20000"),
    "creation": (lambda: sent(ANN, 0, BOX.deploy()), "raw: 0x.* creates a contract"),
    "other call": (lambda: sent(ANN, 0, BOX.put(1, 14)), "status"),
}


@pytest.mark.parametrize("case", PUBLIC)
def test_a_public_transaction_replaced_under_fitting_roots_is_found(copy: Path, case: str) -> None:
    make, named = PUBLIC[case]
    Forgery(copy, 2).replace(make())
    with pytest.raises(
        Corrupt, match=f"zone block 4 (transaction|receipt) 0( in receipts)?: {named}"
    ):
        audit(copy)


def test_a_failed_transaction_told_as_a_success_is_found(copy: Path) -> None:
    forgery = Forgery(copy, 2)
    assert forgery.outcomes[0].status == 0
    forgery.tell(Outcome(1, b"", ()))
    with pytest.raises(Corrupt, match="zone block 4 receipt 0 in receipts: status"):
        audit(copy)


def test_a_market_block_cannot_hold_a_failed_transaction(copy: Path) -> None:
    forgery = Forgery(copy)
    before = decode(forgery.raws[0])
    forgery.replace(sign(OPERATOR, CHAIN_ID, before.nonce, BOX.address, BOX.put(1, 13).data).raw)
    reason = bytes.fromhex("08c379a0") + b"".join(
        (32).to_bytes(32, "big") if part == 0 else part
        for part in (0, (12).to_bytes(32, "big"), b"box: unlucky".ljust(32, b"\0"))
    )
    forgery = Forgery(copy)
    forgery.tell(Outcome(0, reason, ()))
    with pytest.raises(Corrupt, match="north block 7: status: a failed transaction in a block of"):
        audit(copy)


def test_a_place_that_was_added_is_found(copy: Path) -> None:
    edit(
        copy, "INSERT INTO place SELECT chain, run + 1, prefix, block, position FROM place LIMIT 1"
    )
    with pytest.raises(Corrupt, match=r"north place: .* 8 rows for 7 transactions"):
        audit(copy)


def test_a_body_that_was_added_to_a_public_block_is_found(copy: Path) -> None:
    edit(copy, "INSERT INTO body VALUES (2, 4, zeroblob(32), 4, 10, 0, x'')")
    with pytest.raises(Corrupt, match="zone block 4 body: phase"):
        audit(copy)


def test_a_snapshot_with_a_fitting_hash_of_another_state_is_found(copy: Path) -> None:
    with open_store(copy) as store:
        first, second = store.snapshots(1)
    assert isinstance(first, SnapshotRow)
    edit(
        copy,
        "UPDATE snapshot SET content = ?, state_hash = ? WHERE chain = 1 AND block = ?",
        *(second.content, second.state_hash, first.block),
    )
    with pytest.raises(Corrupt, match=f"north snapshot at block {first.block}"):
        audit(copy)


def test_a_confirmation_of_what_never_arrived_is_found(copy: Path) -> None:
    """The zonal chain loses its last block and looks sound; the regional one tells."""
    with open_store(copy) as store:
        third = list(store.blocks(2))[2]
    for table, number in (("block", "number"), ("content", "block"), ("place", "block")):
        edit(copy, f"DELETE FROM {table} WHERE chain = 2 AND {number} >= 3")
    for table in ("body", "outbox", "snapshot"):
        edit(copy, f"DELETE FROM {table} WHERE chain = 2 AND block >= 3")
    edit(
        copy,
        "UPDATE chain SET head_number = 2, head_hash = ?, transactions = 2 WHERE id = 2",
        third.header.parent,
    )
    with pytest.raises(Corrupt, match=r"north block 7 outbox 0: cannot be confirmed after"):
        audit(copy)


def test_a_wholly_rewritten_chain_is_consistent_but_fails_against_its_head(
    sound: Path, tmp_path: Path
) -> None:
    other = tmp_path / "rewritten.db"
    with open_store(other) as store:
        chain = found(open_chain(store))
        chain.execute(key(0), b"another book", [BOX.put(0, 1_000)])
        chain.close()
    kept = {c.name: c.head.hash for c in audit(sound).chains if c.name == "north"}
    assert not audit(other).confirmed
    with pytest.raises(HeadMismatch, match="chain north"):
        audit(other, kept)


# --- what the market checks inside the replay ----------------------------------------------------


@dataclass
class Watcher:
    """An inspector that writes down what it is shown."""

    seen: list[tuple[str, int, Key, bytes, int, int]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    steps: list[OutboxStep] = field(default_factory=list)
    finished: bool = False

    def block(self, block: AuditedBlock, view: View) -> None:
        assert not self.finished
        counts = (len(block.calls), len(block.outcomes))
        self.seen.append((block.chain.name, block.number, block.key, block.body, *counts))
        self.totals.append(int.from_bytes(view(BOX.call("total")), "big"))
        self.steps += block.steps

    def finish(self) -> None:
        self.finished = True


def test_an_inspector_sees_every_block_with_the_state_after_it(sound: Path) -> None:
    watcher = Watcher()
    audit(sound, inspectors=[watcher])
    assert watcher.finished
    assert watcher.seen[:3] == [
        ("north", 1, FOUND, b"found", 1, 1),
        ("north", 2, key(0), b"book", 2, 2),
        ("north", 3, key(0, Phase.COMMIT), b"commit", 0, 0),
    ]
    assert [name for name, *_ in watcher.seen] == ["north"] * 7 + ["zone"] * 4
    assert watcher.totals == [0, 27, 27, 27, 35, 35, 35, 0, 7, 14, 44]
    assert [state for _, state in watcher.steps].count("sent") == len(CROSSINGS)


def test_what_an_inspector_finds_fails_the_audit(sound: Path) -> None:
    class Strict(Watcher):
        def block(self, block: AuditedBlock, view: View) -> None:
            super().block(block, view)
            if block.key == key(1):
                raise Corrupt(f"{block.chain.name} block {block.number}", "money: one unit more")

    with pytest.raises(Corrupt, match="north block 5: money"):
        audit(sound, inspectors=[Strict()])


def test_an_inspector_cannot_change_what_it_looks_at(sound: Path) -> None:
    class Meddler(Watcher):
        def block(self, block: AuditedBlock, view: View) -> None:
            with pytest.raises(LedgerError):
                view(Call(BOX.address, BOX.put(1, 1).data, "meddle"))
            super().block(block, view)

    assert audit(sound, inspectors=[Meddler()]) == audit(sound)
