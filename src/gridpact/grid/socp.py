"""The optimal power flow as a convex programme: branch flow model with a second-order cone.

5-decisions, section 13, corrected from [WangYanLuanZhang23] eqs. 5-23: injections are in the
balance, the cone has the sending end's voltage, losses are priced by importing them, and a battery
discharges through a division by its efficiency. `around` replaces the cone by the tangent of the
exact equation at AC power flows (a step of the repair), `elastic` lets limits give way at a price.

The rows stand in `socp_wires`, `socp_limits` and `socp_devices`.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.grid.columns import Columns
from gridpact.grid.cone_programme import ConeProgramme
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.problem import Problem
from gridpact.grid.replay import dearest
from gridpact.grid.socp_devices import devices
from gridpact.grid.socp_limits import bound, limits
from gridpact.grid.socp_wires import Around, cones, network, tangents

_USUAL_EXCESS = 1e-3  # by what limits give way, as a unit [pu]


@dataclass(frozen=True, eq=False)
class Elastic:
    """How limits may give way: `price` per pu of excess.

    `alone`: nothing else is minimised, and the devices' duties (a car's energy, a battery's final
    content) may give way too.
    """

    price: float
    alone: bool


@dataclass(frozen=True, eq=False)
class Model:
    """A built programme and how to read its answer.

    `unit` turns a multiplier into a price per MWh; `slack` holds the columns by which limits give
    way, by name of their rows.
    """

    programme: ConeProgramme
    columns: Columns
    unit: float
    slack: dict[str, IntArray]


def build(
    problem: Problem,
    feeder: Feeder,
    columns: Columns,
    v_tangent: FloatArray,
    around: Around | None = None,
    elastic: Elastic | None = None,
) -> Model:
    """Return the programme of a problem, per unit of `feeder` (the problem's net, any base).

    v_tangent: voltage at which the root in ZIP loads is taken, (interval, branch). [pu]
    """
    unit = dearest(problem)
    slack: dict[str, IntArray] = {}
    width = columns.width
    if elastic is not None:
        for name, count in _soft_rows(problem, feeder, columns, elastic.alone).items():
            slack[name] = np.arange(width, width + count)
            width += count
    programme = ConeProgramme(width)
    if elastic is None or not elastic.alone:
        _objective(problem, feeder, columns, programme, unit)
    for name, soft in slack.items():
        programme.cost[soft] = elastic.price if elastic is not None else 0.0
        programme.scale[soft] = _USUAL_EXCESS
        bound(programme, f"slack of {name}", soft, 0.0, None)
    network(problem, feeder, columns, programme, v_tangent)
    if around is None:
        cones(problem, feeder, columns, programme)
    else:
        tangents(problem, columns, programme, around)
    limits(problem, feeder, columns, programme, slack)
    devices(problem, feeder, columns, programme, slack)
    return Model(programme, columns, unit, slack)


def _soft_rows(problem: Problem, feeder: Feeder, at: Columns, duties: bool) -> dict[str, int]:
    """Return how many rows may give way: the net's limits, and the devices' duties if asked."""
    limits, devices = net_limits(problem, feeder), problem.devices
    rated = len(limits.rated[0])
    net = {"v_max": at.v.size, "v_min": at.v.size, "line sent": rated, "line arrived": rated}
    net["import_max"] = int(np.isfinite(limits.most_import).sum())
    net["export_max"] = int(np.isfinite(limits.most_export).sum())
    own = {"ev short": len(devices.ev.bus), "shift short": len(devices.shiftable.bus)}
    own |= dict.fromkeys(("final short", "final over"), len(devices.storage.bus))
    return net | own if duties else net


def _objective(
    problem: Problem, feeder: Feeder, at: Columns, programme: ConeProgramme, unit: float
) -> None:
    """Cost in units of `unit * dt * S_base`, so that its coefficients are about 1."""
    devices, cost, base = problem.devices, programme.cost, feeder.s_base_mva
    cost[at.buy] = problem.price_buy / unit
    cost[at.sell] = -problem.price_sell / unit
    cost[at.pv_p.column] = devices.pv.offer[at.pv_p.k] / unit
    cost[at.shed.column] = devices.curtailable.price[at.shed.k] / unit
    wear = devices.storage.wear_per_mwh / (2 * unit)
    cost[at.charge.column], cost[at.discharge.column] = wear[at.charge.k], wear[at.discharge.k]
    pairs = at.generator_p
    cost[pairs.column] = devices.generator.c1[pairs.k] / unit
    programme.curve("generators", pairs.column, 2 * devices.generator.c2[pairs.k] * base / unit)
