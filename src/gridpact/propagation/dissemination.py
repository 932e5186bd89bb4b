"""How far does data get when some nodes keep it, lie or crash? One batch, event by event.

The root has the data and is honest; a silent proposer is replaced before anything spreads. Whoever
gets the data pushes them to its children and tells its other neighbours. Who has been told and
still lacks the data waits for its sender, `patience` long, then pulls from those that told it,
its backup parents first, one after another, and waits as long again for each. A sender that says
it has the data and does not push them is a liar, and is not asked. Messages take the cost of their
link.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import count

from gridpact.propagation.links import Links


class Conduct(IntEnum):
    """How a node behaves: a dropper says nothing, a liar tells all and delivers nothing."""

    HONEST = 0
    DROPPER = 1
    LIAR = 2
    CRASHED = 3


@dataclass(frozen=True)
class Terms:
    """How long is waited. patience: for data after being told or asking; deadline: in all."""

    patience: float
    deadline: float = math.inf


@dataclass(frozen=True)
class Spread:
    """What came of a batch.

    at: when each node has the data, infinite for never. pushes, tells, pulls: messages sent;
    `pushes` counts the data themselves. heard: (node, neighbour) where the node heard
    from the neighbour: data, a word, or a question. failed: where a pull was not answered.
    """

    at: tuple[float, ...]
    conduct: tuple[Conduct, ...]
    pushes: int
    tells: int
    pulls: int
    heard: frozenset[tuple[int, int]]
    failed: frozenset[tuple[int, int]]

    @property
    def share(self) -> float:
        """Return the part of the honest nodes that get the data, the root left out."""
        return self.by(math.nextafter(math.inf, 0))

    def by(self, time: float) -> float:
        """Return the part of the honest nodes that have the data by a time, the root left out."""
        honest = [at for at, how in zip(self.at, self.conduct, strict=True) if _is_honest(how)]
        others = len(honest) - 1
        return (sum(at <= time for at in honest) - 1) / others if others else 1.0

    @property
    def last(self) -> float:
        """Return when the last of the honest nodes that get them has the data."""
        return max(
            at
            for at, how in zip(self.at, self.conduct, strict=True)
            if _is_honest(how) and math.isfinite(at)
        )


def _is_honest(how: Conduct) -> bool:
    return how is Conduct.HONEST


def spread(
    links: Links, cost: Sequence[Sequence[float]], conduct: Sequence[Conduct], root: int,
    terms: Terms,
) -> Spread:  # fmt: skip
    """Return what comes of a batch that the root passes on."""
    return _Run(links, cost, tuple(conduct), terms).run(root)


_DATA, _TOLD, _PULLED, _WAKE = range(4)


@dataclass
class _Run:
    links: Links
    cost: Sequence[Sequence[float]]
    conduct: tuple[Conduct, ...]
    terms: Terms
    pushes: int = 0
    tells: int = 0
    pulls: int = 0

    def __post_init__(self) -> None:
        size = len(self.conduct)
        self.at = [math.inf] * size
        self.heard: set[tuple[int, int]] = set()
        self.failed: set[tuple[int, int]] = set()
        # who told a node and was not asked yet; whether it waits for somebody
        self.offers: list[list[int]] = [[] for _ in range(size)]
        self.asked: list[int] = [-1] * size
        self.waits = [False] * size
        self.events: list[tuple[float, int, int, int, int]] = []
        self._turn = count()

    def run(self, root: int) -> Spread:
        self._at(0.0, _DATA, root, root)
        for liar, how in enumerate(self.conduct):
            if how is Conduct.LIAR:
                self._tell(0.0, liar, (*self.links.announced[liar], *self.links.pushed[liar]))
        while self.events and self.events[0][0] <= self.terms.deadline:
            time, _, kind, node, other = heapq.heappop(self.events)
            if self.conduct[node] is not Conduct.CRASHED:
                (self._take, self._listen, self._answer, self._wake)[kind](time, node, other)
        return Spread(
            *(tuple(self.at), self.conduct, self.pushes, self.tells, self.pulls),
            *(frozenset(self.heard), frozenset(self.failed)),
        )

    def _at(self, time: float, kind: int, node: int, other: int) -> None:
        heapq.heappush(self.events, (time, next(self._turn), kind, node, other))

    def _take(self, time: float, node: int, sender: int) -> None:
        """Data arrive: pass them on and tell, unless they are here already."""
        self.heard.add((node, sender))
        if self.at[node] <= time:
            return
        self.at[node] = time
        if not _is_honest(self.conduct[node]):
            return
        known = {sender, *self.offers[node]}
        for child in self.links.pushed[node]:
            if child not in known:
                self._send(time, node, child)
        # whoever has the data already is told, too: that is how it hears that its word arrived
        asking = known.intersection(self.links.pushed[node])
        self._tell(time, node, [*self.links.announced[node], *sorted(asking)])

    def _send(self, time: float, node: int, to: int) -> None:
        self.pushes += 1
        self._at(time + self.cost[node][to], _DATA, to, node)

    def _tell(self, time: float, node: int, others: Sequence[int]) -> None:
        for other in others:
            self.tells += 1
            self._at(time + self.cost[node][other], _TOLD, other, node)

    def _listen(self, time: float, node: int, teller: int) -> None:
        self.heard.add((node, teller))
        if math.isfinite(self.at[node]):
            return
        self.offers[node].append(teller)
        if not self.waits[node] and _is_honest(self.conduct[node]):
            self.waits[node] = True
            self._at(time + self.terms.patience, _WAKE, node, -1)

    def _wake(self, time: float, node: int, _: int) -> None:
        """Waited in vain: the one that was asked failed, ask the next that told."""
        if math.isfinite(self.at[node]):
            return
        if self.asked[node] >= 0:
            self.failed.add((node, self.asked[node]))
        liars = [one for one in self.offers[node] if node in self.links.pushed[one]]
        self.failed.update((node, liar) for liar in liars)
        self.offers[node] = [one for one in self.offers[node] if one not in liars]
        self.waits[node] = bool(self.offers[node])
        if not self.offers[node]:
            self.asked[node] = -1
            return
        other = self.asked[node] = self._chosen(node)
        self.offers[node].remove(other)
        self.pulls += 1
        self._at(time + self.cost[node][other], _PULLED, other, node)
        self._at(time + self.terms.patience, _WAKE, node, -1)

    def _chosen(self, node: int) -> int:
        """Return whom to ask: somebody preferred, else who told first (a liar is always early)."""
        preferred = self.links.preferred[node] if self.links.preferred else ()
        offers = self.offers[node]
        return next((one for one in offers if one in preferred), offers[0])

    def _answer(self, time: float, node: int, asker: int) -> None:
        self.heard.add((node, asker))
        if _is_honest(self.conduct[node]) and math.isfinite(self.at[node]):
            self._send(time, node, asker)
