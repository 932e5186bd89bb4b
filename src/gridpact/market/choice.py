"""Which mechanism does a market clear by, with which settings, and what may its fills cost?"""

import dataclasses
from collections.abc import Mapping

from gridpact.errors import BadInput
from gridpact.market.clearing import Pricing
from gridpact.market.concession import Concession
from gridpact.market.grid_optimal import Carrier, GridOptimal
from gridpact.market.mechanism import Budget, Mechanism
from gridpact.market.mechanisms import Known, mechanism
from gridpact.market.negotiation import Negotiation
from gridpact.model.market import MarketTerms, Setting


def chosen(terms: MarketTerms) -> Known:
    """Return a mechanism with the settings of a market: fields of its own, by name.

    Raises
    ------
    BadInput
        There is no such mechanism, or it has no such setting.
    """
    known = mechanism(terms.mechanism)
    own = settings_of(known.match)
    for name, _ in terms.settings:
        if name not in own:
            there = ", ".join(own) or "none"
            raise BadInput(f"{terms.mechanism} has no setting {name!r}, there are: {there}")
    if not terms.settings:
        return known
    return known._replace(match=dataclasses.replace(known.match, **dict(terms.settings)))  # type: ignore[type-var]


def settings_of(match: Mechanism) -> Mapping[str, Setting]:
    """Return what can be set of a mechanism, and its value; nothing of a plain function."""
    if not dataclasses.is_dataclass(match):
        return {}
    values = {field.name: getattr(match, field.name) for field in dataclasses.fields(match)}
    return {name: value for name, value in values.items() if isinstance(value, Setting)}


def asking(match: Mechanism, wires: Carrier) -> Mechanism:
    """Return a mechanism that asks these wires while it clears, if it asks any."""
    return dataclasses.replace(match, wires=wires) if isinstance(match, GridOptimal) else match


def concession(terms: MarketTerms) -> Concession | None:
    """Return how the devices of a market negotiate; None where they do not."""
    match = chosen(terms).match
    if not isinstance(match, Negotiation):
        return None
    return Concession(match.rounds, match.buyer, match.seller)


def levies(terms: MarketTerms) -> bool:
    """Say whether a local buyer may pay more than its seller gets and the wires cost."""
    return mechanism(terms.mechanism).claims.budget is not Budget.BALANCED


def pricing(terms: MarketTerms) -> Pricing:
    """Return what a fill of the local tier may cost in a market."""
    if terms.by_merit:
        return Pricing.OFFER
    return Pricing.LEVIED if levies(terms) else Pricing.BETWEEN
