"""The local tier: who buys from which neighbour ([Wang23] local trading; 5-decisions, section 5).

Bids are served in the draw's order. Each walks the offers by (price, higher reputation, order
hash), skips those of sellers below its own minimum reputation, above its own price or above the
cap of the pair, and takes from each until it is served or the list ends.
"""

from collections.abc import Mapping, Sequence

from gridpact.market.caps import Pairs
from gridpact.market.draw import drawn
from gridpact.market.walk import bids_of, offers_of, standing, take
from gridpact.model.order import Accepted, Tier
from gridpact.model.trade import Fill
from gridpact.quantities import Score


def clear(
    book: Sequence[Accepted],
    pairs: Pairs,
    buses: Mapping[bytes, int],
    scores: Mapping[bytes, Score],
    seed: bytes,
) -> tuple[Fill, ...]:
    """Return the fills of the local tier, indexed from 0.

    Parameters
    ----------
    book
        Accepted orders of the region; those of other tiers are left alone.
    pairs
        Charges and caps of the local tier.
    buses, scores
        Bus and reputation of every participant in the book.
    seed
        Of the closed book, see `draw`.
    """
    stand = standing(offers_of(book, Tier.LOCAL), pairs, buses, scores)
    if not stand:
        return ()
    fills: list[Fill] = []
    for bid in drawn(bids_of(book, Tier.LOCAL), seed):
        order = bid.order
        taken = take(bid, buses[order.participant], order.energy_wh, stand, pairs, len(fills))
        fills += taken
        if taken:
            stand = [one for one in stand if one.left]
    return tuple(fills)
