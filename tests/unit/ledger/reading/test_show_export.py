"""What people read of a ledger file: tables, and one thing in words."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from tests.unit.ledger.box import environment
from tests.unit.ledger.market_case import ANN, COLLECTOR, REGION, SUE, ZONE, Round, founded

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import BadInput, LedgerError
from gridpact.ledger.chain import Log
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.evm.transactions import sign
from gridpact.ledger.files.store import open_store, open_to_read
from gridpact.ledger.onchain.abi import Rows
from gridpact.ledger.onchain.decode import Decoder, record
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.suite import ORDER, Suite
from gridpact.ledger.reading.export import COLUMNS, Format, export
from gridpact.ledger.reading.show import as_text, show
from gridpact.model.interval import Key
from gridpact.model.participant import Named
from gridpact.model.record import Settlement
from gridpact.model.statement import Case

EXAMPLE = Path(__file__).parents[4] / "examples" / "ledger_tables.py"


def _clock(key: Key) -> int:
    return 1_000 + 3_600 * key.interval + 60 * int(key.phase)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one whole interval on both chains, and what its accounts came to."""
    path = tmp_path_factory.mktemp("shown") / "ledger.db"
    with open_store(path) as store:
        local = MarketLedger(EmbeddedChain(store, "local", 1, COLLECTOR, _clock), REGION)
        zonal = MarketLedger(EmbeddedChain(store, "zonal", 2, COLLECTOR, _clock), ZONE)
        founded(local, zonal)
        for ledger, key, written in Round(local, zonal, 0, sue_wh=1_700, plant_wh=900).steps():
            ledger.write(key, written)
        accounts = {"0x" + a.hex(): one for a, one in local.accounts().items()}
        path.with_suffix(".json").write_text(
            json.dumps({a: [one.free, one.reserved, one.locked] for a, one in accounts.items()})
        )
    return path


def rows(folder: Path, table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / f"{table}.json").read_text())
    return found


def test_every_transaction_receipt_and_event_is_a_row_and_all_are_decoded(
    ledger: Path, tmp_path: Path
) -> None:
    export(ledger, tmp_path, Format.JSON)
    with open_to_read(ledger) as store:
        blocks = [block for chain in store.chains() for block in store.blocks(chain.id)]
    sent = sum(len(block.raws) for block in blocks)
    assert len(rows(tmp_path, "blocks")) == len(rows(tmp_path, "records")) == len(blocks)
    assert len(rows(tmp_path, "transactions")) == len(rows(tmp_path, "receipts")) == sent
    assert all(row["function"] for row in rows(tmp_path, "transactions"))
    assert all(row["event"] for row in rows(tmp_path, "events"))
    assert {row["record"] for row in rows(tmp_path, "records")} >= {"Found", "Book", "Settlement"}
    operator = "0x" + COLLECTOR.address.hex()
    assert {row["sender"] for row in rows(tmp_path, "transactions")} == {operator}


def test_accounts_are_those_of_the_ledger(ledger: Path, tmp_path: Path) -> None:
    export(ledger, tmp_path, Format.JSON)
    truth = json.loads(ledger.with_suffix(".json").read_text())
    told = {
        row["address"]: [row["free"], row["reserved"], row["locked"]]
        for row in rows(tmp_path, "accounts")
        if row["chain"] == "local" and row["address"] in truth
    }
    assert told == truth
    named = {row["name"] for row in rows(tmp_path, "accounts")}
    assert named >= {"ann", "sue", "network_loss", "contract vault"}


def test_settled_events_say_what_the_statements_say(ledger: Path, tmp_path: Path) -> None:
    export(ledger, tmp_path, Format.JSON)
    told = [
        json.loads(str(row["arguments"]))
        for row in rows(tmp_path, "events")
        if row["event"] == "Settled" and row["chain"] == "local"
    ]
    contents = [
        json.loads(str(row["content"]))
        for row in rows(tmp_path, "records")
        if row["record"] == "Settlement" and row["chain"] == "local"
    ]
    stated = [one for content in contents for one in content["statements"]]
    assert stated
    assert [one["paid"] for one in told] == [one["paid"] for one in stated]
    assert {one["case"] for one in stated} <= {int(case) for case in Case}


def test_parquet_has_the_same_rows_as_json_and_one_schema(ledger: Path, tmp_path: Path) -> None:
    export(ledger, tmp_path, Format.JSON)
    for path in export(ledger, tmp_path):
        table = pq.read_table(path)  # type: ignore[no-untyped-call]
        assert table.column_names == list(COLUMNS[path.stem])
        plain = [
            {name: int(v) if name in ("free", "reserved", "locked") else v for name, v in r.items()}
            for r in table.to_pylist()
        ]
        assert plain == rows(tmp_path, path.stem)


def test_the_example_adds_up_what_was_paid_for_energy(ledger: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLE, ledger],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    contents = [
        json.loads(str(row["content"]))
        for row in rows(_exported(ledger), "records")
        if row["record"] == "Settlement"
    ]
    paid = sum(one["paid"] for content in contents for one in content["statements"])
    assert paid > 0
    assert f"{paid / 1e6:.2f} in all" in done.stdout


def _exported(ledger: Path) -> Path:
    folder = ledger.parent / "json"
    export(ledger, folder, Format.JSON)
    return folder


def test_a_block_is_shown_by_number_on_every_chain_and_by_its_write_on_one(ledger: Path) -> None:
    assert [one.facts["block"] for one in show(ledger, "1")] == ["local/1", "zonal/1"]
    [only] = show(ledger, "local/1")
    assert only.facts["write"] == "found/0/0"
    assert only.facts["record"]["kind"] == "Found"
    [settled] = show(ledger, "local/settle/0")
    assert settled.facts["record"]["kind"] == Settlement.__name__
    assert "buyer ann, seller sue" in as_text(settled)


def test_a_transaction_is_shown_with_its_call_and_events_by_name(ledger: Path) -> None:
    [block] = show(ledger, "local/settle/0")
    with open_to_read(ledger) as store:
        stored = next(
            b for b in store.blocks(1) if "0x" + b.header.hash.hex() == block.facts["hash"]
        )
    [facts] = [one.facts for one in show(ledger, keccak(stored.raws[0]).hex())]
    assert facts["calls"] == "settlement.settle"
    assert facts["status"] == "succeeded"
    assert facts["from"].endswith("(operator's key)")
    assert {event["event"] for event in facts["events"]} >= {"settlement.Settled"}
    [same] = show(ledger, "0x" + stored.header.hash.hex())
    assert same.facts == block.facts


def test_an_account_is_shown_by_name_and_by_address_with_its_balance(ledger: Path) -> None:
    truth = json.loads(ledger.with_suffix(".json").read_text())
    for what in ("sue", SUE.address.hex(), "0x" + SUE.address.hex()):
        [shown] = show(ledger, what)
        facts = shown.facts
        assert [facts["free"], facts["reserved"], facts["locked"]] == truth[
            "0x" + SUE.address.hex()
        ]
        assert facts["name"] == "sue"
        assert facts["times"] > 0
    assert len(show(ledger, Named.REWARD.value)) == 2


def test_an_orders_hash_is_found_where_it_is_mentioned(ledger: Path) -> None:
    [book] = show(ledger, "local/collect/0")
    order = book.facts["record"]["says"]["orders"][0]["hash"]
    [found] = show(ledger, order)
    assert any("settlement.settle" in one["calls"] for one in found.facts["in"])


@pytest.mark.parametrize(
    "what", ["999", "nobody", "ab" * 32, "ab" * 20, "settle/77", "local/999", ""]
)
def test_what_is_not_there_is_refused_with_the_forms_that_are_known(
    ledger: Path, what: str
) -> None:
    with pytest.raises(BadInput, match="expected a block number"):
        show(ledger, what)


@pytest.mark.parametrize("what", ["lunch/1", "local/lunch/1", "other/1"])
def test_an_unknown_chain_or_phase_is_refused_with_the_known_ones(ledger: Path, what: str) -> None:
    with pytest.raises(BadInput, match="found, collect, price"):
        show(ledger, what)


def test_a_folder_that_cannot_be_written_is_named(ledger: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        export(ledger, blocked / "tables")


def test_bytes_that_fit_no_contract_stay_bytes() -> None:
    decoder, suite = Decoder(COLLECTOR.address), Suite(COLLECTOR.address)
    call = suite.call("vault", "account", ANN.address.rjust(32, b"\0"))
    known = decoder.call(call.to, call.data)
    assert known is not None
    assert known.arguments == {"account": "0x" + ANN.address.hex()}
    for to, data in (
        (b"\x01" * 20, call.data),
        (call.to, b""),
        (call.to, b"\x01\x02\x03\x04"),
        (call.to, call.data[:-1]),
        (b"", b"\x60\x00"),
    ):
        assert decoder.call(to, data) is None
    assert decoder.output(call.to, call.data, b"\x01") == "0x01"
    assert decoder.event(Log(call.to, (), b"")) is None
    assert decoder.event(Log(call.to, (b"\x01" * 32,), b"")) is None
    assert record(b"\xc1nonsense")[0] == ""


def test_deployments_are_decoded_with_their_arguments() -> None:
    from tests.unit.ledger.market_case import found_local

    suite = Suite(COLLECTOR.address)
    decoder = Decoder(COLLECTOR.address)
    found = replace(found_local("local", suite.currency(1)), deposits=())
    calls = [decoder.call(call.to, call.data) for call in suite.deploy(found)]
    assert [call.contract for call in calls if call and call.name == "deploy"] == list(ORDER)
    assert all(call and call.arguments for call in calls)


def test_a_strangers_refused_transaction_is_shown_and_exported(tmp_path: Path) -> None:
    stranger = PrivateKey.derive(b"show", "stranger")
    call = Suite(COLLECTOR.address).call("vault", "mint", Rows([bytes(32)]))
    with open_store(tmp_path / "ledger.db") as store:
        chain = EmbeddedChain(store, "local", 1, COLLECTOR, _clock)
        founded(
            MarketLedger(chain, REGION),
            MarketLedger(EmbeddedChain(store, "zonal", 2, COLLECTOR, _clock), ZONE),
        )
        receipt = chain.submit(sign(stranger, 1, 0, call.to, call.data).raw)
    path = tmp_path / "ledger.db"
    [facts] = [one.facts for one in show(path, receipt.transaction.hex())]
    assert "0x" + stranger.address.hex() in str(facts["from"])
    assert str(facts["status"]).startswith("failed: ")
    [block] = [one.facts for one in show(path, f"local/{receipt.block.number}")]
    assert str(block["write"]).startswith("public/")
    export(path, tmp_path / "out", Format.JSON)
    last = [row for row in rows(tmp_path / "out", "receipts") if row["status"] == 0]
    assert [row["transaction"] for row in last] == ["0x" + receipt.transaction.hex()]
