"""How do several machines share a zone? The map of `workers` on Ray, an optional extra.

    with Cluster(feeders, address="auto") as cluster:
        zone = solve_zone(problems, cluster)

Install it with `pip install gridpact[cluster]`. Without an address Ray runs on this machine.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from gridpact.errors import GridError
from gridpact.grid.feeder import Feeder
from gridpact.grid.problem import Problem, Solution
from gridpact.grid.zone import Job, jobs, solve_job

_BUNDLE = 4  # problems per task


class Cluster:
    """Solves problems about `feeders` on a Ray cluster; a `zone.SolveAll`.

    Raises
    ------
    GridError
        Ray is not installed.
    """

    def __init__(self, feeders: Sequence[Feeder], address: str | None = None, **more: Any) -> None:
        try:
            import ray
        except ImportError as error:
            raise GridError("a cluster needs Ray: pip install gridpact[cluster]") from error
        self._ray: Any = ray
        self._feeders = tuple(feeders)
        ray.init(address=address, log_to_driver=False, **more)
        self._there: Any = ray.put(self._feeders)
        self._task = ray.remote(_solve_some)

    def __call__(self, problems: Sequence[Problem]) -> list[Solution]:
        """Return the answers of problems, in their order.

        Raises
        ------
        FeederError
            A problem that cannot be used, or about another feeder.
        """
        work = jobs(self._feeders, problems)
        bundles = [work[first : first + _BUNDLE] for first in range(0, len(work), _BUNDLE)]
        running = [self._task.remote(self._there, bundle) for bundle in bundles]
        return [answer for bundle in self._ray.get(running) for answer in bundle]

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ray.shutdown()


def _solve_some(feeders: Sequence[Feeder], bundle: Sequence[Job]) -> list[Solution]:
    return [solve_job(feeders, job) for job in bundle]
