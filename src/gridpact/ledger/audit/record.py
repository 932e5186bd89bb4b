"""What one record must be by itself and beside the earlier ones of its chain.

Signatures recover to who they claim, fills stand in the clearing, each delivery carries its share
of the loss, and the contracts' events say what the record says.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from msgspec.structs import replace

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak
from gridpact.crypto.recovery import recover, signed_by
from gridpact.errors import Corrupt, LedgerError
from gridpact.ledger.audit.audit import AuditedBlock
from gridpact.ledger.audit.net import check_closed, check_locks, check_part, require_closed
from gridpact.ledger.audit.seen import Seen
from gridpact.ledger.audit.verdicts import check_held, check_verdicts, require_watched
from gridpact.ledger.coherence import require_coherent, returns
from gridpact.ledger.onchain.events import difference
from gridpact.model.attributes import terms_of
from gridpact.model.delivery import SignedReading
from gridpact.model.fine import fined
from gridpact.model.interval import Phase
from gridpact.model.order import Accepted
from gridpact.model.record import (
    Book,
    Cleared,
    Commitment,
    Finalised,
    Found,
    Meters,
    Rating,
    Record,
    Refund,
    Returned,
    Rotation,
    Settlement,
    Verdicts,
)
from gridpact.model.statement import Case
from gridpact.quantities import Wh

ENDED = 2
"""The part of a settlement that ends an interval's disputes."""


def check_record(place: str, block: AuditedBlock, record: Record, seen: Seen) -> None:
    """Raise `Corrupt` where a record cannot be true."""
    try:
        require_coherent(seen.name, record)
    except LedgerError as error:
        raise Corrupt(place, f"body: {error}") from error
    match record:
        case Found():
            if seen.records:
                raise Corrupt(place, "body: a chain is founded once")
        case Rotation():
            _rotation(place, block, seen)
        case Book():
            _book(place, record, seen)
        case Cleared():
            _within_orders(place, record, seen, block.key.interval)
            _scores(place, block, record, seen)
        case Commitment():
            _commitment(place, block, record, seen)
            check_locks(place, block.key, record, seen)
        case Returned():
            _returned(place, block, record, seen)
        case Verdicts():
            check_verdicts(place, block.key, record, seen)
        case Meters():
            require_watched(place, block.key, seen)
            _meters(place, block, record, seen)
        case Settlement():
            _settlement(place, block, record, seen)
            check_part(place, block.key, record, seen)
        case Rating():
            _fines(place, record, seen)
            _rating(place, block, seen)
            if not seen.is_zone:
                require_closed(place, block.key, seen)
        case Finalised():
            check_closed(place, block.key, record, seen)
            _fines(place, record, seen)
        case _:
            pass
    differs = difference(record, block.outcomes, seen.suite)
    if differs is not None:
        problem = "the contract's event and the record differ"
        raise Corrupt(place, f"{differs.event} {differs.row}: {problem}")


def _rotation(place: str, block: AuditedBlock, seen: Seen) -> None:
    period = seen.found.period
    if not period or block.key.interval % period or not block.key.interval:
        raise Corrupt(place, f"body: no period begins here, they last {period} intervals")
    if block.key.part:
        raise Corrupt(place, "body: a period begins once")


# signatures


def _book(place: str, book: Book, seen: Seen) -> None:
    sequences = [accepted.sequence for accepted in book.orders]
    if any(later <= one for one, later in pairwise(sequences)):
        raise Corrupt(place, "orders: two receipts with one sequence number")
    hashes = [accepted.hash for accepted in book.orders]
    if book.seed != keccak(merkle.root(hashes)):
        raise Corrupt(place, "seed: not drawn from the closed book")
    for accepted in book.orders:
        _accepted(place, accepted, seen)


def _accepted(place: str, accepted: Accepted, seen: Seen) -> None:
    order, name = accepted.order, accepted.hash.hex()[:16]
    if order.digest(seen.domain) != accepted.hash:
        raise Corrupt(place, f"order {name}: is not the hash of what was signed")
    if order.terms != terms_of(accepted.attributes):
        raise Corrupt(place, f"order {name}: its terms are not the hash of its attributes")
    if not signed_by(order.participant, accepted.hash, accepted.signature):
        raise Corrupt(place, f"order {name}: not signed by its participant")
    collector = recover(accepted.digest(seen.domain), accepted.receipt)
    seen.collector = seen.collector or collector or b""
    if collector is None or collector != seen.collector:
        raise Corrupt(place, f"order {name}: receipt not signed by the collector")


def _meters(place: str, block: AuditedBlock, meters: Meters, seen: Seen) -> None:
    known = {one.address for one in seen.people(block.key.interval) if one.is_metered}
    heard = [signed.reading.meter for signed in meters.readings]
    if not seen.is_zone:
        known.add(seen.substation)
        if seen.substation in heard[:-1]:
            raise Corrupt(place, "readings: the substation's is not the last")
    if len(set(heard)) != len(heard):
        raise Corrupt(place, "readings: two of one meter")
    for signed in meters.readings:
        _reading(place, block, signed, seen)
        reading = signed.reading
        then = seen.earlier(reading.meter, reading.interval)
        if reading.meter not in known:
            raise Corrupt(place, f"reading of {reading.meter.hex()}: nobody's meter")
        if reading.import_wh < then[0] or reading.export_wh < then[1]:
            raise Corrupt(place, f"reading of {reading.meter.hex()}: the meter ran backwards")


def _reading(place: str, block: AuditedBlock, signed: SignedReading, seen: Seen) -> None:
    reading = signed.reading
    if (reading.region, reading.interval) != (block.key.region, block.key.interval):
        raise Corrupt(place, f"reading of {reading.meter.hex()}: of another interval or region")
    if not signed_by(reading.meter, reading.digest(seen.domain), signed.signature):
        raise Corrupt(place, f"reading of {reading.meter.hex()}: not signed by its meter")


# fills


def _within_orders(place: str, cleared: Cleared, seen: Seen, interval: int) -> None:
    """Check that the orders of this chain are filled to at most what they say."""
    left = {
        accepted.hash: accepted.order.energy_wh
        for phase_key, book in seen.of(Book)
        if phase_key.interval == interval
        for accepted in book.orders
    }
    for fill in cleared.fills:
        for order in (fill.bid, fill.offer):
            if order in left:
                left[order] -= fill.energy_wh
                if left[order] < 0:
                    raise Corrupt(place, f"order {order.hex()[:16]}: filled above its energy")


def _scores(place: str, block: AuditedBlock, cleared: Cleared, seen: Seen) -> None:
    """Check that each order was cleared by the reputation that stood."""
    stood = tuple(seen.score(one.order.participant) for one in seen.collected(block.key))
    if cleared.scores != stood:
        raise Corrupt(place, "scores: not the reputations that stood before the clearing")


def _commitment(place: str, block: AuditedBlock, commitment: Commitment, seen: Seen) -> None:
    cleared = seen.get(block.key.interval, Phase.CLEAR, Cleared)
    if cleared is None:
        raise Corrupt(place, "fills: committed before they were cleared")
    if commitment.bid is not None:
        _accepted(place, commitment.bid, seen)
        if commitment.bid.sequence in {one.sequence for one in seen.collected(block.key)}:
            raise Corrupt(place, "bid: two receipts with one sequence number")
    posted = sorted(cleared.fills, key=lambda fill: (fill.tier, fill.index))
    if commitment.refused is not None:
        fits = seen.is_zone  # its fills are called off: `require_coherent` wants none
    elif seen.is_zone:
        shown = [(f.index, f.offer, f.seller, f.energy_wh, f.price, f.charge) for f in posted]
        there = [
            (f.index, f.offer, f.seller, f.energy_wh, f.price, f.charge) for f in commitment.fills
        ]
        fits = shown == there
    else:
        fits = posted == sorted(
            (*commitment.fills, *commitment.crossed), key=lambda fill: (fill.tier, fill.index)
        )
    if not fits:
        raise Corrupt(place, "fills: not those that were cleared")


def _returned(place: str, block: AuditedBlock, returned: Returned, seen: Seen) -> None:
    """Check that each buyer has its whole lock back and that its energy is open again."""
    interval = block.key.interval
    commitment = seen.get(interval, Phase.COMMIT, Commitment)
    cleared = seen.get(interval, Phase.CLEAR, Cleared)
    if commitment is None or cleared is None or commitment.departed != returned.crossing:
        raise Corrupt(place, "crossing: not what left in this interval")
    locks = tuple(Refund(fill.hash, fill.buyer, fill.lock) for fill in commitment.crossed)
    if returned.refunds != locks:
        raise Corrupt(place, "refunds: not the locks of the fills that crossed")
    before = [(one.participant, one.energy_wh) for one in cleared.unmet]
    off = [(fill.buyer, fill.energy_wh) for fill in commitment.crossed]
    now = [(one.participant, one.energy_wh) for one in returned.unmet]
    if _totals(now) != _totals([*before, *off]):
        raise Corrupt(place, "unmet: not what the fills that were called off leave open")


def _totals(rows: Iterable[tuple[bytes, Wh]]) -> Counter[bytes]:
    totals: Counter[bytes] = Counter()
    for participant, energy in rows:
        totals[participant] += energy
    return totals


# settlement


def _settlement(place: str, block: AuditedBlock, settlement: Settlement, seen: Seen) -> None:
    for fill, statement in zip(settlement.fills, settlement.statements, strict=True):
        if fill.hash != statement.fill:
            raise Corrupt(place, f"statement {statement.fill.hex()[:16]}: of another fill")
    if seen.is_zone:
        back = sum(map(returns, settlement.statements))
        if back != (settlement.departed.amount if settlement.departed else 0):
            raise Corrupt(place, f"money: {back} is the regions' and did not go home")
    if block.key.part:
        _ended(place, block, settlement, seen)
    else:
        check_held(place, block.key, settlement, seen)
        _loss_shares(place, block, settlement, seen)


def _ended(place: str, block: AuditedBlock, settlement: Settlement, seen: Seen) -> None:
    """Check a dispute's end: what was in dispute, by the readings of its interval, in its time."""
    interval, window = block.key.interval, seen.found.settlement.dispute_window
    first = seen.get(interval, Phase.SETTLE, Settlement)
    if block.key.part != ENDED or first is None:
        raise Corrupt(place, "deliveries: of no dispute")
    if seen.get(interval + window, Phase.DELIVER, Meters) is None:
        raise Corrupt(place, f"deliveries: settled within {window} intervals of the dispute")
    rows = zip(first.fills, first.deliveries, first.statements, strict=True)
    held = [(fill, made) for fill, made, one in rows if one.case is Case.DISPUTE]
    if first.net is not None:
        held = []  # what a part holds, it settles itself
    due = [(fill, replace(made, disputed=False)) for fill, made in held]
    if due != list(zip(settlement.fills, settlement.deliveries, strict=True)):
        raise Corrupt(place, "deliveries: not the disputed ones as their readings prove them")
    if settlement.bills or settlement.network_loss_wh or settlement.incentives:
        raise Corrupt(place, "bills: a dispute's end moves no energy")


def _fines(place: str, rating: Rating | Finalised, seen: Seen) -> None:
    """Check that each fine is what its seller's breach costs; that none is missing, the events."""
    held = {fine.participant: fine.amount + fine.left for fine in reversed(rating.fines)}
    if fined(rating.rated, lambda seller: held.get(seller, 0), seen.found.review) != rating.fines:
        raise Corrupt(place, "fines: not what the missing energy costs")


def _rating(place: str, block: AuditedBlock, seen: Seen) -> None:
    """Check that no dispute stays open beyond its window: the interval's ratings come after."""
    due = block.key.interval - seen.found.settlement.dispute_window
    first = seen.get(due, Phase.SETTLE, Settlement)
    if block.key.part or first is None:
        return
    disputed = any(one.case is Case.DISPUTE for one in first.statements)
    if disputed and first.net is None and seen.get(due, Phase.SETTLE, Settlement, ENDED) is None:
        raise Corrupt(place, f"disputes of interval {due}: not settled after their window")


def _loss_shares(place: str, block: AuditedBlock, settlement: Settlement, seen: Seen) -> None:
    """Check each fill's share of the region's loss: floor(L C_i / S) - floor(L C_(i-1) / S)."""
    meters = seen.get(block.key.interval, Phase.DELIVER, Meters)
    if meters is None:
        raise Corrupt(place, "deliveries: settled before the meters were read")
    running, loss, weighed = meters.before_wh, meters.loss_wh, meters.weighed_wh
    for delivery in settlement.deliveries:
        share = _carried(running + delivery.sent, loss, weighed) - _carried(running, loss, weighed)
        if delivery.received != delivery.sent - share:
            raise Corrupt(place, f"delivery {delivery.fill.hex()[:16]}: other share of the loss")
        running += delivery.sent


def _carried(running: int, loss: int, weighed: int) -> int:
    return loss * running // weighed if weighed else 0
