"""What do limits demand of an optimal power flow? Bands, ratings, what the substation may pass.

Rows of the programme that `socp` builds. Where a limit has slack it gives way by that much.
"""

from collections.abc import Mapping

import numpy as np

from gridpact.grid.columns import Columns
from gridpact.grid.cone_programme import ConeProgramme
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.net_limits import net_limits
from gridpact.grid.problem import Problem


def limits(
    problem: Problem,
    feeder: Feeder,
    at: Columns,
    programme: ConeProgramme,
    slack: Mapping[str, IntArray],
) -> None:
    """Voltage bands, line ratings at both ends, what the substation may pass."""
    permitted = net_limits(problem, feeder)
    for name, sign, squared in (
        ("v_max", 1.0, permitted.v_max[:, 1:] ** 2),
        ("v_min", -1.0, -(permitted.v_min[:, 1:] ** 2)),
    ):
        keep(programme, name, at.v.ravel(), sign, squared.ravel(), slack)
    for name, column, most in (
        ("import_max", at.buy, permitted.most_import),
        ("export_max", at.sell, permitted.most_export),
    ):
        given = np.isfinite(most)
        keep(programme, name, column[given], 1.0, most[given], slack)
    t, branch = permitted.rated
    P, Q, l = (part[t, branch] for part in (at.P, at.Q, at.l))  # noqa: E741
    first, one = 3 * np.arange(len(t)), np.ones(len(t))
    right = np.zeros((len(t), 3))
    right[:, 0] = permitted.ratings
    for name in ("line sent", "line arrived"):
        entries = [(first + 1, P, -one), (first + 2, Q, -one)]
        if name == "line arrived":
            entries.append((first + 1, l, feeder.r[1:][branch]))
            entries.append((first + 2, l, feeder.x[1:][branch]))
        if name in slack:
            entries.append((first, slack[name], -one))
        programme.cone(name, 3, entries, right.ravel())


def keep(
    programme: ConeProgramme,
    name: str,
    columns: IntArray,
    sign: float,
    right: FloatArray,
    slack: Mapping[str, IntArray],
) -> None:
    """Add sign * x <= right, by more where there is slack."""
    row, one = np.arange(len(columns)), np.ones(len(columns))
    entries = [(row, columns, sign * one)]
    if name in slack:
        entries.append((row, slack[name], -one))
    programme.at_most(name, entries, right)


def bound(
    programme: ConeProgramme,
    name: str,
    columns: IntArray,
    low: FloatArray | float,
    high: FloatArray | float | None,
) -> None:
    """low <= x <= high; no upper bound when `high` is None."""
    row, one = np.arange(len(columns)), np.ones(len(columns))
    programme.at_most(f"{name} low", [(row, columns, -one)], -np.broadcast_to(low, (len(columns),)))
    if high is not None:
        programme.at_most(
            f"{name} high", [(row, columns, one)], np.broadcast_to(high, (len(columns),))
        )
