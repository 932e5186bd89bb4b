"""Net settlement before delivery: what the local fills can cost is set aside for all of them."""

from msgspec.structs import replace

from gridpact.cycle.market import Market
from gridpact.cycle.net import locks
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Commitment


def promised(market: Market, interval: int, commitment: Commitment) -> Commitment:
    """Return a commitment with what its local fills can cost, and the council's words for it.

    As it is where the market does not settle net, or no local trade was made.
    """
    if not market.council.terms.on:
        return commitment
    key = Key(market.region.id, interval, Phase.COMMIT)
    said = locks(market.local, key, commitment.fills)
    if said is None:
        return commitment
    whole = replace(commitment, net=said)
    at = Key(market.region.id, interval, Phase.SETTLE)
    words = market.council.gathered(
        market.local, at, lambda one: one.sign_locks(market.local, key, whole)
    )
    if words:
        said = replace(said, reserved=words[0], committed=words[1])
    return replace(commitment, net=said)
