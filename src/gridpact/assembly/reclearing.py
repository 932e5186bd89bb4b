"""Every clearing of a ledger computed again from its sealed book: an inspector of the audit."""

from gridpact.errors import BadInput, Corrupt, InvalidClearing
from gridpact.ledger.audit.audit import AuditedBlock, AuditedChain, View
from gridpact.ledger.onchain.suite import Suite
from gridpact.market.recleared import other_fill, recleared
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Book, Cleared, Found, Prices, Record, Rotation, decode_any

_READ = {Phase.FOUND: Found, Phase.COLLECT: Book, Phase.PRICE: Prices, Phase.CLEAR: Cleared}


class ClearingAudit:
    """Compares posted clearings with what the founding's mechanism makes (`audit.Inspector`)."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, Key], Record] = {}

    def block(self, block: AuditedBlock, _view: View) -> None:
        """Remember what a clearing follows from; judge it when it comes."""
        if block.key.phase not in _READ:
            return
        record = decode_any(block.body)
        self._records[block.chain.name, block.key] = record
        if isinstance(record, Cleared):
            place = f"{block.chain.name} block {block.number} ({block.key})"
            self._judge(place, block.chain, block.key, record)

    def finish(self) -> None:
        """Nothing is left to look at."""

    def _judge(self, place: str, of: AuditedChain, key: Key, posted: Cleared) -> None:
        chain, domain = of.name, Suite(of.operator).domain(of.chain_id)
        found = self._records[chain, Key(key.region, 0, Phase.FOUND)]
        book = self._records.get((chain, Key(key.region, key.interval, Phase.COLLECT)))
        prices = self._records.get((chain, Key(key.region, key.interval, Phase.PRICE)))
        if not (isinstance(found, Found) and isinstance(book, Book) and isinstance(prices, Prices)):
            raise Corrupt(place, "fills: cleared without a book or without prices")
        if len(posted.scores) != len(book.orders):
            raise Corrupt(place, "scores: not one per order of the book")
        people = found.participants
        if found.period and (begins := key.interval - key.interval % found.period):
            turned = self._records.get((chain, Key(key.region, begins, Phase.FOUND)))
            people = turned.participants if isinstance(turned, Rotation) else ()
        buses = {one.address: one.bus for one in people}
        for one in book.orders:
            if one.order.participant not in buses:
                raise Corrupt(place, f"order {one.hash.hex()[:16]}: of nobody who was registered")
        try:
            again = recleared(found.market, book, prices, posted, buses, domain)
        except BadInput as error:
            raise Corrupt(place, f"market: {error}") from error
        except InvalidClearing as error:
            raise Corrupt(place, f"clearing: {error}") from error
        if problem := other_fill(again, posted):
            raise Corrupt(place, f"fills: {problem} ({found.market.mechanism})")
