"""A clearing in two parts of net settlement."""

from tests.contracts.parts import NetWorld, Settled

from gridpact.ledger.proving import net
from gridpact.ledger.proving.net import Part
from gridpact.model.participant import Named


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
