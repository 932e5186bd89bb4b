"""Which net does a pandapower net describe? Lines, transformers, switches, loads, units, shunts.

The equations are pandapower's own (balanced, default settings: T model of transformers, capacity
of lines at both ends), so both find the same voltages. What gridpact does not model is refused by
its table's name, never left out.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gridpact.errors import FeederError
from gridpact.grid.feeder import Line
from gridpact.grid.importers.frames import Frame, Row
from gridpact.grid.net import Edge, Net, Unit, levels

_READ = ("bus", "line", "trafo", "switch", "load", "sgen", "storage", "shunt", "ext_grid")
_OTHER = (
    *("trafo3w", "gen", "impedance", "ward", "xward", "motor", "dcline", "line_dc", "bus_dc"),
    *("asymmetric_load", "asymmetric_sgen", "svc", "ssc", "vsc", "tcsc", "load_dc", "source_dc"),
    *("vsc_stacked", "vsc_bipolar"),
)
TABLES = (*_READ, *_OTHER)
_Cut = set[tuple[str, int, int]]
NO_RATING = 1e6  # kA of a line, or times its power of a transformer: stands for no limit


def from_pandapower(net: Any) -> Net:
    """Return a pandapower net (in memory) as plain tables.

    Raises
    ------
    FeederError
        Something in it cannot be used; names table, row and column.
    """
    frames = {}
    for name in TABLES:
        table = net.get(name)
        if table is not None:
            columns = {str(key): table[key].tolist() for key in table.columns}
            frames[name] = Frame(name, table.index.tolist(), columns)
    return from_frames(frames, float(net["f_hz"]), float(net["sn_mva"]), str(net["name"] or ""))


def from_frames(frames: Mapping[str, Frame], f_hz: float, s_base_mva: float, name: str) -> Net:
    """Return the tables of a pandapower net as a net."""
    for other in _OTHER:
        if any(True for _ in _rows(frames, other)):
            raise FeederError(f"table {other}", "has rows; gridpact does not model them")
    found = _Collected({row.number: row.positive("vn_kv") for row in _rows(frames, "bus")})
    _join_buses(frames, found)
    root, v_root = _root(frames, found)
    cut = _open_ends(frames)
    for row in _rows(frames, "line"):
        _line(row, found, f_hz, cut)
    for row in _rows(frames, "trafo"):
        _transformer(row, found, cut)
    _loads(frames, found)
    for row in _rows(frames, "shunt"):
        _shunt(row, found)
    buses = sorted(set(found.held.values()))
    kv = levels(root, found.nominal[root], buses, found.edges)
    return Net(
        name=name,
        root=root,
        v_root=v_root,
        s_base_mva=s_base_mva,
        v_kv=kv,
        nominal_kv={bus: found.nominal[bus] for bus in buses},
        lines=tuple(found.lines),
        shunt_mva={bus: (y * kv[bus] ** 2).conjugate() for bus, y in found.siemens.items()},
        load_mva=found.load,
        units=tuple(found.units),
        held=found.held,
    )


@dataclass
class _Collected:
    """What has been read so far; `held` is the bus that stands for a bus."""

    nominal: dict[int, float]
    held: dict[int, int] = field(init=False)
    edges: list[Edge] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    siemens: dict[int, complex] = field(default_factory=dict)
    load: dict[int, complex] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.held = {bus: bus for bus in self.nominal}

    def bus(self, row: Row, column: str = "bus") -> int:
        number = row.bus(column)
        if number not in self.held:
            raise row.error(column, f"bus {number} is not in the net or not in service")
        return self.held[number]

    def shunt(self, bus: int, siemens: complex) -> None:
        if siemens:
            self.siemens[bus] = self.siemens.get(bus, 0.0) + siemens

    def draw(self, bus: int, mva: complex) -> None:
        self.load[bus] = self.load.get(bus, 0.0) + mva


def _rows(frames: Mapping[str, Frame], name: str) -> Iterator[Row]:
    return frames[name].rows() if name in frames else iter(())


def _join_buses(frames: Mapping[str, Frame], found: _Collected) -> None:
    """Let closed switches between buses make one bus of them, named by the lowest number."""
    for row in _rows(frames, "switch"):
        if row.text("et") != "b" or not row.flag("closed", True):
            continue
        ends = [row.bus(), row.bus("element")]
        if any(bus not in found.held for bus in ends):
            continue  # pandapower, too, ignores switches at buses out of service
        if row.real("z_ohm", 0.0) != 0:
            raise row.error("z_ohm", "switches between buses must have no impedance")
        low, high = sorted(found.held[bus] for bus in ends)
        if found.nominal[low] != found.nominal[high]:
            raise row.error("", f"joins {found.nominal[low]:g} kV and {found.nominal[high]:g} kV")
        for bus, holder in found.held.items():
            if holder == high:
                found.held[bus] = low


def _root(frames: Mapping[str, Frame], found: _Collected) -> tuple[int, float]:
    rows = list(_rows(frames, "ext_grid"))
    if len(rows) != 1:
        raise FeederError("table ext_grid", f"one row in service is expected, found {len(rows)}")
    return found.bus(rows[0]), rows[0].positive("vm_pu", 1.0)


def _open_ends(frames: Mapping[str, Frame]) -> _Cut:
    """Return (l or t, line or transformer, bus) of ends that a switch has opened."""
    return {
        (row.text("et"), row.bus("element"), row.bus())
        for row in _rows(frames, "switch")
        if not row.flag("closed", True) and row.text("et") in ("l", "t")
    }


def _charged(ohm: complex, near: complex, far: complex) -> complex:
    """Return the admittance of a branch open at its far end. [siemens]"""
    return near + 1 / (ohm + 1 / far) if far else near


def _line(row: Row, found: _Collected, f_hz: float, cut: _Cut) -> None:
    ends = found.bus(row, "from_bus"), found.bus(row, "to_bus")
    closed = [("l", row.number, row.bus(column)) not in cut for column in ("from_bus", "to_bus")]
    length, parallel = row.positive("length_km"), row.positive("parallel", 1.0)
    ohm = complex(row.real("r_ohm_per_km"), row.real("x_ohm_per_km")) * length / parallel
    capacity = 2 * math.pi * f_hz * row.real("c_nf_per_km", 0.0) * 1e-9
    half = complex(row.real("g_us_per_km", 0.0) * 1e-6, capacity) * length * parallel / 2
    kv = found.nominal[ends[0]]
    if not math.isclose(kv, found.nominal[ends[1]]):
        raise row.error("", f"connects {kv:g} kV and {found.nominal[ends[1]]:g} kV")
    if all(closed):
        ka = row.real("max_i_ka", NO_RATING) * row.real("df", 1.0) * parallel
        ka *= row.real("max_loading_percent", 100.0) / 100
        rating = math.sqrt(3) * kv * ka if ka < NO_RATING else None
        found.lines.append(Line(*ends, ohm.real, ohm.imag, rating))
        found.edges.append(Edge(str(row), *ends))
        for bus in ends:
            found.shunt(bus, half)
    elif any(closed):
        found.shunt(ends[closed.index(True)], _charged(ohm, half, half))


def _transformer(row: Row, found: _Collected, cut: _Cut) -> None:
    """T model as pandapower has it: half of the impedance, the magnetising branch, the half."""
    upper, lower = found.bus(row, "hv_bus"), found.bus(row, "lv_bus")
    for column in ("leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv"):
        if row.real(column, 0.5) != 0.5:
            raise row.error(column, "only 0.5 is modelled")
    hv_kv, lv_kv = _tapped_kv(row)
    mva, parallel = row.positive("sn_mva"), row.positive("parallel", 1.0)
    short, lossy = row.real("vk_percent") / 100, row.real("vkr_percent") / 100
    if not 0 <= lossy <= short:
        raise row.error("vkr_percent", f"{100 * lossy:g} is not between 0 and vk_percent")
    ohm = complex(lossy, math.sqrt(short**2 - lossy**2)) * lv_kv**2 / mva / parallel
    iron, idle = row.real("pfe_kw", 0.0) / 1000, row.real("i0_percent", 0.0) / 100 * mva
    magnetising = complex(iron, -math.sqrt(max(idle**2 - iron**2, 0.0)))
    siemens = magnetising * parallel / lv_kv**2
    ratio = hv_kv / lv_kv
    end = 1 / (ohm / 2 + 2 / siemens) if siemens else 0.0
    ohm += ohm**2 * siemens / 4
    closed = [("t", row.number, row.bus(column)) not in cut for column in ("hv_bus", "lv_bus")]
    if not all(closed):
        if closed[0]:
            found.shunt(upper, _charged(ohm, end, end) / ratio**2)
        elif closed[1]:
            found.shunt(lower, _charged(ohm, end, end))
        return
    found.shunt(upper, end / ratio**2)
    found.shunt(lower, end)
    load = parallel * row.real("df", 1.0) * row.real("max_loading_percent", 100.0) / 100
    ohm *= ratio**2
    rating = mva * load if load < NO_RATING else None
    found.lines.append(Line(upper, lower, ohm.real, ohm.imag, rating))
    found.edges.append(Edge(str(row), upper, lower, ratio, row.real("shift_degree", 0.0)))


def _tapped_kv(row: Row) -> tuple[float, float]:
    """Return the voltages of a transformer at its tap; without a type of changer it has none."""
    kv = {"hv": row.positive("vn_hv_kv"), "lv": row.positive("vn_lv_kv")}
    if row.flag("tap_dependency_table", False) or row.get("tap2_pos") is not None:
        raise row.error("tap_pos", "a table of taps or a second changer is not modelled")
    old = "tap_changer_type" not in row.frame.columns
    kind = row.text("tap_changer_type", "Ratio" if old else "")
    steps = row.real("tap_pos", 0.0) - row.real("tap_neutral", 0.0)
    if row.get("tap_pos") is None or not steps or not kind:
        return kv["hv"], kv["lv"]
    turned = row.real("tap_step_degree", 0.0) or row.flag("tap_phase_shifter", False)
    if kind not in ("Ratio", "Symmetrical") or turned:
        raise row.error("tap_changer_type", f"{kind!r} turns the phase: not modelled")
    side = row.text("tap_side")
    if side not in kv:
        raise row.error("tap_side", f"{side!r} is neither hv nor lv")
    kv[side] *= 1 + steps * row.real("tap_step_percent") / 100
    return kv["hv"], kv["lv"]


def _loads(frames: Mapping[str, Frame], found: _Collected) -> None:
    for row in _rows(frames, "load"):
        bus, mva = found.bus(row), _power(row)
        p_fixed, p_square = _parts(row, "p")
        q_fixed, q_square = _parts(row, "q")
        found.draw(bus, complex(mva.real * p_fixed, mva.imag * q_fixed))
        square = complex(mva.real * p_square, mva.imag * q_square)
        if square:
            found.shunt(bus, square.conjugate() / found.nominal[bus] ** 2)
    for row in _rows(frames, "storage"):
        found.draw(found.bus(row), _power(row))
    for row in _rows(frames, "sgen"):
        mva = _power(row)
        name = row.text("name", str(row))
        ranges = [_range(row, kind) for kind in ("p_mw", "q_mvar")]
        found.units.append(Unit(name, found.bus(row), mva.real, mva.imag, ranges[0], ranges[1]))


def _power(row: Row) -> complex:
    return complex(row.real("p_mw"), row.real("q_mvar", 0.0)) * row.real("scaling", 1.0)


def _parts(row: Row, kind: str) -> tuple[float, float]:
    """Return the shares of constant power and constant impedance."""
    square = row.real(f"const_z_{kind}_percent", row.real("const_z_percent", 0.0)) / 100
    linear = row.real(f"const_i_{kind}_percent", row.real("const_i_percent", 0.0)) / 100
    if linear:
        raise row.error(f"const_i_{kind}_percent", "loads of constant current are not modelled")
    return 1 - square, square


def _range(row: Row, what: str) -> tuple[float, float] | None:
    if row.get(f"min_{what}") is None or row.get(f"max_{what}") is None:
        return None
    return row.real(f"min_{what}"), row.real(f"max_{what}")


def _shunt(row: Row, found: _Collected) -> None:
    bus = found.bus(row)
    if row.flag("step_dependency_table", False):
        raise row.error("step_dependency_table", "is not modelled")
    mva = complex(row.real("p_mw", 0.0), row.real("q_mvar")) * row.real("step", 1.0)
    found.shunt(bus, mva.conjugate() / row.positive("vn_kv", found.nominal[bus]) ** 2)
