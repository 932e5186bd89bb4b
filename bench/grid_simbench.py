"""Do SimBench's nets have the same voltages here as in pandapower? Every LV and MV net there is.

The package is no dependency (90 MB of tables): `pip install --no-deps simbench` first, or
`pip install --no-deps --target DIR simbench` and DIR in PYTHONPATH.
"""

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import pandapower

from bench.rows import Row
from gridpact.errors import FeederError
from gridpact.grid.importers.pandapower_net import from_pandapower
from gridpact.grid.meshed import meshed_power_flow
from gridpact.grid.net import Net, radial
from gridpact.grid.power_flow import power_flow

_FAMILIES = ("1-LV", "1-MV")
_GOAL = 1e-8  # pu
_MISMATCH = 1e-9  # MVA: to what pandapower iterates; below it rounding keeps it from ending

NOTES = f"""Each net as its author wrote it (loads, plants, taps and switches of the package's
static case) is read by `from_pandapower` and solved twice: by pandapower's Newton method (to
{_MISMATCH:g} MVA, without numba) and by us. Radial nets go through `radial` and the sweep, with
elements side by side joined; nets with cycles (`radial` refuses them by name) go through
power-grid-model. Three scenarios (0 today, 1 and 2 of the future), with and without switches. The
gap is the largest of all buses of the file, in pu of their nominal voltage. pandapower
{version("pandapower")}, power-grid-model {version("power-grid-model")}."""


@dataclass(frozen=True)
class _Checked:
    """One net: its size, how many elements stand beside another, and the largest gaps."""

    code: str
    buses: int
    beside: int
    cycle: bool
    volts: float
    supply_mva: float


def run() -> list[Row]:
    """Compare every net, one row per family and way of solving, and one for the worst of each."""
    checked = [_check(code) for code in _codes()]
    rows = []
    for family in _FAMILIES:
        for cycle in (False, True):
            some = [one for one in checked if _of(one.code) == family and one.cycle is cycle]
            if some:
                rows += _summed(f"{family}, {'with cycles' if cycle else 'radial'}", some)
    return rows


def _codes() -> Iterator[str]:
    try:
        simbench: Any = import_module("simbench")
    except ImportError:
        sys.exit("simbench is not installed: pip install --no-deps simbench")
    found = [str(code) for code in simbench.collect_all_simbench_codes()]
    return (code for code in found if _of(code) in _FAMILIES)


def _of(code: str) -> str:
    return "-".join(code.split("-")[:2])


def _check(code: str) -> _Checked:
    simbench: Any = import_module("simbench")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = simbench.get_simbench_net(code)
        pandapower.runpp(theirs, numba=False, tolerance_mva=_MISMATCH, max_iteration=50)
    net = from_pandapower(theirs)
    cycle, v, supply = _ours(net)
    volts = max(
        abs(v[at] * net.v_kv[at] / net.nominal_kv[at] - theirs.res_bus.vm_pu[bus])
        for bus, at in net.held.items()
    )
    fed = complex(theirs.res_ext_grid.p_mw.sum(), theirs.res_ext_grid.q_mvar.sum())
    ends = {frozenset((line.from_bus, line.to_bus)) for line in net.lines}
    found = _Checked(
        code, len(net.v_kv), len(net.lines) - len(ends), cycle, float(volts), abs(supply - fed)
    )
    print(found, file=sys.stderr)
    return found


def _ours(net: Net) -> tuple[bool, dict[int, float], complex]:
    """Return whether the net has a cycle, its voltages [pu of v_kv] and what it is fed [MVA]."""
    fed = net.injection_mva()
    try:
        feeder = radial(net)
    except FeederError as error:
        if "closes the cycle" not in error.problem:
            raise
        buses = sorted(net.v_kv)
        mva = np.array([[fed.get(bus, 0j) for bus in buses]])
        flow = meshed_power_flow(net, mva.real, mva.imag)
        v = dict(zip(buses, flow.v[0].tolist(), strict=True))
        return True, v, _fed_into(net, flow.sent_mva[0], flow.arrived_mva[0])
    mva = np.array([[fed.get(int(bus), 0j) for bus in feeder.ids]]) / feeder.s_base_mva
    radial_flow = power_flow(feeder, mva.real, mva.imag, net.v_root)
    v = dict(zip(feeder.ids.tolist(), radial_flow.v[0].tolist(), strict=True))
    return False, v, complex(radial_flow.supply[0]) * feeder.s_base_mva


def _fed_into(net: Net, sent: np.ndarray, arrived: np.ndarray) -> complex:
    """Return what the root feeds into its lines, its own shunt, load and units."""
    total = net.shunt_mva.get(net.root, 0j) * net.v_root**2 - net.injection_mva().get(net.root, 0j)
    for line, out, back in zip(net.lines, sent, arrived, strict=True):
        if line.from_bus == net.root:
            total += complex(out)
        if line.to_bus == net.root:
            total -= complex(back)
    return total


def _summed(name: str, some: list[_Checked]) -> list[Row]:
    worst = max(some, key=lambda one: one.volts)
    largest, least = max(one.buses for one in some), min(one.buses for one in some)
    beside = sum(one.beside > 0 for one in some)
    return [
        Row(f"{name}: nets of {least:,} to {largest:,} buses", len(some), "nets"),
        Row(f"{name}: of these with elements side by side", beside, "nets"),
        Row(
            f"{name}: largest difference of a voltage", worst.volts, "pu", worst.code, None,
            f"<= {_GOAL:g}", worst.volts <= _GOAL,
        ),
        Row(
            f"{name}: largest difference of supply", max(one.supply_mva for one in some), "MVA",
        ),
    ]  # fmt: skip
