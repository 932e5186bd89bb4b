"""Recorded data of sensors: the files of `gridpact sense`, read into rows by time.

readings.csv, weather.csv, feeders.csv, transformers.csv, trades.csv, meta.json and, where a weather
service is heard, warnings.csv; `docs/safety.md` tells every column. Rows may come in any order:
they are put in order of time, and of two rows of one meter and time the first counts. A time with
an offset is taken to UTC, so a clock change leaves neither a hole nor an hour twice; a time without
one is taken as UTC. The log lasts from the first to the last moment that two sources tell: what one
wild clock says an hour beyond is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from gridpact.errors import ScenarioError
from gridpact.safety.layout import NONE, Layout
from gridpact.safety.verdict import Hazard
from gridpact.safety.warning import LEVELS, Notice
from gridpact.safety.weather import FIELDS
from gridpact.sense.meta import read_layout, read_meta, train_days

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
_DAY, _HOUR = 86_400, 3600
_AS_TEXT = csv.ConvertOptions(
    column_types=dict.fromkeys(("ts", "from", "until", "station", "cls"), pa.string()),
    strings_can_be_null=True,
)


@dataclass(frozen=True, eq=False)
class Series:
    """Rows of one file by time: values (row, field, column of names), NaN where nothing stands.

    `dropped` counts the rows that came twice, `unknown` those of names that meta.json lacks,
    `strays` those before or after what two sources tell.
    """

    times: Times
    values: Floats
    dropped: int
    unknown: int
    strays: int = 0


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades to permit or hold, in the order of the file; parties as numbers of meters."""

    names: tuple[str, ...]
    times: Times
    seller: NDArray[np.int64]
    buyer: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Log:
    """Everything recorded. Rows before `trained` are clean and may be learned from. [s] `channels`
    are further columns of the transformers. `style` is a time as the file wrote it: answers are
    written the same way.
    """

    layout: Layout
    readings: Series
    weather: Series
    feeders: Series
    transformers: Series
    trades: Trades
    trained: int
    notices: tuple[Notice, ...] = ()
    channels: tuple[str, ...] = ()
    style: str = "2026-01-31T12:15:00"


def read(folder: Path) -> Log:
    """Return the log of a folder.

    Raises
    ------
    ScenarioError
        A file, a column or a value that is missing or cannot be used.
    """
    meta = read_meta(folder / "meta.json")
    layout = read_layout(folder / "meta.json", meta)
    readings = _series(folder / "readings.csv", "meter", layout.meters, ("p_kw",))
    weather = _series(folder / "weather.csv", "station", layout.stations, FIELDS)
    feeders = _series(folder / "feeders.csv", "feeder", layout.feeders, ("area_p_kw", "line_i_a"))
    machines = ("load_pu", "oil_c", *_channels(folder / "transformers.csv"))
    transformers = _series(
        folder / "transformers.csv", "transformer", layout.transformers, machines
    )
    begin, end = _span((readings, weather, feeders, transformers))
    readings, weather, feeders, transformers = (
        _within(one, begin, end) for one in (readings, weather, feeders, transformers)
    )
    if not len(readings.times):
        raise ScenarioError(folder / "readings.csv", "", "holds no reading of a known meter")
    first = int(min(one.times[0] for one in (readings, weather) if len(one.times)))
    trained = first + round(train_days(folder / "meta.json", meta) * _DAY)
    trades = _trades(folder / "trades.csv", layout)
    style = str(_table(folder / "readings.csv", ("ts",))["ts"][0].as_py())
    notices = _notices(folder / "warnings.csv", layout)
    return Log(
        layout, readings, weather, feeders, transformers, trades, trained, notices, machines[2:],
        style,
    )  # fmt: skip


def _channels(path: Path) -> tuple[str, ...]:
    """Return the further numeric columns of transformers.csv: whatever else a machine tells."""
    table = _table(path, ("ts", "transformer", "load_pu"))
    return tuple(
        one.name
        for one in table.schema
        if one.name not in ("ts", "transformer", "load_pu", "oil_c")
        and (pa.types.is_floating(one.type) or pa.types.is_integer(one.type))
    )


def _span(all_series: Sequence[Series]) -> tuple[int, int]:
    """Return the first and the last moment that two sources tell, or one alone, an hour wider."""
    firsts, lasts = list[int](), list[int]()
    for one in all_series:
        heard = np.asarray(np.isfinite(one.values).any(axis=1), bool)
        for by_name in heard.T[heard.any(axis=0)]:
            rows = np.flatnonzero(by_name)
            firsts.append(int(one.times[rows[0]]))
            lasts.append(int(one.times[rows[-1]]))
    if not firsts:
        return 0, 0
    second = min(1, len(firsts) - 1)
    return sorted(firsts)[second] - _HOUR, sorted(lasts)[-1 - second] + _HOUR


def _within(series: Series, begin: int, end: int) -> Series:
    """Return the rows from `begin` to `end`; the others are counted."""
    inside = (series.times >= begin) & (series.times <= end)
    strays = int(np.isfinite(series.values[~inside]).any(axis=1).sum())
    return replace(series, times=series.times[inside], values=series.values[inside], strays=strays)


def _table(path: Path, columns: Sequence[str]) -> pa.Table:
    if not path.is_file():
        raise ScenarioError(path, "", "no such file")
    try:
        table = csv.read_csv(path, convert_options=_AS_TEXT)
    except pa.ArrowInvalid as error:
        raise ScenarioError(path, "", f"is no table: {error}") from error
    for column in columns:
        if column not in table.column_names:
            there = ", ".join(table.column_names)
            raise ScenarioError(path, column, f"no such column; there are {there}")
    return table


def _series(path: Path, key: str, names: Sequence[str], fields: Sequence[str]) -> Series:
    """Return a file's rows by time and name; fields that the file lacks are NaN."""
    table = _table(path, ("ts", key, fields[0]))
    times, place = _times(path, table), {name: at for at, name in enumerate(names)}
    known_names = table[key].cast(pa.string()).to_pylist()
    owner = np.array([place.get(one, NONE) for one in known_names], np.int64)
    known = owner != NONE
    columns = [_numbers(path, table, one)[known] for one in fields]
    moments, row = np.unique(times[known], return_inverse=True)
    _, first = np.unique(row * max(len(names), 1) + owner[known], return_index=True)
    filled = np.full((len(moments), len(fields), len(names)), np.nan)
    for at, column in enumerate(columns):
        filled[row[first], at, owner[known][first]] = column[first]
    return Series(moments, filled, int(known.sum() - len(first)), int((~known).sum()))


def _numbers(path: Path, table: pa.Table, column: str) -> Floats:
    if column not in table.column_names:
        return np.full(table.num_rows, np.nan)
    try:
        cells = table[column].cast(pa.float64())
    except pa.ArrowInvalid as error:
        raise ScenarioError(path, column, f"expected numbers: {error}") from error
    values = cells.to_numpy(zero_copy_only=False).astype(float)
    return np.where(np.isfinite(values), values, np.nan)


def _times(path: Path, table: pa.Table, column: str = "ts") -> Times:
    """Return times in seconds since 1970, UTC: dates with or without an offset, or seconds."""
    cells = table[column].combine_chunks()
    if cells.null_count:
        row = cells.is_null().to_pylist().index(True)
        raise ScenarioError(path, f"row {row + 2}, {column}", "a row without a time")
    if not len(cells):
        return np.zeros(0, np.int64)
    for kind in (pa.int64(), pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("ms", "UTC")):
        try:
            moments = cells.cast(kind)
        except pa.ArrowInvalid:
            continue
        if pa.types.is_timestamp(kind):
            per_second = 1 if kind.unit == "s" else 1000
            whole = moments.cast(pa.int64()).to_numpy(zero_copy_only=False)
            return np.asarray(whole // per_second, np.int64)
        return np.asarray(moments.to_numpy(zero_copy_only=False), np.int64)
    raise ScenarioError(path, column, f"expected times like 2026-01-31T12:15:00, not {cells[0]}")


def _trades(path: Path, layout: Layout) -> Trades:
    table = _table(path, ("trade", "ts", "seller", "buyer"))
    place = {name: at for at, name in enumerate(layout.meters)}
    parties = []
    for side in ("seller", "buyer"):
        names = table[side].cast(pa.string()).to_pylist()
        for at, name in enumerate(names):
            if name not in place:
                problem = f"{name!r} is no meter of meta.json"
                raise ScenarioError(path, f"row {at + 2}, {side}", problem)
        parties.append(np.array([place[name] for name in names], np.int64))
    trades = tuple(map(str, table["trade"].to_pylist()))
    return Trades(trades, _times(path, table), parties[0], parties[1])


def _notices(path: Path, layout: Layout) -> tuple[Notice, ...]:
    """Return what a weather service warned of; nothing where there is no such file.

    A warning that cannot be understood is refused: left out it would permit what it warns of.
    """
    if not path.exists():
        return ()
    table = _table(path, ("station", "from", "until", "cls"))
    since, until = (_times(path, table, one).tolist() for one in ("from", "until"))
    stations, kinds = (table[one].to_pylist() for one in ("station", "cls"))
    found = []
    for at, (station, kind) in enumerate(zip(stations, kinds, strict=True)):
        where = f"row {at + 2}"
        if station not in layout.stations:
            raise ScenarioError(path, f"{where}, station", f"{station!r} is none of meta.json")
        if kind not in LEVELS:
            expected = ", ".join(LEVELS)
            raise ScenarioError(path, f"{where}, cls", f"{kind!r} is none of {expected}")
        if until[at] <= since[at]:
            raise ScenarioError(path, f"{where}, until", "does not come after from")
        found.append(Notice(station, Hazard(kind), since[at], until[at]))
    return tuple(found)
