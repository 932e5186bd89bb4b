"""The audit judges again who was covered and who was not, and what a breach cost."""

from collections.abc import Callable
from dataclasses import replace as with_
from pathlib import Path

import pytest
from bench.random_markets import draw, strict
from bench.random_runs import play
from msgspec.structs import replace

from gridpact.assembly.covering import CoverAudit
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers
from gridpact.crypto.keys import Key as Device
from gridpact.errors import Corrupt
from gridpact.ledger.audit.audit import AuditedBlock, Inspector, View
from gridpact.model.order import Accepted, Code, Refusal, SignedOrder
from gridpact.model.record import Book, Record, decode_any, encode

UNCOVERED, FINED, SHUT_OUT = 3_090, 3_096, 3_138


class Altered:
    """Shows an inspector the first record that a change fits, changed; all others as they are."""

    def __init__(self, inner: Inspector, change: Callable[[Record], Record | None]) -> None:
        self._inner, self._change, self._done = inner, change, False

    def block(self, block: AuditedBlock, view: View) -> None:
        record = decode_any(block.body) if block.body else None
        changed = self._change(record) if record is not None and not self._done else None
        if changed is not None:
            self._done = True
            block = with_(block, body=encode(changed))
        self._inner.block(block, view)

    def finish(self) -> None:
        assert self._done
        self._inner.finish()


def _ledger(seed: int, folder: Path) -> Path:
    case, path = strict(draw(seed, faulty=True)), folder / "ledger.db"
    ledgers = embedded_ledgers(case.scenario, path)
    try:
        play(case, ledgers, signed=True)
    finally:
        ledgers.close()
    return path


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger on which offers were refused that nothing covered."""
    return _ledger(UNCOVERED, tmp_path_factory.mktemp("thin"))


@pytest.fixture(scope="module")
def fined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _ledger(FINED, tmp_path_factory.mktemp("fined"))


def _in_books(change: Callable[[Book, Refusal], Book]) -> Callable[[Record], Record | None]:
    def first(record: Record) -> Record | None:
        if isinstance(record, Book):
            for one in record.refusals:
                if one.order is not None:
                    return change(record, one)
        return None

    return first


def _without(book: Book, refusal: Refusal) -> tuple[Refusal, ...]:
    return tuple(one for one in book.refusals if one is not refusal)


def _accepts(book: Book, refusal: Refusal) -> Book:
    assert refusal.order is not None
    order, signature = refusal.order.order, refusal.order.signature
    taken = Accepted(refusal.hash, order, signature, 10**6, 0, b"")
    return replace(book, orders=(*book.orders, taken), refusals=_without(book, refusal))


def _lies(book: Book, refusal: Refusal) -> Book:
    lie = replace(refusal, detail="9 Wh would stand open")
    return replace(book, refusals=(*_without(book, refusal), lie))


def _forges(book: Book, refusal: Refusal) -> Book:
    assert refusal.order is not None
    forged = SignedOrder(refusal.order.order, Device.derive(b"test", "x").sign(refusal.hash))
    return replace(book, refusals=(*_without(book, refusal), replace(refusal, order=forged)))


def _shows_another(book: Book, refusal: Refusal) -> Book:
    assert refusal.order is not None
    less = replace(refusal.order.order, energy_wh=1)
    other = replace(refusal, order=replace(refusal.order, order=less))
    return replace(book, refusals=(*_without(book, refusal), other))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_accepts, "offers: accepted, but .* needs a deposit"),
        (_lies, "but .* needs a deposit"),
        (_forges, "of an order that nobody signed"),
        (_shows_another, "of another order than it shows"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_an_offer_that_was_judged_otherwise_is_found(
    thin: Path, change: Callable[[Book, Refusal], Book], problem: str
) -> None:
    audit_ledger(thin, {})
    with pytest.raises(Corrupt, match=problem):
        audit_ledger(thin, {}, (Altered(CoverAudit(), _in_books(change)),))


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger on which somebody was suspended."""
    return _ledger(SHUT_OUT, tmp_path_factory.mktemp("fallen"))


def test_who_is_shut_out_and_not_suspended_is_found(fallen: Path) -> None:
    def none(record: Record) -> Record | None:
        if isinstance(record, Book) and record.suspended:
            return replace(record, suspended=())
        return None

    audit_ledger(fallen, {})
    with pytest.raises(Corrupt, match="is shut out and missing"):
        audit_ledger(fallen, {}, (Altered(CoverAudit(), none),))


def test_who_is_suspended_and_not_shut_out_is_found(fallen: Path) -> None:
    def more(record: Record) -> Record | None:
        if isinstance(record, Book) and record.orders:
            return replace(record, suspended=(record.orders[0].order.participant,))
        return None

    with pytest.raises(Corrupt, match="is not shut out"):
        audit_ledger(fallen, {}, (Altered(CoverAudit(), more),))


def test_a_refusal_of_who_was_covered_is_found(fined: Path) -> None:
    def refuse(record: Record) -> Record | None:
        if not isinstance(record, Book):
            return None
        offers = [one for one in record.orders if one.order.side.name == "OFFER"]
        for one in offers:
            signed = SignedOrder(one.order, one.signature)
            said = Refusal(one.hash, one.order.participant, Code.OVER_LIMIT, "too much", signed)
            left = tuple(other for other in record.orders if other is not one)
            return replace(record, orders=left, refusals=(*record.refusals, said))
        return None

    with pytest.raises(Corrupt, match="but it is covered"):
        audit_ledger(fined, {}, (Altered(CoverAudit(), refuse),))
