"""Net settlement in the cycle: a region's local fills come to one number per account.

Before delivery a part sets aside what its fills can cost (`locks`), after it the part is posted
with the settlement (`with_part`), and when its window is over it moves the money and its sellers
are rated (`cycle.finalise`). What it held in disputes is settled then, by a part of its own with a
window of its own (`after_dispute`). Zonal fills are settled one by one: their money is on the other
chain.

All of it follows from what stands on the local chain, so an aggregator finds the same part.
"""

from msgspec.structs import replace

from gridpact.cycle.result import Reads, read
from gridpact.errors import SettlementError
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.proving import net, recorded
from gridpact.ledger.proving.recorded import clearing_name, committed
from gridpact.ledger.proving.steps import locked, stated
from gridpact.model.interval import Key, Phase
from gridpact.model.net import NetLocks
from gridpact.model.order import Tier
from gridpact.model.participant import Named
from gridpact.model.record import Cleared, Found, Prices, Settlement
from gridpact.model.trade import Fill
from gridpact.quantities import Money, amount, part
from gridpact.settlement.dispute import resolve
from gridpact.settlement.fund import fund


def locks(local: Ledger, key: Key, fills: tuple[Fill, ...]) -> NetLocks | None:
    """Return what the local fills of a clearing can cost each account; None where there are none.

    Rewards and claims end at what is set aside for them: all that the fills could come to, as far
    as the accounts have it.

    Raises
    ------
    SettlementError
        The clearing's local fills are not its first ones.
    """
    cleared = read(local, key.region, key.interval, Phase.CLEAR, Cleared)
    if tuple(fill for fill in cleared.fills if fill.tier is Tier.LOCAL) != fills or (
        cleared.fills[: len(fills)] != fills
    ):
        raise SettlementError(f"{key}: not the clearing's local fills, or they are not its first")
    if not fills:
        return None
    terms = read(local, key.region, 0, Phase.FOUND, Found).settlement
    most = sum(part(amount(fill.price, fill.energy_wh), terms.reward) for fill in fills)
    rewards = min(local.account(Named.REWARD.address).free, most)
    fund_has = local.account(Named.NETWORK_LOSS.address).free
    claims = min(fund_has, sum(fill.lock for fill in fills))
    rows = net.locks(fills, reservations(fills, rewards, claims), rewards, claims)
    name = clearing_name(local, key)
    return locked(recorded.before_delivery(key, name, rows, len(fills)))


def reservations(fills: tuple[Fill, ...], rewards: Money, claims: Money) -> dict[bytes, Money]:
    """Return what each account sets aside for a part: the buyers what their fills lock."""
    reserved = {Named.REWARD.address: rewards, Named.NETWORK_LOSS.address: claims}
    for fill in fills:
        reserved[fill.buyer] = reserved.get(fill.buyer, 0) + fill.lock
    return reserved


def set_aside(local: Reads, key: Key) -> tuple[Money, Money] | None:
    """Return what an interval's part has for rewards and claims; None where there is no part."""
    said = committed(local, key)
    return recorded.set_aside(said) if said is not None else None


def with_part(local: Reads, key: Key, settlement: Settlement) -> Settlement:
    """Return a settlement with the part that moves its fills' money, if one was committed."""
    if committed(local, key) is None:
        return settlement
    return replace(settlement, net=stated(recorded.posted(local, key, settlement)))


def after_dispute(local: Reads, key: Key) -> Settlement | None:
    """Return the settlement of what an interval's part held, with the part that follows it.

    By the deliveries that the part said, without the dispute; nothing is set aside for rewards and
    claims. None where nothing was held.
    """
    first = read(local, key.region, key.interval, Phase.SETTLE, Settlement)
    fills, deliveries = recorded.held(first)
    if not fills:
        return None
    terms = read(local, key.region, 0, Phase.FOUND, Found).settlement
    prices = read(local, key.region, key.interval, Phase.PRICE, Prices)
    owed = [
        resolve(fill, made, terms, prices.loss_share, made.sent, made.received)
        for fill, made in zip(fills, deliveries, strict=True)
    ]
    after = Settlement(
        fills=fills,
        deliveries=tuple(replace(made, disputed=False) for made in deliveries),
        statements=fund(owed, 0, 0, terms),
        bills=(),
    )
    return replace(after, net=stated(recorded.followed(local, key, first, after)))
