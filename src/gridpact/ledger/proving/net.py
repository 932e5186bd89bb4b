"""How many statements become one number per account, with leaves that prove each.

Pure functions from records: `locks` before delivery, `build` after it, `following` for what was in
dispute. Every number of a leaf follows from the leaf itself and one other, so each fault has a
proof of one step (5-decisions, section 17; `contracts/fraud.vy`).
"""

from collections.abc import Iterable, Mapping, Sequence

from gridpact.errors import LedgerError
from gridpact.ledger.proving.leaf import Chained, Common, Leaf
from gridpact.ledger.proving.part import (
    MOST_ACCOUNTS,
    MOST_FILLS,
    MOST_MONEY,
    OWN,
    Change,
    Header,
    Part,
    Place,
    Rating,
    Row,
)
from gridpact.model.delivery import Delivery
from gridpact.model.order import NONE
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import MAX_ENERGY, Money, Score, part


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
        More fills or more energy of one account than a part takes, or an account that is in no row
        or would lose above its lock.
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
        seller = _delivered(last[fill.seller], tails[fill.seller], delivery, statement)
        last[fill.buyer], last[fill.seller] = buyer, seller
        tails[fill.buyer] = tails[fill.seller] = at
        meter = (meters.get(fill.seller, NONE), meters.get(fill.buyer, NONE))
        leaf = Leaf(statement, delivery, *meter, position, running, buyer, seller, common)
        leaves.append(leaf)
    for account, sums in last.items():
        if max(sums.sent, sums.agreed) > MAX_ENERGY:
            raise LedgerError(
                f"{account.hex()} sent {sums.sent} and took {sums.agreed} Wh, a part takes "
                f"{MAX_ENERGY} Wh of an account"
            )
    changes = _changes(rows, last, tails, common)
    ratings = tuple(_rating(last[row.account], tails[row.account]) for row in rows)
    loss, network, reward = (place_of[account] for account in OWN)
    header = header._replace(own=(loss, network, reward), leaves=len(leaves))
    return Part(place, epoch, clearing, header, tuple(rows), changes, ratings, tuple(leaves))


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
        sold=last.sold,
    )


def _delivered(last: Chained, tail: int, delivery: Delivery, s: Statement) -> Chained:
    return Chained(
        row=last.row,
        previous=tail,
        credit=last.credit + s.paid + s.fee_seller + s.reward,
        debit=last.debit,
        held=last.held,
        sent=last.sent + delivery.sent,
        agreed=last.agreed,
        sold=last.sold + (0 if s.case is Case.DISPUTE else delivery.agreed),
    )


def _rating(last: Chained, tail: int) -> Rating:
    return Rating(last.sold, last.sent, tail) if last.sold else Rating()


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
