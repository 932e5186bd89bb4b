"""How far sellers are believed at the end of a day, in the words of the rule that rated them."""

from typing import NamedTuple

from gridpact.assembly.day import DayResult
from gridpact.model.rating import (
    ONE,
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
)
from gridpact.model.record import Rated
from gridpact.quantities import PPM


class Ratings(NamedTuple):
    """A table: the rule's name, what it does, its columns, and a row per seller, best first."""

    rule: str
    words: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def ratings(day: DayResult) -> Ratings:
    """Return the last rating of every seller that was rated."""
    terms = day.scenario.rating
    last = {day.person(row.participant): row for result in day.intervals for row in result.rated}
    best = sorted(last.values(), key=lambda row: (-row.after, day.names[row.participant]))
    return Ratings(
        rule_name(terms),
        _words(terms),
        ("seller", *_columns(terms)),
        tuple((day.names[row.participant], *_cells(row)) for row in best),
    )


def rule_name(terms: RatingTerms) -> str:
    """Return the rule's name as a scenario writes it."""
    match terms:
        case FeedbackTerms():
            return "feedback"
        case ComprehensiveTerms():
            return "comprehensive"
        case CredibilityTerms():
            return "credibility"


def _words(terms: RatingTerms) -> str:
    match terms:
        case FeedbackTerms() as t:
            return (
                f"Reputation begins at {t.prior / PPM:g}. An interval kept in full raises it by"
                f" {t.gain / PPM:.0%} of what it lacks, one missed lowers it by {t.loss / PPM:.0%};"
                f" less than {t.reference_wh / 1000:g} kWh counts in proportion."
            )
        case ComprehensiveTerms() as t:
            return (
                "Comprehensive reputation RC begins at 0. Each interval the delivered share counts"
                f" {t.weight / PPM:.0%}, what was before the rest."
            )
        case CredibilityTerms() as t:
            return (
                "Credit is S / (S + 100), S the standing: what was kept in units of what a seller"
                " could sell in an interval, less five times what was broken."
                f" After {t.half_life_days} days the past counts half."
            )


def _columns(terms: RatingTerms) -> tuple[str, ...]:
    if isinstance(terms, CredibilityTerms):
        return ("Credit", "standing S", "intervals kept", "intervals broken")
    return ("RC",) if isinstance(terms, ComprehensiveTerms) else ("reputation",)


def _cells(row: Rated) -> tuple[str, ...]:
    score, stands = row.after / PPM, row.standing
    if stands is None:
        return (f"{score:.3f}",)
    return (f"{score:.4f}", f"{stands.points / ONE:.2f}", str(stands.kept), str(stands.broken))
