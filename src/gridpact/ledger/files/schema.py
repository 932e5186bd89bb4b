"""The tables of `ledger.db`: several chains in one SQLite file.

A block is one row of `block` (its header) and one of `content` (its transactions and receipts,
`content` packs them); a record's bytes stand in `body` (under the key once more, so that a changed
key is told from a changed header), the steps of cross-chain effects in `outbox`, only ever added.
`place` finds a transaction by its hash. `chain.head_*` and `chain.transactions` repeat what the
last block says. The file names its own version: an older gridpact refuses a newer file, a newer
one migrates an older file (`migration`).
"""

APPLICATION_ID = 0x67726964
VERSION = 2

RUN = 8192
"""Transactions after which `place` begins a new run.

Hashes come in random order. Within a run they touch few pages, in one index over all they would
touch a page each.
"""

PREFIX = 6
"""Bytes of a hash that `place` keeps: few enough to be small, checked against the transaction."""

TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE chain (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " chain_id INTEGER NOT NULL, operator BLOB NOT NULL,"
    " head_number INTEGER NOT NULL, head_hash BLOB NOT NULL,"
    " transactions INTEGER NOT NULL) STRICT",
    "CREATE TABLE block (chain INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL,"
    " parent BLOB NOT NULL, region BLOB NOT NULL, interval INTEGER NOT NULL,"
    " phase INTEGER NOT NULL, part INTEGER NOT NULL, body_hash BLOB NOT NULL,"
    " transaction_root BLOB NOT NULL, receipt_root BLOB NOT NULL, steps_root BLOB NOT NULL,"
    " state_chain BLOB NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY (chain, number)) STRICT, WITHOUT ROWID",
    "CREATE UNIQUE INDEX block_key ON block (chain, region, interval, phase, part)",
    "CREATE TABLE content (chain INTEGER NOT NULL, block INTEGER NOT NULL,"
    " first INTEGER NOT NULL, transactions BLOB NOT NULL, receipts BLOB NOT NULL,"
    " PRIMARY KEY (chain, block)) STRICT, WITHOUT ROWID",
    "CREATE TABLE place (chain INTEGER NOT NULL, run INTEGER NOT NULL, prefix INTEGER NOT NULL,"
    " block INTEGER NOT NULL, position INTEGER NOT NULL,"
    " PRIMARY KEY (chain, run, prefix, block, position)) STRICT, WITHOUT ROWID",
    "CREATE TABLE body (chain INTEGER NOT NULL, block INTEGER NOT NULL, region BLOB NOT NULL,"
    " interval INTEGER NOT NULL, phase INTEGER NOT NULL, part INTEGER NOT NULL,"
    " content BLOB NOT NULL, UNIQUE (chain, block)) STRICT",
    "CREATE TABLE snapshot (chain INTEGER NOT NULL, block INTEGER NOT NULL,"
    " state_hash BLOB NOT NULL, content BLOB NOT NULL, UNIQUE (chain, block)) STRICT",
    "CREATE TABLE outbox (chain INTEGER NOT NULL, block INTEGER NOT NULL,"
    " position INTEGER NOT NULL, id BLOB NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,"
    " amount TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (chain, block, position)) STRICT",
    "CREATE UNIQUE INDEX outbox_step ON outbox (id, state)",
)
"""What a file holds; one that holds anything else is not ours."""

BLOCK_TABLES = ("content", "place", "body", "snapshot", "outbox")
"""Tables whose rows belong to a block by (chain, block)."""
