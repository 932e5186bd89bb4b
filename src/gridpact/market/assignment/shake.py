"""Out of a dead end: a few users change places at a loss, then rings make the best of it.

Kept when it ends no worse than before (iterated local search). The draws have a fixed seed and
their number is given, so the same problem has the same answer everywhere.
"""

from collections.abc import Callable

import numpy as np

from gridpact.market.assignment.problem import Problem, Whole
from gridpact.market.assignment.rings import Rings

_SEED = 2022
_CHANGES = 3
_NEAREST = 12


def shaken(problem: Problem, rings: Rings, kicks: int, stop: Callable[[], bool]) -> Whole:
    """Return the best assignment of so many kicks, fewer if it is told to stop."""
    draw = np.random.default_rng(_SEED)
    best, kept = problem.worth(rings.provider), (rings.place.copy(), rings.room.copy())
    answer = rings.provider
    for _ in range(kicks):
        if stop():
            break
        for _ in range(_CHANGES):
            _change(rings, draw)
        rings.settle(1000)
        now = problem.worth(rings.provider)
        if now.energy < best.energy or (now.energy == best.energy and now.value < best.value):
            rings.place, rings.room = kept[0].copy(), kept[1].copy()
            continue
        best, kept = now, (rings.place.copy(), rings.room.copy())
        answer = rings.provider
    return answer


def _change(rings: Rings, draw: np.random.Generator) -> None:
    """Let a user drawn by lot change places with one of those where that costs least."""
    user = int(draw.integers(rings.users))
    gains = rings.gains()
    both = gains[user] + gains[:, user]
    near = np.argsort(-both, kind="stable")[:_NEAREST]
    near = near[np.isfinite(both[near])]
    if len(near):
        rings.try_ring((user, int(draw.choice(near))), even_worse=True)
