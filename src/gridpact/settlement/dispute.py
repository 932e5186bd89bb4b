"""A disputed fill after its window: settled on what was signed, nothing invented.

A reading that is missing, late or contradicts another holds the lock (5-decisions, section 8,
case 1). When the window is over, the last signed cumulative readings bound the energy and the
other cases apply.
"""

from msgspec.structs import replace

from gridpact.errors import SettlementError
from gridpact.model.delivery import Delivery, Metered, Reading
from gridpact.model.statement import SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Score, Wh
from gridpact.settlement.split import split


def proven(before: Reading, last: Reading) -> Metered:
    """Return the energy that two signed cumulative readings of one meter prove.

    `before` stands at the start of the interval, `last` is the last one signed within it or at
    its end; with nothing newer than `before` both are the same and nothing is proven.
    """
    if before.meter != last.meter or last.interval < before.interval:
        raise SettlementError(f"readings of {before.meter.hex()} do not follow each other")
    imported, exported = last.import_wh - before.import_wh, last.export_wh - before.export_wh
    if min(imported, exported) < 0:
        raise SettlementError(f"meter {before.meter.hex()} runs backwards")
    return Metered(last.meter, imported, exported)


def resolve(
    fill: Fill,
    delivery: Delivery,
    terms: SettlementTerms,
    loss_share: Score,
    sent_wh: Wh,
    received_wh: Wh,
) -> Statement:
    """Return the statement of a disputed fill once its window is over.

    `sent_wh` and `received_wh` are the most that signed readings of seller and buyer prove for
    this fill. More received than sent is no longer a dispute: it counts as what was sent.
    """
    return split(fill, bounded(delivery, sent_wh, received_wh), terms, loss_share)


def bounded(delivery: Delivery, sent_wh: Wh, received_wh: Wh) -> Delivery:
    """Return a disputed delivery as the signed readings of seller and buyer bound it."""
    sent = min(delivery.sent, sent_wh)
    received = min(delivery.received, received_wh, sent)
    return replace(delivery, sent=sent, received=received, disputed=False)
