"""Every participant's bill as a CSV file that any office tool opens: one row per item.

participant, kind, item (`account_lines.Reason`), tier, energy_wh, amount, net, tax: money in
micro-units of the settlement currency, > 0 what the participant pays, < 0 what it earns; amount =
net + tax. The last row of each bill, item `total`, is the sum.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from gridpact.report.findings import Findings
from gridpact.settlement.invoice import Item, invoices

COLUMNS = ("participant", "kind", "item", "tier", "energy_wh", "amount", "net", "tax")
_Row = tuple[str | int, ...]


def write_bills(found: Findings, path: Path) -> Path:
    """Write the bills of all participants and plants, in the order of the report."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(found))
    return path


def _rows(found: Findings) -> Iterator[_Row]:
    items = bills(found)
    for account in found.compared.accounts:
        own = items.get(account.line.participant, ())
        for item in own:
            what = (item.reason.value, item.tier.name.lower(), item.energy)
            yield (account.name, account.kind, *what, item.amount, item.net, item.tax)
        yield (account.name, account.kind, "total", "", "", *_total(own))


def _total(items: Sequence[Item]) -> tuple[int, int, int]:
    columns = [(one.amount, one.net, one.tax) for one in items]
    amount, net, tax = (sum(column) for column in zip(*columns, strict=True)) if items else (0,) * 3
    return amount, net, tax


def bills(findings: Findings) -> dict[bytes, tuple[Item, ...]]:
    """Return the items of every person's accounts over the day."""
    day = findings.day
    results = day.intervals
    items = invoices(
        [trade.settled for trade in findings.compared.trades],
        [bill for one in results for bill in (*one.settlement.bills, *one.zonal_settlement.bills)],
        [row for one in results for row in one.zonal_settlement.incentives],
        day.scenario.settlement,
        day.scenario.tariff.tax,
        (
            [row for one in results for row in one.fines[0]],
            [row for one in results for row in one.fines[1]],
        ),
    )
    found: dict[bytes, tuple[Item, ...]] = {}
    for who, own in items.items():
        found[day.person(who)] = (*found.get(day.person(who), ()), *own)
    return found
