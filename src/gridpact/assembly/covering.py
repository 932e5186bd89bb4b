"""Were sellers held to what covers them? An inspector of the audit, where credibility rules.

Each offer of a book is judged again by the rule of the market (`cycle.cover`): an accepted one must
be covered by what the chain knew of its seller then, credibility and deposit; one that was refused
for want of it must not. Nobody's order stands in a book that the rule shuts out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gridpact.crypto.eip712 import Domain, word
from gridpact.crypto.recovery import signed_by
from gridpact.cycle.cover import Cover, disputed
from gridpact.errors import Corrupt
from gridpact.ledger.audit.audit import AuditedBlock, View
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, listed, numbers, pack
from gridpact.ledger.onchain.suite import Suite
from gridpact.market.caps import Pairs
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Order, Refusal, Side
from gridpact.model.participant import Role
from gridpact.model.rating import CredibilityTerms, Standing
from gridpact.model.record import Book, Found, Prices, Settlement, decode_any
from gridpact.quantities import Money
from gridpact.reputation.sanctions import shut_out

_READ = {Phase.FOUND, Phase.PRICE, Phase.COLLECT, Phase.SETTLE}
_ROWS = 128


@dataclass
class _Chain:
    """What was seen of a chain on which sellers have to be covered."""

    found: Found
    terms: CredibilityTerms
    suite: Suite
    domain: Domain
    prices: dict[Key, Prices] = field(default_factory=dict)
    settled: dict[Key, Settlement] = field(default_factory=dict)


class _Offer(NamedTuple):
    """An offer to be judged, with what was known of its seller. `refusal`: the word it got."""

    place: str
    order: Order
    refusal: Refusal | None
    prices: Prices
    cover: Cover


class CoverAudit:
    """Judges offers by credibility and deposit again (`audit.Inspector`)."""

    def __init__(self) -> None:
        self._founds: list[Found] = []
        self._chains: dict[str, _Chain] = {}
        self._offers: list[_Offer] = []

    def block(self, block: AuditedBlock, view: View) -> None:
        """Remember what covers a seller follows from; note each offer with it."""
        name, phase = block.chain.name, block.key.phase
        if phase not in _READ or (phase is not Phase.FOUND and name not in self._chains):
            return
        record = decode_any(block.body)
        if isinstance(record, Found):
            self._founds.append(record)
            if isinstance(record.rating, CredibilityTerms):
                suite = Suite(block.chain.operator)
                domain = suite.domain(block.chain.chain_id)
                self._chains[name] = _Chain(record, record.rating, suite, domain)
        known = self._chains.get(name)
        if known is None:
            return  # by its rule nobody has to be covered
        if isinstance(record, Prices):
            known.prices[block.key] = record
        elif isinstance(record, Settlement):
            known.settled[block.key] = record
        elif isinstance(record, Book):
            place = f"{name} block {block.number} ({block.key})"
            self._offers += _offers(place, block.key, record, known, view)

    def finish(self) -> None:
        """Judge all offers; what a seller may be paid depends on where anybody buys."""
        people = [one for found in self._founds for one in found.participants]
        places = {one.address: one.bus for one in people}
        demand = frozenset(one.bus for one in people if Role.CONSUMER in one.roles)
        for offer in self._offers:
            _judge(offer, places, demand)


def _offers(place: str, key: Key, book: Book, known: _Chain, view: View) -> Iterator[_Offer]:
    """Yield the offers that were accepted or refused for want of cover."""
    found, terms = known.found, known.terms
    standings = _standings(known.suite, [one.address for one in found.participants], view)
    _require_suspended(place, key, book, known, standings, view)
    prices = known.prices.get(Key(key.region, key.interval, Phase.PRICE))
    if prices is None:
        raise Corrupt(place, "offers: taken before prices were posted")
    rows: list[tuple[Order, Refusal | None]] = [
        *((one.order, None) for one in book.orders if one.order.side is Side.OFFER),
        *((_signed(place, one, known.domain), one) for one in book.refusals if one.order),
    ]
    deposits = {
        order.participant: _deposit(known.suite, order.participant, view) for order, _ in rows
    }
    window = found.settlement.dispute_window
    open_wh = disputed(known.settled.get, key.region, key.interval, window)
    cover = Cover(
        *(terms, found.timing, key.interval),
        *(standings.__getitem__, deposits.__getitem__, open_wh),
    )
    for order, refusal in rows:
        yield _Offer(place, order, refusal, prices, cover)


def _require_suspended(
    place: str,
    key: Key,
    book: Book,
    known: _Chain,
    standings: Mapping[bytes, Standing],
    view: View,
) -> None:
    """Check that exactly those who are shut out are suspended, but for who left by himself."""
    terms = known.terms
    out = {who for who, one in standings.items() if shut_out(one, key.interval, terms)}
    for who in set(book.suspended) - out:
        raise Corrupt(place, f"suspended: {who.hex()} is not shut out")
    for who in out - set(book.suspended):
        if _state(known.suite, who, view) in (packing.ACTIVE, packing.SUSPENDED):
            raise Corrupt(place, f"suspended: {who.hex()} is shut out and missing")


def _signed(place: str, refusal: Refusal, domain: Domain) -> Order:
    """Return the order behind a refusal, which its participant must have signed."""
    assert refusal.order is not None
    order, signature = refusal.order.order, refusal.order.signature
    name = order.digest(domain)
    if (name, order.participant) != (refusal.hash, refusal.participant):
        raise Corrupt(place, f"refusal {refusal.hash.hex()[:16]}: of another order than it shows")
    if not signed_by(order.participant, name, signature):
        raise Corrupt(place, f"refusal {refusal.hash.hex()[:16]}: of an order that nobody signed")
    return order


def _judge(offer: _Offer, places: Mapping[bytes, int], demand: frozenset[int]) -> None:
    order = offer.order
    pairs = Pairs.of(offer.prices, order.tier)
    cap = pairs.highest_ceiling(places.get(order.participant, 0), demand)
    problem = offer.cover.problem(order.participant, order.energy_wh, max(0, cap or 0))
    if offer.refusal is None and problem:
        raise Corrupt(offer.place, f"offers: accepted, but {problem}")
    if offer.refusal is not None and problem != offer.refusal.detail:
        due = f"but {problem}" if problem else "but it is covered"
        name = offer.refusal.hash.hex()[:16]
        raise Corrupt(offer.place, f"refusal {name}: {due}")


def _standings(suite: Suite, people: Sequence[bytes], view: View) -> dict[bytes, Standing]:
    found: dict[bytes, Standing] = {}
    for first in range(0, len(people), _ROWS):
        some = people[first : first + _ROWS]
        words = view(suite.call("reputation", "believed", Rows(list(map(word, some)))))
        found |= zip(some, map(packing.standing, listed(words)), strict=True)
    return found


def _state(suite: Suite, participant: bytes, view: View) -> int:
    word_of = numbers(view(suite.call("registry", "status", pack(participant))))[0]
    return packing.status(word_of)[2]


def _deposit(suite: Suite, participant: bytes, view: View) -> Money:
    return numbers(view(suite.call("registry", "deposit", pack(participant))))[1]
