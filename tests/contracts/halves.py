"""A clearing in two parts of net settlement; what one part held, settled."""

from tests.contracts.harness import LOSS_SHARE
from tests.contracts.parts import NetWorld, Settled

from gridpact.ledger.proving import net
from gridpact.ledger.proving.part import Part
from gridpact.model.delivery import Delivery
from gridpact.model.participant import Named
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.settlement.dispute import bounded
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split


def halves(market: NetWorld, settled: Settled, whole: Part | None = None) -> tuple[Part, Part]:
    """Return the part of the clearing's first fills and that of the last."""
    whole = whole or market.part(settled)
    half = len(settled.trades) // 2
    return _some(market, whole, 0, settled, 0, half), _some(market, whole, 1, settled, half)


def _some(
    market: NetWorld, whole: Part, number: int, settled: Settled, first: int, end: int | None = None
) -> Part:
    trades = settled.trades[first:end]
    reserved = {one.address: 0 for one in market.people}
    for _, fill, *_ in trades:
        reserved[fill.buyer] += fill.lock
    most = whole.header.rewards
    reserved |= {Named.REWARD.address: most, Named.NETWORK_LOSS.address: most}
    rows = net.locks([fill for _, fill, *_ in trades], reserved, most, most)
    before = sum(delivery.sent for _, _, delivery, _ in settled.trades[:first])
    header = whole.header._replace(first=first, before_wh=before)
    share = market.world.settlement.loss_fund_share
    return net.build(
        *(whole.place._replace(part=number), whole.epoch, whole.clearing, header, rows, trades),
        *(settled.meters, share),
    )


def held(market: NetWorld, settled: Settled) -> list[tuple[int, Fill, Delivery, Statement]]:
    """Return the disputed trades as they end: by what was signed, without reward or claim."""
    rules = market.world.settlement
    rows = [
        (at, fill, bounded(made, made.sent, made.received))
        for at, fill, made, statement in settled.trades
        if statement.case is Case.DISPUTE
    ]
    owed = fund([split(fill, made, rules, LOSS_SHARE) for _, fill, made in rows], 0, 0, rules)
    return [(*row, said) for row, said in zip(rows, owed, strict=True)]
