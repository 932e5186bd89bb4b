"""The table [reputation]: by which rule sellers are rated, what a breach costs, and the numbers.

A scheme names its rule and `rule = "…"` overrides it. The table may hold numbers of several rules,
so that one line changes the rule; those of the others wait until theirs is chosen.
"""

from collections.abc import Callable, Mapping

from gridpact.model.participant import ReviewTerms
from gridpact.model.rating import (
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
)
from gridpact.quantities import MICRO, PPM, Price, Score, Wh, whole
from gridpact.scenario.scenario import Sanctions
from gridpact.scenario.table import Table


def read_rating(table: Table, usual: str) -> RatingTerms:
    """Return the terms of the rule that is named, or of the scheme's usual one.

    Raises
    ------
    ScenarioError
        A rule that is not known, a key of none, a number that its rule cannot have.
    """
    rule = table.text("rule", usual, choices=tuple(_READERS))
    keys, read = _READERS[rule]
    terms = read(table)
    for others, _ in _READERS.values():
        table.know(*(key for key in others if key not in keys))
    table.know("deposit_share", "fine_per_kwh")
    table.finish()
    return terms


def read_sanctions(table: Table, rating: RatingTerms, feed_in: Price) -> Sanctions:
    """Return what sellers put down and what a breach costs; `table` is that of `read_rating`.

    By credibility a newcomer trades on its deposit, so there is one unless the table says 0, and a
    missing kWh costs the feed-in tariff; by the other rules there is neither unless given.
    """
    usual = (USUAL_DEPOSIT, feed_in / MICRO) if isinstance(rating, CredibilityTerms) else (0.0, 0.0)
    review = ReviewTerms(
        fine=whole(table.number("fine_per_kwh", usual[1], high=1000.0) * MICRO),
        tolerance=_share(table, "tolerance_share", 0.25),
        plant_tolerance=_share(table, "plant_tolerance_share", 0.10),
    )
    return Sanctions(whole(table.number("deposit_share", usual[0], high=100.0) * PPM), review)


def _feedback(table: Table) -> FeedbackTerms:
    """A miss must weigh more than keeping (gain < loss)."""
    terms = FeedbackTerms(
        gain=_share(table, "gain_share", 0.1),
        loss=_share(table, "loss_share", 0.3),
        prior=_share(table, "prior_share", 0.5),
        floor=_share(table, "floor_share", 0.1),
        reference_wh=_reference(table),
    )
    if terms.gain >= terms.loss:
        raise table.error("gain_share", "is not below loss_share")
    if terms.floor > terms.prior:
        raise table.error("floor_share", "is above prior_share")
    return terms


def _comprehensive(table: Table) -> ComprehensiveTerms:
    """What an interval counts, alpha; the delivered share of sums is never above 1 on a chain."""
    return ComprehensiveTerms(weight=_share(table, "weight_share", 0.4))


def _credibility(table: Table) -> CredibilityTerms:
    terms = CredibilityTerms(
        weight=whole(table.number("volume_weight", 1.0, low=0.001, high=1000.0) * PPM),
        half_life_days=table.whole("half_life_days", 30, low=1, high=3650),
        tolerance=_share(table, "tolerance_share", 0.25),
        plant_tolerance=_share(table, "plant_tolerance_share", 0.10),
        reference_wh=_reference(table),
        floor=_share(table, "suspend_below_share", 0.0),
        away=table.whole("suspend_intervals", 168, low=1, high=10**6),
    )
    if terms.plant_tolerance > terms.tolerance:
        raise table.error("plant_tolerance_share", "is above tolerance_share")
    return terms


def _share(table: Table, key: str, default: float) -> Score:
    return whole(table.number(key, default, high=1.0) * PPM)


def _reference(table: Table) -> Wh:
    return whole(table.number("reference_kwh", 20.0, low=0.001, high=1e6) * 1000)


USUAL_DEPOSIT = 0.5
"""Of what a seller can send at the highest retail price: covers all of it at usual caps."""

_Reader = Callable[[Table], RatingTerms]
_READERS: Mapping[str, tuple[tuple[str, ...], _Reader]] = {
    "feedback": (
        ("gain_share", "loss_share", "prior_share", "floor_share", "reference_kwh"),
        _feedback,
    ),
    "comprehensive": (("weight_share",), _comprehensive),
    "credibility": (
        (
            *("volume_weight", "half_life_days", "tolerance_share", "plant_tolerance_share"),
            *("reference_kwh", "suspend_below_share", "suspend_intervals"),
        ),
        _credibility,
    ),
}
