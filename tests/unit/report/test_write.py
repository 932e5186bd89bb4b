"""A run's folder holds all that it promises."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from gridpact.report.findings import Findings
from gridpact.report.write import write_all


def test_all_files_are_written_and_agree(found: Findings, tmp_path: Path) -> None:
    paths = write_all(found, (), tmp_path)
    assert {path.name for path in paths} == {
        "summary.json",
        "trades.parquet",
        "prices.parquet",
        "report.html",
    }
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    trades = pq.read_table(tmp_path / "trades.parquet")
    assert told["trades"]["fills"] == trades.num_rows
    assert told["money"]["paid_for_trades"] == sum(trades["paid"].to_pylist())
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{trades.num_rows} trades" in html
    for head in told["audit_head"]:
        assert head in html
