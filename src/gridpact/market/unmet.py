"""What one tier leaves to the next: energy of each order that nobody has bought or sold yet."""

from collections.abc import Iterable, Sequence

from gridpact.market.walk import bids_of
from gridpact.model.order import NONE, Accepted, Tier
from gridpact.model.trade import Fill, Unmet
from gridpact.quantities import Wh


def filled(fills: Iterable[Fill]) -> dict[bytes, Wh]:
    """Return the energy of each order, bid or offer, that fills have used. [Wh]"""
    used: dict[bytes, Wh] = {}
    for fill in fills:
        used[fill.bid] = used.get(fill.bid, 0) + fill.energy_wh
        used[fill.offer] = used.get(fill.offer, 0) + fill.energy_wh
    return used


def left(orders: Iterable[Accepted], fills: Iterable[Fill]) -> dict[bytes, Wh]:
    """Return what fills have left of each order, by its hash. [Wh]"""
    used = filled(fills)
    return {one.hash: one.order.energy_wh - used.get(one.hash, 0) for one in orders}


def zonal_wanted(book: Sequence[Accepted], fills: Iterable[Fill]) -> dict[bytes, Wh]:
    """Return what each zonal bid may still take: at most what its local parent left. [Wh]

    `fills` are those of the local tier, and those of the zonal tier that stand already.
    """
    used = filled(fills)
    open_ = {
        one.hash: one.order.energy_wh - used.get(one.hash, 0) for one in bids_of(book, Tier.LOCAL)
    }
    return {
        one.hash: min(one.order.energy_wh, open_[one.order.parent]) - used.get(one.hash, 0)
        for one in bids_of(book, Tier.ZONAL)
    }


def unmet(book: Sequence[Accepted], fills: Iterable[Fill]) -> tuple[Unmet, ...]:
    """Return what the tiers left open of each local bid, in the order of the book.

    `fills` are those of both tiers; a zonal fill counts against its bid's parent. Bids that are
    served in full are not listed.
    """
    used = filled(fills)
    for one in bids_of(book, Tier.ZONAL):
        if one.order.parent != NONE:
            used[one.order.parent] = used.get(one.order.parent, 0) + used.get(one.hash, 0)
    rest = (
        Unmet(one.order.participant, one.order.energy_wh - used.get(one.hash, 0))
        for one in bids_of(book, Tier.LOCAL)
    )
    return tuple(one for one in rest if one.energy_wh)
