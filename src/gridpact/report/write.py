"""Everything that a run leaves in its output folder, beside the ledger."""

import json
from collections.abc import Sequence
from pathlib import Path

from gridpact.report.billing import write_bills
from gridpact.report.figures import figures
from gridpact.report.findings import Findings
from gridpact.report.orders import write_orders
from gridpact.report.page import page
from gridpact.report.requests import write_requests
from gridpact.report.sensitivity import Sensitivity
from gridpact.report.summary import summary
from gridpact.report.tables import write_prices, write_trades


def write_all(
    found: Findings, sensitivity: Sequence[Sensitivity], folder: Path
) -> tuple[Path, ...]:
    """Write summary.json, the tables, the bills and report.html; return their paths."""
    report = folder / "report.html"
    report.write_text(page(found, figures(found), sensitivity), encoding="utf-8")
    day = found.day
    asked = (write_requests(day, folder / "requests.parquet"),) if day.scenario.requests else ()
    return (
        *asked,
        write_summary(found, folder / "summary.json"),
        write_trades(found, folder / "trades.parquet"),
        write_prices(found, folder / "prices.parquet"),
        write_orders(day, folder / "orders.parquet"),
        write_bills(found, folder / "bills.csv"),
        report,
    )


def write_summary(found: Findings, path: Path) -> Path:
    """Write the summary as JSON that people can read, too."""
    path.write_text(json.dumps(summary(found), indent=2) + "\n", encoding="utf-8")
    return path
