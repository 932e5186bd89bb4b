"""Whose errors make the gap of a feeder? Few meters, each from one row to another.

Over a window of rows the gap is explained by pieces: a piece is one meter whose report lacks a
share, of a generator also a constant, from its first row to its last. The pieces are those that
leave the least squared gap, with a price for each: dropped, added, ended and exchanged one at a
time until nothing helps. A piece that another meter would replace nearly as well, or that leaves
much of the gap, counts, so that what it explains is not blamed on a third; but nobody is blamed
for it.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
_Key: TypeAlias = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class AttributionTerms:
    """end: t-value that the end of a piece must reach; holds: below which a piece is dropped;
    change: of a new share of a piece. lead: squared gap by which a piece must beat every other
    meter's before anybody is blamed. worth: share below which no error counts. rows: fewest of a
    new piece. pieces: most of them at once. patience: rows in a row that a piece must be clear
    before anybody is blamed; unsettled: mean squared gap that is left of the newest rows at which
    nobody is. exact, proven: mean squared gap that is left of a piece, and rows of it, at which
    habits do not count.
    """

    end: float = 4.0
    holds: float = 4.0
    change: float = 6.0
    lead: float = 16.0
    worth: float = 0.04
    rows: int = 4
    pieces: int = 6
    patience: int = 6
    unsettled: float = 4.0
    exact: float = 1.5
    proven: int = 12


@dataclass(frozen=True)
class Piece:
    """A member whose report lacks `share` and `offset` [kW] from row `first` to before `last`.

    `first` is below 0 for a piece older than the window, `last` the window's length while it lasts.
    `strength` is its t-value; `sure`: how many rows in a row no other meter explained it nearly as
    well.
    """

    member: int
    first: int
    last: int
    share: float = 0.0
    offset: float = 0.0
    strength: float = 0.0
    sure: int = 0


@dataclass(frozen=True, eq=False)
class Window:
    """The newest rows of one feeder, in spreads of the gap; 0 where nothing was heard.

    reports, units: signed reports and the same of 1 kW (row, member); gap (row,). affine: members
    whose error may hold a constant; against: whom habits speak against. limit: t-value that a
    new piece must reach.
    """

    reports: Floats
    units: Floats
    gap: Floats
    affine: Flags
    against: Flags
    limit: float


@dataclass(frozen=True, eq=False)
class _Fit:
    """Least squares of some pieces: columns, whose they are, and what is left of the gap."""

    columns: Floats
    owner: NDArray[np.int64]
    inverse: Floats
    weights: Floats
    cost: Floats
    left: Floats


def explain(window: Window, before: list[Piece], terms: AttributionTerms) -> list[Piece]:
    """Return the pieces that explain a window; `before` are those of the last row, moved to it."""
    search = _Search(window, terms)
    kept = [one for one in before if one.last > 0]
    pieces = search.best(kept)
    young = [one for one in pieces if one.first >= 0 and one.sure < terms.patience]
    if young:
        # what came first may stand in the way of what explains all of it
        other = search.best([one for one in kept if one not in young and one.first < 0])
        if search.price(other) < search.price(pieces) - terms.lead:
            pieces = other
    return search.judged(pieces)


class _Search:
    """One window searched; sums from each row to the last, fits and gains are made once."""

    def __init__(self, window: Window, terms: AttributionTerms) -> None:
        self.window, self.terms = window, terms
        self.rows, self.members = window.reports.shape
        self.who = np.flatnonzero(window.affine)
        self.own = _from(window.reports**2)
        self.unit = _from(window.units[:, self.who] ** 2)
        self.both = _from(window.reports[:, self.who] * window.units[:, self.who])
        self.fits: dict[_Key, _Fit] = {}
        self.gained: dict[_Key, Floats] = {}

    def best(self, pieces: list[Piece]) -> list[Piece]:
        """Return the pieces after all changes that help."""
        for _ in range(3 * self.terms.pieces):
            fit = self.fit(pieces)
            better = self.dropped(pieces, fit)
            if better is None:
                better = self.added(pieces, fit)
            if better is None:
                better = self.exchanged(pieces, fit)
            if better is None:
                break
            pieces = better
        return pieces

    def price(self, pieces: list[Piece]) -> float:
        """Return the squared gap that pieces leave, and what those of this window cost."""
        born = sum(one.first >= 0 for one in pieces) * self.window.limit**2
        ended = sum(one.last < self.rows for one in pieces) * self.terms.end**2
        return float((self.fit(pieces).left ** 2).sum() + born + ended)

    def fit(self, pieces: list[Piece]) -> _Fit:
        """Return the least squares of some pieces."""
        key = _key(pieces)
        if key not in self.fits:
            self.fits[key] = self.fitted(pieces)
        return self.fits[key]

    def fitted(self, pieces: list[Piece]) -> _Fit:
        columns, owner = [], []
        for at, one in enumerate(pieces):
            part = slice(max(one.first, 0), one.last)
            sources = [self.window.reports]
            if self.window.affine[one.member]:
                sources.append(self.window.units)
            for source in sources:
                column = np.zeros(self.rows)
                column[part] = source[part, one.member]
                columns.append(column)
                owner.append(at)
        matrix: Floats = np.array(columns, float).reshape(len(columns), self.rows).T
        product = matrix.T @ matrix
        ridge = np.diag(1e-4 * np.diag(product) + 1e-3)
        inverse = np.asarray(np.linalg.inv(product + ridge), np.float64)
        weights = inverse @ (matrix.T @ self.window.gap)
        owners = np.array(owner, np.int64)
        cost = np.zeros(len(pieces))
        for at in range(len(pieces)):
            mine = owners == at
            cost[at] = weights[mine] @ np.linalg.inv(inverse[np.ix_(mine, mine)]) @ weights[mine]
        left = self.window.gap - matrix @ weights
        return _Fit(matrix, owners, inverse, weights, cost, left)

    def material(self, fit: _Fit, pieces: list[Piece]) -> Flags:
        """Say which pieces are worth anything: by their mean error over their mean report."""
        size = np.zeros(len(pieces))
        for at, one in enumerate(pieces):
            mine = fit.owner == at
            error = np.abs((fit.columns[:, mine] @ fit.weights[mine]).sum())
            part = slice(max(one.first, 0), one.last)
            size[at] = error / max(np.abs(self.window.reports[part, one.member]).sum(), 1e-9)
        return np.asarray(size >= 0.5 * self.terms.worth)

    def dropped(self, pieces: list[Piece], fit: _Fit) -> list[Piece] | None:
        """Return the pieces without the weakest, if it is too weak to stay."""
        if not pieces:
            return None
        worth = np.where(self.material(fit, pieces), fit.cost, -1.0)
        weakest = int(worth.argmin())
        if worth[weakest] >= self.terms.holds**2:
            return None
        return pieces[:weakest] + pieces[weakest + 1 :]

    def gains(self, pieces: list[Piece]) -> Floats:
        """Return what a new piece from each row on would gain beside some. (row, member)"""
        key = _key(pieces)
        if key not in self.gained:
            self.gained[key] = self.gaining(self.fit(pieces))
        return self.gained[key]

    def gaining(self, fit: _Fit) -> Floats:
        window, who = self.window, self.who
        left = fit.left[:, None]
        with_left, free = _from(window.reports * left), self.own
        units_left, unit, both = _from(window.units[:, who] * left), self.unit, self.both
        if len(fit.owner):
            shared = np.stack([_from(window.reports * one[:, None]) for one in fit.columns.T])
            known = np.tensordot(fit.inverse, shared, 1)
            free = free - (shared * known).sum(axis=0)
            units = np.stack([_from(window.units[:, who] * one[:, None]) for one in fit.columns.T])
            unit = unit - (units * np.tensordot(fit.inverse, units, 1)).sum(axis=0)
            both = both - (units * known[:, :, who]).sum(axis=0)
        usable = free > 0.05 * self.own + 1e-6
        usable[self.rows - self.terms.rows + 1 :] = False
        share = np.where(usable, with_left / np.where(usable, free, 1.0), 0.0)
        gain = np.where(np.abs(share) >= self.terms.worth, with_left * share, 0.0)
        # with a constant beside the share: what the constant adds once the share is taken
        rest = unit - both * both / np.where(usable[:, who], free[:, who], 1.0)
        there = usable[:, who] & (rest > 0.05 * self.unit + 1e-9)
        more = (units_left - both * share[:, who]) ** 2 / np.where(there, rest, 1.0)
        gain[:, who] = np.where(
            usable[:, who], (with_left * share)[:, who] + np.where(there, more, 0.0), 0.0
        )
        return gain

    def added(self, pieces: list[Piece], fit: _Fit) -> list[Piece] | None:
        """Return the pieces with the best change, if one is worth its price."""
        price = np.full(self.members, self.window.limit**2)
        best: tuple[float, list[Piece]] = (0.0, [])
        for at, piece in enumerate(pieces):
            if piece.last < self.rows:
                continue
            mine = fit.owner == at
            part = fit.columns[:, mine] @ fit.weights[mine]
            ending = -_from((2 * fit.left * part + part**2)[:, None])[:, 0] - self.terms.end**2
            ending[: max(piece.first, 0) + 1] = -np.inf
            row = int(ending.argmax())
            if ending[row] > best[0]:
                ended = Piece(piece.member, piece.first, row, sure=piece.sure)
                best = (float(ending[row]), [*pieces[:at], ended, *pieces[at + 1 :]])
            price[piece.member] = self.terms.change**2
        if len(pieces) < self.terms.pieces:
            value = self.gains(pieces) - price
            row, member = divmod(int(value.argmax()), self.members)
            if value[row, member] > best[0]:
                best = (float(value[row, member]), _with(pieces, member, row, self.rows))
        return best[1] if best[0] > 0 else None

    def exchanged(self, pieces: list[Piece], fit: _Fit) -> list[Piece] | None:
        """Return the pieces with one that another explains better, or that began another time."""
        for at, piece in enumerate(pieces):
            if piece.last < self.rows or (piece.first < 0 and piece.sure >= self.terms.patience):
                continue
            others = pieces[:at] + pieces[at + 1 :]
            gain = self.gains(others).copy()
            gain[:, [one.member for one in others if one.last == self.rows]] = 0.0
            if piece.sure >= self.terms.patience:
                gain[:, np.arange(self.members) != piece.member] -= self.terms.lead
            row, member = divmod(int(gain.argmax()), self.members)
            if gain[row, member] > fit.cost[at] + 2.0:
                sure = piece.sure if member == piece.member else 0
                return [*others, Piece(member, row, self.rows, sure=sure)]
        return None

    def judged(self, pieces: list[Piece]) -> list[Piece]:
        """Return the pieces with shares and strengths, and whether each is blamed."""
        fit, found = self.fit(pieces), []
        for at, piece in enumerate(pieces):
            sure = piece.sure
            if sure < self.terms.patience and piece.last == self.rows:
                gain = self.gains(pieces[:at] + pieces[at + 1 :]).copy()
                gain[:, piece.member] = 0.0
                square = fit.left**2
                newest = float(np.mean(square[-self.terms.rows :]))
                lacks = max(1.0, float(np.mean(square[max(piece.first, 0) :])))
                exact = lacks <= self.terms.exact and self.rows - piece.first >= self.terms.proven
                clear = (
                    (exact or not self.window.against[piece.member])
                    and newest <= self.terms.unsettled
                    and fit.cost[at] - gain.max() >= self.terms.lead * lacks
                )
                sure = sure + 1 if clear and fit.cost[at] >= self.window.limit**2 * lacks else 0
            share, *offset = fit.weights[fit.owner == at].tolist()
            found.append(
                Piece(piece.member, piece.first, piece.last, share, sum(offset),
                      float(np.sqrt(fit.cost[at])), sure)
            )  # fmt: skip
        return found


def _key(pieces: list[Piece]) -> _Key:
    return tuple((one.member, max(one.first, 0), one.last) for one in pieces)


def _with(pieces: list[Piece], member: int, row: int, rows: int) -> list[Piece]:
    """Return the pieces with a new one; one of the same member ends where it begins."""
    kept, sure = [], 0
    for one in pieces:
        if one.member == member and one.last > row:
            sure = max(sure, one.sure)
            if one.first < row:
                kept.append(Piece(member, one.first, row, sure=one.sure))
        else:
            kept.append(one)
    return [*kept, Piece(member, row, rows, sure=sure)]


def _from(values: Floats) -> Floats:
    """Return the sum from each row to the last."""
    return np.cumsum(values[::-1], axis=0)[::-1]
