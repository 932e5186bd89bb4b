"""Among how many does somebody stand? Places merged and reputations dealt out, k alike at least.

What a ledger says of an address in one period and of an address in the next must fit k people or
more: where it is connected, what it may do, how far it is believed (5-decisions, section 18).
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from gridpact.quantities import Score

Kind = TypeVar("Kind", bound=Hashable)


def zones(stations: Sequence[tuple[int, Kind]], least: int) -> Mapping[int, int]:
    """Return for each bus the bus under which everybody of its zone is known: the zone's first.

    Zones are cut as early as they may be, from neighbour to neighbour; what is left over joins the
    zone before it. Of whom there are fewer than `least` at all, one zone holds everybody, and they
    stand among that many.

    Parameters
    ----------
    stations
        Bus and kind (roles, say) of everybody, buses in an order in which neighbours are near.
    least
        Of each kind a zone holds so many, or nobody.
    """
    needed = {
        kind: min(count, least) for kind, count in Counter(kind for _, kind in stations).items()
    }

    def stands(people: Counter[Kind]) -> bool:
        return bool(people) and all(count >= needed[kind] for kind, count in people.items())

    found: list[tuple[list[int], Counter[Kind]]] = [([], Counter())]
    for bus in dict.fromkeys(bus for bus, _ in stations):
        if stands(found[-1][1]):
            found.append(([], Counter()))
        found[-1][0].append(bus)
        found[-1][1].update(kind for at, kind in stations if at == bus)
    while len(found) > 1 and not stands(found[-1][1]):
        buses, people = found.pop()
        found[-1][0].extend(buses)
        found[-1][1].update(people)
    return {bus: buses[0] for buses, _ in found for bus in buses}


def groups(known: Mapping[bytes, Hashable]) -> tuple[tuple[bytes, ...], ...]:
    """Return addresses in groups of whom the same is known."""
    found: dict[Hashable, list[bytes]] = {}
    for who, what in known.items():
        found.setdefault(what, []).append(who)
    return tuple(tuple(group) for group in found.values())


def classes(scores: Mapping[bytes, Score], least: int) -> tuple[tuple[bytes, ...], ...]:
    """Return people in classes of `least` or more, those of near scores together."""
    ranked = sorted(scores, key=lambda who: (scores[who], who))
    count = max(1, len(ranked) // least)
    cuts = [len(ranked) * n // count for n in range(count + 1)]
    return tuple(tuple(ranked[first:last]) for first, last in pairwise(cuts))
