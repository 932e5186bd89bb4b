"""What the market's audit has seen of a chain so far: its records, by key and in order."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gridpact.crypto.eip712 import Domain
from gridpact.ledger.audit.audit import AuditedBlock
from gridpact.ledger.ledger import Head
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.delivery import Reading
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Accepted
from gridpact.model.participant import Participant, Role
from gridpact.model.rating import prior
from gridpact.model.record import Book, Finalised, Found, Meters, R, Rating, Record, Rotation
from gridpact.quantities import Score, Wh


@dataclass
class Seen:
    """One chain. `collector` signed its first receipt; `blocks` are known beside the records'."""

    name: str
    suite: Suite
    domain: Domain
    found: Found
    blocks: frozenset[Head] = frozenset()
    records: dict[Key, Record] = field(default_factory=dict)
    heads: dict[Key, Head] = field(default_factory=dict)
    collector: bytes = b""
    readings: dict[bytes, list[Reading]] = field(default_factory=dict)
    scores: dict[bytes, Score] = field(default_factory=dict)

    def add(self, block: AuditedBlock, record: Record) -> None:
        self.records[block.key] = record
        self.heads[block.key] = Head(block.number, block.hash)
        if isinstance(record, Meters):
            for signed in record.readings:
                self.readings.setdefault(signed.reading.meter, []).append(signed.reading)
        if isinstance(record, Rotation):
            for share in record.inheritances:
                self.scores |= dict.fromkeys(share.leaving, 0)
                self.scores |= {heir.participant: heir.score for heir in share.heirs}
        if isinstance(record, Rating | Finalised):
            self.scores |= {rated.participant: rated.after for rated in record.rated}

    def earlier(self, meter: bytes, interval: int) -> tuple[Wh, Wh]:
        """Return a meter's last (import, export) before an interval; it may have been silent."""
        said = self.readings.get(meter, [])
        at = bisect_left(said, interval, key=lambda reading: reading.interval)
        return (said[at - 1].import_wh, said[at - 1].export_wh) if at else (0, 0)

    @property
    def substation(self) -> bytes:
        """Return the meter towards the grid above, as the chain was founded; a zone has none."""
        return self.found.substation

    @property
    def is_zone(self) -> bool:
        """Say whether regions, and not only people, have accounts here."""
        return any(Role.REGION in one.roles for one in self.found.participants)

    def people(self, interval: int) -> tuple[Participant, ...]:
        """Return who takes part in an interval: those of its period, and who is no household.

        A period that no rotation began has nobody, so whoever speaks in it is a stranger.
        """
        found = self.found
        begins = interval - interval % found.period if found.period else 0
        if not begins:
            return found.participants
        turned = self.get(begins, Phase.FOUND, Rotation)
        steady = (one for one in found.participants if not one.is_metered)
        return (*steady, *(turned.participants if turned else ()))

    def get(self, interval: int, phase: Phase, kind: type[R], part: int = 0) -> R | None:
        """Return a record, or None when the chain does not reach so far."""
        record = self.records.get(Key(self.found.region, interval, phase, part))
        return record if isinstance(record, kind) else None

    def read(self, key: Key, kind: type[R]) -> R | None:
        """Return what stands under a key, as a ledger does."""
        record = self.records.get(key)
        return record if isinstance(record, kind) else None

    def of(self, kind: type[R]) -> Iterator[tuple[Key, R]]:
        """Yield all records of a kind in the order of the chain."""
        for key, record in self.records.items():
            if isinstance(record, kind):
                yield key, record

    def books(self, key: Key) -> Sequence[Book]:
        """Return all parts of an interval's book."""
        books: list[Book] = []
        while book := self.get(key.interval, Phase.COLLECT, Book, len(books)):
            books.append(book)
        return books

    def collected(self, key: Key) -> Iterator[Accepted]:
        """Yield the orders of all parts of an interval's book."""
        for book in self.books(key):
            yield from book.orders

    def score(self, participant: bytes) -> Score:
        """Return a participant's reputation after the records so far."""
        return self.scores.get(participant, prior(self.found.rating))

    def place(self, key: Key) -> str:
        """Return where a record stands, in words."""
        return f"{self.name} block {self.heads[key].number} ({key})"
