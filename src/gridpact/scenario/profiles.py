"""Profiles from CSV files: the means over market intervals of one day, per column.

The first column is the time ("2016-06-09 00:15:00"), every other a quantity per unit of rated
power or in a unit its user knows. Rows must rise in time by one constant step that divides the
market's interval. Built-in: a summer and a winter week of SimBench (see data/simbench/NOTICE.md).
"""

import csv
import datetime
import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from gridpact.errors import ScenarioError
from gridpact.prosumer.devices import FloatArray

_DATA = Path(__file__).resolve().parent.parent / "data" / "simbench"
BUILT_IN = {
    "simbench-summer": _DATA / "profiles-summer.csv",
    "simbench-winter": _DATA / "profiles-winter.csv",
}


@dataclass(frozen=True, eq=False)
class Profiles:
    """A CSV file in memory: `values` is (row, column)."""

    file: str
    begins: datetime.datetime
    step: datetime.timedelta
    columns: tuple[str, ...]
    values: FloatArray

    def column(self, name: str, place: str) -> FloatArray:
        """Return a column; `place` says who asked for it."""
        if name not in self.columns:
            raise ScenarioError(self.file, place, f"no column {name!r} in this file")
        return self.values[:, self.columns.index(name)]

    def covers(self, begins: datetime.datetime, span: datetime.timedelta) -> bool:
        return self.begins <= begins and begins + span <= self.ends

    @property
    def ends(self) -> datetime.datetime:
        return self.begins + len(self.values) * self.step

    def means(
        self,
        begins: datetime.datetime,
        intervals: int,
        minutes: int,
        name: str,
        shift: datetime.timedelta = datetime.timedelta(0),
    ) -> FloatArray:
        """Return a column's mean per market interval, (interval,), from `begins` on.

        `shift` turns the span round by that much (later when positive): a household with the same
        habits on another clock.
        """
        per = self._rows_per(minutes)
        span = datetime.timedelta(minutes=minutes * intervals)
        if not self.covers(begins, span):
            raise ScenarioError(
                self.file,
                "",
                f"the profile holds {self.begins} to {self.ends}, shorter than the horizon"
                f" {begins} to {begins + span}",
            )
        first = (begins - self.begins) // self.step
        rows = self.column(name, "header")[first : first + per * intervals]
        means: FloatArray = (
            np.roll(rows, round(shift / self.step)).reshape(intervals, per).mean(axis=1)
        )
        return means

    def _rows_per(self, minutes: int) -> int:
        per, rest = divmod(datetime.timedelta(minutes=minutes), self.step)
        if rest or not per:
            raise ScenarioError(
                self.file, "", f"its step of {self.step} does not divide {minutes} minutes"
            )
        return per


def read(path: Path) -> Profiles:
    """Return a CSV file of profiles.

    Raises
    ------
    ScenarioError
        Missing file, no header, a cell that is no finite number, a row that is out of step.
    """
    if not path.is_file():
        raise ScenarioError(path, "", "no such file")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> Profiles:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(path, "", f"cannot be read as CSV: {error}") from error
    if rows and len(rows[0]) == 1:
        raise ScenarioError(path, "row 1", "expected a time and columns, separated by commas")
    if len(rows) < 3 or not rows[0]:
        raise ScenarioError(path, "row 1", "expected a header and at least two rows")
    header = tuple(name.strip() for name in rows[0][1:])
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise ScenarioError(path, "row 1", f"two columns are named {twice[0]!r}")
    times, values = [], []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header) + 1:
            raise ScenarioError(
                path, f"row {number}", f"expected {len(header) + 1} cells, not {len(row)}"
            )
        times.append(_time(path, number, row[0]))
        values.append([_cell(path, number, *pair) for pair in zip(header, row[1:], strict=True)])
    step = times[1] - times[0]
    for number, (before, now) in enumerate(pairwise(times), 3):
        if now - before != step or step <= datetime.timedelta(0):
            raise ScenarioError(path, f"row {number}", f"time {now} is out of the step of {step}")
    return Profiles(str(path), times[0], step, header, np.array(values))


def _time(path: Path, number: int, cell: str) -> datetime.datetime:
    expected = f"expected a time like 2016-06-09 00:15:00, not {cell!r}"
    try:
        time = datetime.datetime.fromisoformat(cell)
    except ValueError as error:
        raise ScenarioError(path, f"row {number}", expected) from error
    if time.tzinfo is not None:
        raise ScenarioError(path, f"row {number}", f"{expected}: the market's time has no zone")
    return time


def _cell(path: Path, number: int, column: str, cell: str) -> float:
    place = f"row {number}, column {column}"
    try:
        value = float(cell)
    except ValueError as error:
        raise ScenarioError(path, place, f"expected a number, not {cell!r}") from error
    if not math.isfinite(value):
        raise ScenarioError(path, place, f"expected a finite number, not {cell!r}")
    return value


def not_negative(file: str, name: str, values: FloatArray) -> FloatArray:
    """Return a profile that must not be negative, or say where it is."""
    if (values < 0).any():
        where = int(np.argmax(values < 0))
        raise ScenarioError(
            file, f"column {name}, interval {where}", f"negative: {values[where]:g}"
        )
    return values
