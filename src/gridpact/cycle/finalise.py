"""Net settlement when a window is over: a part moves its money, and its sellers are rated.

A part is posted with its interval's settlement and can be proven wrong for `window` intervals; it
is final with the next one. What it held in disputes is settled by a part that is posted then and
final as much later. After the last interval of a run nothing is traded, and the parts that are
still open are closed interval by interval, in order of time.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from gridpact.cycle.market import Market
from gridpact.cycle.net import after_dispute
from gridpact.cycle.phase import once
from gridpact.cycle.rate import known
from gridpact.ledger.onchain import netting
from gridpact.ledger.onchain.netting import HELD
from gridpact.ledger.proving.recorded import final_parts
from gridpact.model.fine import fined
from gridpact.model.interval import Key, Phase
from gridpact.model.net import FinalPart
from gridpact.model.record import Finalised, Rated, Settlement
from gridpact.reputation.rule import Known, rated

PART = 4
"""The part of `SETTLE` under which an interval closes parts of earlier ones."""


def finalise(market: Market, interval: int) -> Finalised | None:
    """Close the parts whose window is over with this interval; None where there is none."""
    terms, key = market.council.terms, Key(market.region.id, interval, Phase.SETTLE, PART)
    due = final_parts(market.local, key, terms)
    if not due:
        return None

    def decide() -> Finalised:
        rows = rated_by(market, due)
        fines = fined(rows, market.local.deposit, market.rules.review)
        return Finalised(due, rows, fines, _held(market, due[0], key))

    return once(market.local, key, Finalised, decide)


def conclude(market: Market, intervals: int) -> tuple[Finalised, ...]:
    """Close the parts that are open after the last of so many intervals."""
    after = range(intervals, intervals + 2 * market.council.terms.wait)
    closed = (finalise(market, interval) for interval in after)
    return tuple(one for one in closed if one is not None)


def rated_by(market: Market, parts: Sequence[FinalPart]) -> tuple[Rated, ...]:
    """Return the sellers of final parts with their new reputations, part after part."""
    terms, seconds = market.rules.rating, market.timing.seconds
    stood: dict[bytes, Known] = {}
    rows = []
    for part in parts:
        for seller, agreed, sent in netting.sold(part.net):
            before = stood.get(seller) or known(market.local, seller, terms)
            row = rated(seller, before, agreed, sent, terms, part.interval, seconds)
            stood[seller] = Known(row.after, row.standing) if row.standing else Known(row.after)
            rows.append(row)
    return tuple(rows)


def _held(market: Market, first: FinalPart, asked: Key) -> Settlement | None:
    """Return the settlement of what a final part held, with the word under its part."""
    if first.number:
        return None
    key = Key(market.region.id, first.interval, Phase.SETTLE)
    after = after_dispute(market.local, key)
    if after is None:
        return None
    place, asked = replace(key, part=HELD), replace(asked, part=0)
    return market.council.under_part(market.local, place, after, asked)
