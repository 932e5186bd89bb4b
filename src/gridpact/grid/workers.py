"""How do several processors share a zone? Processes that get the feeders once, then problems.

    with Workers(feeders, processes=2) as workers:
        zone = solve_zone(problems, workers)

Processes are started afresh (spawn), so a script that uses this keeps its own start under
`if __name__ == "__main__":`.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType

from gridpact.grid.feeder import Feeder
from gridpact.grid.problem import Problem, Solution
from gridpact.grid.zone import Job, jobs, solve_job

_BUNDLES = 8  # pieces of work per process: few hand-overs, yet no process waits long at the end

_here: list[Feeder] = []  # of a worker process, filled once when it starts


class Workers:
    """Solves problems about `feeders` in `processes`; a `zone.SolveAll`."""

    def __init__(self, feeders: Sequence[Feeder], processes: int) -> None:
        self._feeders, self._processes = tuple(feeders), processes
        self._pool = ProcessPoolExecutor(
            processes,
            mp_context=get_context("spawn"),
            initializer=_receive,
            initargs=(self._feeders,),
        )

    def __call__(self, problems: Sequence[Problem]) -> list[Solution]:
        """Return the answers of problems, in their order.

        Raises
        ------
        FeederError
            A problem that cannot be used, or about another feeder.
        """
        work = jobs(self._feeders, problems)
        bundle = max(1, len(work) // (self._processes * _BUNDLES))
        return list(self._pool.map(_solve, work, chunksize=bundle))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)


def _receive(feeders: tuple[Feeder, ...]) -> None:
    _here[:] = feeders


def _solve(job: Job) -> Solution:
    return solve_job(_here, job)
