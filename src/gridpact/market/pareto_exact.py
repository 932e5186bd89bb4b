"""The exact front of a trading case: the walk along it, and linear programs where it gets lost."""

import numpy as np

from gridpact.market import aneja_nair, parametric
from gridpact.market.pareto_case import Case, Floats
from gridpact.market.pareto_front import Front


def exact(case: Case) -> Front:
    """Return the exact front; of length 0 if nothing is allowed.

    Raises
    ------
    MarketError
        Neither method solves the case: its numbers lie too far apart.
    """
    if case.is_short:
        # said here, for next to huge numbers both methods take a small shortage for rounding
        return Front(case, np.zeros((0, 2)), (), True)
    front = parametric.exact(case)
    return aneja_nair.exact(case) if front is None else front


def cheapest(case: Case) -> Floats | None:
    """Return the scheme of least cost, (supplier, user); None if nothing is allowed."""
    found = parametric.cheapest(case)
    if found is None:
        return aneja_nair.cheapest(case)
    return found[0].table(case.shape) if found else None
