"""How far apart are two buses, and which are neighbours? Impedances in whole milliohm."""

from collections.abc import Sequence

import numpy as np

from gridpact.grid.feeder import Feeder


def in_walking_order(feeder: Feeder) -> tuple[int, ...]:
    """Return the buses as a walk along the lines meets them: what follows is near.

    A walk goes down a branch to its end before it takes the next; depth first, lower numbers first.
    """
    below: dict[int, list[int]] = {}
    for place in range(1, feeder.size):
        below.setdefault(int(feeder.parent[place]), []).append(place)
    found, waiting = [], [0]
    while waiting:
        place = waiting.pop()
        found.append(int(feeder.ids[place]))
        waiting += sorted(below.get(place, ()), key=lambda one: -int(feeder.ids[one]))
    return tuple(found)


def distances(feeder: Feeder, buses: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return the sum of |r + jx| over the lines between any two buses, as a table. [milliohm]

    All at the root's voltage, so that lines behind a transformer count by what they do.
    """
    base_ohm = feeder.v_base_kv**2 / feeder.s_base_mva
    length = np.hypot(feeder.r, feeder.x) * base_ohm * 1000
    on_path = np.zeros((feeder.size, feeder.size), np.bool_)
    for place in range(1, feeder.size):
        on_path[place] = on_path[feeder.parent[place]]
        on_path[place, place] = True
    rows = on_path[[feeder.at(bus) for bus in buses]]
    apart = rows[:, None] != rows[None]
    return tuple(tuple(map(int, row)) for row in np.rint(apart @ length).tolist())
