"""What would each provider best take, if each user has its price? Knapsacks, exact, all at once.

The relaxation says nearly all (Dantzig 1957): users go in by gain per energy until one does not
fit. From there every change (one out, one in) loses a known amount, and so does each unit left
empty. Few changes lose little enough to matter: all their combinations within a budget are rows of
one table for all providers, which grows change by change; rows that others beat are left out
(Nemhauser and Ullmann 1969). If there is nothing within the budget, it is raised.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gridpact.market.assignment.problem import Flags, Reals, Whole

_MORE = 2.5
_FEW = 600
"""Rows from which on it pays to look for those that others beat."""
ROWS = 20_000
"""Most rows of a table; beyond them those that may lose least are kept, and the bound says so."""


class Contents(NamedTuple):
    """What each provider takes.

    value
        What no content can exceed. (provider,)
    taken
        The best content found. (provider, user)
    price
        Of a unit of the provider's energy, in the relaxation. (provider,)
    loss
        By how much the relaxation exceeds `value`. (provider,)
    """

    value: Reals
    taken: Flags
    price: Reals
    loss: Reals


def best_contents(
    gain: Reals, weight: Whole, capacity: Whole, budget: Reals, rows: int = ROWS
) -> Contents:
    """Return the contents of the largest gain within the capacities.

    Parameters
    ----------
    gain
        Of taking a user; 0 or less: never. (provider, user)
    budget
        What the best content may lose against the relaxation at first, > 0. (provider,)
    """
    relaxed = _Relaxed.of(gain, weight, capacity)
    providers = len(capacity)
    loss, change = np.zeros(providers), np.zeros(gain.shape, np.bool_)
    budget, open_ = budget.copy(), np.flatnonzero(relaxed.room > 0)
    open_ = open_[relaxed.price[open_] > 0]
    while len(open_):
        least, found, changes = _searched(relaxed.some(open_), budget[open_], rows)
        loss[open_], change[open_] = least, changes
        budget[open_] *= _MORE
        open_ = open_[~found]
    return Contents(relaxed.value - loss, relaxed.inside ^ change, relaxed.price, loss)


@dataclass(frozen=True, eq=False)
class _Relaxed:
    """Each provider's content by gain per energy, up to the first user that does not fit.

    price: gain per energy of that user, 0 if all fit. (provider,)
    loss: of taking out who is inside, or in who is outside. (provider, user)
    move: energy that this frees, or takes. (provider, user)
    """

    value: Reals
    price: Reals
    room: Whole
    inside: Flags
    loss: Reals
    move: Whole

    @classmethod
    def of(cls, gain: Reals, weight: Whole, capacity: Whole) -> "_Relaxed":
        providers, users = gain.shape
        row, useful = np.arange(providers)[:, None], gain > 0
        ratio = np.where(useful, gain / weight, -1.0)
        order = np.argsort(-ratio, axis=1, kind="stable")
        load = np.cumsum(np.where(useful, weight, 0)[row, order], axis=1)
        over = load > capacity[:, None]
        cut = np.where(over.any(axis=1), over.argmax(axis=1), users)
        place = np.empty_like(order)
        place[row, order] = np.arange(users)
        inside = useful & (place < cut[:, None])
        room = capacity - np.where(inside, weight, 0).sum(axis=1)
        last = order[row[:, 0], np.minimum(cut, users - 1)]
        price = np.where(cut < users, ratio[row[:, 0], last], 0.0)
        value = np.where(inside, gain, 0.0).sum(axis=1) + price * room
        loss = np.abs(gain - price[:, None] * weight)
        move = np.where(inside, weight, -weight)
        return cls(value, price, room, inside, np.where(useful, loss, np.inf), move)

    def some(self, provider: Whole) -> "_Relaxed":
        """Return some of the providers."""
        return _Relaxed(*(getattr(self, name)[provider] for name in self.__dataclass_fields__))


def _searched(relaxed: _Relaxed, budget: Reals, most: int) -> tuple[Reals, Flags, Flags]:
    """Return what each best content loses at least, whether that is certain, and its changes."""
    core = _Core.of(relaxed, budget)
    table = _Table.start(relaxed.room)
    steps, dropped = list[tuple[Whole, Flags]](), np.full(len(budget), np.inf)
    for layer in range(core.layers):
        parent, grown = table.grown(core, layer, budget)
        lowest, useful = grown.useful(core, layer, relaxed.price, budget)
        if useful.sum() > most:
            useful[np.flatnonzero(useful)[np.argsort(lowest[useful], kind="stable")[most:]]] = False
            lost = ~useful & (lowest <= budget[grown.provider])
            np.minimum.at(dropped, grown.provider[lost], lowest[lost])
        kept = np.flatnonzero(useful)
        steps.append((parent[kept], kept >= len(table.loss)))
        table = grown.rows(kept)
    loss, last = table.best(relaxed.price, budget)
    certain = np.isfinite(loss) | np.isfinite(dropped)
    change = np.zeros(relaxed.loss.shape, np.bool_)
    who = np.flatnonzero(np.isfinite(loss))
    last = last[who]
    for layer in range(core.layers - 1, -1, -1):
        parent, took = steps[layer]
        change[who[took[last]], core.user[who[took[last]], layer]] = True
        last = parent[last]
    return np.minimum(loss, dropped), certain, change


@dataclass(frozen=True, eq=False)
class _Core:
    """The changes that fit a budget, the dearest first, one layer each. (provider, layer)

    most, least: how much room all later layers could free, or take. (provider, layer + 1)
    """

    user: Whole
    loss: Reals
    move: Whole
    most: Whole
    least: Whole

    @classmethod
    def of(cls, relaxed: _Relaxed, budget: Reals) -> "_Core":
        within = relaxed.loss <= budget[:, None]
        layers = int(within.sum(axis=1).max(initial=0))
        row = np.arange(len(budget))[:, None]
        loss = np.where(within, relaxed.loss, np.inf)
        user = np.argsort(np.where(within, -loss, np.inf), axis=1, kind="stable")[:, :layers]
        move = np.where(within[row, user], relaxed.move[row, user], 0)
        return cls(user, loss[row, user], move, _after(np.maximum(move, 0)),
                   _after(np.minimum(move, 0)))  # fmt: skip

    @property
    def layers(self) -> int:
        return int(self.user.shape[1])


def _after(move: Whole) -> Whole:
    """Return the sums of what lies at and behind each layer, with a 0 behind the last."""
    sums = np.zeros((move.shape[0], move.shape[1] + 1), np.int64)
    sums[:, :-1] = np.cumsum(move[:, ::-1], axis=1)[:, ::-1]
    return sums


class _Table(NamedTuple):
    """Combinations of changes: whose, what they lose, and the room they leave (or lack)."""

    provider: Whole
    loss: Reals
    room: Whole

    @classmethod
    def start(cls, room: Whole) -> "_Table":
        return cls(np.arange(len(room)), np.zeros(len(room)), room)

    def rows(self, row: Whole) -> "_Table":
        return _Table(self.provider[row], self.loss[row], self.room[row])

    def grown(self, core: _Core, layer: int, budget: Reals) -> tuple[Whole, "_Table"]:
        """Return the rows as they are and once more with a change; and whence each comes."""
        more = self.loss + core.loss[self.provider, layer]
        with_ = np.flatnonzero(more <= budget[self.provider])
        whose = self.provider[with_]
        return np.concatenate((np.arange(len(self.loss)), with_)), _Table(
            np.concatenate((self.provider, whose)),
            np.concatenate((self.loss, more[with_])),
            np.concatenate((self.room, self.room[with_] + core.move[whose, layer])),
        )

    def useful(self, core: _Core, layer: int, price: Reals, budget: Reals) -> tuple[Reals, Flags]:
        """Return what each row loses in the end at least, and whether it is of use."""
        whose = self.provider
        fits = self.room + core.most[whose, layer + 1] >= 0
        empty = np.maximum(self.room + core.least[whose, layer + 1], 0)
        lowest = self.loss + price[whose] * empty
        useful = fits & (lowest <= budget[whose])
        if len(whose) > max(_FEW, 6 * len(price)):
            useful &= ~self._beaten(price)
        return np.where(fits, lowest, np.inf), useful

    def _beaten(self, price: Reals) -> Flags:
        """Say which rows have no more room than another of the provider and no more gain."""
        lost = self.loss + price[self.provider] * self.room
        order = np.lexsort((lost, -self.room, self.provider))
        whose, lost = self.provider[order], lost[order]
        # one running minimum for all: each provider's numbers lie below those before it
        lost = lost - whose * (2 * np.abs(lost).max() + 1e-300)
        beaten = np.zeros(len(order), np.bool_)
        beaten[order[1:]] = (whose[1:] == whose[:-1]) & (
            lost[1:] >= np.minimum.accumulate(lost)[:-1]
        )
        return beaten

    def best(self, price: Reals, budget: Reals) -> tuple[Reals, Whole]:
        """Return each provider's least loss of rows that fit, `inf` without any, and its row."""
        lost = self.loss + price[self.provider] * np.maximum(self.room, 0)
        fits = (self.room >= 0) & (lost <= budget[self.provider])
        row = np.flatnonzero(fits)
        row = row[np.lexsort((lost[row], self.provider[row]))]
        who, first = np.unique(self.provider[row], return_index=True)
        least, last = np.full(len(price), np.inf), np.zeros(len(price), np.int64)
        least[who], last[who] = lost[row[first]], row[first]
        return least, last
