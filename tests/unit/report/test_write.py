"""A run's folder holds all that it promises."""

import dataclasses
import json
from pathlib import Path

import pyarrow.parquet as pq

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.report.findings import Findings, examine
from gridpact.report.write import write_all
from gridpact.scenario.scenario import Scenario


def test_all_files_are_written_and_agree(found: Findings, tmp_path: Path) -> None:
    paths = write_all(found, (), tmp_path)
    assert {path.name for path in paths} == {
        "summary.json",
        "trades.parquet",
        "prices.parquet",
        "orders.parquet",
        "bills.csv",
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


def test_a_hamlet_without_sun_or_trade_has_a_report_too(scenario: Scenario, tmp_path: Path) -> None:
    dark = [site for site in scenario.sites if site.pv is None and site.battery is None]
    hamlet = dataclasses.replace(scenario, sites=tuple(dark[:2]), plants=())
    found = examine(run_day(hamlet, memory_ledgers(hamlet), unwatched, signed=False))
    assert found.compared.trades == ()
    write_all(found, (), tmp_path)
    assert pq.read_table(tmp_path / "trades.parquet").num_rows == 0
    assert [one.saving for one in found.compared.accounts] == [0, 0]
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert told["grid"]["self_sufficiency"] == 0.0
    assert "0 trades" in (tmp_path / "report.html").read_text(encoding="utf-8")
