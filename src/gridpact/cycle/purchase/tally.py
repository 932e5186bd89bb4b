"""What one participant did in an interval of purchases, and what its meter makes of it."""

import msgspec

from gridpact.model.delivery import Metered
from gridpact.model.rating import CredibilityTerms
from gridpact.quantities import Wh
from gridpact.reputation import credibility


class Tally(msgspec.Struct, frozen=True):
    """One participant's interval, until the meters are read. [Wh]

    `agreed`, `billed`: what it sold and what it claims to have sent; `taken`: bought and paid in
    time; `withheld`: proven, and not confirmed.
    """

    agreed: Wh = 0
    billed: Wh = 0
    taken: Wh = 0
    withheld: Wh = 0

    def plus(self, more: "Tally") -> "Tally":
        """Return both as one."""
        return Tally(
            self.agreed + more.agreed,
            self.billed + more.billed,
            self.taken + more.taken,
            self.withheld + more.withheld,
        )


def judged(tally: Tally, meter: Metered, terms: CredibilityTerms) -> tuple[Wh, Wh]:
    """Return (kept, broken) of an interval, as far as a meter proves it.

    A seller is judged by what its meter sent, so a buyer that does not take the energy costs it no
    reputation; a bill beyond what was sent is a breach, too. A buyer owes its word for no more than
    it took. Nobody wins by words alone.
    """
    sent = min(tally.agreed, meter.export_wh)
    kept, short = credibility.judged(tally.agreed, sent, terms)
    _, invented = credibility.judged(tally.billed, sent, terms)
    bought = min(tally.taken, meter.import_wh)
    withheld = min(tally.withheld, meter.import_wh - bought)
    return kept + bought, max(short, invented) + withheld
