"""All that a report says of a finished day, worked out once from its records.

`examine` also checks that the report's money is the ledgers' money (`money.require_booked`).
"""

from dataclasses import dataclass

from gridpact.assembly.day import DayResult
from gridpact.report.claims import Claim, claims
from gridpact.report.comparison import Comparison, compare
from gridpact.report.money import require_booked
from gridpact.report.series import Series, series


@dataclass(frozen=True, eq=False)
class Findings:
    """A day with what it came to."""

    day: DayResult
    compared: Comparison
    curves: Series
    claims: tuple[Claim, ...]


def examine(day: DayResult) -> Findings:
    """Return what a day came to.

    Raises
    ------
    SettlementError
        Money that does not add up, or is not what the ledgers hold.
    """
    require_booked(day)
    compared, curves = compare(day), series(day)
    return Findings(day, compared, curves, claims(day, compared, curves))
