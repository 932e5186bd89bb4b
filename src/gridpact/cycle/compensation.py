"""When the zone does not take the money of zonal trades in: they are called off, nothing is lost.

The zone's own chain decides and records it (`taken_in`): a contract that refuses does so at once, a
chain that does not answer is asked until the commit deadline. Then every buyer has its whole lock
back (`give_back`) and its energy is unmet, as if no plant had offered it: grid supply serves it,
and what plants generate goes to grid supply at the feed-in tariff. What the wires carry stays as it
was checked, for contracts decide who is paid, not how much flows.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from gridpact.cycle.market import Market
from gridpact.errors import Reverted, Unavailable
from gridpact.market.unmet import filled, unmet
from gridpact.model.interval import Key
from gridpact.model.order import Accepted, Code, Refusal, Tier
from gridpact.model.participant import Named
from gridpact.model.record import Cleared, Commitment, Crossing, Refund, Returned
from gridpact.model.trade import Fill


def taken_in(
    market: Market, key: Key, crossing: Crossing, commit: Callable[[], Commitment]
) -> Commitment:
    """Return what the zone says to a crossing, once and for ever: its commitment or its refusal.

    Raises
    ------
    Unavailable
        The zone answers neither; nothing is decided.
    """
    said = market.zonal.read(key, Commitment)
    attempt, reason = 0, "the commit deadline has passed"
    while said is None and market.in_time(key.interval, attempt):
        try:
            market.zonal.write(key, commit())
        except Reverted as refusal:
            reason = str(refusal)
            break
        except Unavailable as silence:
            attempt, reason = attempt + 1, str(silence)
        # a write whose answer was lost stands all the same
        said = market.zonal.read(key, Commitment)
    if said is None:
        nobody, day = Named.OPERATOR.address, market.timing.day(key.interval)
        warrant = market.door.warrant(market.zonal, nobody, 0, crossing.id, day)
        said = Commitment(fills=(), refused=crossing, reason=reason, warrant=warrant)
        market.zonal.write(key, said)
    return said


def give_back(
    crossing: Crossing,
    receipt: bytes,
    cleared: Cleared,
    orders: Sequence[Accepted],
    reason: str,
) -> Returned:
    """Return the locks of the zonal fills to their buyers, and what the tiers leave open now.

    `receipt` is the block in which the zone refused, `orders` the region's book.
    """
    off = [fill for fill in cleared.fills if fill.tier is Tier.ZONAL]
    return Returned(
        crossing=crossing,
        receipt=receipt,
        refunds=tuple(Refund(fill.hash, fill.buyer, fill.lock) for fill in off),
        unmet=unmet(orders, [fill for fill in cleared.fills if fill.tier is not Tier.ZONAL]),
        refusals=_refusals(off, reason),
    )


def called_off(cleared: Cleared, returned: Returned) -> Cleared:
    """Return what stands of a clearing whose zonal trades are called off."""
    return replace(
        cleared,
        fills=tuple(fill for fill in cleared.fills if fill.tier is not Tier.ZONAL),
        unmet=returned.unmet,
        refusals=(*cleared.refusals, *returned.refusals),
    )


def _refusals(off: Sequence[Fill], reason: str) -> tuple[Refusal, ...]:
    """Tell each buyer and each plant, once per order, how much of it is called off and why."""
    energy = filled(off)
    owners = {fill.bid: fill.buyer for fill in off} | {fill.offer: fill.seller for fill in off}
    return tuple(
        Refusal(order, owner, Code.CROSSING, f"{energy[order]} Wh called off: {reason}")
        for order, owner in owners.items()
    )
