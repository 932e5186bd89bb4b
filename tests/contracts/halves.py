"""A clearing of eight fills in two parts of net settlement."""

from tests.contracts.parts import NetWorld, Settled

from gridpact.ledger.proving import net
from gridpact.ledger.proving.net import Part
from gridpact.model.participant import Named

HALF = 4


def halves(market: NetWorld, settled: Settled) -> tuple[Part, Part]:
    """Return the part of the clearing's first fills and that of the last."""
    whole = market.part(settled)
    before = [sum(d.sent for _, _, d, _ in settled.trades[:at]) for at in (0, HALF)]
    return tuple(_half(market, whole, number, settled, before[number]) for number in (0, 1))  # type: ignore[return-value]


def _half(market: NetWorld, whole: Part, number: int, settled: Settled, before_wh: int) -> Part:
    first = HALF * number
    trades = settled.trades[first : first + HALF]
    reserved = {one.address: 0 for one in market.people}
    for _, fill, *_ in trades:
        reserved[fill.buyer] += fill.lock
    most = whole.header.rewards
    reserved |= {Named.REWARD.address: most, Named.NETWORK_LOSS.address: most}
    rows = net.locks([fill for _, fill, *_ in trades], reserved, most, most)
    header = whole.header._replace(first=first, before_wh=before_wh)
    share = market.world.settlement.loss_fund_share
    return net.build(
        *(whole.place._replace(part=number), whole.epoch, whole.clearing, header, rows, trades),
        *(settled.meters, share),
    )
