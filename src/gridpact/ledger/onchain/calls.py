"""Each record as the contract calls that execute it, in order; one block per record.

A call carries the record's key and content hash, so that the contracts themselves refuse a second
content under a key. Lists longer than a contract takes go in numbered batches.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from gridpact.crypto.keccak import keccak
from gridpact.errors import Reverted
from gridpact.ledger.chain import Call
from gridpact.ledger.onchain import netting, packing, roots
from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.ledger.onchain.attest import BATCH, Signed, batches, in_batches
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.door import Warrant
from gridpact.model.interval import Key, Phase
from gridpact.model.order import NONE, Order
from gridpact.model.participant import Named
from gridpact.model.rating import CredibilityTerms
from gridpact.model.record import (
    Anchor,
    Book,
    Cleared,
    Commitment,
    Confirmed,
    Crossing,
    Emptied,
    Finalised,
    Found,
    Meters,
    Prices,
    Rating,
    Record,
    Refund,
    Returned,
    Rotation,
    Settlement,
    Verdicts,
    entrance,
)
from gridpact.model.trade import Fill
from gridpact.quantities import Money

REGISTERED = 32
"""Participants per call: 64 would need more gas than networks let a transaction have (EIP-7825)."""

FALLEN = b"credibility and its floor".ljust(32, b"\0")
"""Why a market suspends somebody, and why it lets somebody in again."""

T = TypeVar("T")
Books = Callable[[Key], Sequence[Book]]
"""The parts of the book that was collected for a key's interval before its commitment."""


class Calls:
    """Turns records into calls of one chain's contracts.

    With `insist` a call whose amounts a contract computes carries the digest of those that the
    record states, and reverts when the contract comes to others.
    """

    def __init__(self, suite: Suite, books: Books, insist: bool = True) -> None:
        self._suite, self._books, self._insist = suite, books, insist

    def of(self, key: Key, record: Record, content: bytes) -> list[Call]:
        """Return the calls of a record whose canonical bytes hash to `content`."""
        match record:
            case Found():
                calls = self._found(key, record, content)
            case Rotation():
                calls = self._rotate(key, record, content)
            case Emptied():
                # each paid itself out, in transactions of its own
                calls = iter(())
            case Book():
                calls = self._collect(key, record, content)
            case Prices():
                calls = iter([self._price(key, record, content)])
            case Cleared():
                calls = iter([self._post(key, record, content)])
            case Commitment():
                calls = self._commit(key, record, content)
            case Verdicts():
                calls = self._judge(key, record, content)
            case Meters():
                calls = self._deliver(key, record, content)
            case Settlement():
                calls = self._settle(key, record, content)
            case Rating():
                calls = self._rate(key, record, content)
            case Finalised():
                calls = self._finalise(key, record)
            case Anchor():
                calls = iter([self._anchor(record)])
            case Confirmed():
                calls = iter(())
            case Returned():
                back = returning(record.crossing)
                calls = self._refund(key, record.refunds, back, content)
        return list(calls)

    def _expect(self, digest: bytes) -> bytes:
        return digest if self._insist else packing.ZERO

    def _found(self, key: Key, found: Found, content: bytes) -> Iterator[Call]:
        yield from self._suite.deploy(found)
        batches = list(_batches(key, content, found.participants, REGISTERED))
        for number, (write, batch) in enumerate(batches, start=1):
            rows = Rows(list(map(packing.registration, batch)))
            # the last one ends the founding
            yield self._suite.call(
                "registry", "register", write, rows, pack(number == len(batches))
            )
        if isinstance(found.rating, CredibilityTerms):
            referred = [one for one in found.participants if one.reference_wh]
            for write, some in _batches(key, content, referred):
                rows = Rows(list(map(packing.reference, some)))
                yield self._suite.call("reputation", "refer", write, rows)
        for deposit in found.deposits:
            yield self._mint(deposit.account, deposit.amount, deposit.reference, deposit.warrant)
        for _, pledged in in_batches(found.securities, REGISTERED) if found.securities else ():
            rows = Rows(list(map(packing.security, pledged)))
            yield self._suite.call("registry", "add_deposits", rows)
        yield from self._appoint(found)

    def _appoint(self, found: Found) -> Iterator[Call]:
        """The operator and every member pledge a bond, then the members are in office."""
        members, pledges = found.council.members, found.council.pledges
        if not members:
            return
        yield self._suite.call("council", "bond", pack(found.net.bond))
        for member, pledge in zip(members, pledges, strict=True):
            given = pack(member, found.net.bond) + pledge
            yield self._suite.call("council", "bond_for", given)
        given = pack(found.region, 0, 0)
        yield self._suite.call("council", "appoint", given, Rows(list(map(pack, members))))

    def _rotate(self, key: Key, rotation: Rotation, content: bytes) -> Iterator[Call]:
        for one in rotation.participants:
            asked = pack(one.address) + packing.application(one, key.region)
            yield self._suite.call("registry", "approve", asked)
        for one, warrant in zip(rotation.participants, rotation.warrants, strict=True):
            reference = entrance(key.region, one.address)
            yield self._mint(one.address, rotation.entering, reference, warrant)
        for batch, share in enumerate(rotation.inheritances):
            leaving = Rows(list(map(pack, share.leaving)))
            heirs = Rows([pack(heir.participant, heir.score) for heir in share.heirs])
            write = packing.write(key, batch, content)
            yield self._suite.call("reputation", "carry", write, leaving, heirs)

    def _mint(self, account: bytes, amount: Money, reference: bytes, warrant: Warrant) -> Call:
        given = pack(account, amount, reference, warrant.day)
        return self._suite.call("vault", "mint", given, Rows(warrant.signatures))

    def _price(self, key: Key, prices: Prices, content: bytes) -> Call:
        tariffs = (prices.retail, prices.network_share, prices.feed_in, prices.loss_share)
        given = pack(*tariffs) + roots.costs(prices)
        return self._suite.call("clearing", "price", packing.write(key, 0, content) + given)

    def _collect(self, key: Key, book: Book, content: bytes) -> Iterator[Call]:
        orders = book.orders
        before, now = self._suspended(key), set(book.suspended)
        for function, people in (("suspend", now - before), ("reinstate", before - now)):
            for who in sorted(people):
                yield self._suite.call("registry", function, pack(who), FALLEN)
        for write, batch in _batches(key, content, orders):
            rows = Rows(list(map(packing.collection, batch)))
            yield self._suite.call("orders", "collect", write, rows)

    def _suspended(self, key: Key) -> set[bytes]:
        """Return who was suspended by the book of the interval before."""
        if not key.interval:
            return set()
        books = self._books(Key(key.region, key.interval - 1, Phase.COLLECT))
        return {who for one in books for who in one.suspended}

    def _post(self, key: Key, cleared: Cleared, content: bytes) -> Call:
        given = pack(*roots.posting(self._books(key), cleared, content)[1:])
        return self._suite.call("clearing", "post", packing.write(key, 0, content) + given)

    def _commit(self, key: Key, commitment: Commitment, content: bytes) -> Iterator[Call]:
        orders = [accepted for book in self._books(key) for accepted in book.orders]
        if commitment.refused is not None:
            # nothing enters under this crossing, and nothing ever will: its reference is used up
            nobody = Named.OPERATOR.address
            yield self._mint(nobody, 0, commitment.refused.id, commitment.warrant)
        if commitment.bid is not None:
            region, crossing = commitment.bid.order.participant, commitment.arrived
            if crossing is not None:  # fills of no price need no money
                yield self._mint(region, crossing.amount, crossing.id, commitment.warrant)
            orders.append(commitment.bid)
            bid = Rows([packing.collection(commitment.bid, len(commitment.fills))])
            write = packing.write(key, 0, content)
            yield self._suite.call("orders", "collect", write, bid)
        book = {accepted.hash: accepted.order for accepted in orders}
        if commitment.net is None:
            for write, used, rows in brought(key, content, commitment.fills, book, matched):
                yield self._suite.call("settlement", "commit", write, used, rows)
        if commitment.departed is not None:
            crossing = commitment.departed
            for write, used, rows in brought(key, content, commitment.crossed, book, parted):
                yield self._suite.call("crossing", "cross", write, used, rows, crossing.id)
        for write, closed in _batches(key, content, orders):
            rows = Rows([packing.order(accepted.order) for accepted in closed])
            yield self._suite.call("orders", "close", write, rows)
        if commitment.net is not None:
            # closing freed what the orders had reserved: the part sets it aside in the same block
            place = key.region, key.interval, 0
            reserved = netting.reserve(place, commitment.net)
            yield self._suite.call("net", "reserve", *reserved)
            locked = netting.commit(place, commitment.net, len(commitment.fills))
            yield self._suite.call("net", "commit", *locked)

    def _judge(self, key: Key, said: Verdicts, content: bytes) -> Iterator[Call]:
        if said.word.members:
            yield self._attest(key, said)
        given = pack(said.until, said.root, said.rows, said.log)
        for write, holds in _batches(key, content, said.holds):
            rows = Rows(list(map(packing.hold, holds)))
            yield self._suite.call("verdicts", "judge", write + given, rows)

    def _deliver(self, key: Key, meters: Meters, content: bytes) -> Iterator[Call]:
        root = roots.reading_root(meters.readings)
        given = pack(root, meters.loss_wh, meters.weighed_wh, meters.before_wh)
        yield self._suite.call("clearing", "deliver", packing.write(key, 0, content) + given)
        if meters.curtailed:
            for write, some in _batches(key, content, meters.curtailed):
                rows = Rows(list(map(packing.curtailed, some)))
                yield self._suite.call("clearing", "curtail", write, rows)

    def _settle(self, key: Key, settlement: Settlement, content: bytes) -> Iterator[Call]:
        if settlement.word.members:
            yield self._attest(key, settlement)
        if settlement.net is None:
            yield from self._settle_fills(key, settlement, content)
        else:
            place = key.region, key.interval, 0
            yield self._suite.call("net", "post", *netting.post(place, settlement.net))
        if settlement.arrived is not None:
            yield from self._refund(key, settlement.refunds, settlement.arrived.id, content)
        if settlement.departed is not None:
            crossing = settlement.departed
            given = pack(settlement.fills[0].buyer, crossing.amount, crossing.id)
            write = packing.write(key, 0, content)
            yield self._suite.call("crossing", "send_home", write + given)
        yield from self._grid_tier(key, settlement, content)

    def _settle_fills(self, key: Key, settlement: Settlement, content: bytes) -> Iterator[Call]:
        rows = list(
            zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
        )
        for write, batch in _batches(key, content, rows):
            packed = Rows([packing.settlement(fill, delivery) for fill, delivery, _ in batch])
            expected = self._expect(
                packing.statements_digest([statement for _, _, statement in batch])
            )
            yield self._suite.call("settlement", "settle", write, packed, expected)

    def _finalise(self, key: Key, final: Finalised) -> Iterator[Call]:
        """Every part moves its money; what the first of them held goes into one that follows."""
        for part in final.parts:
            place = key.region, part.interval, part.number
            yield self._suite.call("net", "finalise", *netting.finalise(place, part.net))
        held = final.held.net if final.held else None
        if held is not None:
            first = final.parts[0]
            place = key.region, first.interval, first.number
            yield self._suite.call("net", "carry", *netting.finalise(place, first.net))
            place = key.region, first.interval, first.number + netting.HELD
            yield self._suite.call("net", "post", *netting.post(place, held))
        for part in final.parts:
            place = key.region, part.interval, part.number
            for given in netting.rate(place, part.net):
                yield self._suite.call("reputation", "rate_part", *given)

    def _attest(self, key: Key, record: Signed) -> Call:
        word = record.word
        return self._suite.call(
            "council",
            "attest",
            pack(key.region, key.interval, key.part, word.epoch),
            Rows(batches(key, record)),
            Rows(list(map(pack, word.members))),
            Rows(word.signatures),
        )

    def _refund(
        self, key: Key, refunds: Sequence[Refund], under: bytes, content: bytes
    ) -> Iterator[Call]:
        for write, batch in _batches(key, content, refunds):
            packed = Rows(list(map(packing.refund, batch)))
            yield self._suite.call("crossing", "refund", write, under, packed)

    def _grid_tier(self, key: Key, settlement: Settlement, content: bytes) -> Iterator[Call]:
        for write, bills in _batches(key, content, settlement.bills):
            rows = Rows(list(map(packing.bill, bills)))
            expected = self._expect(packing.bills_digest(bills))
            yield self._suite.call("supply", "bill", write, rows, expected)
        write = packing.write(key, 0, content)
        if settlement.network_loss_wh:
            given = pack(settlement.network_loss_wh, settlement.network_loss_cost)
            yield self._suite.call("supply", "buy_loss", write + given)
        if settlement.incentives:
            reference = pack(settlement.incentives[0].reference)
            rows = Rows(list(map(packing.supply, settlement.incentives)))
            expected = self._expect(packing.grants_digest(settlement.incentives))
            yield self._suite.call("incentive", "grant", write, reference, rows, expected)

    def _rate(self, key: Key, rating: Rating, content: bytes) -> Iterator[Call]:
        for write, batch in _batches(key, content, rating.rated):
            rows = Rows([pack(rated.participant) for rated in batch])
            expected = self._expect(packing.ratings_digest(batch))
            yield self._suite.call("reputation", "rate", write, rows, expected)

    def _anchor(self, anchor: Anchor) -> Call:
        # no council: the operator writes, epoch and members are not read
        given = pack(anchor.region, anchor.interval, anchor.number, anchor.head, anchor.previous)
        return self._suite.call("anchor", "post", given + pack(0), Rows([]))


def returning(crossing: Crossing) -> bytes:
    """Return the id under which a refused crossing's money comes back from transit."""
    return keccak(b"returned" + crossing.id)


def brought(
    key: Key,
    content: bytes,
    fills: Sequence[Fill],
    book: Mapping[bytes, Order],
    row: Callable[[Fill, Mapping[bytes, Order], "Places"], bytes],
) -> Iterator[tuple[bytes, Rows, Rows]]:
    """Yield (write, orders, rows) per batch of fills: each order that it needs, brought once.

    An order that no book holds is no order: the contracts refuse its fill.
    """
    batch, places = 0, Places()
    rows: list[bytes] = []
    for fill in fills:
        if len(rows) == BATCH or len(places.orders) > BATCH - 2:
            yield packing.write(key, batch, content), Rows(places.orders), Rows(rows)
            batch, places, rows = batch + 1, Places(), []
        rows.append(row(fill, book, places))
    yield packing.write(key, batch, content), Rows(places.orders), Rows(rows)


class Places:
    """The orders that a batch brings, and where in it each stands."""

    def __init__(self) -> None:
        self.orders: list[bytes] = []
        self._at: dict[bytes, int] = {}

    def of(self, name: bytes, party: bytes, book: Mapping[bytes, Order]) -> int:
        """Return the place of a party's order, bringing it when it is new."""
        if name not in book:
            raise Reverted("orders: not open", name.hex())
        if book[name].participant != party:
            raise Reverted("orders: another participant's", name.hex())
        if name not in self._at:
            self._at[name] = len(self._at)
            self.orders.append(packing.order(book[name]))
        return self._at[name]


def matched(fill: Fill, book: Mapping[bytes, Order], places: Places) -> bytes:
    """Return the row of a fill whose two orders stand in the book."""
    bid = places.of(fill.bid, fill.buyer, book)
    return packing.match(fill, bid, places.of(fill.offer, fill.seller, book))


def parted(fill: Fill, book: Mapping[bytes, Order], places: Places) -> bytes:
    """Return the row of a fill whose offer stands on the other chain."""
    bid = places.of(fill.bid, fill.buyer, book)
    parent = book[fill.bid].parent
    above = bid if parent == NONE else places.of(parent, fill.buyer, book)
    return packing.cross(fill, bid, above)


def _batches(
    key: Key, content: bytes, rows: Sequence[T], size: int = BATCH
) -> Iterator[tuple[bytes, Sequence[T]]]:
    """Yield (write, rows) per batch."""
    for batch, some in in_batches(rows, size):
        yield packing.write(key, batch, content), some
