"""The exact front by Aneja and Nair's method on HiGHS: a linear program for every corner.

Between two known corners the program whose weights make both equally good either finds a corner
beyond their line, or proves that there is none (Aneja and Nair 1979). Slower than `parametric`,
and independent of it: it steps in where that walk gets lost, and tests hold the two together.
"""

from typing import Any

import numpy as np

from gridpact.errors import MarketError
from gridpact.market.pareto_case import Case, Floats
from gridpact.market.pareto_front import Front, of_tables


def exact(case: Case) -> Front:
    """Return the exact front; of length 0 if nothing is allowed."""
    program = _Program(case)
    cheapest = program.least(1.0, 0.0)
    if cheapest is None:
        return Front(case, np.zeros((0, 2)), (), True)
    first = program.within(0, cheapest)
    last = program.within(1, program.solved(0.0, 1.0))
    if np.abs(program.costs @ (last - first).ravel()).max() < 1e-7:
        return of_tables(case, first[None] * case.scale, is_exact=True)
    found = [first, *program.between(first, last), last]
    return of_tables(case, np.array(found) * case.scale, is_exact=True)


def cheapest(case: Case) -> Floats | None:
    """Return the scheme of least cost, None if nothing is allowed."""
    found = _Program(case).least(1.0, 0.0)
    return None if found is None else found * case.scale


class _Program:
    """The linear program of a case in shares of its largest energy, price and weight."""

    def __init__(self, case: Case) -> None:
        from scipy import sparse

        self.case, (suppliers, users) = case, case.shape
        self.costs = np.stack(
            [
                case.unit_cost.ravel() / (np.abs(case.unit_cost).max() or 1.0),
                -np.repeat(case.weight, users) / (case.weight.max() or 1.0),
            ]
        )
        sold = sparse.kron(sparse.eye(suppliers), np.ones((1, users)))
        taken = sparse.kron(np.ones((1, suppliers)), sparse.eye(users))
        rows: list[Any] = [sold, taken, -taken]
        limits = [case.capacity, case.demand_max, -case.demand_min]
        if case.is_capped:
            above = case.unit_cost.ravel() - case.price_cap
            rows.append(sparse.csr_matrix(above / (np.abs(above).max() or 1.0)))
            limits.append(np.zeros(1))
        self.rows = sparse.vstack(rows, format="csr")
        self.limits = np.concatenate(limits) / case.scale

    def least(
        self, cost: float, sales: float, also: tuple[int, float] | None = None
    ) -> Floats | None:
        """Return the scheme with the least weighted sum; None if nothing is allowed.

        `also` keeps one of the objectives at or below a value.
        """
        from scipy import sparse
        from scipy.optimize import linprog

        rows, limits = self.rows, self.limits
        if also is not None:
            rows = sparse.vstack([rows, self.costs[also[0]]], format="csr")
            limits = np.append(limits, also[1])
        most = np.full(self.costs.shape[1], np.inf)
        most[self.case.barred] = 0.0
        answer = linprog(
            cost * self.costs[0] + sales * self.costs[1],
            A_ub=rows,
            b_ub=limits,
            bounds=[(0.0, high) for high in most.tolist()],
            method="highs-ds",
        )
        if answer.status == 2:
            return None
        if answer.status != 0:
            raise MarketError(f"the linear program of a trading case: {answer.message}")
        found = np.asarray(answer.x, np.float64)
        return np.maximum(found, 0.0).reshape(self.case.shape)

    def solved(self, cost: float, sales: float) -> Floats:
        found = self.least(cost, sales)
        if found is None:
            raise MarketError("a trading case that has a scheme is said to have none")
        return found

    def within(self, objective: int, scheme: Floats) -> Floats:
        """Return the best scheme by the other objective among those as good as one by this."""
        kept = (objective, float(self.costs[objective] @ scheme.ravel()) + 1e-10)
        found = self.least(float(objective == 1), float(objective == 0), kept)
        # a scheme keeps its limits within the solver's tolerance only, which may be wider than this
        return scheme if found is None else found

    def between(self, left: Floats, right: Floats) -> list[Floats]:
        """Return the corners between two, in order."""
        found = list[Floats]()
        stack = [(left, right)]
        while stack:
            a, b = stack.pop()
            at_a, at_b = (self.costs @ one.ravel() for one in (a, b))
            rise, gain = at_b[0] - at_a[0], at_a[1] - at_b[1]
            if rise < 1e-9 or gain < 1e-9:
                continue
            c = self.solved(float(gain), float(rise))
            at_c = self.costs @ c.ravel()
            weights = np.array([gain, rise])
            if weights @ at_c < weights @ at_a - 1e-9 * (rise + gain):
                found.append(c)
                stack += [(a, c), (c, b)]
        return sorted(found, key=lambda one: float(self.costs[0] @ one.ravel()))
