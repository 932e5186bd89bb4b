"""`gridpact solve opf`: the optimal power flow of one feeder as JSON, and as a picture.

From Python the same, step by step:

    asked = request(data)        # dicts and lists, as the JSON file has them
    done = solved(asked)         # done.problem and done.solution are the records of `grid.problem`
    answer(done)                 # dicts and lists again
    opf_picture.picture(done)    # the feeder coloured by voltage and price, as SVG
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridpact.grid.feeder import FloatArray
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem, Schedule, Solution
from gridpact.solve.opf_request import Request, columns, problem, request

__all__ = ["Request", "Solved", "answer", "request", "solved"]


@dataclass(frozen=True, eq=False)
class Solved:
    """A problem with its solution."""

    problem: Problem
    solution: Solution


def solved(asked: Request) -> Solved:
    """Return the solution of a request.

    Raises
    ------
    FieldError, FeederError
        Numbers that cannot be used; names the field.
    """
    stated = problem(asked)
    return Solved(stated, solve(stated))


def answer(done: Solved) -> dict[str, Any]:
    """Return a solution in the form of docs/solve.md; what there is no number for is null.

    Of an infeasible problem the schedule is the one that violates limits least, if there is any,
    and has neither objective nor prices.
    """
    found, plan = done.solution, done.solution.schedule
    feasible = found.status != "infeasible"
    exactness, prices = found.exactness, plan.prices if plan and feasible else None
    return {
        "status": found.status,
        "objective": _number(found.objective) if feasible else None,
        "bound": _number(found.bound) if feasible else None,
        "loss_mwh": float(plan.loss_mwh.sum()) if plan else None,
        "voltage_pu": _by_bus(done.problem, plan.voltage) if plan else None,
        "dlmp_p": _by_bus(done.problem, prices.active) if prices else None,
        "dlmp_q": _by_bus(done.problem, prices.reactive) if prices else None,
        "dlmp_p_parts": {
            part: _by_bus(done.problem, getattr(prices, part))
            for part in ("energy", "loss", "congestion", "voltage")
        }
        if prices
        else None,
        "fictitious_loss_kw": exactness.fictitious_loss_kw if exactness else None,
        "import_mw": plan.import_mw.tolist() if plan else None,
        "set_points": _set_points(done.problem, plan) if plan else None,
        "conflicts": [{"limit": one.limit, "interval": one.interval} for one in found.conflicts],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _by_bus(stated: Problem, values: FloatArray) -> dict[str, list[float]]:
    """Return the values of (interval, bus) by bus number, one list over the intervals each."""
    ids = stated.feeder.ids
    return {str(ids[place]): values[:, place].tolist() for place in columns(stated.feeder)}


def _set_points(stated: Problem, plan: Schedule) -> dict[str, dict[str, Any]]:
    """Return what the devices are to do, in the order and units of the input."""
    points, devices = plan.set_points, stated.devices
    kinds: dict[str, tuple[Sequence[int], dict[str, FloatArray]]] = {
        "pv": (devices.pv.bus.tolist(), {"p_mw": points.pv_mw, "q_mvar": points.pv_mvar}),
        "storage": (
            devices.storage.bus.tolist(),
            {
                "charge_mw": points.charge_mw,
                "discharge_mw": points.discharge_mw,
                "energy_mwh": points.energy_mwh,
            },
        ),
        "ev": (devices.ev.bus.tolist(), {"p_mw": points.ev_mw}),
        "generator": (
            devices.generator.bus.tolist(),
            {"p_mw": points.generator_mw, "q_mvar": points.generator_mvar},
        ),
        "shiftable": (devices.shiftable.bus.tolist(), {"p_mw": points.shift_mw}),
        "curtailable": (devices.curtailable.bus.tolist(), {"p_mw": points.shed_mw}),
    }
    return {
        kind: {"bus": buses} | {name: values.tolist() for name, values in rows.items()}
        for kind, (buses, rows) in kinds.items()
        if buses
    }
