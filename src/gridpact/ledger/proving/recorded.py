"""Which parts of net settlement do the records of an interval come to?

Whoever reads the records finds the same part: who posts it, the council before it signs, the audit
afterwards.
"""

from collections.abc import Iterable
from typing import Protocol

from msgspec.structs import replace

from gridpact.crypto.eip712 import Domain
from gridpact.errors import SettlementError
from gridpact.ledger.onchain import netting, roots
from gridpact.ledger.onchain.chunks import digest
from gridpact.ledger.proving import net
from gridpact.ledger.proving.leaf import meter_digest
from gridpact.ledger.proving.part import (
    Header,
    Part,
    Place,
    Row,
    commit_digest,
    quorum_digest,
    reserve_digest,
)
from gridpact.model.delivery import Delivery, Reading
from gridpact.model.interval import Key, Phase
from gridpact.model.net import FinalPart, NetLocks, NetPart, NetTerms
from gridpact.model.participant import Named
from gridpact.model.record import (
    Book,
    Cleared,
    Commitment,
    Finalised,
    Found,
    Meters,
    R,
    Settlement,
    content_hash,
    encode,
)
from gridpact.model.statement import Case
from gridpact.model.trade import Fill
from gridpact.quantities import Money, Score

NEVER = 2**64 - 1
"""The interval of the reading before a meter's first: its registers stand at zero."""


class Records(Protocol):
    """What can be read of a region's chain."""

    @property
    def domain(self) -> Domain: ...

    def read(self, key: Key, kind: type[R]) -> R | None: ...


def required(records: Records, key: Key, phase: Phase, kind: type[R]) -> R:
    """Return a record of an interval that must be there."""
    record = records.read(Key(key.region, key.interval, phase), kind)
    if record is None:
        raise SettlementError(f"{key}: no {phase.name.lower()} of its interval")
    return record


def clearing_name(records: Records, key: Key) -> bytes:
    """Return the name under which an interval's clearing is posted."""
    cleared = required(records, key, Phase.CLEAR, Cleared)
    books: list[Book] = []
    while book := records.read(Key(key.region, key.interval, Phase.COLLECT, len(books)), Book):
        books.append(book)
    posting = roots.posting(books, cleared, content_hash(encode(cleared)))
    return posting.name(key.region, key.interval)


def committed(records: Records, key: Key) -> NetLocks | None:
    """Return what an interval's part set aside; None where there is no part."""
    return required(records, key, Phase.COMMIT, Commitment).net


def set_aside(locks: NetLocks) -> tuple[Money, Money]:
    """Return what a part has for rewards and claims."""
    most = {row.account: row.lock for row in rows_of(locks.rows)}
    return most[Named.REWARD.address], most[Named.NETWORK_LOSS.address]


def before_delivery(key: Key, clearing: bytes, rows: tuple[Row, ...], fills: int) -> Part:
    """Return the first part of an interval as it is committed, without leaves."""
    header = Header(0, 0, 0, 0, fills)
    return Part(Place(key.region, key.interval), 0, clearing, header, rows, (), (), ())


def lock_digests(records: Records, key: Key, commitment: Commitment) -> tuple[bytes, bytes]:
    """Return what the council signs before delivery: the reservation, and the locks within it."""
    said = _said(commitment.net, key)
    part = before_delivery(key, said.clearing, rows_of(said.rows), len(commitment.fills))
    return reserve_digest(records.domain, part), commit_digest(records.domain, part)


def part_digest(records: Records, key: Key, posted: NetPart) -> bytes:
    """Return what the council signs of a part; `key` has its interval and number."""
    place, listed = Place(key.region, key.interval, key.part), digest(posted.rows)
    return quorum_digest(
        *(records.domain, place, Phase.SETTLE, posted.word.epoch, posted.clearing, listed),
        *(posted.root, posted.header, digest(posted.deltas)),
    )


def posted(records: Records, key: Key, settlement: Settlement) -> Part:
    """Return the part of an interval's settled fills: they are the first of its clearing."""
    said = _said(committed(records, key), key)
    balance = required(records, key, Phase.DELIVER, Meters)
    rewards, claims = set_aside(said)
    header = Header(
        *(balance.loss_wh, balance.weighed_wh, balance.before_wh, 0, 0),
        rewards=rewards,
        claims=claims,
    )
    rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
    return net.build(
        *(Place(key.region, key.interval), 0, said.clearing, header, rows_of(said.rows)),
        [(at, *row) for at, row in enumerate(rows)],
        meters(records, key, settlement.fills),
        fund_share(records, key),
    )


def held(settlement: Settlement) -> tuple[tuple[Fill, ...], tuple[Delivery, ...]]:
    """Return the fills that a settlement's part holds in disputes, with their deliveries."""
    rows = zip(settlement.fills, settlement.deliveries, settlement.statements, strict=True)
    disputed = [row for row in rows if row[2].case is Case.DISPUTE and settlement.net is not None]
    return tuple(fill for fill, *_ in disputed), tuple(made for _, made, _ in disputed)


def followed(records: Records, key: Key, first: Settlement, after: Settlement) -> Part:
    """Return the part that settles what an interval's first part held, as `after` says."""
    places = {fill: at for at, fill in enumerate(first.fills)}
    rows = zip(after.fills, after.deliveries, after.statements, strict=True)
    return net.following(
        posted(records, key, first),
        [(places[fill], fill, made, said) for fill, made, said in rows],
        meters(records, key, after.fills),
        fund_share(records, key),
    )


def final_parts(records: Records, key: Key, terms: NetTerms) -> tuple[FinalPart, ...]:
    """Return the parts that are final with an interval: one's first, an earlier one's that held.

    `key` is that of `Finalised`.
    """
    if not terms.on:
        return ()
    first, earlier = (key.interval - times * terms.wait for times in (1, 2))
    settled = closed = None
    if first >= 0:
        settled = records.read(Key(key.region, first, Phase.SETTLE), Settlement)
        closed = records.read(replace(key, interval=first), Finalised)
    parts = []
    if settled is not None and settled.net is not None:
        parts.append(FinalPart(first, 0, settled.net))
    if closed is not None and closed.held is not None and closed.held.net is not None:
        parts.append(FinalPart(earlier, netting.HELD, closed.held.net))
    return tuple(parts)


def meters(records: Records, key: Key, fills: Iterable[Fill]) -> dict[bytes, bytes]:
    """Return `meter_digest` of each party that was heard: its reading before, and the one now."""
    parties = {party for fill in fills for party in (fill.buyer, fill.seller)}
    heard = _readings(records, key)
    before = last_readings(records, key, parties & heard.keys())
    domain = records.domain
    return {
        who: meter_digest(last.digest(domain), heard[who].digest(domain))
        for who, last in before.items()
    }


def last_readings(records: Records, key: Key, who: Iterable[bytes]) -> dict[bytes, Reading]:
    """Return each meter's last reading before an interval: at the beginning all stand at zero."""
    missing, found = set(who), dict[bytes, Reading]()
    for interval in range(key.interval - 1, -1, -1):
        if not missing:
            break
        heard = _readings(records, Key(key.region, interval, key.phase))
        found |= {one: heard[one] for one in missing & heard.keys()}
        missing -= heard.keys()
    return found | {one: Reading(one, key.region, NEVER, 0, 0) for one in missing}


def rows_of(words: bytes) -> tuple[Row, ...]:
    """Return the rows of a part from their words."""
    return tuple(Row(*row) for row in netting.accounts(words))


def fund_share(records: Records, key: Key) -> Score:
    """Return the share of network charges that goes to `network_loss`."""
    found = records.read(Key(key.region, 0, Phase.FOUND), Found)
    if found is None:
        raise SettlementError(f"{key}: the chain is not founded")
    return found.settlement.loss_fund_share


def _said(locks: NetLocks | None, key: Key) -> NetLocks:
    if locks is None:
        raise SettlementError(f"{key}: no part was committed")
    return locks


def _readings(records: Records, key: Key) -> dict[bytes, Reading]:
    heard = required(records, key, Phase.DELIVER, Meters).readings
    return {one.reading.meter: one.reading for one in heard}
