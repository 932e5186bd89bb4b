"""Phase 5: locks, and the money of zonal trades on its way between the two chains.

Consumers have no account on the zonal chain: their region buys there with their money. Nothing is
assumed atomic across chains. A crossing is a pair of entries under one id in the order local
commit, zonal commit, local confirm; each is written once under its own key, so a run that was
killed between two of them does the next one when it starts again. Delivery starts only after the
crossing's end stands on the local chain.

That end is one of two. The zone takes the money in, or it refuses it, and both say so under one
key, which is terminal: a zone that refused takes a late commit no more (`WriteConflict`, and the
crossing's reference is used up in the vault), a zone that committed cannot refuse. The local chain
follows what stands there, confirms or returns, so money is never both minted and returned, wherever
the run is cut off: before the zone's word both are open, after it only one. A zone on another
machine must hold to it alike, for it decides; where its word cannot be had at all, nothing is
delivered and nothing returned, and the run stops until the next start asks again. The way home
after settlement has no such deadline: it is taken when both chains can.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from gridpact.crypto.keccak import keccak
from gridpact.cycle.compensation import called_off, give_back, taken_in
from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.cycle.promise import promised
from gridpact.cycle.result import Books
from gridpact.errors import LedgerError
from gridpact.market.zonal import region_fills
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Accepted, Order, Side, Tier
from gridpact.model.record import Cleared, Commitment, Confirmed, Crossing, Returned
from gridpact.model.trade import Fill


def carry_out(market: Market, interval: int, cleared: Cleared, books: Books) -> Cleared:
    """Lock the buyers' money for every fill, on the chain where the fill is settled.

    Returns the clearing as it stands: without its zonal trades when the zone refused their money.
    """
    crossed = tuple(fill for fill in cleared.fills if fill.tier is Tier.ZONAL)
    departed = outward(market, interval, crossed)
    local_key = Key(market.region.id, interval, Phase.COMMIT)
    once(
        market.local,
        local_key,
        Commitment,
        lambda: promised(
            market,
            interval,
            Commitment(
                fills=tuple(fill for fill in cleared.fills if fill.tier is Tier.LOCAL),
                crossed=crossed,
                departed=departed,
            ),
        ),
    )
    zonal_key = Key(market.zone, interval, Phase.COMMIT)

    def committed() -> Commitment:
        return _zonal(market, interval, crossed, departed, books)

    if departed is None:
        once(market.zonal, zonal_key, Commitment, committed)
        return cleared
    taken = taken_in(market, zonal_key, departed, committed)
    if taken.refused is not None:
        returned = once(
            market.local,
            Key(market.region.id, interval, Phase.COMMIT, 2),
            Returned,
            lambda: give_back(
                departed, _block(market, zonal_key), cleared, books.local.orders, taken.reason
            ),
        )
        return called_off(cleared, returned)
    once(
        market.local,
        Key(market.region.id, interval, Phase.COMMIT, 1),
        Confirmed,
        lambda: Confirmed(departed, _block(market, zonal_key)),
    )
    return cleared


def outward(market: Market, interval: int, fills: Sequence[Fill]) -> Crossing | None:
    """Return the crossing that takes the locks of zonal fills to the zonal chain."""
    total = sum(fill.lock for fill in fills)
    if not total:
        return None
    key = Key(market.region.id, interval, Phase.COMMIT)
    return Crossing(keccak(b"out" + key.packed), market.local.name, market.zonal.name, total)


def homeward(zonal: str, local: str, key: Key, total: int) -> Crossing | None:
    """Return the crossing that brings home what the zonal settlement did not need.

    `zonal` and `local` are the chains, `key` is that of the local settlement.
    """
    return Crossing(keccak(b"home" + key.packed), zonal, local, total) if total else None


def _zonal(
    market: Market,
    interval: int,
    crossed: Sequence[Fill],
    arrived: Crossing | None,
    books: Books,
) -> Commitment:
    if not crossed:
        return Commitment(fills=())
    bid = _region_bid(market, interval, crossed, len(books.zonal.orders))
    account = market.region.account
    fills = region_fills(crossed, account, bid.hash, books.zonal.orders)
    if arrived is None:
        return Commitment(fills=fills, bid=bid)
    day = market.timing.day(interval)
    warrant = market.door.warrant(market.zonal, account, arrived.amount, arrived.id, day)
    return Commitment(fills=fills, arrived=arrived, bid=bid, warrant=warrant)


def _region_bid(market: Market, interval: int, fills: Sequence[Fill], sequence: int) -> Accepted:
    """Return the region's own order on the zonal chain, over all its consumers' zonal fills.

    It reserves exactly what its fills lock, which has just arrived for them: a region needs no
    money of its own. `sequence` follows those of the plants' book: no two receipts have one number.
    """
    order = Order(
        participant=market.region.account,
        side=Side.BID,
        tier=Tier.ZONAL,
        region=market.zone,
        interval=interval,
        energy_wh=sum(fill.energy_wh for fill in fills),
        price=max(fill.price for fill in fills),
        salt=interval,
    )
    digest = order.digest(market.zonal.domain)
    unsigned = Accepted(
        hash=digest,
        order=order,
        signature=market.region.sign(digest),
        sequence=sequence,
        reserved=sum(fill.lock for fill in fills),
        receipt=b"",
        charge=max(fill.charge for fill in fills),
    )
    if market.collector.sign is None:
        return unsigned
    return replace(unsigned, receipt=market.collector.sign(unsigned.digest(market.zonal.domain)))


def _block(market: Market, key: Key) -> bytes:
    head = market.zonal.written_at(key)
    if head is None:
        raise LedgerError(f"{market.zonal.name}: {key} is not written, nothing to confirm")
    return head.hash
