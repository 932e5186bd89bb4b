"""The exact front of a trading case: every corner, by walking from one to the next.

The front of two linear objectives is the answer to `min cost - t * sales` for every t from 0 to
infinity. The walk keeps one basis of the linear program and lets t grow: where the basis stops
being optimal one pivot leads to the neighbouring corner (the parametric simplex method). Each
corner costs a few pivots instead of a linear program of its own, which is what Aneja and Nair's
method solves for it; `aneja_nair` does that on HiGHS and is what tests compare with.

Columns of the table are never stored: that of a trade (s, u) is 1 in its supplier's row, 1 in its
user's rows and `unit_cost - price_cap` in the row of the cap, so prices of all columns are sums of
a few vectors. Ties between leaving rows are broken lexicographically, which rules out cycling.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.market.pareto_case import Case, Floats, Places
from gridpact.market.pareto_front import Front, Sparse

_ZERO = 1e-11
"""Below this, in shares of the largest number, two ratios are the same."""
_PIVOT = 1e-9
"""Least pivot: below it a number is rounding."""
_RENEW = 300
"""Pivots after which the inverse is made anew from its columns."""


def exact(case: Case, most_pivots: int | None = None) -> Front | None:
    """Return the exact front; of length 0 if nothing is allowed; None if the walk got lost.

    The walk is lost when it takes more than `most_pivots` (default: 50 for each row, and 1,000) or
    when rounding leaves a corner outside the limits: each is checked before it is believed.
    """
    walk = _Walk(case)
    left = most_pivots if most_pivots is not None else 1000 + 50 * walk.rows
    try:
        walk.allow(left)
        if not walk.is_feasible():
            return Front(case, np.zeros((0, 2)), (), True)
        return walk.front(left)
    except _LostError:
        return None


def cheapest(case: Case) -> list[Sparse] | None:
    """Return a scheme of least cost, none if nothing is allowed; None if the walk got lost."""
    walk = _Walk(case)
    left = 1000 + 50 * walk.rows
    try:
        walk.allow(left)
        if not walk.is_feasible():
            return []
        walk.descend(left)
        return list(_front(case, [walk.corner()]).schemes)
    except _LostError:
        return None


class _LostError(Exception):
    """Rounding won."""


@dataclass(frozen=True)
class _Column:
    """What enters: the place of a trade, or a slack behind all trades; its column of the table."""

    place: int
    alpha: Floats


class _Walk:
    """One basis of the linear program, and its pivots.

    Rows: a supplier's capacity, a user's most, a user's least where it is above 0, the price cap.
    Variables: the trades, then a slack a row, then the one row's shortfall for the least demands.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        suppliers, users = case.shape
        self.least = np.flatnonzero(case.demand_min > 0)
        self.trades = suppliers * users
        self.first_least = suppliers + users
        self.cap_row = self.first_least + len(self.least) if case.is_capped else None
        self.rows = self.first_least + len(self.least) + (self.cap_row is not None)
        self.least_row = np.full(users, -1)
        self.least_row[self.least] = self.first_least + np.arange(len(self.least))
        self.sign = np.ones(self.rows)
        self.sign[self.least_row[self.least]] = -1.0
        limits = [case.capacity, case.demand_max, case.demand_min[self.least]]
        self.limit = np.concatenate([*limits, [0.0] * (self.cap_row is not None)]) / case.scale
        self.above = self._above()
        self.cost = self._objective(case.unit_cost)
        self.sales = self._objective(np.repeat(-case.weight[:, None], users, axis=1))
        self.shortfall = np.zeros(self.trades + 2 * self.rows)
        self.shortfall[self.trades + self.rows :] = 1.0
        # the columns that may enter: trades that are not barred, then the slacks
        may = np.ones(self.trades + self.rows, np.bool_)
        may[case.barred] = False
        self.open = np.flatnonzero(may)
        self.at = np.cumsum(may) - 1
        self.at[case.barred] = -1
        self.supplier, self.user = np.divmod(self.open[: -self.rows], users)
        self.open_above = self.above[self.supplier, self.user]
        self.pivots = 0
        # the first basis: all slacks, but the shortfalls of least demands
        self.basis = self.trades + np.arange(self.rows)
        self.basis[self.least_row[self.least]] += self.rows
        self.inverse: Floats = np.eye(self.rows)
        self.value = self.limit.copy()

    def _above(self) -> Floats:
        """Return the price row's coefficients, scaled to at most 1."""
        if self.cap_row is None:
            return np.zeros(self.case.shape)
        above = self.case.unit_cost - self.case.price_cap
        return np.asarray(above / (np.abs(above).max() or 1.0), np.float64)

    def _objective(self, per_trade: Floats) -> Floats:
        """Return a cost of every variable, scaled to at most 1; slacks and shortfalls are free."""
        largest = np.abs(per_trade).max() or 1.0
        free = np.zeros(2 * self.rows)
        return np.concatenate([per_trade.ravel() / largest, free])

    # -- three stages ---------------------------------------------------------------------------

    def allow(self, most: int) -> None:
        """Drive out the shortfalls: look for any scheme that is allowed."""
        self._down(self.shortfall, most)
        if not self.is_feasible():
            return
        for row in np.flatnonzero(self.basis >= self.trades + self.rows):
            self._expel(int(row))

    def is_feasible(self) -> bool:
        """Say whether no least demand falls short any more."""
        short = self.basis >= self.trades + self.rows
        return float(self.value[short].sum()) <= 1e-9

    def descend(self, most: int) -> None:
        """Go to a corner of least cost."""
        self._down(self.cost, most)

    def front(self, most: int) -> Front:
        """Return the corners from the least cost, with most sales at it, to the most sales."""
        self.descend(most)
        corners, now = list[Sparse](), 0.0
        while True:
            step = self._next_bend()
            if step is None:
                break
            at, places = step
            if at > now + _ZERO * (1 + now):
                corners.append(self.corner())
                now = at
            self._turn(places, now, most)
        corners.append(self.corner())
        return _front(self.case, corners)

    # -- which column enters --------------------------------------------------------------------

    def _reduced(self, objective: Floats) -> Floats:
        """Return what a unit of each open column would change the objective by; basic ones: 0."""
        dual = objective[self.basis] @ self.inverse
        suppliers, _ = self.case.shape
        by_user = dual[suppliers : self.first_least].copy()
        by_user[self.least] += dual[self.least_row[self.least]]
        reduced = objective[self.open]
        trades = reduced[: -self.rows]
        trades -= dual[self.supplier]
        trades -= by_user[self.user]
        if self.cap_row is not None:
            trades -= dual[self.cap_row] * self.open_above
        reduced[-self.rows :] -= dual * self.sign
        basic = self.at[self.basis[self.basis < len(self.at)]]
        reduced[basic[basic >= 0]] = 0.0
        return reduced

    def _down(self, objective: Floats, most: int) -> None:
        """Pivot until no column lowers an objective.

        Pricing all columns is what costs time, so each time the best of every supplier are tried.
        """
        while len(places := self._best(self._reduced(objective))):
            for place in places.tolist():
                column = self._column(place)
                if objective[place] - objective[self.basis] @ column.alpha < -_PIVOT:
                    self._pivot(column, most)

    def _best(self, reduced: Floats) -> Places:
        """Return the columns that lower an objective most, of every supplier and of the slacks."""
        suppliers, users = self.case.shape
        all_ = np.zeros(self.trades + self.rows)
        all_[self.open] = reduced
        places = np.append(
            all_[: self.trades].reshape(suppliers, users).argmin(axis=1)
            + users * np.arange(suppliers),
            self.trades + all_[self.trades :].argmin(),
        )
        places = places[all_[places] < -_PIVOT]
        return np.asarray(places[np.argsort(all_[places], kind="stable")])

    def _turn(self, places: Places, now: float, most: int) -> None:
        """Let in the columns that raise sales at a bend, as long as they do.

        Thousands may stand at one bend and few of them enter, so after each pivot all that are left
        are priced at once, and those that are of no use any more are passed over.
        """
        most_price = now + _ZERO * (1 + now)
        self._pivot(self._column(int(places[0])), most)
        rest = places[1:]
        while len(rest):
            gain = -self._reduced_of(rest, self.sales)
            price = self._reduced_of(rest, self.cost)
            useful = np.flatnonzero((gain > _PIVOT) & (price <= most_price * gain))
            if not len(useful):
                break
            self._pivot(self._column(int(rest[useful[0]])), most)
            rest = rest[useful[0] + 1 :]

    def _reduced_of(self, places: Places, objective: Floats) -> Floats:
        """Return what one unit of some variables would change the objective by."""
        dual = objective[self.basis] @ self.inverse
        trades = places < self.trades
        supplier, user = np.divmod(places[trades], self.case.shape[1])
        change = objective[places]
        change[trades] -= dual[supplier] + dual[self.case.shape[0] + user]
        bound = self.least_row[user]
        change[trades] -= np.where(bound >= 0, dual[bound], 0.0)
        if self.cap_row is not None:
            change[trades] -= dual[self.cap_row] * self.above[supplier, user]
        row = places[~trades] - self.trades
        change[~trades] -= dual[row] * self.sign[row]
        return change

    def _next_bend(self) -> tuple[float, Places] | None:
        """Return the next t at which the basis stops being optimal, and which columns may enter."""
        sales = self._reduced(self.sales)
        gains = np.flatnonzero(sales < -_PIVOT)
        if not len(gains):
            return None
        at = np.maximum(self._reduced(self.cost)[gains], 0.0) / -sales[gains]
        least = at.min()
        tied = gains[at <= least + _ZERO * (1 + least)]
        return float(least), self.open[tied[np.argsort(sales[tied], kind="stable")]]

    def _column(self, place: int) -> _Column:
        """Return the column of a trade or a slack in terms of the basis."""
        if place >= self.trades:
            row = place - self.trades
            return _Column(place, self.inverse[:, row] * self.sign[row])
        supplier, user = divmod(place, self.case.shape[1])
        alpha = self.inverse[:, supplier] + self.inverse[:, self.case.shape[0] + user]
        if self.least_row[user] >= 0:
            alpha = alpha + self.inverse[:, self.least_row[user]]
        if self.cap_row is not None:
            alpha = alpha + self.above[supplier, user] * self.inverse[:, self.cap_row]
        return _Column(place, alpha)

    # -- which row leaves -----------------------------------------------------------------------

    def _pivot(self, entering: _Column, most: int) -> None:
        alpha = entering.alpha
        rises = np.flatnonzero(alpha > _PIVOT)
        if not len(rises) or self.pivots >= most:
            raise _LostError
        ratio = np.maximum(self.value[rises], 0.0) / alpha[rises]
        tied = rises[ratio <= ratio.min() + _ZERO]
        self._swap(self._first(tied, alpha), entering)

    def _first(self, tied: np.ndarray, alpha: Floats) -> int:
        """Return the lexicographically least of the rows whose values fall to 0 together."""
        if len(tied) == 1:
            return int(tied[0])
        rows = self.inverse[tied] / alpha[tied, None]
        alive = np.arange(len(tied))
        different = np.flatnonzero(np.ptp(rows, axis=0) > _ZERO)
        for column in different:
            values = rows[alive, column]
            alive = alive[values <= values.min() + _ZERO]
            if len(alive) == 1:
                break
        return int(tied[alive[0]])

    def _swap(self, row: int, entering: _Column) -> None:
        """Let a variable into the basis in a row's place."""
        alpha = entering.alpha
        line = self.inverse[row] / alpha[row]
        step = max(0.0, self.value[row]) / alpha[row]
        others, columns = np.flatnonzero(alpha), np.flatnonzero(line)
        self.inverse[np.ix_(others, columns)] -= np.outer(alpha[others], line[columns])
        self.inverse[row] = line
        self.value -= step * alpha
        self.value[row] = step
        self.basis[row] = entering.place
        self.pivots += 1
        if self.pivots % _RENEW == 0:
            self._renew()

    def _expel(self, row: int) -> None:
        """Replace a shortfall that stayed in the basis at 0."""
        line = self.inverse[row]
        suppliers, _ = self.case.shape
        by_user = line[suppliers : self.first_least].copy()
        by_user[self.least] += line[self.least_row[self.least]]
        table = line[:suppliers, None] + by_user
        if self.cap_row is not None:
            table = table + line[self.cap_row] * self.above
        across = np.concatenate([table.ravel(), line * self.sign])
        across[self.basis[self.basis < len(across)]] = 0.0
        across[self.case.barred] = 0.0
        self._swap(row, self._column(int(np.abs(across).argmax())))

    def _renew(self) -> None:
        """Make the inverse anew, and the values with it."""
        try:
            self.inverse = np.asarray(np.linalg.inv(self._basic_columns()), np.float64)
        except np.linalg.LinAlgError as error:
            raise _LostError from error
        self.inverse[np.abs(self.inverse) < 1e-14] = 0.0
        self.value = self.inverse @ self.limit

    def _basic_columns(self) -> Floats:
        table = np.zeros((self.rows, self.rows))
        places = np.flatnonzero(self.basis < self.trades)
        supplier, user = np.divmod(self.basis[places], self.case.shape[1])
        table[supplier, places] = 1.0
        table[self.case.shape[0] + user, places] = 1.0
        bound = self.least_row[user] >= 0
        table[self.least_row[user[bound]], places[bound]] = 1.0
        if self.cap_row is not None:
            table[self.cap_row, places] = self.above[supplier, user]
        for place in np.flatnonzero(self.basis >= self.trades):
            behind = int(self.basis[place]) - self.trades
            row = behind % self.rows
            table[row, place] = self.sign[row] if behind < self.rows else 1.0
        return table

    # -- what a basis trades --------------------------------------------------------------------

    def corner(self) -> Sparse:
        """Return the scheme of the basis; a value clearly below 0 is no scheme."""
        if self.value.min() < -1e-7:
            raise _LostError
        # exact values: the update has gathered rounding, the table of columns has none
        trades = self.basis < self.trades
        places, values = self.basis[trades], self.value[trades]
        kept = values > 1e-12
        order = np.argsort(places[kept])
        return Sparse(places[kept][order], values[kept][order] * self.case.scale)


def _front(case: Case, corners: list[Sparse]) -> Front:
    """Return the corners as a front, without those that rounding made the same as their neighbour.

    Raises
    ------
    _LostError
        A corner breaks a limit.
    """
    costs, weights = case.unit_cost.ravel(), np.repeat(case.weight, case.shape[1])
    points = np.array(
        [[one.energy @ costs[one.place], one.energy @ weights[one.place]] for one in corners]
    )
    keep = [0]
    # a sum's own rounding counts where all corners lie close together
    spread = np.maximum(np.ptp(points, axis=0), 1e-4 * np.abs(points).max(axis=0))
    for row in range(1, len(points)):
        rise = points[row] - points[keep[-1]]
        if (rise > 1e-9 * spread).any():
            keep.append(row)
    schemes = [corners[row] for row in keep]
    if any(case.violation(one.table(case.shape)) > 1e-7 for one in schemes):
        raise _LostError
    return Front(case, points[keep], schemes, True)
