"""Statements that a part of net settlement moved money by, worked out again: for the audit.

Of fills that are settled one by one the contract itself computes every amount; a part moves sums.
So here the rule is applied once more to each delivery, with what was set aside for rewards and
claims.
"""

from collections.abc import Sequence

from gridpact.errors import Corrupt, SettlementError
from gridpact.ledger.audit.audit import AuditedBlock, View
from gridpact.ledger.proving.recorded import set_aside
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.record import (
    Commitment,
    Finalised,
    Found,
    Prices,
    Record,
    Settlement,
    decode_any,
)
from gridpact.model.statement import Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Money
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

_READ = {Phase.FOUND, Phase.PRICE, Phase.COMMIT, Phase.SETTLE}


class NetAudit:
    """Compares the statements behind parts with what the rule makes (`audit.Inspector`)."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, Key], Record] = {}

    def block(self, block: AuditedBlock, _view: View) -> None:
        """Remember founding, prices and locks; judge the statements of every part."""
        key, chain = block.key, block.chain.name
        if key.phase not in _READ:
            return
        record = decode_any(block.body)
        place = f"{chain} block {block.number} ({key})"
        match record:
            case Found() | Prices() | Commitment():
                self._records[chain, key] = record
            case Settlement(net=None):
                pass
            case Settlement():
                locks = self._records.get((chain, Key(key.region, key.interval, Phase.COMMIT)))
                if not isinstance(locks, Commitment) or locks.net is None:
                    raise Corrupt(place, "net: nothing was set aside")
                self._judge(place, chain, key, record, set_aside(locks.net))
            case Finalised(held=Settlement() as held):
                at = Key(key.region, record.parts[0].interval, Phase.SETTLE)
                self._judge(place, chain, at, held, (0, 0))

    def finish(self) -> None:
        """Nothing is left to look at."""

    def _judge(
        self, place: str, chain: str, key: Key, said: Settlement, aside: tuple[Money, Money]
    ) -> None:
        found = self._records.get((chain, Key(key.region, 0, Phase.FOUND)))
        prices = self._records.get((chain, Key(key.region, key.interval, Phase.PRICE)))
        if not isinstance(found, Found) or not isinstance(prices, Prices):
            raise Corrupt(place, "net: settled without a founding or without prices")
        try:
            due = _statements(said.fills, said.deliveries, found, prices, aside)
        except SettlementError as error:
            raise Corrupt(place, f"net: {error}") from error
        for stated, owed in zip(said.statements, due, strict=True):
            if stated != owed:
                name = owed.fill.hex()[:16]
                raise Corrupt(place, f"statement {name}: {stated}, by the rule {owed}")


def _statements(
    fills: Sequence[Fill],
    deliveries: Sequence[Delivery],
    found: Found,
    prices: Prices,
    aside: tuple[Money, Money],
) -> tuple[Statement, ...]:
    terms = found.settlement
    owed = [
        split(fill, delivery, terms, prices.loss_share)
        for fill, delivery in zip(fills, deliveries, strict=True)
    ]
    return fund(owed, *aside, terms)
