"""How are times compared? Alternated calls, CPU seconds of this process, medians.

CPU time of one thread equals wall time on a quiet machine and says the same on a busy one.
"""

from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import Any

Act = Callable[[], Any]


def alternated(acts: Sequence[Act], times: int) -> list[float]:
    """Return the median CPU time of each act, after one call that does not count. [s]"""
    for act in acts:
        act()
    spent: list[list[float]] = [[] for _ in acts]
    for _ in range(times):
        for act, found in zip(acts, spent, strict=True):
            began = process_time()
            act()
            found.append(process_time() - began)
    return [median(found) for found in spent]


def once(act: Act) -> tuple[float, Any]:
    """Return CPU time and answer of one call. [s]"""
    began = process_time()
    found = act()
    return process_time() - began, found
