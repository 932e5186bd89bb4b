"""What the contracts' events must say of a record's amounts, row by row.

The contracts compute amounts and log them; a record states them. `market_ledger` uses this to say
which row a chain and a rule disagree on, the audit to hold every stored event to its record.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gridpact.ledger.chain import Outcome
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import contract
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.record import Finalised, Fine, Rated, Rating, Record, Settlement


class Stated(NamedTuple):
    """The events of one kind that a record asks for: their data, in order."""

    contract: str
    event: str
    rows: tuple[bytes, ...]


class Difference(NamedTuple):
    """The first event that a chain and a record disagree on; no words where one has no more."""

    event: str
    row: int
    said: bytes
    stated: bytes


def stated(record: Record) -> tuple[Stated, ...]:
    """Return what the events of a record's execution must say; nothing for most records."""
    match record:
        case Settlement():
            return (
                Stated("settlement", "Settled", _settled(record)),
                Stated("supply", "Billed", _billed(record)),
                Stated("incentive", "Granted", _granted(record)),
            )
        case Rating() | Finalised():
            return (
                Stated("reputation", "Rated", _rated(record.rated)),
                Stated("reputation", "Believed", _believed(record.rated)),
                Stated("registry", "Fined", _fined(record.fines)),
            )
        case _:
            return ()


def difference(record: Record, outcomes: Sequence[Outcome], suite: Suite) -> Difference | None:
    """Return the first event that is not what the record states, or None."""
    for name, event, rows in stated(record):
        address, topic = suite[name], contract(name).topics[event]
        said = [
            log.data
            for outcome in outcomes
            for log in outcome.logs
            if log.address == address and log.topics[0] == topic
        ]
        for row in range(max(len(said), len(rows))):
            there, here = said[row : row + 1], rows[row : row + 1]
            if there != list(here):
                return Difference(event, row, b"".join(there), b"".join(here))
    return None


def _settled(settlement: Settlement) -> tuple[bytes, ...]:
    if settlement.net is not None:
        return ()  # a part moves sums only
    return tuple(
        packing.words(
            (
                *(int(s.case), s.paid, s.charge, s.fee_seller, s.fee_network),
                *(s.refund, s.reward, s.claim, s.unpaid_reward, s.unpaid_claim),
            )
        )
        for s in settlement.statements
    )


def _billed(settlement: Settlement) -> tuple[bytes, ...]:
    return tuple(
        packing.words(
            (
                *(b.bought_wh, b.sold_wh, b.purchase, b.network_share, b.sale),
                *(b.unpaid_purchase, b.unpaid_sale),
            )
        )
        for b in settlement.bills
    )


def _granted(settlement: Settlement) -> tuple[bytes, ...]:
    return tuple(
        packing.words((i.energy_wh, i.charge, i.steadiness, i.reference, i.rate, i.paid))
        for i in settlement.incentives
    )


def _rated(rows: Sequence[Rated]) -> tuple[bytes, ...]:
    return tuple(packing.words((r.agreed_wh, r.sent_wh, r.before, r.after)) for r in rows)


def _fined(rows: Sequence[Fine]) -> tuple[bytes, ...]:
    return tuple(packing.words((one.amount, one.left)) for one in rows)


def _believed(rows: Sequence[Rated]) -> tuple[bytes, ...]:
    standings = (rated.standing for rated in rows)
    return tuple(packing.words((s.points, s.kept, s.broken)) for s in standings if s is not None)
