"""One table of a scenario file, read key by key, so that every mistake has a place and a sentence.

A reader asks for what it knows (`number`, `whole`, `text`, `day`, `pair`, `table`, …) and ends
with `finish`, which refuses keys that nobody asked for and names the nearest one that exists.
Units are part of a key's name (`peak_kw`), so a wrong unit is an unknown key.
"""

import datetime
import math
import sys
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gridpact.errors import ScenarioError

_UNITS = (
    *("w", "kw", "mw", "wh", "kwh", "mwh", "va", "kva", "mva", "var", "kvar", "mvar"),
    *("v", "kv", "pu", "h", "s", "minutes", "minute", "hours", "share"),
)
_MISSING: Any = object()
_LARGEST = sys.float_info.max
"""TOML has whole numbers of any size and infinity; neither is a quantity."""


def read_toml(path: Path) -> dict[str, object]:
    """Return what a TOML file holds. Raises `ScenarioError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ScenarioError(path, "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScenarioError(path, "", f"is no TOML file: {error}") from error


def stem(key: str) -> str:
    """Return a key without its unit: peak of peak_kw, retail of retail_per_kwh."""
    words = key.split("_")
    while len(words) > 1 and (words[-1] in _UNITS or words[-1] == "per"):
        words.pop()
    return "_".join(words)


class Table:
    """A TOML table with its file and place, e.g. ("day.toml", "plant 2")."""

    def __init__(self, file: object, place: str, data: Mapping[str, Any]) -> None:
        self.file, self.place, self._data = file, place, data
        self._known: list[str] = []

    def error(self, key: str, problem: str) -> ScenarioError:
        place = f"{self.place}.{key}" if self.place and key else self.place or key
        return ScenarioError(self.file, place, problem)

    def has(self, key: str) -> bool:
        return key in self._data

    def know(self, *keys: str) -> None:
        """Note keys that somebody else reads."""
        self._known += keys

    def _get(self, key: str, default: Any, expected: str) -> Any:
        self._known.append(key)
        if key in self._data:
            return self._data[key]
        if default is _MISSING:
            raise self._missing(key, expected)
        return default

    def _missing(self, key: str, expected: str) -> ScenarioError:
        for given in self._data:
            if given not in self._known and stem(given) == stem(key):
                return self.error(given, f"wrong unit: expected {key} ({expected})")
        return self.error(key, f"missing: expected {expected}")

    def number(
        self,
        key: str,
        default: float = _MISSING,
        *,
        low: float = 0.0,
        high: float = math.inf,
    ) -> float:
        """Return a finite number in [low, high]."""
        expected = f"a number {_range(low, high)}"
        value = self._get(key, default, expected)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"expected {expected}, not {show(value)}")
        return self._checked(key, value, low, high, expected)

    def _checked(self, key: str, value: float, low: float, high: float, expected: str) -> float:
        if not (low <= value <= high and abs(value) <= _LARGEST):
            raise self.error(key, f"expected {expected}, not {show(value)}")
        return float(value)

    def whole(self, key: str, default: int = _MISSING, *, low: int = 0, high: int = 2**62) -> int:
        """Return a whole number in [low, high]."""
        expected = f"a whole number {_range(low, high)}"
        value = self._get(key, default, expected)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"expected {expected}, not {show(value)}")
        return value

    def flag(self, key: str, default: bool = _MISSING) -> bool:
        value = self._get(key, default, "true or false")
        if not isinstance(value, bool):
            raise self.error(key, f"expected true or false, not {show(value)}")
        return value

    def text(self, key: str, default: str = _MISSING, *, choices: Sequence[str] = ()) -> str:
        """Return a text, one of `choices` when they are given."""
        expected = "one of " + ", ".join(choices) if choices else "a text"
        value = self._get(key, default, expected)
        if not isinstance(value, str) or (choices and value not in choices):
            raise self.error(key, f"expected {expected}, not {show(value)}")
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of words, empty when absent."""
        value = self._get(key, [], "a list of words")
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.error(key, f'expected a list of words, as ["sun"], not {show(value)}')
        return value

    def day(self, key: str) -> datetime.date:
        value = self._get(key, _MISSING, "a date like 2016-06-09")
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise self.error(key, f"expected a date like 2016-06-09, not {show(value)}")
        if not 1970 <= value.year < 9999:
            raise self.error(key, f"expected a date from 1970 on, not {value}")
        return value

    def name(self, key: str, default: str = _MISSING) -> str:
        """Return a name that can stand in a line: not empty, no control characters."""
        value = self.text(key, default)
        if not value.strip() or not value.isprintable():
            raise self.error(key, f"expected a name that can be printed, not {show(value)}")
        return value

    def pair(
        self, key: str, default: tuple[float, float], *, low: float = 0.0, high: float = math.inf
    ) -> tuple[float, float]:
        """Return two rising numbers [from, to]."""
        expected = f"two rising numbers {_range(low, high)}, as [0.2, 0.8]"
        value = self._get(key, list(default), expected)
        numbers = isinstance(value, list) and all(
            isinstance(item, int | float) and not isinstance(item, bool) for item in value
        )
        if not numbers or len(value) != 2 or value[0] > value[1]:
            raise self.error(key, f"expected {expected}, not {show(value)}")
        first, second = (self._checked(key, item, low, high, expected) for item in value)
        return first, second

    def point(self, key: str) -> tuple[float, float]:
        """Return a place [x, y]."""
        value = self._get(key, None, "a place, as [1.5, 0.2]")
        numbers = isinstance(value, list) and all(
            isinstance(one, int | float) and not isinstance(one, bool) for one in value
        )
        if not numbers or len(value) != 2:
            raise self.error(key, f"expected a place, as [1.5, 0.2], not {show(value)}")
        x, y = (self._checked(key, one, -1e6, 1e6, "a place within 1e6") for one in value)
        return x, y

    def whole_pair(
        self, key: str, default: tuple[int, int], *, low: int = 0, high: int = 2**62
    ) -> tuple[int, int]:
        """Return two rising whole numbers [from, to]."""
        first, last = self.pair(key, default, low=low, high=high)
        if not (first.is_integer() and last.is_integer()):
            raise self.error(key, f"expected two whole numbers, not [{first:g}, {last:g}]")
        return int(first), int(last)

    def scalar(self, key: str, like: bool | int | float | str) -> bool | int | float | str:
        """Return a value of the kind that another has; a whole number does for a decimal one."""
        value: Any = self._get(key, like, f"a value like {show(like)}")
        kinds = (int, float) if isinstance(like, float) else (type(like),)
        if isinstance(value, bool) != isinstance(like, bool) or not isinstance(value, kinds):
            raise self.error(key, f"expected a value like {show(like)}, not {show(value)}")
        return float(value) if isinstance(like, float) else value

    def table(self, key: str) -> "Table":
        """Return a sub-table, empty when absent."""
        value = self._get(key, {}, "a table")
        if not isinstance(value, dict):
            raise self.error(key, f"expected a table [{key}], not {show(value)}")
        return Table(self.file, f"{self.place}.{key}" if self.place else key, value)

    def tables(self, key: str) -> list["Table"]:
        """Return the rows of an array of tables, none when absent."""
        rows = self._get(key, [], "a list of tables")
        name = f"{self.place}.{key}" if self.place else key
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.error(key, f"expected tables [[{name}]], not {show(rows)}")
        return [Table(self.file, f"{name} {i}", row) for i, row in enumerate(rows, 1)]

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._data:
            if key not in self._known:
                raise self.error(key, _unknown(key, self._known))


def _unknown(key: str, known: Sequence[str]) -> str:
    same = [name for name in known if stem(name) == stem(key) and name != key]
    if same:
        return f"wrong unit: expected {same[0]}"
    near = get_close_matches(key, known, n=1, cutoff=0.5)
    return f"unknown key; did you mean {near[0]}?" if near else "unknown key"


def _range(low: float, high: float) -> str:
    if math.isinf(high) or high >= 2**62:
        return f">= {low:g}"
    return f"between {low:.12g} and {high:.12g}"


def show(value: object) -> str:
    """Return a value as it stands in a message: as TOML has it, cut where it is long."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
