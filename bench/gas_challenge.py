"""Gas of posting a clearing and of challenging it, by true receipts of a node.

    python -m bench.gas_challenge      starts anvil and prints one line per figure

The book holds 1,000 refused orders beside the five that trade, so proofs have ten siblings. Every
proof is the first of its chain: it pays for the bond taken, burned and shared.
"""

import json
from collections.abc import Callable

from msgspec.structs import replace
from tests.anvil import anvil
from tests.contracts.clearings import Cleared5
from tests.contracts.harness import CHAIN
from tests.onchain import OPTIONS, Onchain

from bench.gas_net import NodeWorld
from gridpact.crypto.keccak import keccak
from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Challenge, Served
from gridpact.model.order import Code, Refusal
from gridpact.model.record import Timing

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
        self.engine.rpc("evm_revert", here)
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
    found = {"post a clearing": engine.gas}
    engine.rpc("evm_revert", here)
    return found | _proofs(_Ground(engine, market))


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
        "demand": ground.tried(market.serve, lambda served: challenges.demand(served, True, 3)),
    }


def main() -> None:
    with anvil(CHAIN, *OPTIONS) as url:
        print(json.dumps(receipts(url), indent=1))


if __name__ == "__main__":
    main()
