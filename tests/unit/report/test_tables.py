"""The Parquet files, read back."""

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from gridpact.assembly.day import DayResult
from gridpact.model.trade import Fill
from gridpact.report.findings import Findings
from gridpact.report.tables import PRICES, TRADES, write_prices, write_trades

PROMISED = [
    "interval", "tier", "seller", "buyer", "agreed_wh", "sent_wh", "received_wh", "price", "paid",
    "reward", "refund", "charge", "case",
]  # fmt: skip


def test_trades_hold_one_row_per_fill_with_the_promised_columns(
    found: Findings, tmp_path: Path
) -> None:
    table = pq.read_table(write_trades(found, tmp_path / "trades.parquet"))
    assert table.schema.equals(TRADES)
    assert table.column_names[: len(PROMISED)] == PROMISED
    assert table.num_rows == len(found.compared.trades)
    assert set(table["tier"].to_pylist()) == {"local", "zonal"}
    assert all(count == 0 for count in (column.null_count for column in table.columns))


def test_trades_name_people_and_add_up(day: DayResult, found: Findings, tmp_path: Path) -> None:
    table = pq.read_table(write_trades(found, tmp_path / "trades.parquet"))
    names = set(day.names.values())
    assert set(table["seller"].to_pylist()) | set(table["buyer"].to_pylist()) <= names
    assert not any(name.startswith("region") for name in table["buyer"].to_pylist())
    parts = ("agreed_wh", "unused_wh", "held_wh")
    whole = sum(pc.sum(table[name]).as_py() for name in parts)
    assert whole == pc.sum(table["cleared_wh"]).as_py()
    statements = [row.settled.statement for row in found.compared.trades]
    assert pc.sum(table["paid"]).as_py() == sum(one.paid for one in statements)


def test_fill_hashes_are_those_on_chain(day: DayResult, found: Findings, tmp_path: Path) -> None:
    table = pq.read_table(write_trades(found, tmp_path / "trades.parquet"))
    settled: list[Fill] = [
        fill
        for result in day.intervals
        for fill in (*result.settlement.fills, *result.zonal_settlement.fills)
    ]
    assert set(table["fill"].to_pylist()) == {fill.hash.hex() for fill in settled}


def test_prices_hold_one_row_per_interval_and_bus(
    day: DayResult, found: Findings, tmp_path: Path
) -> None:
    table = pq.read_table(write_prices(found, tmp_path / "prices.parquet"))
    assert table.schema.equals(PRICES)
    buses = day.scenario.grid.file.feeder.ids
    assert table.num_rows == len(day.intervals) * len(buses)
    night = table.filter(pc.equal(table["interval"], 0))
    assert night["mean_local"].null_count == night.num_rows
    assert set(night["retail"].to_pylist()) == {day.intervals[0].prices.retail}
    assert min(table["dlmp"].to_pylist()) < max(table["dlmp"].to_pylist())
