"""`gridpact solve match`: users and providers, matched by degree, as JSON.

From Python the same: `answer(matched(request(data)))` with dicts and lists as the file has them.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from gridpact.errors import FieldError
from gridpact.market.assignment.problem import NOBODY, Answer, Problem, Reals, Whole
from gridpact.market.assignment.solver import Effort, solve
from gridpact.market.degree import Mode, degrees
from gridpact.solve.read import decode, require_count

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
Demand = Annotated[float, msgspec.Meta(gt=0, le=1e15)]
Money = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole input. What has no default must be there."""

    demand: list[Demand]
    price: list[Money]
    capacity: list[Amount]
    network_charge: list[list[Money]]
    reputation: list[Amount]
    mode: Mode = Mode.BALANCED
    cap: list[Money] | None = None
    time_limit_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 10.0


@dataclass(frozen=True, eq=False)
class Matched:
    """An answer, with the providers by the numbers of the input, and the unit of its energies."""

    provider: Whole
    answer: Answer
    unit: float


def request(data: object) -> Request:
    """Return JSON data as a request.

    Raises
    ------
    FieldError
        Names the field that is missing, not known, of another type or length.
    """
    asked = decode(data, Request)
    users, providers = len(asked.demand), len(asked.price)
    require_count("capacity", asked.capacity, providers, "one for each provider, as price has")
    require_count("reputation", asked.reputation, providers, "one for each provider, as price has")
    require_count("network_charge", asked.network_charge, users, "one row for each user")
    for row, charges in enumerate(asked.network_charge):
        require_count(f"network_charge[{row}]", charges, providers, "one for each provider")
    if asked.mode is Mode.BALANCED:
        if asked.cap is None:
            raise FieldError("cap", "is missing, expected one for each user: mode is balanced")
        require_count("cap", asked.cap, users, "one for each user")
    return asked


def matched(asked: Request) -> Matched:
    """Return the matching of a request."""
    price = np.array(asked.price, float)
    # ties: the lower price, then the earlier provider
    order = np.argsort(price, kind="stable")
    demand = np.array(asked.demand, float)
    shape = (len(demand), len(price))
    found = degrees(
        asked.mode,
        demand,
        price[order],
        np.array(asked.network_charge, float).reshape(shape)[:, order],
        np.array(asked.reputation, float)[order],
        None if asked.cap is None else np.array(asked.cap, float),
    )
    unit = _unit(demand, np.array(asked.capacity, float))
    problem = Problem(
        _counted(demand, unit),
        _counted(np.array(asked.capacity, float)[order], unit),
        found.degree,
        found.gain,
    )
    solved = solve(problem, Effort.within(asked.time_limit_s))
    chosen = solved.provider
    return Matched(np.where(chosen == NOBODY, NOBODY, np.append(order, 0)[chosen]), solved, unit)


def answer(done: Matched) -> dict[str, Any]:
    """Return a matching in the form of docs/solve.md."""
    solved = done.answer
    status = "optimal" if solved.optimal else "feasible"
    return {
        "status": "partial" if (done.provider == NOBODY).any() else status,
        "objective": solved.value,
        "bound": solved.bound,
        "assignment": [None if one == NOBODY else one for one in done.provider.tolist()],
        "served": solved.energy * done.unit,
        "served_bound": solved.energy_bound * done.unit,
        "out_of_time": solved.out_of_time,
    }


def _unit(demand: Reals, capacity: Reals) -> float:
    """Return the unit in which energies are counted: a power of ten that states all of them.

    Whether energies fit is decided on whole numbers. Where numbers have too many digits, each is
    rounded to the 15th of the largest sum.
    """
    values = np.concatenate((demand, capacity))
    most = 9e15 / max(1e-300, demand.sum() + capacity.sum())
    for digits in range(16):
        scaled = values * 10.0**digits
        if 10.0**digits > most:
            break
        if np.array_equal(values, np.round(scaled) / 10.0**digits):
            return float(10.0**-digits)
    return float(10.0 ** -np.floor(np.log10(most)))


def _counted(values: Reals, unit: float) -> Whole:
    return np.maximum(np.round(values / unit), 0).astype(np.int64)
