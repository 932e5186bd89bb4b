"""The mechanisms that a scenario, `gridpact solve` and a study know by name."""

from collections.abc import Mapping
from typing import NamedTuple

from gridpact.errors import BadInput
from gridpact.market import (
    continuous,
    grid_optimal,
    matching_degree,
    merit_order,
    muda,
    nash_bargaining,
    negotiation,
    pareto,
    pay_as_bid,
    seller_choice,
    uniform_price,
    vickrey,
)
from gridpact.market.mechanism import Claims, Mechanism


class Known(NamedTuple):
    """A mechanism and what it claims."""

    match: Mechanism
    claims: Claims


MECHANISMS: Mapping[str, Known] = {
    "merit_order": Known(merit_order.match, merit_order.CLAIMS),
    "uniform_price": Known(uniform_price.match, uniform_price.CLAIMS),
    "pay_as_bid": Known(pay_as_bid.match, pay_as_bid.CLAIMS),
    "vickrey": Known(vickrey.match, vickrey.CLAIMS),
    "mcafee": Known(vickrey.reduced, vickrey.REDUCED),
    "muda": Known(muda.match, muda.CLAIMS),
    "continuous": Known(continuous.match, continuous.CLAIMS),
    "seller_choice": Known(seller_choice.SellerChoice(), seller_choice.CLAIMS),
    "nash_bargaining": Known(nash_bargaining.match, nash_bargaining.CLAIMS),
    "negotiation": Known(negotiation.match, negotiation.CLAIMS),
    "pareto": Known(pareto.match, pareto.CLAIMS),
    "grid_optimal": Known(grid_optimal.match, grid_optimal.CLAIMS),
    "matching_degree": Known(matching_degree.match, matching_degree.CLAIMS),
}


def mechanism(name: str) -> Known:
    """Return a mechanism by its name."""
    if name not in MECHANISMS:
        raise BadInput(f"mechanism {name!r} is not known, expected {', '.join(MECHANISMS)}")
    return MECHANISMS[name]
