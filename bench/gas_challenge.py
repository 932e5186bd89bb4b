"""Gas of posting a clearing and of challenging it, by true receipts of a node.

    python -m bench.gas_challenge      starts anvil and prints one line per figure

The book holds 1,000 refused orders beside the five that trade, so proofs have ten siblings. Every
proof is the first of its chain: it pays for the bond taken, burned and shared. The currency of what
was burned goes by a call of its own, one for any number of proofs.
"""

import json
from collections.abc import Callable

from msgspec.structs import replace
from tests.anvil import anvil
from tests.contracts.clearings import Cleared5, signed
from tests.contracts.harness import CHAIN, COLLECTOR, INTERVAL
from tests.contracts.parts import CHALLENGER, TERMS
from tests.contracts.reading import Contract
from tests.onchain import OPTIONS, Onchain

from bench.gas_net import NodeWorld
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain.roots import CODES, FillLeaf, OrderLeaf
from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Challenge, Served
from gridpact.model.order import Code, Refusal, Side
from gridpact.model.record import Timing
from gridpact.model.trade import Fill

REFUSED = 1000


def _refusal(number: int, who: bytes) -> Refusal:
    return Refusal(keccak(b"refused %d" % number), who, Code.OVER_LIMIT, "")


class _Ground:
    """A market whose every proof is tried on the same state."""

    def __init__(self, engine: Onchain, market: Cleared5) -> None:
        self.engine, self.market = engine, market

    def tried(self, post: Callable[[], Served], prove: Callable[[Served], Challenge]) -> int:
        """Return what a proof costs against what `post` posts, and undo both."""
        here = self.engine.rpc("evm_snapshot")
        self.market.challenge(prove(post()))
        gas = self.engine.gas
        self.engine.revert(here)
        return gas


def receipts(url: str) -> dict[str, int]:
    """Return gas by operation."""
    engine = Onchain(url)
    world = NodeWorld(engine.opened, timing=Timing(2_000_000_000, 3600))
    market = Cleared5.of(world)
    stranger = market.net.people[3].address
    market.refusals = tuple(_refusal(n, stranger) for n in range(REFUSED))
    here = engine.rpc("evm_snapshot")
    market.serve()
    found = {"post a clearing, 1,005 orders": engine.gas}
    engine.revert(here)
    world.price_of(INTERVAL + 1)
    found["post prices"] = engine.gas
    ground = _Ground(engine, market)
    found |= _proofs(ground) | _book_proofs(ground) | _refusals(ground) | _answers(ground)
    found |= _others(ground) | _retired(ground)
    engine.close()
    return found


def _proofs(ground: _Ground) -> dict[str, int]:
    market = ground.market
    orders, fills = market.leaves()
    lost, cheap = market.offers[2], market.offers[0]
    early = market.first
    late = next(one for one in market.bids if one is not early)
    other = {early.hash: late, late.hash: early}
    swapped = [
        replace(fill, bid=other[fill.bid].hash, buyer=other[fill.bid].order.participant)
        for fill in market.fills
    ]
    low = next(n for n, fill in enumerate(swapped) if fill.bid == late.hash)
    high = next(n for n in reversed(range(len(swapped))) if swapped[n].bid == early.hash)
    kept = [fill for fill in market.fills if fill.offer != cheap.hash]
    bid = next(one for one in market.bids if one.hash == kept[0].bid)
    dear = [replace(fill, price=fill.price + 1) for fill in market.fills]
    sold = next(one for one in market.offers if one.hash == dear[0].offer)
    forked = [fills[0], *(leaf._replace(offer_before=1, offer_previous=0) for leaf in fills[1:])]
    level = [replace(fill, price=cheap.order.price) for fill in swapped]
    even = [replace(fill, price=cheap.order.price) for fill in kept]
    wires = market.wires
    return {
        "challenge: omitted order": ground.tried(
            lambda: market.serve([leaf for leaf in orders if leaf.order != lost.hash], fills),
            lambda served: challenges.omitted(served, lost),
        ),
        "challenge: over-filled or mispriced": ground.tried(
            lambda: market.serve(*market.leaves(dear)),
            lambda served: challenges.overfilled(served, sold.order, 0),
        ),
        "challenge: fork": ground.tried(
            lambda: market.serve(orders, forked),
            lambda served: challenges.forked(served, False, 1, 0),
        ),
        "challenge: outranked bid": ground.tried(
            lambda: market.serve(*market.leaves(swapped)),
            lambda served: challenges.outranked(served, early.order, high, low, wires),
        ),
        "challenge: skipped offer": ground.tried(
            lambda: market.serve(*market.leaves(kept)),
            lambda served: challenges.skipped(served, bid.order, 0, cheap, wires),
        ),
        "challenge: outranked bid, equal prices": ground.tried(
            lambda: market.serve(*_worse(market, level, level[high].offer)),
            lambda served: challenges.outranked(served, early.order, high, low, wires, tie=True),
        ),
        "challenge: skipped offer, equal prices": ground.tried(
            lambda: market.serve(*_worse(market, even, even[0].offer)),
            lambda served: challenges.skipped(served, bid.order, 0, cheap, wires, tie=True),
        ),
        "demand: order": ground.tried(
            market.serve, lambda served: challenges.demand(served, True, 3)
        ),
    }


def _worse(
    market: Cleared5, fills: list[Fill], offer: bytes
) -> tuple[list[OrderLeaf], list[FillLeaf]]:
    """Return the leaves of these fills, with a lower reputation in an offer's."""
    orders, leaves = market.leaves(fills)
    lower = [
        leaf._replace(reputation=leaf.reputation - 1) if leaf.order == offer else leaf
        for leaf in orders
    ]
    return lower, leaves


def _book_proofs(ground: _Ground) -> dict[str, int]:
    """Return the gas of what is proven of the book, and of an order's own sum."""
    market = ground.market
    orders, fills = market.leaves()
    places = {leaf.order: place for place, leaf in enumerate(orders)}
    mine, out = market.offers[0], market.offers[2]
    at = places[mine.hash]
    another = [*orders]
    another[at] = orders[at]._replace(participant=market.net.people[3].address)
    more = [*orders]
    more[at] = orders[at]._replace(filled=orders[at].filled + 1)
    swapped = [*orders]
    swapped[3], swapped[4] = orders[4], orders[3]
    refused = [*orders]
    refused[places[out.hash]] = orders[places[out.hash]]._replace(refusal=CODES[Code.SIGNATURE])
    shut = [*orders]
    shut[places[out.hash]] = orders[places[out.hash]]._replace(refusal=CODES[Code.PRICE_FORM])
    bid = market.bids[0].hash
    return {
        "challenge: order shown as another's": ground.tried(
            lambda: market.serve(another, fills),
            lambda served: challenges.mislabelled(served, mine.hash, mine.order),
        ),
        "challenge: other sum of an order": ground.tried(
            lambda: market.serve(more, fills),
            lambda served: challenges.misstated(served, mine.hash, orders[at].last - 1),
        ),
        "challenge: book out of order": ground.tried(
            lambda: market.serve(swapped, fills),
            lambda served: challenges.unsorted(served, 3, 4),
        ),
        "challenge: refused, with the collector's receipt": ground.tried(
            lambda: market.serve(refused, fills),
            lambda served: challenges.refused(
                served, out.hash, out.order, out.sequence, out.receipt
            ),
        ),
        "challenge: offer is not above the cap": ground.tried(
            lambda: market.serve(shut, fills),
            lambda served: challenges.capped(served, out, bid, market.wires),
        ),
    }


def _refusals(ground: _Ground) -> dict[str, int]:
    """Return the gas of proving refusals wrong: by the collector's receipt, or by the chain."""
    market = ground.market
    out = market.offers[2]
    found = {}

    def shut(code: Code) -> Served:
        orders, fills = market.leaves()
        refused = [
            leaf._replace(refusal=CODES[code]) if leaf.order == out.hash else leaf
            for leaf in orders
        ]
        return market.serve(refused, fills)

    def stands() -> Served:
        market.net.world.collect(out)
        return shut(Code.FUNDS)

    for name, code in (("expired", Code.EXPIRED), ("without funds", Code.FUNDS)):
        found[f"challenge: refused as {name}, with the receipt"] = ground.tried(
            lambda code=code: shut(code),
            lambda served: challenges.refused(
                served, out.hash, out.order, out.sequence, out.receipt
            ),
        )
    found["challenge: refused as without funds, stands on the chain"] = ground.tried(
        stands, lambda served: challenges.refused(served, out.hash, out.order)
    )
    return found


def _others(ground: _Ground) -> dict[str, int]:
    """Return the gas of proofs about two orders, and of a demand that nobody answered."""
    market = ground.market
    world, device = market.net.world, market.net.people[2]
    one = signed(world, device, Side.BID, 5, 90_000, 40)
    two = replace(signed(world, market.net.people[3], Side.BID, 6, 90_000, 41), sequence=40)
    two = replace(two, receipt=COLLECTOR.sign(two.digest(world.domain)))
    parent = signed(world, device, Side.BID, 100, 200_000, 60)
    child = signed(world, device, Side.BID, 100, 200_000, 61, parent=parent.hash)

    def pledged() -> Served:
        world.mint(COLLECTOR.address, TERMS.bond)
        market.net.bond(COLLECTOR.address)
        return market.made()

    def sold_twice() -> Served:
        kept = market.bids
        market.bids = [*kept, parent, child]
        more = [
            replace(
                *(market.fills[-1],),
                bid=bid.hash,
                buyer=device.address,
                energy_wh=60,
                index=90 + n,
            )
            for n, bid in enumerate((parent, child))
        ]
        served = market.serve(*market.leaves([*market.fills, *more]))
        market.bids = kept
        return served

    def silent() -> Served:
        served = market.serve()
        market.challenge(challenges.demand(served, False, 1))
        world.go_to(INTERVAL + TERMS.answer + 1)
        return served

    return {
        "challenge: two receipts with one number": ground.tried(
            pledged, lambda _: challenges.doubled_receipts(one, two)
        ),
        "challenge: one energy on both tiers": ground.tried(
            sold_twice, lambda served: challenges.both_tiers(served, child, parent)
        ),
        "challenge: demand that nobody answered": ground.tried(
            silent, lambda served: challenges.expire(served, False, 1)
        ),
    }


def _retired(ground: _Ground) -> dict[str, int]:
    """Return the gas of burning the currency of what was slashed."""
    market = ground.market
    orders, fills = market.leaves()
    lost = market.offers[2]
    served = market.serve([leaf for leaf in orders if leaf.order != lost.hash], fills)
    market.challenge(challenges.omitted(served, lost))
    market.net.world.send(Contract.VAULT, "retire", sender=CHALLENGER.address)
    return {"retire what was slashed": ground.engine.gas}


def _answers(ground: _Ground) -> dict[str, int]:
    """Return the gas of showing a demanded leaf, of each tree."""
    market = ground.market
    orders, _ = market.leaves()
    admitted = next(n for n, leaf in enumerate(orders) if leaf.order == market.offers[0].hash)

    def asked(of_orders: bool, index: int) -> Served:
        served = market.serve()
        market.challenge(challenges.demand(served, of_orders, index))
        return served

    return {
        "answer: order": ground.tried(
            lambda: asked(True, admitted),
            lambda served: challenges.answer_order(served, admitted),
        ),
        "answer: fill": ground.tried(
            lambda: asked(False, 1), lambda served: challenges.answer_fill(served, 1)
        ),
    }


def main() -> None:
    with anvil(CHAIN, *OPTIONS) as url:
        print(json.dumps(receipts(url), indent=1))


if __name__ == "__main__":
    main()
