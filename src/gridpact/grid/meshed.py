"""Which voltages follow from injections in a net with cycles? Newton's method of power-grid-model.

Only for looking at such nets: markets, prices and the optimal power flow need a radial feeder, for
the conic relaxation that they rest on is exact on trees alone. Needs the optional extra `meshed`.
"""

import math
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from gridpact.errors import MissingExtra, PowerFlowDiverged
from gridpact.grid.feeder import FloatArray, IntArray
from gridpact.grid.net import Net

_TOLERANCE = 1e-10
_STEPS = 50
_STIFF_VA = 1e20  # short-circuit power of the source: its voltage is given


@dataclass(frozen=True, eq=False)
class MeshedFlow:
    """Voltages and what flows into the lines, (interval, bus) and (interval, line).

    v per unit of `Net.v_kv`, angle in radian; sent into a line at `from_bus` and arrived out of it
    at `to_bus` in MVA.
    """

    buses: IntArray
    v: FloatArray
    angle: FloatArray
    sent_mva: np.ndarray
    arrived_mva: np.ndarray


def meshed_power_flow(net: Net, p_mw: FloatArray, q_mvar: FloatArray) -> MeshedFlow:
    """Return the power flow of every interval of a net of any shape.

    Parameters
    ----------
    p_mw, q_mvar
        Net injection, generation positive, buses in ascending order. (interval, bus)

    Raises
    ------
    MissingExtra
        power-grid-model is not installed.
    PowerFlowDiverged
        No voltage was found.
    """
    try:
        pgm: Any = import_module("power_grid_model")
        errors: Any = import_module("power_grid_model.errors")
    except ImportError as error:
        raise MissingExtra(
            "the power flow of a meshed net", "power-grid-model", "meshed"
        ) from error
    buses = np.array(sorted(net.v_kv), dtype=np.int64)
    data, load = _tables(pgm, net, buses)
    update = pgm.initialize_array("update", "sym_load", p_mw.shape)
    update["id"] = load
    update["p_specified"], update["q_specified"] = -p_mw * 1e6, -q_mvar * 1e6
    branch = ["p_from", "q_from", "p_to", "q_to"]
    try:
        found = pgm.PowerGridModel(data).calculate_power_flow(
            update_data={"sym_load": update},
            error_tolerance=_TOLERANCE,
            max_iterations=_STEPS,
            output_component_types={"node": ["u_pu", "u_angle"], "generic_branch": branch},
        )
    except errors.PowerGridError as error:
        failed = getattr(error, "failed_scenarios", None)
        interval = 0 if failed is None else int(failed[0])
        raise PowerFlowDiverged(interval, net.root, math.inf) from error
    node, line = found["node"], found["generic_branch"]
    return MeshedFlow(
        buses=buses,
        v=node["u_pu"],
        angle=node["u_angle"],
        sent_mva=(line["p_from"] + 1j * line["q_from"]) / 1e6,
        arrived_mva=-(line["p_to"] + 1j * line["q_to"]) / 1e6,
    )


def _tables(pgm: Any, net: Net, buses: IntArray) -> tuple[dict[Any, Any], IntArray]:
    """Return the net as power-grid-model has it, and the ids of the load of each bus."""
    place = {int(bus): number for number, bus in enumerate(buses)}
    volts = np.array([net.v_kv[int(bus)] for bus in buses]) * 1e3
    count, lines = len(buses), net.lines
    node = pgm.initialize_array("input", "node", count)
    node["id"], node["u_rated"] = np.arange(count), volts
    branch = pgm.initialize_array("input", "generic_branch", len(lines))
    branch["id"] = count + np.arange(len(lines))
    branch["from_node"] = [place[line.from_bus] for line in lines]
    branch["to_node"] = [place[line.to_bus] for line in lines]
    # impedances of a branch are those seen from its lower end there
    turns = (volts[branch["to_node"]] / volts[branch["from_node"]]) ** 2
    branch["r1"] = np.array([line.r_ohm for line in lines]) * turns
    branch["x1"] = np.array([line.x_ohm for line in lines]) * turns
    branch["g1"], branch["b1"], branch["k"], branch["theta"] = 0.0, 0.0, 1.0, 0.0
    branch["from_status"], branch["to_status"] = 1, 1
    first = count + len(lines)
    source = pgm.initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"] = first, place[net.root], 1
    source["u_ref"], source["sk"] = net.v_root, _STIFF_VA
    load = pgm.initialize_array("input", "sym_load", count)
    load["id"], load["node"], load["status"] = first + 1 + np.arange(count), np.arange(count), 1
    load["type"] = pgm.LoadGenType.const_power
    load["p_specified"], load["q_specified"] = 0.0, 0.0
    data = {"node": node, "generic_branch": branch, "source": source, "sym_load": load}
    if net.shunt_mva:
        at = np.array([place[bus] for bus in net.shunt_mva])
        siemens = np.conj(list(net.shunt_mva.values())) * 1e6 / volts[at] ** 2
        shunt = pgm.initialize_array("input", "shunt", len(at))
        shunt["id"], shunt["node"], shunt["status"] = first + 1 + count + np.arange(len(at)), at, 1
        shunt["g1"], shunt["b1"] = siemens.real, siemens.imag
        data["shunt"] = shunt
    return data, load["id"]
