"""Which feeder does a file describe? The one reader of gridpact's own feeder format (TOML).

    name, s_base_mva, v_base_kv, root, power_factor
    buses = [[bus, peak load in MVA, shunt in Mvar], ...]
    lines = [[from, to, r in ohm, x in ohm, rating in MVA (may be absent)], ...]

or, in place of `buses` and `lines`, `buses_file` and `lines_file`: CSV files with these columns.

The structure of the file is judged here (ScenarioError names file and row), the net itself in
`grid.feeder.build` (FeederError names bus or line).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridpact.errors import FeederError, ScenarioError
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.scenario.feeder_csv import read_rows
from gridpact.scenario.table import Table, read_toml, show

_LAST_BUS = 2**31 - 1
_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class FeederFile:
    """A feeder with what its file says of load and root.

    peak_load_mva: by bus; power_factor: of that load.
    """

    name: str
    feeder: Feeder
    peak_load_mva: Mapping[int, float]
    power_factor: float
    root_voltage_pu: float = 1.0


def read_feeder(path: Path) -> FeederFile:
    """Return the feeder of a TOML file.

    Raises
    ------
    ScenarioError
        The file is missing, is no TOML, lacks a key, or has a row of another form.
    FeederError
        The rows describe no radial, connected net; the message begins with the file.
    """
    data = read_toml(path)
    table = Table(path, "", data)
    name = table.name("name", path.stem)
    s_base_mva, v_base_kv = table.number("s_base_mva"), table.number("v_base_kv")
    factor = table.number("power_factor", low=0.01, high=1.0)
    root = table.whole("root", high=_LAST_BUS)
    table.know("buses", "lines", "buses_file", "lines_file")
    table.finish()
    _take_csv(path, table, data, "buses", ("bus", "peak_mva", "shunt_mvar"), wanted=3)
    _take_csv(path, table, data, "lines", ("from", "to", "r_ohm", "x_ohm", "s_max_mva"), wanted=4)
    peak, shunt = _buses(path, data)
    lines = _lines(path, data)
    for row, line in enumerate(lines, start=1):
        for bus in (line.from_bus, line.to_bus):
            if bus not in peak:
                raise ScenarioError(path, f"lines, row {row}", f"bus {bus} is not in buses")
    reached = {bus for line in lines for bus in (line.from_bus, line.to_bus)}
    if alone := sorted(set(peak) - reached):
        raise FeederError(f"{path}: bus {alone[0]}", "is an island: no line reaches it")
    shunts = {bus: mvar for bus, mvar in shunt.items() if mvar}
    try:
        feeder = build(root, lines, shunts, s_base_mva, v_base_kv)
    except FeederError as error:
        raise FeederError(f"{path}: {error.place}", error.problem) from error
    return FeederFile(name, feeder, peak, factor)


def _take_csv(
    path: Path,
    table: Table,
    data: dict[str, object],
    key: str,
    columns: Sequence[str],
    wanted: int,
) -> None:
    """Put the rows of a CSV file where the rows of the TOML file would stand."""
    if not table.has(f"{key}_file"):
        return
    if table.has(key):
        raise table.error(key, f"is given beside {key}_file; expected one of them")
    file = path.parent / table.text(f"{key}_file")
    data[key] = read_rows(file, columns, wanted)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST


def _rows(path: Path, table: Mapping[str, object], key: str, form: str) -> list[list[float]]:
    """Return rows of finite numbers whose first entries are bus numbers."""
    rows = table.get(key)
    if not isinstance(rows, list) or not rows:
        raise ScenarioError(path, key, f"expected rows {form}")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or not all(_is_number(value) for value in row):
            raise ScenarioError(
                path, f"{key}, row {number}", f"expected numbers {form}, found {show(row)}"
            )
    return rows


def _buses(path: Path, table: Mapping[str, object]) -> tuple[dict[int, float], dict[int, float]]:
    form = "[bus, peak load in MVA, shunt in Mvar]"
    peak: dict[int, float] = {}
    shunt: dict[int, float] = {}
    for number, row in enumerate(_rows(path, table, "buses", form), start=1):
        place = f"buses, row {number}"
        if len(row) != 3 or not isinstance(row[0], int):
            raise ScenarioError(path, place, f"expected {form}, found {show(row)}")
        bus = row[0]
        if not 0 <= bus <= _LAST_BUS:
            raise ScenarioError(path, place, f"bus {bus} is not between 0 and {_LAST_BUS}")
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
            raise ScenarioError(path, f"lines, row {number}", f"expected {form}, found {show(row)}")
        rating = float(row[4]) if len(row) == 5 else None
        lines.append(Line(int(row[0]), int(row[1]), float(row[2]), float(row[3]), rating))
    return lines
