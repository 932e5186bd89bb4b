"""How far do limits bend away from their tangents? The same problem, with that in mind.

A step of the repair that keeps every limit to first order may break one in truth, and steps short
enough not to would creep along it. So the step is taken again within limits that are moved by what
the AC power flow at its end showed.
"""

from dataclasses import replace

import numpy as np

from gridpact.grid.columns import Columns
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Problem

_LEAST = 1e-3  # of a squared voltage or a rating [pu]


def bent(
    problem: Problem, feeder: Feeder, columns: Columns, x: FloatArray, flow: PowerFlow
) -> Problem:
    """Return the problem with limits moved by AC power flow minus the linearised answer `x`."""
    limits, base = net_limits(problem, feeder), feeder.s_base_mva
    squared = flow.squared_voltage[:, 1:] - x[columns.v]
    band = []
    for limit in (limits.v_min, limits.v_max):
        moved = limit**2
        moved[:, 1:] -= squared
        band.append(np.sqrt(np.maximum(moved, _LEAST)))
    P, Q, l = (x[column] for column in (columns.P, columns.Q, columns.l))  # noqa: E741
    r, x_line = feeder.r[1:], feeder.x[1:]
    ends = (
        np.abs(flow.sent[:, 1:]) - np.hypot(P, Q),
        np.abs(flow.arrived[:, 1:]) - np.hypot(P - r * l, Q - x_line * l),
    )
    rating = limits.s_max.copy()
    rating[:, 1:] = np.maximum(rating[:, 1:] - np.maximum(*ends), _LEAST)
    passed = flow.supply.real - (x[columns.buy] - x[columns.sell])
    return replace(
        problem,
        v_min=band[0],
        v_max=band[1],
        s_max_mva=rating * base,
        import_max_mw=np.maximum(limits.most_import - passed, 0.0) * base,
        export_max_mw=np.maximum(limits.most_export + passed, 0.0) * base,
    )
