"""What do other tools' files describe? A net of any shape as plain tables, radial or not.

Importers make it, exporters and the meshed power flow take it, and `radial` turns it into the
`Feeder` that everything else calculates with. A transformer is a line between buses of different
`v_kv`: its ratio, taps included, lies in the voltages that count as 1 pu behind it, so a tap makes
1 pu differ from the nominal voltage there.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.grid.parallel import joined

_SAME = 1e-9
_DEGREES = 1e-6


@dataclass(frozen=True)
class Unit:
    """Something that generates. Power in MW and Mvar; cost `c2 p^2 + c1 p + c0` per hour."""

    name: str
    bus: int
    p_mw: float
    q_mvar: float
    p_mw_range: tuple[float, float] | None = None
    q_mvar_range: tuple[float, float] | None = None
    cost: tuple[float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class Net:
    """Plain tables. Buses are the keys of `v_kv`, the voltage of 1 pu. [kV]

    nominal_kv: as the file says. shunt_mva, load_mva: complex power drawn, of shunts at 1 pu;
    `held` says where buses stand that switches join to others.
    """

    name: str
    root: int
    v_root: float
    s_base_mva: float
    v_kv: Mapping[int, float]
    nominal_kv: Mapping[int, float]
    lines: tuple[Line, ...]
    shunt_mva: Mapping[int, complex] = field(default_factory=dict)
    load_mva: Mapping[int, complex] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    held: Mapping[int, int] = field(default_factory=dict)

    def injection_mva(self) -> dict[int, complex]:
        """Return what units feed in minus what loads draw, by bus."""
        fed = {bus: -load for bus, load in self.load_mva.items()}
        for unit in self.units:
            fed[unit.bus] = fed.get(unit.bus, 0.0) + complex(unit.p_mw, unit.q_mvar)
        return fed

    def tapped(self) -> int | None:
        """Return a bus where 1 pu is not the nominal voltage, if there is one."""
        for bus, kv in self.v_kv.items():
            if not math.isclose(kv, self.nominal_kv[bus], rel_tol=_SAME):
                return bus
        return None


def radial(net: Net) -> Feeder:
    """Return the feeder of a net; its lines side by side become one.

    Raises
    ------
    FeederError
        The net is meshed (names the line and the cycle that it closes), or its numbers are wrong.
    """
    return build(
        root=net.root,
        lines=joined(net.lines, net.v_kv),
        shunt_mvar={bus: -mva.imag for bus, mva in net.shunt_mva.items()},
        s_base_mva=net.s_base_mva,
        v_base_kv=net.v_kv[net.root],
        shunt_mw={bus: mva.real for bus, mva in net.shunt_mva.items()},
        v_kv=net.v_kv,
    )


def of_feeder(
    feeder: Feeder,
    name: str = "",
    v_root: float = 1.0,
    load_mva: Mapping[int, complex] | None = None,
) -> Net:
    """Return a feeder as plain tables."""
    base, ids = feeder.s_base_mva, feeder.ids.tolist()
    kv = dict(zip(ids, feeder.v_kv.tolist(), strict=True))
    lines = []
    for place in range(1, feeder.size):
        above = ids[feeder.parent[place]]
        ohm = complex(feeder.impedance[place]) * kv[above] ** 2 / base
        rating = float(feeder.s_max[place]) * base
        limit = rating if math.isfinite(rating) else None
        lines.append(Line(above, ids[place], ohm.real, ohm.imag, limit))
    drawn = (feeder.admittance.conj() * base).tolist()
    return Net(
        name=name,
        root=ids[0],
        v_root=v_root,
        s_base_mva=base,
        v_kv=kv,
        nominal_kv=kv,
        lines=tuple(lines),
        shunt_mva={bus: mva for bus, mva in zip(ids, drawn, strict=True) if mva},
        load_mva=load_mva or {},
        held={bus: bus for bus in ids},
    )


@dataclass(frozen=True)
class Edge:
    """How two voltages hang together: V_from = ratio * V_to, turned by `shift` degrees."""

    name: str
    from_bus: int
    to_bus: int
    ratio: float = 1.0
    shift: float = 0.0


def levels(
    root: int, root_kv: float, buses: Sequence[int], edges: Sequence[Edge]
) -> dict[int, float]:
    """Return the voltage of 1 pu at every bus, so that every transformer is 1:1 in per unit.

    Raises
    ------
    FeederError
        An island; a bus that is not there; transformers of a cycle that do not fit together.
    """
    around: dict[int, list[tuple[int, float, float, Edge]]] = {bus: [] for bus in buses}
    for edge in edges:
        for bus in (edge.from_bus, edge.to_bus):
            if bus not in around:
                raise FeederError(edge.name, f"ends at bus {bus}, which is not in the net")
        _require_ratio(edge)
        around[edge.from_bus].append((edge.to_bus, 1 / edge.ratio, -edge.shift, edge))
        around[edge.to_bus].append((edge.from_bus, edge.ratio, edge.shift, edge))
    if root not in around:
        raise FeederError(f"bus {root}", "is the root but not in the net")
    found, angle, queue = {root: root_kv}, {root: 0.0}, deque([root])
    while queue:
        bus = queue.popleft()
        for other, factor, turn, edge in around[bus]:
            kv, degrees = found[bus] * factor, angle[bus] + turn
            if other not in found:
                found[other], angle[other] = kv, degrees
                queue.append(other)
            elif not math.isclose(found[other], kv, rel_tol=_SAME):
                raise FeederError(
                    edge.name,
                    f"closes a cycle whose transformers do not fit: {kv:g} kV against"
                    f" {found[other]:g} kV at bus {other}",
                )
            elif abs(math.remainder(angle[other] - degrees, 360)) > _DEGREES:
                raise FeederError(edge.name, "closes a cycle of transformers that turns the phase")
    if island := sorted(set(around) - set(found)):
        raise FeederError(f"bus {island[0]}", f"is an island: no path from root {root}")
    return found


def _require_ratio(edge: Edge) -> None:
    if not (math.isfinite(edge.ratio) and edge.ratio > 0 and math.isfinite(edge.shift)):
        raise FeederError(edge.name, f"ratio {edge.ratio} or shift {edge.shift} cannot be used")
