"""How a dispute ends: after its window a fill is settled by what was signed for its interval.

A reading that is missing, late or forged puts its party's fills into dispute: their locks stay
(5-decisions, section 8, case 1). When the dispute window is over, what the readings of the fill's
own interval prove stands, and of a silent meter they prove nothing: a seller who stayed silent is
paid nothing, a buyer who did owes the fee for what it did not show to have used, and the rest of
the lock goes back. A cumulative reading that comes later says how much flowed since the last one,
not when; that energy is settled in the interval whose reading shows it, with that interval's fills
and grid supply, so counting it for the old fill as well would sell it twice. No energy moves here,
only what was held.

It is written under the interval of the dispute, `SETTLE` and `RATE` part 2, zonal chain first:
what its fills did not need comes home by a crossing of its own. All of it follows from records.
"""

from collections.abc import Sequence
from dataclasses import replace as with_
from typing import NamedTuple

from msgspec.structs import replace

from gridpact.cycle.crossing import homeward
from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.cycle.rate import rate
from gridpact.cycle.result import Ended, IntervalResult, read
from gridpact.cycle.settle import block, refunds
from gridpact.ledger.ledger import Ledger
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Named
from gridpact.model.record import Commitment, Confirmed, Prices, Settlement
from gridpact.model.statement import Case, SettlementTerms
from gridpact.model.trade import Fill
from gridpact.settlement.dispute import bounded, resolve
from gridpact.settlement.fund import fund

PART = 2
CONFIRMED = 3


class Open(NamedTuple):
    """The fills of one chain and interval that are in dispute."""

    fills: tuple[Fill, ...]
    deliveries: tuple[Delivery, ...]


def end_disputes(market: Market, interval: int) -> Ended | None:
    """Settle the fills whose dispute window is over with this interval; None where there is none.

    The last intervals of a run leave disputes within their window: they stay held.
    """
    due = interval - market.rules.settlement.dispute_window
    if due < 0:
        return None
    region, zone = market.region.id, market.zone
    here = in_dispute(read(market.local, region, due, Phase.SETTLE, Settlement))
    there = in_dispute(read(market.zonal, zone, due, Phase.SETTLE, Settlement))
    if not here.fills and not there.fills:
        return None
    prices = read(market.local, region, due, Phase.PRICE, Prices)

    zonal_key, local_key = (Key(where, due, Phase.SETTLE, PART) for where in (zone, region))

    def zonal() -> Settlement:
        settled = resolved(market.rules.settlement, market.zonal, there, prices)
        back = sum(one.refund + one.claim for one in settled.statements)
        home = homeward(market.zonal.name, market.local.name, local_key, back)
        return market.council.behind(market.zonal, zonal_key, replace(settled, departed=home))

    def local() -> Settlement:
        home = refunds(at_home(market.local, region, due, there.fills), ended.statements)
        settled = resolved(market.rules.settlement, market.local, here, prices)
        settled = replace(settled, refunds=home, arrived=ended.departed)
        return market.council.behind(market.local, local_key, settled)

    ended = once(market.zonal, zonal_key, Settlement, zonal)
    own = once(market.local, local_key, Settlement, local)
    if ended.departed is not None:
        home = ended.departed
        key = Key(zone, due, Phase.SETTLE, CONFIRMED)
        receipt = block(market, due, PART)
        once(market.zonal, key, Confirmed, lambda: Confirmed(home, receipt))
    return Ended(due, own, ended, *rate(market, due, own, ended, PART))


def concluded(results: Sequence[IntervalResult]) -> tuple[IntervalResult, ...]:
    """Return the results of a run with every dispute that ended settled in its own interval."""
    whole = {result.interval: result for result in results}
    for closed in (closed for result in results for closed in result.closed):
        if closed.held is not None:
            first = closed.parts[0].interval
            settled = _merged(whole[first].settlement, closed.held)
            whole[first] = with_(whole[first], settlement=settled)
    for ended in (result.ended for result in results):
        if ended is not None:
            disputed = whole[ended.interval]
            whole[ended.interval] = with_(
                disputed,
                settlement=_merged(disputed.settlement, ended.local),
                zonal_settlement=_merged(disputed.zonal_settlement, ended.zonal),
            )
    return tuple(whole[result.interval] for result in results)


def in_dispute(settlement: Settlement) -> Open:
    """Return what is held fill by fill: what a part of net settlement holds, it settles itself."""
    if settlement.net is not None:
        return Open((), ())
    rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
    held = [(fill, made) for fill, made, one in rows if one.case is Case.DISPUTE]
    return Open(tuple(fill for fill, _ in held), tuple(made for _, made in held))


def resolved(terms: SettlementTerms, ledger: Ledger, held: Open, prices: Prices) -> Settlement:
    """Return the settlement of disputed fills by what their interval's readings prove."""
    owed = [
        resolve(fill, made, terms, prices.loss_share, made.sent, made.received)
        for fill, made in zip(held.fills, held.deliveries, strict=True)
    ]
    reward, loss = (ledger.account(one.address).free for one in (Named.REWARD, Named.NETWORK_LOSS))
    return Settlement(
        fills=held.fills,
        deliveries=tuple(bounded(made, made.sent, made.received) for made in held.deliveries),
        statements=fund(owed, reward, loss, terms),
        bills=(),
    )


def at_home(local: Ledger, region: bytes, interval: int, fills: Sequence[Fill]) -> list[Fill]:
    """Return the participants' own fills that stand behind the region's, in the same order."""
    committed = read(local, region, interval, Phase.COMMIT, Commitment)
    own = {(fill.offer, fill.index): fill for fill in committed.crossed}
    return [own[fill.offer, fill.index] for fill in fills]


def _merged(settlement: Settlement, ended: Settlement) -> Settlement:
    made = {one.fill: one for one in ended.deliveries}
    said = {one.fill: one for one in ended.statements}
    return replace(
        settlement,
        deliveries=tuple(made.get(one.fill, one) for one in settlement.deliveries),
        statements=tuple(said.get(one.fill, one) for one in settlement.statements),
    )
