"""Net settlement: many statements as one number per account, with leaves that prove each.

The mirror of `contracts/netting.vy` and `chunks.vy`; pure functions from records. A part has

- rows, one per account, rising: what it reserved and what it may lose at most (its lock);
- changes, one per row: what it gains or loses, what is held in disputes, where its last leaf is;
- leaves, one per fill in the clearing's order, each with running sums: of the region, of the
  market's own accounts, and of its buyer and its seller since that account's previous leaf.

Every number of a leaf follows from the leaf itself and one other, so each fault has a proof of one
step (5-decisions, section 17; `contracts/fraud.vy`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from gridpact.crypto import merkle
from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.errors import LedgerError
from gridpact.ledger.onchain import packing
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Phase
from gridpact.model.order import NONE
from gridpact.model.participant import Named
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.model.typed import QUORUM
from gridpact.quantities import Money, Score, Wh, part

CHUNK = 32
MOST_ACCOUNTS = 1024
MOST_FILLS = 2**merkle.MAX_DEPTH
MOST_MONEY = 2**48 - 1
"""Largest amount of one account in one part: 281 million units of the currency."""
OWN = (
    Named.NETWORK_LOSS.address,
    Named.NETWORK_OPERATOR.address,
    Named.REWARD.address,
)
HELD = 2**16
"""Added to a part's number for the part that settles what it held."""


class Row(NamedTuple):
    """What an account brings to a part."""

    account: bytes
    reserved: Money
    lock: Money

    @property
    def word(self) -> int:
        """account 160 | reserved 48 | lock 48."""
        return int.from_bytes(self.account, "big") << 96 | self.reserved << 48 | self.lock


class Change(NamedTuple):
    """What a part does to an account. `tail` is the place of its last leaf, from 1; 0 for none."""

    delta: Money = 0
    held: Money = 0
    tail: int = 0

    @property
    def half(self) -> int:
        """zero 15 | negative 1 | held 48 | tail 16 | amount 48."""
        return (self.delta < 0) << 112 | self.held << 64 | self.tail << 48 | abs(self.delta)


class Header(NamedTuple):
    """What holds for all leaves of a part.

    Loss L and S of the region, rho settled before the first leaf, the place of the first fill in
    the clearing and the number of leaves; what rewards and claims may come to; the rows of
    `OWN`, the market's own accounts; a root of the reputations. A part has all fills from its
    first; only one of held fills leaves some out.
    """

    loss_wh: Wh
    weighed_wh: Wh
    before_wh: Wh
    first: int
    leaves: int
    rewards: Money = 0
    claims: Money = 0
    own: tuple[int, int, int] = (0, 0, 0)
    reputation: bytes = NONE

    @property
    def packed(self) -> bytes:
        """Three words.

        loss 64 | weighed 64 | before 64 | first 32 | leaves 32; then the rows of network_loss 16,
        network_operator 16, reward 16 | rewards 64 | claims 64; then the root.
        """
        energy = self.loss_wh << 192 | self.weighed_wh << 128 | self.before_wh << 64
        energy |= self.first << 32 | self.leaves
        loss, network, reward = self.own
        funds = loss << 160 | network << 144 | reward << 128 | self.rewards << 64 | self.claims
        return packing.words((energy, funds)) + self.reputation


class Chained(msgspec.Struct, frozen=True):
    """An account's running sums up to a leaf.

    `row` is the account's place in the part's list, `previous` that of its leaf before, from 1.
    """

    row: int = 0
    previous: int = 0
    credit: Money = 0
    debit: Money = 0
    held: Money = 0
    sent: Wh = 0
    agreed: Wh = 0

    @property
    def word(self) -> int:
        """row 16 | previous 16 | credit 48 | debit 48 | held 48 | sent 40 | agreed 40."""
        return (
            self.row << 240
            | self.previous << 224
            | self.credit << 176
            | self.debit << 128
            | self.held << 80
            | self.sent << 40
            | self.agreed
        )


class Common(NamedTuple):
    """Running sums of the market's own accounts: all that ever went to or from them."""

    to_loss: Money = 0
    to_network: Money = 0
    rewards: Money = 0
    claims: Money = 0


class Leaf(msgspec.Struct, frozen=True):
    """The statement of one fill as it is proven: ten words, as `contracts/statement.vy` reads them.

    `position` is the fill's place in its clearing, `seller_meter` and `buyer_meter` are
    `meter_digest` of their signed readings; `sent_wh` is the region's running rho.
    """

    statement: Statement
    delivery: Delivery
    seller_meter: bytes
    buyer_meter: bytes
    position: int
    sent_wh: Wh
    buyer: Chained
    seller: Chained
    common: Common

    @property
    def content(self) -> bytes:
        # one long number for seven words: a part has thousands of leaves
        s, d, c = self.statement, self.delivery, self.common
        delivery = d.agreed << 208 | d.sent << 168 | d.received << 128 | d.unused << 88
        delivery |= d.unused_sent << 48 | d.held << 8 | d.disputed
        amounts = s.case << 192 | s.paid << 144 | s.charge << 96 | s.fee_seller << 48
        extras = s.reward << 144 | s.claim << 96 | s.unpaid_reward << 48 | s.unpaid_claim
        upper = delivery << 512 | (amounts | s.fee_network) << 256 | extras
        common = c.to_loss << 192 | c.to_network << 128 | c.rewards << 64 | c.claims
        lower = (self.position << 64 | self.sent_wh) << 768 | self.buyer.word << 512
        lower |= self.seller.word << 256 | common
        return b"".join(
            (
                s.fill,
                self.seller_meter,
                self.buyer_meter,
                upper.to_bytes(96, "big"),
                lower.to_bytes(128, "big"),
            )
        )


class Place(NamedTuple):
    """A part's name."""

    region: bytes
    interval: int
    part: int = 0

    @property
    def key(self) -> bytes:
        """The same as `netting.key`."""
        return keccak(self.region + packing.words((self.interval, int(Phase.SETTLE), self.part)))

    @property
    def held(self) -> "Place":
        """The part that settles what this one held."""
        return self._replace(part=self.part + HELD)


class Part(NamedTuple):
    """One part of net settlement, complete: what is posted and what proves it."""

    place: Place
    epoch: int
    clearing: bytes
    header: Header
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    leaves: tuple[Leaf, ...]

    @property
    def span(self) -> int:
        """Return which fills of its clearing are the part's: its first 32 | their number 32.

        0 of a part that settles what another held.
        """
        if self.place.part >= HELD:
            return 0
        return self.header.first << 32 | self.header.leaves

    @property
    def root(self) -> bytes:
        return merkle.root([leaf.content for leaf in self.leaves])

    @property
    def row_words(self) -> list[int]:
        return [row.word for row in self.rows]

    @property
    def delta_words(self) -> list[int]:
        """Return two changes to a word, the first in the high half."""
        halves = [change.half for change in self.changes] + [0] * (len(self.changes) % 2)
        return [high << 128 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]

    def digest(self, domain: Domain, root: bytes | None = None) -> bytes:
        """Return what the council signs of the whole part; `root` where it is known already."""
        return signed(
            domain,
            *(self.place, Phase.SETTLE, self.epoch, self.clearing, chunked(self.row_words)),
            *(root or self.root, self.header.packed, chunked(self.delta_words)),
        )


def reserve_digest(domain: Domain, part: Part) -> bytes:
    """Return what the council signs before a part's money is set aside: no locks yet."""
    rows = chunked([row._replace(lock=0).word for row in part.rows])
    return signed(domain, part.place, Phase.COLLECT, part.epoch, rows=rows)


def commit_digest(domain: Domain, part: Part) -> bytes:
    """Return what the council signs of a part's locks, its clearing and which fills it has."""
    rows, header = chunked(part.row_words), packing.words((part.span, 0)) + NONE
    return signed(
        *(domain, part.place, Phase.COMMIT, part.epoch, part.clearing, rows), header=header
    )


def signed(
    domain: Domain,
    place: Place,
    phase: Phase,
    epoch: int,
    clearing: bytes = NONE,
    rows: bytes = NONE,
    root: bytes = NONE,
    header: bytes = NONE * 3,
    deltas: bytes = NONE,
) -> bytes:
    """Return the EIP-712 digest of a council's word; reservations and commits leave the end out."""
    values = (place.region, place.interval, int(phase), place.part, epoch)
    hashes = (clearing, rows, root, keccak(header), deltas)
    return domain.digest(QUORUM.struct_hash((*values, *hashes)))


def chunked(words: Sequence[int]) -> bytes:
    """Return the digest of a long list: d = keccak(d | keccak(32 words)), filled up with zeros."""
    digest = NONE
    for chunk in chunk_hashes(words):
        digest = keccak(digest + chunk)
    return digest


def chunk_hashes(words: Sequence[int]) -> list[bytes]:
    """Return the hashes of a list's chunks."""
    whole = packing.words(words)
    size = 32 * CHUNK
    return [keccak(whole[at : at + size].ljust(size, b"\0")) for at in range(0, len(whole), size)]


def meter_digest(before: bytes, now: bytes) -> bytes:
    """Return what a leaf says of a meter: the digests of its readings before and after."""
    return keccak(before + now)


def locks(
    fills: Iterable[Fill], reserved: Mapping[bytes, Money], rewards: Money = 0, claims: Money = 0
) -> tuple[Row, ...]:
    """Return the rows of a part: what its fills can cost each account, out of its reservation.

    Raises
    ------
    LedgerError
        More accounts than a part takes, or an account that reserved less than its lock.
    """
    owed: dict[bytes, Money] = dict.fromkeys(reserved, 0)
    for fill in fills:
        owed[fill.buyer] = owed.get(fill.buyer, 0) + fill.lock
        owed.setdefault(fill.seller, 0)
    owed |= dict(zip(OWN, (claims, 0, rewards), strict=True))
    rows = tuple(
        Row(account, reserved.get(account, 0), lock) for account, lock in sorted(owed.items())
    )
    if len(rows) > MOST_ACCOUNTS:
        raise LedgerError(f"{len(rows)} accounts in one part, a part takes {MOST_ACCOUNTS}")
    for row in rows:
        if not row.lock <= row.reserved <= MOST_MONEY:
            raise LedgerError(f"{row.account.hex()} reserved {row.reserved}, locks {row.lock}")
    return rows


def build(
    place: Place,
    epoch: int,
    clearing: bytes,
    header: Header,
    rows: Sequence[Row],
    settled: Sequence[tuple[int, Fill, Delivery, Statement]],
    meters: Mapping[bytes, bytes],
    fund_share: Score,
) -> Part:
    """Return the part of some settled fills.

    Parameters
    ----------
    settled
        In the order of the clearing: the place of each fill in it, what became of it.
    meters
        `meter_digest` per participant; who has none is left zero, for disputes.
    fund_share
        Share of network charges that goes to `network_loss`. [10⁻⁶]

    Raises
    ------
    LedgerError
        More fills than a part takes, or an account that is in no row or would lose above its lock.
    """
    if len(settled) > MOST_FILLS:
        raise LedgerError(f"{len(settled)} fills in one part, a part takes {MOST_FILLS}")
    place_of = {row.account: n for n, row in enumerate(rows)}
    missing = {party for _, f, *_ in settled for party in (f.buyer, f.seller)} - place_of.keys()
    if missing or not place_of.keys() >= set(OWN):
        raise LedgerError(f"{min(missing, default=OWN[0]).hex()} has no row in the part")
    last = {account: Chained(row=n) for account, n in place_of.items()}
    tails = dict.fromkeys(place_of, 0)
    common, running = Common(), header.before_wh
    leaves = []
    for at, (position, fill, delivery, statement) in enumerate(settled, start=1):
        running += delivery.sent
        common = _common(common, statement, fund_share)
        buyer = _bought(last[fill.buyer], tails[fill.buyer], fill, delivery, statement)
        seller = _sold(last[fill.seller], tails[fill.seller], delivery, statement)
        last[fill.buyer], last[fill.seller] = buyer, seller
        tails[fill.buyer] = tails[fill.seller] = at
        meter = (meters.get(fill.seller, NONE), meters.get(fill.buyer, NONE))
        leaf = Leaf(statement, delivery, *meter, position, running, buyer, seller, common)
        leaves.append(leaf)
    changes = _changes(rows, last, tails, common)
    loss, network, reward = (place_of[account] for account in OWN)
    header = header._replace(own=(loss, network, reward), leaves=len(leaves))
    return Part(place, epoch, clearing, header, tuple(rows), changes, tuple(leaves))


def following(
    part: Part,
    settled: Sequence[tuple[int, Fill, Delivery, Statement]],
    meters: Mapping[bytes, bytes],
    fund_share: Score,
) -> Part:
    """Return the part that settles what a final part held, by its deliveries without dispute.

    Its rows are what `net.carry` makes of the part's: whatever each account has held, so nothing
    is there for rewards and claims, which stay unpaid. `settled`, `meters` and `fund_share` are as
    in `build`.
    """
    rows = tuple(
        Row(row.account, change.held, change.held)
        for row, change in zip(part.rows, part.changes, strict=True)
    )
    header = part.header._replace(first=0, rewards=0, claims=0)
    return build(
        *(part.place.held, part.epoch, part.clearing, header, rows, settled, meters, fund_share)
    )


def _common(so_far: Common, s: Statement, fund_share: Score) -> Common:
    to_fund = part(s.charge, fund_share)
    return Common(
        so_far.to_loss + to_fund + s.fee_network,
        so_far.to_network + s.charge - to_fund,
        so_far.rewards + s.reward,
        so_far.claims + s.claim,
    )


def _bought(last: Chained, tail: int, fill: Fill, delivery: Delivery, s: Statement) -> Chained:
    return Chained(
        row=last.row,
        previous=tail,
        credit=last.credit + s.claim,
        debit=last.debit + s.paid + s.charge + s.fee_seller + s.fee_network,
        held=last.held + (fill.lock if s.case is Case.DISPUTE else 0),
        sent=last.sent,
        agreed=last.agreed + delivery.agreed,
    )


def _sold(last: Chained, tail: int, delivery: Delivery, s: Statement) -> Chained:
    return Chained(
        row=last.row,
        previous=tail,
        credit=last.credit + s.paid + s.fee_seller + s.reward,
        debit=last.debit,
        held=last.held,
        sent=last.sent + delivery.sent,
        agreed=last.agreed,
    )


def _changes(
    rows: Sequence[Row],
    chains: Mapping[bytes, Chained],
    tails: Mapping[bytes, int],
    common: Common,
) -> tuple[Change, ...]:
    own = dict(
        zip(
            OWN,
            (common.to_loss - common.claims, common.to_network, -common.rewards),
            strict=True,
        )
    )
    changes = tuple(
        Change(own[row.account])
        if row.account in own
        else Change(
            chains[row.account].credit - chains[row.account].debit,
            chains[row.account].held,
            tails[row.account],
        )
        for row in rows
    )
    for row, change in zip(rows, changes, strict=True):
        if max(-change.delta, 0) + change.held > row.lock:
            raise LedgerError(f"{row.account.hex()} would lose {change} above its lock {row.lock}")
    return changes
