"""What a record must say of itself before any chain is asked: its sums fit its rows.

Contracts judge what each participant signed and owns; these are the statements of the record
about itself that no contract sees as one. Used by `memory` and `market_ledger` alike.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from gridpact.errors import Disagreement, Reverted
from gridpact.model.fine import fined
from gridpact.model.order import Accepted, Side
from gridpact.model.participant import ReviewTerms
from gridpact.model.record import (
    Book,
    Commitment,
    Crossing,
    Emptied,
    Finalised,
    Found,
    Rating,
    Record,
    Refund,
    Returned,
    Rotation,
    Settlement,
)
from gridpact.model.statement import Statement
from gridpact.quantities import Money, amount


def require_coherent(chain: str, record: Record) -> None:
    """Refuse a record whose own numbers do not fit together."""
    match record:
        case Found():
            if record.chain != chain:
                raise Reverted(f"registry: this is {chain}, not {record.chain}")
            references = Counter(deposit.reference for deposit in record.deposits)
            _require_notice(record)
            for reference in (one for one, count in references.items() if count > 1):
                raise Reverted("door: reference used", reference.hex())
        case Rotation():
            _rotation(record)
        case Emptied():
            _rising(record.accounts, "addresses that were emptied")
        case Book():
            for accepted in record.orders:
                _accepted(accepted)
        case Commitment():
            _commitment(chain, record)
        case Returned():
            _amounts("refunds", _sum(record.refunds), record.crossing)
            _ends(chain, record.crossing, None)
        case Settlement():
            _settlement(chain, record)
        case _:
            pass


def _rotation(rotation: Rotation) -> None:
    """Whatever order a rotation has must not be the one of the period before."""
    _rising([one.address for one in rotation.participants], "newcomers")
    if len(rotation.warrants) != len(rotation.participants):
        raise Reverted("registry: expected one warrant for each newcomer")
    newcomers = {one.address for one in rotation.participants}
    for share in rotation.inheritances:
        heirs = [heir.participant for heir in share.heirs]
        _rising(share.leaving, "who is leaving")
        _rising(heirs, "heirs")
        if not newcomers.issuperset(heirs):
            raise Reverted("reputation: an heir is no newcomer")


def _rising(addresses: Sequence[bytes], what: str) -> None:
    if any(one >= later for one, later in pairwise(addresses)):
        raise Reverted(f"registry: {what} are not in the order of their addresses")


def _require_notice(found: Found) -> None:
    """A bond outlasts every proof of what a leaving member signed: see `council.vy`."""
    net, least = found.net, found.challenge.anchor_window
    least = 2 * max(least, net.window + net.answer + net.proving)
    if net.notice < least:
        raise Reverted(f"council: a notice of {net.notice} intervals, {least} are needed")


def require_fined(
    record: Record, deposit: Callable[[bytes], Money], terms: Callable[[], ReviewTerms]
) -> None:
    """Refuse ratings that state other fines than the chain's deposits and terms come to."""
    if isinstance(record, Rating | Finalised):
        due = fined(record.rated, deposit, terms())
        if due != record.fines:
            raise Disagreement("fines", due, record.fines)


def returns(statement: Statement) -> Money:
    """Return what a settled fill puts back on its buyer's account: refund and paid claim."""
    return statement.refund + statement.claim


def _accepted(accepted: Accepted) -> None:
    """A bid reserves at least its price and its highest charge, an offer nothing."""
    order, least = accepted.order, 0
    if order.side is Side.BID:
        least = amount(order.price, order.energy_wh) + amount(accepted.charge, order.energy_wh)
    elif accepted.reserved:
        raise Reverted("orders: an offer reserves nothing", accepted.hash.hex())
    if accepted.reserved < least:
        raise Reverted(f"orders: {accepted.reserved} reserved of {least}", accepted.hash.hex())


def _commitment(chain: str, commitment: Commitment) -> None:
    total = sum(fill.lock for fill in commitment.crossed)
    _amounts("crossing", total, commitment.departed)
    _ends(chain, commitment.departed, commitment.arrived)
    if commitment.arrived is not None and commitment.bid is None:
        raise Reverted("settlement: money arrives for the region's bid and for nothing else")
    if commitment.refused is not None:
        _ends(chain, None, commitment.refused)
        if commitment.fills or commitment.crossed or commitment.arrived or commitment.bid:
            raise Reverted("settlement: fills of a refused crossing", commitment.refused.id.hex())
    if commitment.bid is not None:
        _amounts("region's bid", sum(fill.lock for fill in commitment.fills), commitment.arrived)


def _settlement(chain: str, settlement: Settlement) -> None:
    counts = {len(settlement.fills), len(settlement.deliveries), len(settlement.statements)}
    if len(counts) != 1:
        raise Disagreement("rows of a settlement", sorted(counts), "as many of each")
    back: dict[bytes, Money] = {}
    rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
    for fill, delivery, statement in rows:
        if delivery.fill != statement.fill:
            raise Reverted("settlement: delivery and statement of two fills", delivery.fill.hex())
        back[fill.buyer] = back.get(fill.buyer, 0) + returns(statement)
    _amounts("refunds", _sum(settlement.refunds), settlement.arrived)
    _ends(chain, settlement.departed, settlement.arrived)
    if settlement.departed is not None:
        _returned(back, settlement.departed)


def _returned(back: Mapping[bytes, Money], departed: Crossing) -> None:
    """A region sends home exactly what its settled fills left."""
    if list(back.values()) != [departed.amount]:
        raise Disagreement("departure", list(back.values()), departed.amount)


def _sum(refunds: Iterable[Refund]) -> Money:
    return sum(refund.amount for refund in refunds)


def _amounts(what: str, total: Money, crossing: Crossing | None) -> None:
    if total != (crossing.amount if crossing else 0):
        raise Disagreement(what, total, crossing and crossing.amount)


def _ends(chain: str, departed: Crossing | None, arrived: Crossing | None) -> None:
    if departed is not None and departed.source != chain:
        raise Reverted("settlement: crossing cannot leave here", departed.id.hex())
    if arrived is not None and arrived.target != chain:
        raise Reverted("settlement: crossing cannot arrive here", arrived.id.hex())
