"""A pandapower table as columns by name, read number by number; needs no pandapower, no pandas.

Works on the tables of a net in memory (data frames, asked only for their columns and values) and
on those of a JSON file (parsed by the reader of files).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gridpact.errors import FeederError


@dataclass(frozen=True)
class Frame:
    """One table. `index` holds the rows' own numbers."""

    name: str
    index: Sequence[int]
    columns: Mapping[str, Sequence[object]]

    def rows(self) -> Iterator["Row"]:
        """Yield the rows that are in service."""
        for place, number in enumerate(self.index):
            row = Row(self, place, int(number))
            if row.flag("in_service", True):
                yield row


@dataclass(frozen=True)
class Row:
    """One row of a table; errors name table, row and column."""

    frame: Frame
    place: int
    number: int

    def __str__(self) -> str:
        return f"{self.frame.name} {self.number}"

    def error(self, column: str, problem: str) -> FeederError:
        return FeederError(f"{self}: {column}" if column else str(self), problem)

    def get(self, column: str) -> object:
        """Return a value, None where it is absent, empty or NaN."""
        if column not in self.frame.columns:
            return None
        value = self.frame.columns[column][self.place]
        missing = value is None or type(value).__name__ == "NAType"
        return None if missing or (isinstance(value, float) and math.isnan(value)) else value

    def real(self, column: str, default: float | None = None) -> float:
        """Return a finite number; `default` stands for an absent one, if given."""
        value = self.get(column)
        if value is None and default is not None:
            return default
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise self.error(column, f"{value!r} is not a number") from None
        if not math.isfinite(number):
            raise self.error(column, f"{number} is not a finite number")
        return number

    def positive(self, column: str, default: float | None = None) -> float:
        number = self.real(column, default)
        if number <= 0:
            raise self.error(column, f"{number:g} is not > 0")
        return number

    def bus(self, column: str = "bus") -> int:
        number = self.real(column)
        if not number.is_integer():
            raise self.error(column, f"{number:g} is not the number of a bus")
        return int(number)

    def flag(self, column: str, default: bool) -> bool:
        value = self.get(column)
        return default if value is None else bool(value)

    def text(self, column: str, default: str = "") -> str:
        value = self.get(column)
        return default if value is None else str(value)
