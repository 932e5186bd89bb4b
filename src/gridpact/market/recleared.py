"""Is a posted clearing what its mechanism makes of the sealed book? For whoever audits one.

Every mechanism is a function of the book, and the book with prices, reputations and the draw's seed
is on record. The wires are not: what they cut, and what they answered to a mechanism that asks them
while it clears, is taken as the record states it; what is left must be the mechanism's own fills.
"""

from collections.abc import Mapping, Sequence

from gridpact.crypto.eip712 import Domain
from gridpact.errors import InvalidClearing
from gridpact.market.caps import Pairs
from gridpact.market.choice import asking, chosen, concession
from gridpact.market.cuts import remaining
from gridpact.market.local_book import local_book, local_offers
from gridpact.market.talks import check
from gridpact.market.wires import Replayed
from gridpact.model.market import MarketTerms
from gridpact.model.order import Code, Tier
from gridpact.model.record import Book, Cleared, Prices
from gridpact.model.trade import Fill


def recleared(
    terms: MarketTerms,
    book: Book,
    prices: Prices,
    posted: Cleared,
    buses: Mapping[bytes, int],
    domain: Domain,
) -> tuple[Fill, ...]:
    """Return the local fills of a sealed book before the grid check, computed again.

    `posted` tells the reputations by which each order was cleared, what the wires answered,
    and what devices said, signed for the chain's `domain`.

    Raises
    ------
    InvalidClearing
        Answers of the wires to questions that the mechanism does not ask, or a fill that is not
        what its two devices signed.
    """
    rows = zip(book.orders, posted.scores, strict=True)
    scores = {one.order.participant: score for one, score in rows}
    pairs = Pairs.of(prices, Tier.LOCAL)
    wires = Replayed(local_offers(book.orders), buses, posted.wires)
    match = asking(chosen(terms).match, wires)
    named = local_book(book.orders, pairs, buses, scores, book.seed)
    fills = named.fills(match(named.book))
    wires.require_used()
    negotiates, signed = concession(terms), any(one.signature for one in book.orders)
    if negotiates is not None and signed:
        check(posted.talks, named, fills, negotiates, domain)
    elif posted.talks:
        raise InvalidClearing(f"{len(posted.talks)} talks, and nobody negotiates")
    return fills


def other_fill(again: Sequence[Fill], posted: Cleared) -> str:
    """Return which local fill is not the mechanism's own, in words; "" if all are.

    Where limits could not be held at all nothing trades, and every fill is on record as refused.
    """
    there = [fill for fill in posted.fills if fill.tier is Tier.LOCAL]
    due = remaining(again, posted.cuts)
    if not posted.fills and not posted.cuts:
        refused = {one.hash for one in posted.refusals if one.code is Code.GRID}
        due = tuple(fill for fill in due if fill.offer not in refused)
    for index, (one, other) in enumerate(zip(there, due, strict=False)):
        if one != other:
            return f"local fill {index} is not the one that the mechanism makes"
    if len(there) != len(due):
        return f"{len(there)} local fills, the mechanism makes {len(due)}"
    return ""
