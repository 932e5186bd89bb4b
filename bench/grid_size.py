"""How does the optimal power flow grow: many feeders, large ones, memory?"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from scipy import sparse

from bench.grid_bare import solve_bare
from bench.grid_cases import made_day
from bench.grid_matrices import matrices
from bench.grid_timing import alternated, once
from bench.rows import Row
from gridpact.grid.kept import Kept
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem
from gridpact.grid.workers import Workers
from gridpact.grid.zone import one_by_one, solve_zone

FEEDERS = 100
SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


def rows() -> list[Row]:
    return [*_zone(), *_growth(), *_memory()]


def _zone() -> list[Row]:
    """100 made feeders of 56 buses, a day each, in two processes; wall time with their start."""
    days = [made_day(56, 24, seed=100 + number) for number in range(FEEDERS)]
    began = perf_counter()
    with Workers([day.feeder for day in days], processes=2) as workers:
        zone = solve_zone(days, workers)
        took = perf_counter() - began
        tomorrow = [replace(day, load_p_mw=0.95 * day.load_p_mw) for day in days]
        began = perf_counter()
        solve_zone(tomorrow, workers)
        again = perf_counter() - began
    alone, _ = once(lambda: solve_zone(days, one_by_one))
    optimal = sum(one.status == "optimal" for one in zone.solutions)
    what = f"{FEEDERS} feeders x 56 buses x 24 intervals"
    return [
        Row(f"{what}, two processes started for it", took, "s wall", goal="under 15 s",
            holds=took < 15),
        Row(f"{what}, the next day in the same processes", again, "s wall"),
        Row(f"{what}, one process", alone, "s CPU"),
        Row("feeders of it solved to a proven optimum", optimal, "feeders", goal="all",
            holds=optimal == FEEDERS),
    ]  # fmt: skip


def _growth() -> list[Row]:
    """One interval of one feeder, from 500 to 50,000 buses, beside the bare solver."""
    ours, bare, found = [], [], []
    for size in SIZES:
        hour = made_day(size, 1)
        given = matrices(hour)
        took, theirs = alternated(
            [lambda hour=hour: _optimal(hour), lambda given=given: solve_bare(given)],
            3 if size <= 5000 else 1,
        )
        ours.append(took)
        bare.append(theirs)
        limit = size == 5000
        found.append(
            Row(f"one feeder of {size:,} buses, one interval", took, "s CPU",
                f"bare Clarabel, setup and solve: {theirs:.4g} s", took / theirs,
                "under 2 s" if limit else "", took < 2 if limit else None)
        )  # fmt: skip
    exponent, floor = (
        float(np.polyfit(np.log(SIZES), np.log(spent), 1)[0]) for spent in (ours, bare)
    )
    return [
        *found,
        Row("growth with buses, 500 to 50,000", exponent, "exponent",
            f"bare Clarabel: {floor:.3g}", goal="at most 1.2", holds=exponent <= 1.2),
    ]  # fmt: skip


def _optimal(hour: Problem) -> None:
    status = solve(hour, Kept()).status
    if status != "optimal":
        raise AssertionError(f"the case is meant to be solved, it is {status}")


_OURS = """
from bench.grid_cases import made_day
from gridpact.grid.opf import solve
assert solve(made_day(500, 24)).status == "optimal"
print(next(line.split()[1] for line in open('/proc/self/status') if line[:6] == 'VmHWM:'))
"""
_BARE = """
import sys
import numpy as np
from scipy import sparse
from bench.grid_bare import Matrices, solve_bare
loaded = np.load(sys.argv[1], allow_pickle=False)
part = lambda name: sparse.csc_matrix(
    (loaded[name + "_data"], loaded[name + "_indices"], loaded[name + "_heads"]),
    shape=tuple(loaded[name + "_shape"]))
kinds = tuple((int(kind), int(height)) for kind, height in loaded["kinds"])
solve_bare(Matrices(part("quadratic"), loaded["cost"], part("table"), loaded["right"], kinds))
print(next(line.split()[1] for line in open('/proc/self/status') if line[:6] == 'VmHWM:'))
"""


def _memory() -> list[Row]:
    """Peak memory of a fresh process that solves 500 x 24: ours, and bare from matrices on disk."""
    given = matrices(made_day(500, 24))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "matrices.npz"
        arrays = {"cost": given.cost, "right": given.right, "kinds": np.array(given.kinds)}
        for name, matrix in (("quadratic", given.quadratic), ("table", given.table)):
            arrays |= _arrays(name, matrix)
        np.savez(file, **arrays)
        bare = _peak(_BARE, str(file))
    ours = _peak(_OURS)
    return [
        Row("500 x 24: peak memory of a process", ours, "MB",
            f"bare Clarabel with the matrices from disk: {bare:.0f} MB", ours / bare,
            "at most 1.5 times", ours <= 1.5 * bare)
    ]  # fmt: skip


def _arrays(name: str, matrix: sparse.csc_matrix) -> dict[str, np.ndarray]:
    parts = {"data": matrix.data, "indices": matrix.indices, "heads": matrix.indptr}
    return {f"{name}_{part}": values for part, values in parts.items()} | {
        f"{name}_shape": np.array(matrix.shape)
    }


def _peak(script: str, *arguments: str) -> float:
    """Return the peak resident memory that a script prints, as Linux counts it. [MB]"""
    paths = os.pathsep.join(path for path in sys.path if path)
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": paths},
        check=True,
        capture_output=True,
        text=True,
    )
    return int(ran.stdout) / 1024
