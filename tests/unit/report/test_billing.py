"""Bills as a file."""

import csv
import dataclasses
from collections import Counter
from pathlib import Path

from gridpact.report.billing import COLUMNS, write_bills
from gridpact.report.findings import Findings


def taxed(found: Findings, rate: int) -> Findings:
    scenario = found.day.scenario
    tariff = dataclasses.replace(scenario.tariff, tax=rate)
    day = dataclasses.replace(found.day, scenario=dataclasses.replace(scenario, tariff=tariff))
    return dataclasses.replace(found, day=day)


def test_every_bill_adds_up_to_what_the_report_says(found: Findings, tmp_path: Path) -> None:
    path = write_bills(taxed(found, 190_000), tmp_path / "bills.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    sums: Counter[str] = Counter()
    for row in rows:
        assert int(row["amount"]) == int(row["net"]) + int(row["tax"])
        if row["item"] != "total":
            sums[row["participant"]] += int(row["amount"])
    totals = {row["participant"]: int(row["amount"]) for row in rows if row["item"] == "total"}
    assert totals == {one.name: one.after for one in found.compared.accounts}
    assert {name: sums[name] for name in totals} == totals
    assert any(int(row["tax"]) for row in rows)


def test_without_a_tax_rate_bills_name_none(found: Findings, tmp_path: Path) -> None:
    with write_bills(found, tmp_path / "bills.csv").open(newline="") as file:
        assert {row["tax"] for row in csv.DictReader(file)} == {"0"}
