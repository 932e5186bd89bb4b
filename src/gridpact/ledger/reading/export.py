"""A ledger file as tables: for spreadsheets, DuckDB and notebooks.

One file each for blocks, records, transactions, receipts, events and accounts, over all chains of
the file. Hashes and addresses are 0x-prefixed hexadecimal, money whole micro-units, time seconds
since 1970 (UTC), arguments JSON by name. It reads; whether the file is honest says the audit.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridpact.errors import LedgerError
from gridpact.ledger.files.rows import StoredBlock
from gridpact.ledger.files.store import Store, open_to_read
from gridpact.ledger.onchain.decode import plain
from gridpact.ledger.reading.standing import Standing, Told, phase_name, said

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]


class Format(StrEnum):
    PARQUET = "parquet"
    JSON = "json"


COLUMNS: Mapping[str, Mapping[str, str]] = {
    "blocks": {
        **dict.fromkeys(("chain", "hash", "parent", "region", "phase", "record"), "text"),
        **dict.fromkeys(("number", "time", "interval", "part", "transactions"), "number"),
        **dict.fromkeys(("body_hash", "transaction_root", "receipt_root"), "text"),
        **dict.fromkeys(("steps_root", "state_chain"), "text"),
    },
    "records": {"chain": "text", "block": "number", "record": "text", "content": "text"},
    "transactions": {
        **dict.fromkeys(("chain", "hash", "sender", "to"), "text"),
        **dict.fromkeys(("block", "position", "nonce", "gas"), "number"),
        **dict.fromkeys(("contract", "function", "arguments", "raw"), "text"),
    },
    "receipts": {
        "chain": "text",
        **dict.fromkeys(("block", "position"), "number"),
        **dict.fromkeys(("transaction",), "text"),
        **dict.fromkeys(("status", "logs"), "number"),
        **dict.fromkeys(("output", "reason"), "text"),
    },
    "events": {
        "chain": "text",
        **dict.fromkeys(("block", "position", "log"), "number"),
        **dict.fromkeys(("address", "contract", "event", "arguments"), "text"),
        **dict.fromkeys(("topics", "data"), "text"),
    },
    "accounts": {
        **dict.fromkeys(("chain", "address", "name"), "text"),
        **dict.fromkeys(("free", "reserved", "locked"), "money"),
        "nonce": "number",
    },
}
"""Table -> column -> kind. A table's file is named after it."""


def export(ledger: Path, folder: Path, form: Format = Format.PARQUET) -> list[Path]:
    """Write all tables of a ledger file into a folder; return the files.

    Raises
    ------
    LedgerError
        The file is no ledger, or the folder cannot be written.
    """
    write = _parquet if form is Format.PARQUET else _json
    with open_to_read(ledger) as store:
        tables = _tables(store)
        store.require_unwritten()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [write(folder / name, name, rows) for name, rows in tables.items()]
    except OSError as error:
        raise LedgerError(f"{folder}: cannot be written: {error.strerror}") from error


def _tables(store: Store) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {name: [] for name in COLUMNS}
    for chain in store.chains():
        standing = Standing(store, chain)
        for block in standing.blocks():
            _add_block(tables, standing, block)
        tables["accounts"] += _accounts(standing, _opened(tables["events"], chain.name))
    return tables


def _add_block(tables: dict[str, list[Row]], standing: Standing, block: StoredBlock) -> None:
    header, chain = block.header, standing.chain.name
    kind, content = said(block)
    written = {name: value for name, value in header._asdict().items() if name != "chain"}
    counted = {"record": kind, "transactions": len(block.raws)}
    phase = {"phase": phase_name(header)}
    tables["blocks"].append({"chain": chain, **plain(written), **phase, **counted})
    where = {"chain": chain, "block": header.number}
    tables["records"].append({**where, "record": kind, "content": json.dumps(content)})
    for told in standing.told(block):
        here = {**where, "position": told.position}
        tables["transactions"].append({**here, **_transaction(told)})
        tables["receipts"].append({**here, **_receipt(told)})
        tables["events"] += ({**here, **row} for row in _events(told))


def _transaction(told: Told) -> Row:
    transaction, call = told.transaction, told.call
    return {
        "hash": plain(transaction.hash),
        "sender": plain(transaction.sender or b""),
        "to": plain(transaction.to),
        "nonce": transaction.nonce,
        "gas": transaction.gas,
        "contract": call.contract if call else "",
        "function": call.name if call else "",
        "arguments": json.dumps(call.arguments if call else {}),
        "raw": plain(transaction.raw),
    }


def _receipt(told: Told) -> Row:
    return {
        "transaction": plain(told.transaction.hash),
        "status": told.status,
        "output": plain(told.output),
        "reason": told.reason,
        "logs": len(told.logs),
    }


def _events(told: Told) -> Iterator[Row]:
    for place, (log, event) in enumerate(told.logs):
        yield {
            "log": place,
            "address": plain(log.address),
            "contract": event.contract if event else "",
            "event": event.name if event else "",
            "arguments": json.dumps(event.arguments if event else {}),
            "topics": json.dumps(plain(log.topics)),
            "data": plain(log.data),
        }


def _opened(events: Sequence[Row], chain: str) -> set[bytes]:
    """Return the accounts that events speak of: people may join after a chain was founded."""
    spoken = (json.loads(row["arguments"]) for row in events if row["chain"] == chain)
    return {bytes.fromhex(said["account"][2:]) for said in spoken if "account" in said}


def _accounts(standing: Standing, opened: set[bytes]) -> Iterator[Row]:
    if not standing.chain.head_number:
        return
    named = dict.fromkeys(opened, "") | dict(standing.names)
    for address, name in sorted(named.items()):
        account = standing.account(address)
        yield {
            "chain": standing.chain.name,
            "address": plain(address),
            "name": name,
            "free": account.free,
            "reserved": account.reserved,
            "locked": account.locked,
            "nonce": standing.nonce(address),
        }


def _json(path: Path, _: str, rows: Sequence[Row]) -> Path:
    """Write an array with one row a line."""
    file = path.with_suffix(".json")
    file.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")
    return file


def _parquet(path: Path, table: str, rows: Sequence[Row]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = path.with_suffix(".parquet")
    schema = pa.schema([(name, _arrow(kind)) for name, kind in COLUMNS[table].items()])
    columns = [_column(rows, name, kind) for name, kind in COLUMNS[table].items()]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), file, compression="zstd")
    return file


def _arrow(kind: str) -> "pa.DataType":
    import pyarrow as pa

    # money may exceed 64 bits; 38 decimal digits hold all of it
    types: Mapping[str, Callable[[], pa.DataType]] = {
        "text": pa.string,
        "number": pa.int64,
        "money": lambda: pa.decimal128(38, 0),
    }
    return types[kind]()


def _column(rows: Sequence[Row], name: str, kind: str) -> "pa.Array":
    import decimal

    import pyarrow as pa

    values = [row[name] for row in rows]
    if kind == "money":
        values = [decimal.Decimal(value) for value in values]
    return pa.array(values, type=_arrow(kind))
