"""What breaches of an interval cost: one rule for the market that states it and who checks it.

`contracts/reputation.vy: _fine` and `registry.vy: fine` come to the same amounts.
"""

from collections.abc import Callable, Iterable

from gridpact.model.participant import ReviewTerms
from gridpact.model.record import Fine, Rated
from gridpact.quantities import Money


def fined(
    rated: Iterable[Rated], deposit: Callable[[bytes], Money], terms: ReviewTerms
) -> tuple[Fine, ...]:
    """Return what the breaches among an interval's ratings take of their sellers' deposits.

    Each at most what is held, row after row; who has nothing left pays nothing. A chain knows the
    sums of an interval and no trade's price, so a missing kWh has one price there
    (`ReviewTerms.owed`).
    """
    fines, left = [], dict[bytes, Money]()
    for row in rated:
        owed = terms.owed(row.agreed_wh, row.sent_wh)
        if not owed:
            continue
        held = left[row.participant] if row.participant in left else deposit(row.participant)
        left[row.participant] = held - min(owed, held)
        if taken := min(owed, held):
            fines.append(Fine(row.participant, taken, held - taken))
    return tuple(fines)
