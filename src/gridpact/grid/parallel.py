"""Which single line stands for lines side by side? Joined, they are still a tree's branch.

Lines between the same two buses share both voltages, so current divides between them as their
admittances do. All of them are 1:1 in per unit: the importers refuse transformers side by side
whose ratio or turn of the phase differ, where a current would flow round even without load.
"""

from collections.abc import Mapping, Sequence

from gridpact.grid.feeder import Line, check_line


def joined(lines: Sequence[Line], v_kv: Mapping[int, float]) -> tuple[Line, ...]:
    """Return the lines, those between the same two buses as one, in the order of the first of each.

    Parameters
    ----------
    v_kv
        Voltage of 1 pu by bus: what a transformer's impedance is seen through from its other end.

    Notes
    -----
    y = sum of y_i. Line i carries the share |y_i / y| of the joint power, so the joint line is
    full when the first of them is: s_max = min of s_max_i |y / y_i|.

    Raises
    ------
    FeederError
        An impedance or rating cannot be used; names the line and the field.
    """
    groups: dict[frozenset[int], list[Line]] = {}
    for line in lines:
        check_line(line)
        groups.setdefault(frozenset((line.from_bus, line.to_bus)), []).append(line)
    return tuple(_one(group, v_kv) for group in groups.values())


def _one(group: Sequence[Line], v_kv: Mapping[int, float]) -> Line:
    first = group[0]
    if len(group) == 1:
        return first
    parts = [1 / _seen(line, first.from_bus, v_kv) for line in group]
    siemens = sum(parts)
    full = [
        line.s_max_mva * abs(siemens / part)
        for line, part in zip(group, parts, strict=True)
        if line.s_max_mva is not None
    ]
    ohm = 1 / siemens
    return Line(first.from_bus, first.to_bus, ohm.real, ohm.imag, min(full, default=None))


def _seen(line: Line, bus: int, v_kv: Mapping[int, float]) -> complex:
    """Return a line's impedance as seen from one of its ends. [ohm]"""
    return complex(line.r_ohm, line.x_ohm) * (v_kv[bus] / v_kv[line.from_bus]) ** 2
