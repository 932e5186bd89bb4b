"""Which net does a MATPOWER case describe? A parser of its plain tables (`mpc.bus = [...]`).

A case file is a MATLAB program; only the assignments of tables are read, and a file that computes
with them (as some cases in ohms and kW do) is refused with its line. Format version 2.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gridpact.errors import FeederError
from gridpact.grid.feeder import Line
from gridpact.grid.net import Edge, Net, Unit, levels

_TABLES = {"bus": 13, "gen": 10, "branch": 11, "gencost": 5}
_ASSIGNED = re.compile(r"^\s*mpc\.(\w+)\s*=\s*(.*)$")
_LOAD, _VOLTAGE, _REFERENCE, _ISOLATED = 1, 2, 3, 4
_POLYNOMIAL = 2


@dataclass(frozen=True)
class _Row:
    """A row of a table, with its line in the file."""

    table: str
    line: int
    values: tuple[float, ...]

    def error(self, problem: str) -> FeederError:
        return FeederError(f"mpc.{self.table}, line {self.line}", problem)

    def whole(self, column: int, what: str) -> int:
        if not self.values[column].is_integer():
            raise self.error(f"{what} {self.values[column]:g} is not a whole number")
        return int(self.values[column])


def from_matpower(text: str, name: str = "") -> Net:
    """Return the net of a case file's text.

    Raises
    ------
    FeederError
        Something in it cannot be used; names table and line.
    """
    base, tables = _parsed(text)
    rows = {_number(row): row for row in tables["bus"]}
    if len(rows) < len(tables["bus"]):
        double = next(row for row in tables["bus"] if rows[_number(row)] is not row)
        raise double.error(f"bus {_number(double)} is numbered twice")
    buses = {bus: row for bus, row in rows.items() if row.whole(1, "type") != _ISOLATED}
    root = _root(tables["bus"])
    units, v_root = _units(tables, root, buses)
    kv = {bus: _kv(row) for bus, row in buses.items()}
    branches = [row for row in tables["branch"] if row.values[10] > 0]
    edges = [_edge(row, kv) for row in branches]
    at = levels(root, kv[root], sorted(buses), edges)
    shunt = {bus: complex(row.values[4], -row.values[5]) for bus, row in buses.items()}
    shunt = {bus: mva * (at[bus] / kv[bus]) ** 2 for bus, mva in shunt.items()}
    lines = []
    for row, edge in zip(branches, edges, strict=True):
        r, x, b, rating = row.values[2:6]
        # per unit of the lower bus's own voltage, seen from the upper bus
        ohm = edge.ratio**2 * kv[edge.to_bus] ** 2 / base
        lines.append(
            Line(edge.from_bus, edge.to_bus, r * ohm, x * ohm, rating if rating > 0 else None)
        )
        siemens = b / 2 * base / kv[edge.to_bus] ** 2
        shunt[edge.to_bus] -= 1j * siemens * at[edge.to_bus] ** 2
        shunt[edge.from_bus] -= 1j * siemens / edge.ratio**2 * at[edge.from_bus] ** 2
    return Net(
        name=name,
        root=root,
        v_root=v_root,
        s_base_mva=base,
        v_kv=at,
        nominal_kv=kv,
        lines=tuple(lines),
        shunt_mva={bus: mva for bus, mva in shunt.items() if mva},
        load_mva={bus: complex(*row.values[2:4]) for bus, row in buses.items()},
        units=units,
        held={bus: bus for bus in buses},
    )


def _parsed(text: str) -> tuple[float, dict[str, list[_Row]]]:
    """Return baseMVA and the rows of the tables."""
    base, tables = math.nan, {name: list[_Row]() for name in _TABLES}
    lines = enumerate((line.split("%")[0].rstrip() for line in text.splitlines()), start=1)
    for number, line in lines:
        found = _ASSIGNED.match(line)
        if found is None:
            if re.search(r"\bmpc\s*\.\s*\w+\s*\(", line):
                raise FeederError(f"line {number}", "computes with a table: only tables are read")
            continue
        name, value = found.groups()
        if name == "baseMVA":
            base = _float(value.strip(" ;"), f"line {number}: mpc.baseMVA")
        elif name in tables and value.startswith("["):
            tables[name] = list(_table(name, number, value, lines))
        elif name in tables:
            raise FeederError(f"line {number}: mpc.{name}", "is no table [...]")
        elif value.startswith(("[", "{")):
            _skip(value, lines)
    if not (math.isfinite(base) and base > 0):
        raise FeederError("mpc.baseMVA", f"{base} is not a positive number")
    for name in ("bus", "branch", "gen"):
        if not tables[name]:
            raise FeederError(f"mpc.{name}", "is missing or empty")
    return base, tables


def _table(name: str, number: int, value: str, lines: Iterator[tuple[int, str]]) -> Iterator[_Row]:
    """Yield the rows up to the closing bracket."""
    rest = value[1:]
    while True:
        body, closing, _ = rest.partition("]")
        for part in body.split(";"):
            if part.strip():
                yield _row(name, number, part)
        if closing:
            return
        try:
            number, rest = next(lines)
        except StopIteration:
            raise FeederError(f"mpc.{name}", "does not end: no ] is found") from None


def _skip(value: str, lines: Iterator[tuple[int, str]]) -> None:
    """Pass over a table that is not read (areas, names of buses)."""
    closing = "]" if value.startswith("[") else "}"
    while closing not in value:
        value = next(lines, (0, closing))[1]


def _row(table: str, number: int, part: str) -> _Row:
    words = part.replace(",", " ").split()
    values = tuple(_float(word, f"mpc.{table}, line {number}") for word in words)
    if len(values) < _TABLES[table]:
        raise FeederError(
            f"mpc.{table}, line {number}",
            f"{len(values)} columns are too few: at least {_TABLES[table]} are expected",
        )
    limit = {"bus": 13, "branch": 11, "gen": 10}.get(table, len(values))
    for column, value in enumerate(values[:limit], start=1):
        unlimited = table == "gen" and column in (4, 5, 9, 10)
        if math.isnan(value) or (math.isinf(value) and not unlimited):
            raise FeederError(
                f"mpc.{table}, line {number}", f"column {column}: {value} is not a finite number"
            )
    return _Row(table, number, values)


def _float(word: str, place: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise FeederError(place, f"{word!r} is not a number") from None


def _number(row: _Row) -> int:
    bus = row.whole(0, "bus")
    if bus < 1:
        raise row.error(f"bus {bus} is not numbered from 1 on")
    return bus


def _kv(row: _Row) -> float:
    if row.values[9] <= 0:
        raise row.error(f"baseKV {row.values[9]:g} is not > 0")
    return row.values[9]


def _root(rows: Sequence[_Row]) -> int:
    found = []
    for row in rows:
        kind = row.whole(1, "type")
        if kind == _VOLTAGE:
            raise row.error(
                "type 2: a generator that holds the voltage is not modelled; write the bus as type"
                " 1 with the generator's Pg and Qg"
            )
        if kind not in (_LOAD, _REFERENCE, _ISOLATED):
            raise row.error(f"type {kind} is not 1 (load), 3 (reference) or 4 (isolated)")
        if kind == _REFERENCE:
            found.append(row)
    if len(found) != 1:
        raise FeederError("mpc.bus", f"one bus of type 3 is expected, found {len(found)}")
    return _number(found[0])


def _edge(row: _Row, kv: dict[int, float]) -> Edge:
    ends = row.whole(0, "bus"), row.whole(1, "bus")
    for bus in ends:
        if bus not in kv:
            raise row.error(f"bus {bus} is not in mpc.bus or isolated")
    tap = row.values[8] or 1.0
    if tap < 0:
        raise row.error(f"ratio {tap:g} is negative")
    name = f"mpc.branch, line {row.line}"
    return Edge(name, *ends, tap * kv[ends[0]] / kv[ends[1]], row.values[9])


def _units(
    tables: dict[str, list[_Row]], root: int, buses: dict[int, _Row]
) -> tuple[tuple[Unit, ...], float]:
    """Return the generators but the one that holds the reference, and its voltage."""
    units, v_root = [], math.nan
    costs = tables["gencost"]
    if costs and len(costs) not in (len(tables["gen"]), 2 * len(tables["gen"])):
        raise FeederError("mpc.gencost", f"{len(costs)} rows for {len(tables['gen'])} generators")
    for number, row in enumerate(tables["gen"]):
        bus = row.whole(0, "bus")
        if row.values[7] <= 0:
            continue
        if bus not in buses:
            raise row.error(f"bus {bus} is not in mpc.bus or isolated")
        if bus == root:
            v_root = row.values[5]
            continue
        p, q, q_max, q_min = row.values[1:5]
        p_max, p_min = row.values[8:10]
        cost = _cost(costs[number]) if costs else None
        units.append(Unit(f"gen {number + 1}", bus, p, q, (p_min, p_max), (q_min, q_max), cost))
    if not v_root > 0:
        raise FeederError("mpc.gen", f"no generator in service at the reference bus {root}")
    return tuple(units), v_root


def _cost(row: _Row) -> tuple[float, float, float]:
    """Return (c2, c1, c0) of a polynomial of degree 2 at most."""
    count = row.whole(3, "number of coefficients")
    if row.values[0] != _POLYNOMIAL or not 1 <= count <= 3 or len(row.values) < 4 + count:
        raise row.error("only polynomial costs (model 2) of at most three coefficients are read")
    padded = (0.0,) * (3 - count) + row.values[4 : 4 + count]
    return padded[0], padded[1], padded[2]
