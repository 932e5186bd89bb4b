"""meta.json of recorded data: what hangs where, and how many days are clean.

`meters`, `lines`, `transformers` are lists of objects that name themselves (`meter`, `id` or
`name`), or objects of objects by name. A meter has kind, rating, feeder and station; a line a
rating and a feeder; a transformer a feeder.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridpact.errors import ScenarioError
from gridpact.safety.expected import LOAD, PV, WIND
from gridpact.safety.layout import NONE, Layout

Meta: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Mapping[str, Meta]

_KINDS = {
    "load": LOAD, "household": LOAD, "commercial": LOAD, "industrial": LOAD, "consumer": LOAD,
    "ev": LOAD, "heat_pump": LOAD, "pv": PV, "solar": PV, "wind": WIND,
}  # fmt: skip
_KW = ("rating_kw", "rating", "capacity_kw", "p_max_kw")
_AMPERE = ("rating_a", "rating", "i_max_a", "ampacity_a")


def read_meta(path: Path) -> Meta:
    """Return the file's object."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(path, "", f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ScenarioError(path, "", f"is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(path, "", "expected an object with meters, lines, transformers")
    return data


def train_days(path: Path, meta: Meta) -> float:
    """Return how many days from the beginning may be learned from."""
    value = meta.get("train_days")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3650:
        raise ScenarioError(path, "train_days", f"expected a number of days, not {value!r}")
    return float(value)


def read_layout(path: Path, meta: Meta) -> Layout:
    """Return what hangs where.

    Raises
    ------
    ScenarioError
        No meters, one named twice, a kind that is not known, a rating that is missing.
    """
    meters = _rows(path, meta, "meters", "meter")
    if not meters:
        raise ScenarioError(path, "meters", "expected at least one")
    lines = _rows(path, meta, "lines", "line")
    machines = _rows(path, meta, "transformers", "transformer")
    everything = (*meters.values(), *lines.values(), *machines.values())
    stations = _referred("station", everything)
    feeders = _referred("feeder", everything)
    where = {name: at for at, name in enumerate(stations)}
    on = {name: at for at, name in enumerate(feeders)}
    of_feeder = _stations_of_feeders(meters, on, where)
    return Layout(
        meters=tuple(meters),
        meter_kind=np.array([_kind(path, *row) for row in meters.items()], np.int8),
        meter_scale=np.array(
            [_rating(path, f"meters.{name}", row, _KW) for name, row in meters.items()], np.float32
        ),
        meter_feeder=_places(meters, "feeder", on),
        meter_station=_places(meters, "station", where),
        stations=stations,
        feeders=feeders,
        lines=tuple(lines),
        line_feeder=_places(lines, "feeder", on),
        line_station=_stations(lines, on, where, of_feeder),
        line_rating=np.array(
            [_rating(path, f"lines.{name}", row, _AMPERE) for name, row in lines.items()], float
        ),
        transformers=tuple(machines),
        transformer_feeder=_places(machines, "feeder", on),
        transformer_station=_stations(machines, on, where, of_feeder),
    )


def _rows(path: Path, meta: Meta, key: str, single: str) -> Rows:
    """Return rows by name: an object of objects, or a list of objects that name themselves."""
    given = meta.get(key, [])
    if isinstance(given, dict):
        rows = {str(name): row for name, row in given.items()}
    elif isinstance(given, list):
        rows = {}
        for at, row in enumerate(given):
            name = _name(row, single)
            if name is None:
                raise ScenarioError(path, f"{key}[{at}]", f'expected an object with "{single}"')
            if name in rows:
                raise ScenarioError(path, f"{key}[{at}]", f"{name!r} stands twice")
            rows[name] = row
    else:
        raise ScenarioError(path, key, "expected a list or an object")
    for name, row in rows.items():
        if not isinstance(row, dict):
            raise ScenarioError(path, f"{key}.{name}", "expected an object")
    return rows


def _name(row: object, single: str) -> str | None:
    if not isinstance(row, dict):
        return None
    return next((str(row[key]) for key in (single, "id", "name") if key in row), None)


def _referred(key: str, rows: Sequence[Meta]) -> tuple[str, ...]:
    """Return the names that rows refer to, in order of first appearance."""
    return tuple(dict.fromkeys(str(row[key]) for row in rows if row.get(key) is not None))


def _places(rows: Rows, key: str, where: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([where.get(str(row.get(key)), NONE) for row in rows.values()], np.int64)


def _stations_of_feeders(
    meters: Rows, on: Mapping[str, int], where: Mapping[str, int]
) -> Mapping[int, int]:
    """Return the station that most meters of a feeder belong to."""
    counts: dict[int, Counter[int]] = {}
    for row in meters.values():
        feeder, station = on.get(str(row.get("feeder"))), where.get(str(row.get("station")))
        if feeder is not None and station is not None:
            counts.setdefault(feeder, Counter())[station] += 1
    return {feeder: found.most_common(1)[0][0] for feeder, found in counts.items()}


def _stations(
    rows: Rows, on: Mapping[str, int], where: Mapping[str, int], of_feeder: Mapping[int, int]
) -> NDArray[np.int64]:
    """Return each row's own station, or that of its feeder."""
    found = []
    for row in rows.values():
        own, feeder = where.get(str(row.get("station"))), on.get(str(row.get("feeder")), NONE)
        found.append(of_feeder.get(feeder, NONE) if own is None else own)
    return np.array(found, np.int64)


def _kind(path: Path, name: str, row: Meta) -> int:
    kind = str(row.get("kind", "load")).lower()
    if kind not in _KINDS:
        expected = ", ".join(_KINDS)
        raise ScenarioError(path, f"meters.{name}.kind", f"{kind!r} is none of {expected}")
    return _KINDS[kind]


def _rating(path: Path, place: str, row: Meta, keys: Sequence[str]) -> float:
    for key in keys:
        value = row.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9:
            return float(value)
    raise ScenarioError(path, f"{place}.{keys[0]}", "expected a number above 0")
