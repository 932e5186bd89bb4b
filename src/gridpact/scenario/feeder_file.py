"""Which feeder does a file describe? The one reader of gridpact's own feeder format (TOML).

    name, s_base_mva, v_base_kv, root, power_factor
    buses = [[bus, peak load in MVA, shunt in Mvar], ...]
    lines = [[from, to, r in ohm, x in ohm, rating in MVA (may be absent)], ...]

The structure of the file is judged here (ScenarioError names file and row), the net itself in
`grid.feeder.build` (FeederError names bus or line).
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gridpact.errors import FeederError, ScenarioError
from gridpact.grid.feeder import Feeder, Line, build


@dataclass(frozen=True)
class FeederFile:
    """A feeder with what its file says of the load. [MVA by bus; power factor of that load]"""

    name: str
    feeder: Feeder
    peak_load_mva: Mapping[int, float]
    power_factor: float


def read_feeder(path: Path) -> FeederFile:
    """Return the feeder of a TOML file.

    Raises
    ------
    ScenarioError
        The file is missing, is no TOML, lacks a key, or has a row of another form.
    FeederError
        The rows describe no radial, connected net; the message begins with the file.
    """
    table = _load(path)
    peak, shunt = _buses(path, table)
    lines = _lines(path, table)
    factor = _number(path, table, "power_factor")
    if not 0 < factor <= 1:
        raise ScenarioError(path, "power_factor", f"{factor} is not in (0, 1]")
    root = table.get("root")
    if not isinstance(root, int) or isinstance(root, bool):
        raise ScenarioError(path, "root", "expected the number of a bus")
    for row, line in enumerate(lines, start=1):
        for bus in (line.from_bus, line.to_bus):
            if bus not in peak:
                raise ScenarioError(path, f"lines, row {row}", f"bus {bus} is not in buses")
    reached = {bus for line in lines for bus in (line.from_bus, line.to_bus)}
    if alone := sorted(set(peak) - reached):
        raise FeederError(f"{path}: bus {alone[0]}", "is an island: no line reaches it")
    try:
        feeder = build(
            root,
            lines,
            {bus: mvar for bus, mvar in shunt.items() if mvar},
            _number(path, table, "s_base_mva"),
            _number(path, table, "v_base_kv"),
        )
    except FeederError as error:
        raise FeederError(f"{path}: {error.place}", error.problem) from error
    return FeederFile(str(table.get("name", path.stem)), feeder, peak, factor)


def _load(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ScenarioError(path, "", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(path, "", f"is no TOML file: {error}") from error


def _number(path: Path, table: Mapping[str, object], key: str) -> float:
    value = table.get(key)
    if not _is_number(value):
        raise ScenarioError(path, key, f"expected a number, found {value!r}")
    return float(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rows(path: Path, table: Mapping[str, object], key: str, form: str) -> list[list[float]]:
    """Return rows of finite numbers whose first entries are bus numbers."""
    rows = table.get(key)
    if not isinstance(rows, list) or not rows:
        raise ScenarioError(path, key, f"expected rows {form}")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or not all(_is_number(value) for value in row):
            raise ScenarioError(path, f"{key}, row {number}", f"expected numbers {form}: {row}")
    return rows


def _buses(path: Path, table: Mapping[str, object]) -> tuple[dict[int, float], dict[int, float]]:
    form = "[bus, peak load in MVA, shunt in Mvar]"
    peak: dict[int, float] = {}
    shunt: dict[int, float] = {}
    for number, row in enumerate(_rows(path, table, "buses", form), start=1):
        place = f"buses, row {number}"
        if len(row) != 3 or not isinstance(row[0], int):
            raise ScenarioError(path, place, f"expected {form}, found {row}")
        bus = row[0]
        if bus in peak:
            raise ScenarioError(path, place, f"bus {bus} is numbered twice")
        if row[1] < 0:
            raise ScenarioError(path, place, f"negative load {row[1]} MVA at bus {bus}")
        peak[bus], shunt[bus] = float(row[1]), float(row[2])
    return peak, shunt


def _lines(path: Path, table: Mapping[str, object]) -> list[Line]:
    form = "[from, to, r in ohm, x in ohm, rating in MVA (may be absent)]"
    lines = []
    for number, row in enumerate(_rows(path, table, "lines", form), start=1):
        if len(row) not in (4, 5) or not all(isinstance(bus, int) for bus in row[:2]):
            raise ScenarioError(path, f"lines, row {number}", f"expected {form}, found {row}")
        rating = float(row[4]) if len(row) == 5 else None
        lines.append(Line(int(row[0]), int(row[1]), float(row[2]), float(row[3]), rating))
    return lines
