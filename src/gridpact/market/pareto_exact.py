"""The exact front of a trading case: the walk along it, and linear programs where it gets lost."""

from gridpact.market import aneja_nair, parametric
from gridpact.market.pareto_case import Case
from gridpact.market.pareto_front import Front


def exact(case: Case) -> Front:
    """Return the exact front; of length 0 if nothing is allowed.

    Raises
    ------
    MarketError
        Neither method solves the case: its numbers lie too far apart.
    """
    front = parametric.exact(case)
    return aneja_nair.exact(case) if front is None else front
