"""Clearings that are wrong in one way each, with the challenges that prove it.

Each takes a cleared book and returns what its poster serves and what anybody may then bring. An
answer, or a challenge that comes to nothing, stands among them too: both must be as the rules say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace
from tests.contracts.clearings import Cleared5, signed
from tests.contracts.harness import COLLECTOR, REGION

from gridpact.ledger.onchain.roots import FillLeaf, OrderLeaf
from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Challenge, Served
from gridpact.ledger.proving.part import Place, quorum_digest
from gridpact.model.interval import Phase
from gridpact.model.order import Accepted, Code, Refusal, Side
from gridpact.model.trade import Fill
from gridpact.model.typed import CANCELLED


@dataclass
class Wrong:
    """A clearing and the calls that follow it, in their order."""

    served: Served
    calls: Sequence[Challenge] = ()
    standing: Sequence[Accepted] = ()
    """Orders that stand on the chain before it is posted."""
    later: Sequence[Challenge] = field(default=())
    """Calls that come when the time to answer is over."""


Leaves = tuple[list[OrderLeaf], list[FillLeaf]]


def _altered(leaves: list[OrderLeaf], name: bytes, **changes: object) -> None:
    place = next(n for n, leaf in enumerate(leaves) if leaf.order == name)
    leaves[place] = leaves[place]._replace(**changes)  # type: ignore[arg-type]


def _refused(book: Cleared5, one: Accepted, code: Code) -> None:
    book.refusals = (Refusal(one.hash, one.order.participant, code, ""),)
    book.fills = ()


def honest(book: Cleared5) -> Wrong:
    served = book.made()
    bid, offer = book.bids[0], book.offers[0]
    last = served.orders[served.place(offer.hash)].last - 1
    orders = {one.hash: one.order for one in book.book}
    return Wrong(
        served,
        [
            challenges.unsorted(served, 1, 2),
            challenges.unsorted(served, 0, 0),
            challenges.mislabelled(served, bid.hash, bid.order),
            challenges.refused(served, bid.hash, bid.order, bid.sequence, bid.receipt),
            challenges.overfilled(served, orders[served.fills[0].fill.offer], 0),
            challenges.overfilled(served, orders[served.fills[0].fill.bid], 0),
            challenges.forked(served, True, 1, 0),
            challenges.misstated(served, offer.hash, last),
            *_ranks(book, served, tie=True),
        ],
    )


def _ranks(book: Cleared5, served: Served, tie: bool) -> list[Challenge]:
    """Return what the honest order of service gives no reason for."""
    bid = next(one.order for one in book.bids if one.hash == served.fills[0].fill.bid)
    last = next(one.order for one in book.bids if one.hash == served.fills[-1].fill.bid)
    at = len(served.fills) - 1
    wires = book.wires
    return [
        challenges.outranked(served, bid, 0, at, wires, tie),
        challenges.outranked(served, last, at, 0, wires, tie),
        challenges.outranked(served, last, 0, at, wires, tie),
        *(challenges.skipped(served, last, at, offer, wires, tie) for offer in book.offers),
    ]


def omitted(book: Cleared5) -> Wrong:
    lost = book.offers[2]
    orders, fills = book.leaves()
    served = book.made([leaf for leaf in orders if leaf.order != lost.hash], fills)
    forged = replace(lost, receipt=book.net.council[0].sign(lost.hash))
    return Wrong(served, [challenges.omitted(served, forged), challenges.omitted(served, lost)])


def unsorted(book: Cleared5) -> Wrong:
    orders, fills = book.leaves()
    served = book.made([orders[0], orders[2], orders[1], *orders[3:]], fills)
    return Wrong(served, [challenges.unsorted(served, 2, 1), challenges.unsorted(served, 1, 2)])


def endless(book: Cleared5) -> Wrong:
    orders, fills = book.leaves()
    served = book.made(orders[:-1], fills)
    end = len(orders) - 2
    return Wrong(served, [challenges.unsorted(served, end, end)])


def refused_signature(book: Cleared5) -> Wrong:
    out = book.offers.pop()
    _refused(book, out, Code.SIGNATURE)
    served = book.made()
    return Wrong(
        served,
        [
            challenges.refused(served, out.hash, out.order, out.sequence, book.bids[0].receipt),
            challenges.refused(served, out.hash, out.order, out.sequence, out.receipt),
        ],
    )


def refused_expired(book: Cleared5) -> Wrong:
    out = book.offers.pop()
    _refused(book, out, Code.EXPIRED)
    served = book.made()
    return Wrong(served, [challenges.refused(served, out.hash, out.order)])


def really_expired(book: Cleared5) -> Wrong:
    device = book.net.people[3]
    old = signed(
        *(book.net.world, device, Side.OFFER, 5, 90_000, 50),
        interval=book.interval,
        expires=book.interval,
    )
    _refused(book, old, Code.EXPIRED)
    served = book.made()
    return Wrong(served, [challenges.refused(served, old.hash, old.order)])


def refused_funds(book: Cleared5) -> Wrong:
    out = book.offers.pop()
    _refused(book, out, Code.FUNDS)
    served = book.made()
    return Wrong(served, [challenges.refused(served, out.hash, out.order)], [out])


def really_poor(book: Cleared5) -> Wrong:
    found = refused_funds(book)
    return Wrong(found.served, found.calls)


def refused_by_council(book: Cleared5) -> Wrong:
    """A refusal that no chain can judge: nobody answers the demand for its reason."""
    out = book.offers.pop()
    _refused(book, out, Code.CERTIFICATE)
    served = book.made()
    place = served.place(out.hash)
    return Wrong(
        served,
        [
            challenges.refused(served, out.hash, out.order),
            challenges.demand(served, True, place),
            challenges.answer_order(served, place),
            challenges.expire(served, True, place),
        ],
        later=[challenges.expire(served, True, place)],
    )


def judged_by_council(book: Cleared5) -> Wrong:
    """The same refusal, for which the council's quorum stands: too few of it first."""
    out = book.offers.pop()
    _refused(book, out, Code.CERTIFICATE)
    served = book.made()
    place, market = served.place(out.hash), book.net
    digest = quorum_digest(
        *(market.world.domain, Place(REGION, book.interval, 0), Phase.CLEAR),
        *(market.epoch, served.name),
    )
    seats = [one.address for one in market.council]
    few, enough = market.quorum(digest, market.council[:1]), market.quorum(digest)
    return Wrong(
        served,
        [
            challenges.demand(served, True, place),
            *(
                challenges.answer_order(served, place, None, b"", market.epoch, seats, signatures)
                for signatures in (few, enough)
            ),
        ],
    )


def cancelled(book: Cleared5) -> Wrong:
    gone = book.bids.pop()
    _refused(book, gone, Code.CANCELLED)
    served = book.made()
    place = served.place(gone.hash)
    device = next(one for one in book.net.people if one.address == gone.order.participant)
    said = cancellation(book, gone)
    forged = book.net.council[0].sign(said)
    return Wrong(
        served,
        [
            challenges.demand(served, True, place),
            challenges.demand(served, True, place),
            challenges.answer_order(served, place, book.offers[0].order, forged),
            challenges.answer_order(served, place, gone.order, forged),
            challenges.answer_order(served, place, gone.order, device.sign(said)),
        ],
    )


def cancellation(book: Cleared5, one: Accepted) -> bytes:
    """Return what is signed to cancel an order."""
    domain = book.net.world.domain
    return domain.digest(CANCELLED.struct_hash((one.hash, one.order.region, one.order.interval)))


def mislabelled(book: Cleared5) -> Wrong:
    orders, fills = book.leaves()
    mine = book.offers[0]
    _altered(orders, mine.hash, participant=book.net.people[3].address)
    served = book.made(orders, fills)
    other = book.offers[1]
    return Wrong(
        served,
        [
            challenges.mislabelled(served, other.hash, other.order),
            challenges.mislabelled(served, mine.hash, other.order),
            challenges.mislabelled(served, mine.hash, mine.order),
        ],
    )


def doubled(book: Cleared5) -> Wrong:
    one, two = book.offers[:2]
    two = replace(two, sequence=one.sequence)
    two = replace(two, receipt=COLLECTOR.sign(two.digest(book.net.world.domain)))
    good = challenges.doubled_receipts(one, two)
    return Wrong(
        book.made(),
        [
            challenges.doubled_receipts(one, one),
            challenges.doubled_receipts(one, replace(two, receipt=one.receipt)),
            good,
            good,
        ],
    )


def withheld(book: Cleared5) -> Wrong:
    served = book.made()
    return Wrong(
        served,
        [
            challenges.demand(served, False, 1),
            challenges.demand(served, True, 400),
            challenges.demand(served, True, 2),
            challenges.answer_order(served, 400),
            challenges.answer_fill(served, 0),
            challenges.expire(served, False, 1),
        ],
        later=[challenges.expire(served, False, 1), challenges.expire(served, True, 2)],
    )


def answered(book: Cleared5) -> Wrong:
    served = book.made()
    demands = [
        challenges.demand(served, of_orders, at) for of_orders in (False, True) for at in (0, 9)
    ]
    return Wrong(
        served,
        [
            *demands,
            challenges.answer_fill(served, 0),
            challenges.answer_fill(served, 9),
            challenges.answer_fill(served, 9),
            challenges.answer_order(served, 0),
            challenges.answer_order(served, 9),
        ],
    )


def overfilled(book: Cleared5) -> Wrong:
    cheap = book.offers[0]
    own = next(n for n, fill in enumerate(book.fills) if fill.offer == cheap.hash)
    more = list(book.fills)
    more[own] = replace(more[own], energy_wh=more[own].energy_wh + 100)
    served = book.made(*book.leaves(more))
    other = next(n for n, fill in enumerate(more) if fill.offer != cheap.hash)
    return Wrong(
        served,
        [
            challenges.overfilled(served, cheap.order, other),
            challenges.overfilled(served, cheap.order, own),
        ],
    )


def dearer(book: Cleared5) -> Wrong:
    served = book.made(*book.leaves([replace(one, price=one.price + 1) for one in book.fills]))
    offer = next(one for one in book.offers if one.hash == served.fills[0].fill.offer)
    return Wrong(served, [challenges.overfilled(served, offer.order, 0)])


def _twice(book: Cleared5) -> list[int]:
    """Return the places of an offer's two fills."""
    places = [
        [n for n, fill in enumerate(book.fills) if fill.offer == offer.hash]
        for offer in book.offers
    ]
    return next(two for two in places if len(two) == 2)


def wrong_sum(book: Cleared5) -> Wrong:
    orders, leaves = book.leaves()
    first, second = _twice(book)
    leaves[second] = leaves[second]._replace(offer_before=leaves[second].offer_before - 1)
    return _forked(book, orders, leaves, first, second)


def forked(book: Cleared5) -> Wrong:
    orders, leaves = book.leaves()
    first, second = _twice(book)
    leaves[second] = leaves[second]._replace(offer_before=0, offer_previous=0)
    return _forked(book, orders, leaves, first, second)


def _forked(
    book: Cleared5, orders: list[OrderLeaf], leaves: list[FillLeaf], first: int, second: int
) -> Wrong:
    served = book.made(orders, leaves)
    return Wrong(
        served,
        [
            challenges.forked(served, True, second, first),
            challenges.forked(served, False, second, first),
        ],
    )


def misstated(book: Cleared5) -> Wrong:
    orders, fills = book.leaves()
    name = book.offers[0].hash
    last = next(leaf.last for leaf in orders if leaf.order == name) - 1
    _altered(orders, name, filled=1)
    served = book.made(orders, fills)
    return Wrong(served, [challenges.misstated(served, name, last)])


def both_tiers(book: Cleared5) -> Wrong:
    world, device = book.net.world, book.net.people[2]
    parent = signed(world, device, Side.BID, 100, 200_000, 60, interval=book.interval)
    child = signed(
        world, device, Side.BID, 100, 200_000, 61, interval=book.interval, parent=parent.hash
    )
    book.bids += [parent, child]
    more: list[Fill] = [
        replace(book.fills[-1], bid=bid.hash, buyer=device.address, energy_wh=energy, index=90 + n)
        for n, (bid, energy) in enumerate([(parent, 60), (child, 41)])
    ]
    served = book.made(*book.leaves([*book.fills, *more]))
    return Wrong(
        served,
        [
            challenges.both_tiers(served, parent, child),
            challenges.both_tiers(served, child, parent),
        ],
    )


def both_tiers_within(book: Cleared5) -> Wrong:
    world, device = book.net.world, book.net.people[2]
    parent = signed(world, device, Side.BID, 100, 200_000, 60, interval=book.interval)
    child = signed(
        world, device, Side.BID, 100, 200_000, 61, interval=book.interval, parent=parent.hash
    )
    book.bids += [parent, child]
    served = book.made(*book.leaves())
    return Wrong(served, [challenges.both_tiers(served, child, parent)])


def outranked(book: Cleared5) -> Wrong:
    early = book.first
    late = next(one for one in book.bids if one is not early)
    swapped = {early.hash: late, late.hash: early}
    fills = [
        replace(fill, bid=swapped[fill.bid].hash, buyer=swapped[fill.bid].order.participant)
        for fill in book.fills
    ]
    cheap = next(n for n, fill in enumerate(fills) if fill.bid == late.hash)
    dear = next(n for n in reversed(range(len(fills))) if fills[n].bid == early.hash)
    served = book.made(*book.leaves(fills))
    return Wrong(
        served,
        [
            challenges.outranked(served, late.order, dear, cheap, book.wires),
            challenges.outranked(served, late.order, cheap, dear, book.wires),
            challenges.outranked(served, early.order, dear, cheap, book.wires),
        ],
    )


def skipped(book: Cleared5) -> Wrong:
    cheap = book.offers[0]
    kept = [fill for fill in book.fills if fill.offer != cheap.hash]
    served = book.made(*book.leaves(kept))
    bid = next(one for one in book.bids if one.hash == kept[0].bid)
    dearer = book.wires._replace(content=b"\1" * 32)
    return Wrong(
        served,
        [
            challenges.skipped(served, bid.order, 0, cheap, dearer),
            challenges.skipped(served, bid.order, 0, book.offers[2], book.wires),
            challenges.skipped(served, bid.order, 0, cheap, book.wires),
        ],
    )


def capped(book: Cleared5) -> Wrong:
    out = book.offers.pop()
    _refused(book, out, Code.PRICE_FORM)
    served = book.made()
    bid = book.bids[0].hash
    return Wrong(
        served,
        [
            challenges.capped(served, book.offers[0], bid, book.wires),
            challenges.capped(served, out, out.hash, book.wires),
            challenges.capped(served, out, bid, book.wires),
        ],
    )


def really_dear(book: Cleared5) -> Wrong:
    device = book.net.people[3]
    dear = signed(book.net.world, device, Side.OFFER, 5, 2**40, 51, interval=book.interval)
    _refused(book, dear, Code.PRICE_FORM)
    served = book.made()
    return Wrong(served, [challenges.capped(served, dear, book.bids[0].hash, book.wires)])


KINDS: Mapping[str, Callable[[Cleared5], Wrong]] = {
    kind.__name__: kind
    for kind in (
        *(honest, omitted, unsorted, endless, refused_signature, refused_expired, really_expired),
        *(
            refused_funds,
            really_poor,
            refused_by_council,
            judged_by_council,
            cancelled,
            mislabelled,
            doubled,
        ),
        *(withheld, answered, overfilled, dearer, wrong_sum, forked, misstated, both_tiers),
        *(both_tiers_within, outranked, skipped, capped, really_dear),
    )
}
