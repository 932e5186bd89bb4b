"""Rows of numbers from a CSV file with a header: buses and lines of a feeder.

Columns may stand in any order and more than those asked for is refused; a column from `wanted` on
may be absent, and its cells may be empty.
"""

import csv
from collections.abc import Sequence
from pathlib import Path

from gridpact.errors import ScenarioError

_WHOLE = ("bus", "from", "to")


def read_rows(path: Path, columns: Sequence[str], wanted: int) -> list[list[float]]:
    """Return the rows, cells in the order of `columns`; bus numbers as whole numbers.

    Raises
    ------
    ScenarioError
        The file cannot be read, lacks a column, or has a cell that is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise ScenarioError(path, "", f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(path, "", f"is no CSV file: {error}") from error
    header = [name.strip() for name in rows[0]] if rows else []
    for name in columns[:wanted]:
        if name not in header:
            raise ScenarioError(path, "row 1", f"no column {name}; expected {', '.join(columns)}")
    for name in header:
        if name not in columns or header.count(name) > 1:
            raise ScenarioError(path, "row 1", f"column {name!r} is unknown or given twice")
    return [
        _row(
            path, number, dict(zip(header, _cells(path, number, row, header), strict=True)), columns
        )
        for number, row in enumerate(rows[1:], start=2)
        if row
    ]


def _cells(path: Path, number: int, row: Sequence[str], header: Sequence[str]) -> Sequence[str]:
    if len(row) != len(header):
        raise ScenarioError(
            path, f"row {number}", f"expected {len(header)} cells, found {len(row)}"
        )
    return row


def _row(path: Path, number: int, cells: dict[str, str], columns: Sequence[str]) -> list[float]:
    found: list[float] = []
    for name in columns:
        cell = cells.get(name, "").strip()
        if not cell and name == "s_max_mva":
            continue
        try:
            found.append(int(cell) if name in _WHOLE else float(cell))
        except ValueError:
            raise ScenarioError(
                path, f"row {number}, {name}", f"expected a number, found {cell!r}"
            ) from None
    return found
