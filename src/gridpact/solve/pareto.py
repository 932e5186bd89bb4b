"""`gridpact solve pareto`: the front of trading schemes between suppliers and users as JSON.

From Python the same:

    done = solved(request(data))  # a record of `market.pareto_front`
    answer(done)                  # dicts and lists again
"""

from typing import Any

import msgspec

from gridpact.errors import FieldError
from gridpact.market.pareto_case import NO_CAP, Case
from gridpact.market.pareto_exact import exact
from gridpact.market.pareto_front import Front, knee
from gridpact.market.pareto_swarm import Encoding, Swarm, search
from gridpact.solve.read import decode, require_count

MOST_EVALUATIONS = 10_000_000


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What IN.json holds; docs/solve.md explains every key."""

    unit_cost: list[list[float]]
    capacity: list[float]
    demand_min: list[float]
    demand_max: list[float]
    weight: list[float]
    price_cap: float | None = None
    method: str = "exact"
    evaluations: int = 20_000
    seed: int = 0
    encoding: str = "ordered"


def request(data: object) -> Request:
    """Return JSON data as a request; raises `FieldError`."""
    return decode(data, Request)


def solved(asked: Request) -> Front:
    """Return the front that is asked for.

    Raises
    ------
    FieldError
        Numbers that cannot be used; names the field.
    """
    case = _case(asked)
    if asked.method == "exact":
        return exact(case)
    if asked.method != "swarm":
        raise FieldError("method", f"is {asked.method!r}, expected 'exact' or 'swarm'")
    if not 1 <= asked.evaluations <= MOST_EVALUATIONS:
        problem = f"is {asked.evaluations}, not within 1 and {MOST_EVALUATIONS}"
        raise FieldError("evaluations", problem)
    if asked.seed < 0:
        raise FieldError("seed", f"is {asked.seed}, expected 0 or more")
    if asked.encoding not in list(Encoding):
        names = " or ".join(repr(str(one)) for one in Encoding)
        raise FieldError("encoding", f"is {asked.encoding!r}, expected {names}")
    return search(case, asked.evaluations, asked.seed, Swarm(encoding=Encoding(asked.encoding)))


def _case(asked: Request) -> Case:
    users = len(asked.demand_max)
    if not asked.unit_cost or not users:
        raise FieldError("unit_cost", "expected at least one supplier and one user")
    for row, costs in enumerate(asked.unit_cost):
        require_count(f"unit_cost[{row}]", costs, users, "one for each user")
    return Case.of(
        asked.unit_cost,
        asked.capacity,
        asked.demand_min,
        asked.demand_max,
        asked.weight,
        NO_CAP if asked.price_cap is None else asked.price_cap,
    )


def answer(done: Front) -> dict[str, Any]:
    """Return a front in the form of docs/solve.md; without any scheme its lists are empty."""
    found = "exact" if done.is_exact else "approximate"
    return {
        "status": found if len(done) else "infeasible",
        "front": done.points.tolist(),
        "schemes": [done.table(point).tolist() for point in range(len(done))],
        "knee": knee(done.points) if len(done) else None,
    }
