"""How is a zone of many feeders run? Each by itself, given the prices at its substation.

Feeders under one substation bus meet nowhere else: its voltage and prices given, each is a problem
of its own, and a function that is passed in solves them all: `one_by_one`, the processes of
`workers`, or the machines of `cluster`. What feeders share would couple them: a common limit of
import or export, or a price of import above that of export, by which one feeder's export is worth
more to its neighbour than to the grid. `split` refuses such a net and says why; `opf.solve` takes
it as a whole and keeps the limit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, FloatArray, IntArray
from gridpact.grid.opf import solve
from gridpact.grid.problem import DeviceSets, Problem, Solution

SolveAll = Callable[[Sequence[Problem]], Iterable[Solution]]


@dataclass(frozen=True, eq=False)
class Zone:
    """Answers of all feeders, in the order in which they were asked.

    objective: sum of their costs, NaN when one has none; import_mw: what passes the substation,
    (interval,), of the feeders that have a schedule.
    """

    solutions: tuple[Solution, ...]
    objective: float
    import_mw: FloatArray


def one_by_one(problems: Sequence[Problem]) -> list[Solution]:
    """Return the answers of problems, solved in this process."""
    return [solve(problem) for problem in problems]


def solve_zone(problems: Sequence[Problem], solve_all: SolveAll = one_by_one) -> Zone:
    """Return the answers of the feeders of a zone; they must have the same intervals.

    Raises
    ------
    FeederError
        Numbers that cannot be used, or intervals that differ.
    """
    if not problems:
        raise FeederError("zone", "has no feeder")
    times = {(problem.intervals, problem.dt_h) for problem in problems}
    if len(times) > 1:
        raise FeederError("zone", f"feeders have different (intervals, hours): {sorted(times)}")
    solutions = tuple(solve_all(problems))
    imports = [one.schedule.import_mw for one in solutions if one.schedule is not None]
    return Zone(
        solutions=solutions,
        objective=float(sum(one.objective for one in solutions)),
        import_mw=np.sum(imports, axis=0) if imports else np.zeros(problems[0].intervals),
    )


def split(problem: Problem) -> list[Problem]:
    """Return one problem per branch at the root; what stands at the root goes with the first.

    Raises
    ------
    FeederError
        The feeders are coupled: by a limit they share or by netting at the substation.
    """
    for name in ("import_max_mw", "export_max_mw"):
        if np.isfinite(getattr(problem, name)).any():
            raise FeederError(name, "is shared by all feeders: solve the net as a whole")
    tops = np.flatnonzero(problem.feeder.parent == 0)
    if len(tops) > 1 and (problem.price_buy != problem.price_sell).any():
        raise FeederError(
            "price_buy",
            "is above price_sell, so feeders net at the substation: solve the net whole",
        )
    belongs = _feeder_of(problem.feeder)
    return [
        _part(problem, np.flatnonzero((belongs == top) | (belongs == 0)), first=top == tops[0])
        for top in tops
    ]


def _feeder_of(feeder: Feeder) -> IntArray:
    """Return for each bus the bus below the root that it hangs on, 0 for the root. (bus,)"""
    belongs = np.zeros(feeder.size, dtype=np.int64)
    for place in range(1, feeder.size):
        above = feeder.parent[place]
        belongs[place] = place if above == 0 else belongs[above]
    return belongs


def _part(problem: Problem, places: IntArray, first: bool) -> Problem:
    """Return the problem at some buses, the root among them (empty unless this is the first)."""
    whole = problem.feeder
    renumbered = np.full(whole.size, -1)
    renumbered[places] = np.arange(len(places))
    parent = renumbered[whole.parent[places]]
    parent[0] = -1
    arrays = {name: getattr(whole, name)[places] for name in ("ids", "r", "x", "s_max", "v_kv")}
    own = np.r_[float(first), np.ones(len(places) - 1)]
    feeder = replace(
        whole,
        parent=parent,
        shunt=whole.shunt[places] * own,
        conductance=whole.conductance[places] * own,
        **arrays,
    )
    chosen = whole.ids[places] if first else whole.ids[places[1:]]

    def by_bus(limit: Any) -> Any:
        return limit[:, places] if np.ndim(limit) == 2 else limit

    return replace(
        problem,
        feeder=feeder,
        load_p_mw=problem.load_p_mw[:, places] * own,
        load_q_mvar=problem.load_q_mvar[:, places] * own,
        v_min=by_bus(problem.v_min),
        v_max=by_bus(problem.v_max),
        s_max_mva=by_bus(problem.s_max_mva),
        devices=_devices_at(problem.devices, chosen),
    )


def _devices_at(devices: DeviceSets, buses: IntArray) -> DeviceSets:
    """Return the devices that stand at some buses."""
    kept = {}
    for kind in fields(devices):
        units = getattr(devices, kind.name)
        here = np.isin(units.bus, buses)
        arrays = {
            field.name: values[..., here]
            for field in fields(units)
            if isinstance(values := getattr(units, field.name), np.ndarray)
        }
        kept[kind.name] = replace(units, **arrays)
    return DeviceSets(**kept)


# What travels to another process: the place of a feeder that is there already, and the rest.
Job = tuple[int, Mapping[str, Any]]


def jobs(feeders: Sequence[Feeder], problems: Sequence[Problem]) -> list[Job]:
    """Return problems, checked here where an error can be told, without their feeders.

    Raises
    ------
    FeederError
        Numbers that cannot be used, or a feeder that was not announced.
    """
    places = {id(feeder): place for place, feeder in enumerate(feeders)}
    for number, problem in enumerate(problems):
        if id(problem.feeder) not in places:
            raise FeederError(f"problem {number}", "is about a feeder that the workers do not have")
        problem.checked()
    names = [field.name for field in fields(Problem) if field.name != "feeder"]
    return [
        (places[id(problem.feeder)], {name: getattr(problem, name) for name in names})
        for problem in problems
    ]


def solve_job(feeders: Sequence[Feeder], job: Job) -> Solution:
    """Return the answer of a problem that came without its feeder."""
    place, rest = job
    return solve(Problem(feeder=feeders[place], **rest))
