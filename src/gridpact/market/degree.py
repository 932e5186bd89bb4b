"""How well does a provider suit a user? The matching degree ([Cui22] eqs. 3, 4).

What a pair gains, zeta, against how far the provider is believed, RC: M = zeta RC / (zeta + RC). In
the paper zeta is money, so M hangs on the currency, saturates at RC for ordinary amounts, and
prefers dear providers; `scaled` and `balanced` (5-decisions, section 10) are shares from 0 to 1.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gridpact.market.assignment.problem import FORBIDDEN, Flags, Reals


class Mode(StrEnum):
    """What counts as a pair's gain.

    BALANCED: what both save together, (cap_i - r_j) R_i - eta_ij, over the user's largest.
    SCALED: the provider's income, R_i r_j - eta_ij, over the largest of all.
    PAPER: the income itself.
    """

    BALANCED = "balanced"
    SCALED = "scaled"
    PAPER = "paper"


@dataclass(frozen=True, eq=False)
class Degrees:
    """Matching degrees and gains of all pairs, (user, provider).

    degree
        M, `FORBIDDEN` where zeta < 0 or the pair may not trade.
    gain
        zeta, scaled as the mode says.
    """

    degree: Reals
    gain: Reals


def degrees(
    mode: Mode,
    demand: Reals,
    price: Reals,
    charge: Reals,
    reputation: Reals,
    cap: Reals | None = None,
    may: Flags | None = None,
) -> Degrees:
    """Return the matching degrees.

    Parameters
    ----------
    demand
        R_i [kWh]
    price
        r_j [currency per kWh]
    charge
        The network charge eta_ij, which the user pays. (user, provider) [currency]
    reputation
        RC_j, 1 for one who kept every word.
    cap
        The most that a user pays for energy and charge, for `balanced`. [currency per kWh]
    may
        Which pairs may trade at all; None: every pair.
    """
    paid = demand[:, None]
    if mode is Mode.BALANCED:
        if cap is None:
            raise ValueError("balanced degrees need the users' caps")
        gain = (cap[:, None] - price) * paid - charge
    else:
        gain = paid * price - charge
    allowed = gain >= 0 if may is None else (gain >= 0) & may
    if mode is not Mode.PAPER:
        axis = 1 if mode is Mode.BALANCED else None
        largest = np.max(gain, axis=axis, initial=0.0, where=allowed, keepdims=True)
        gain = gain / np.where(largest > 0, largest, 1.0)
    total = gain + reputation
    with np.errstate(invalid="ignore", divide="ignore"):
        degree = np.where(total > 0, gain * reputation / total, 0.0)
    return Degrees(np.where(allowed, degree, FORBIDDEN), np.where(allowed, gain, 0.0))
