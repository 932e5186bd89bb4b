"""Which orders get into the book, and why the others do not (5-decisions, section 2).

Orders are judged one by one in order of arrival. The tests stand in such an order that a stranger
cannot make the collector work or learn anything: first the form of the numbers and whether the
sender is known and in time (no cryptography), then the signature, and only for a proven sender the
tests whose answers tell of roles, allowances and, last, of money. A refusal is data. Only an
accepted order takes up its participant's place, allowance and money: nobody uses up another's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.recovery import signed_by
from gridpact.market.caps import Pairs
from gridpact.market.flood import Proven, Refusals
from gridpact.model.attributes import PLAIN, terms_of
from gridpact.model.order import (
    MAX_FILLS,
    NONE,
    Accepted,
    Code,
    Order,
    Refusal,
    Side,
    SignedOrder,
    Tier,
)
from gridpact.model.participant import Participant, Role
from gridpact.quantities import MAX_ORDER, MAX_PRICE, MAX_SCORE, Money, Price, Wh, amount

MAX_WORD = 2**63 - 1
"""The largest interval, expiry and salt: what the record's encoding holds."""

Check: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""Did this address sign this digest with this signature?"""

Uncovered: TypeAlias = Callable[[bytes, Wh, Price], str]
"""Why may this seller not have so much open, at such a price? "" if it may."""


def covered(_seller: bytes, _energy: Wh, _cap: Price) -> str:
    """Ask for no cover."""
    return ""


MAY: Mapping[tuple[Side, Tier], Role] = {
    (Side.BID, Tier.LOCAL): Role.CONSUMER,
    (Side.BID, Tier.ZONAL): Role.CONSUMER,
    (Side.OFFER, Tier.LOCAL): Role.PRODUCER,
    (Side.OFFER, Tier.ZONAL): Role.PLANT,
}


@dataclass(frozen=True)
class Gate:
    """Everything an order of one chain and interval is judged by.

    bid_limit, offer_limit: most energy per participant; none given, none allowed. [Wh]
    free: money not reserved yet, per account.
    demand_buses: buses at which anybody may buy; an offer above every ceiling there is refused.
    by_merit: the chain judges the rank of the local tier.
    levies: a local buyer may pay more than its seller gets and the wires cost (`choice.levies`).
    barred: whose certificate does not count, and why.
    check, name: how signatures are verified and orders named; both real unless a study says so.
    blocked: whose own meters the sensors do not believe.
    uncovered: why a seller may not have so much [Wh] open at such a price, "" if it may.
    """

    domain: Domain
    region: bytes
    interval: int
    participants: Mapping[bytes, Participant]
    suspended: frozenset[bytes]
    pairs: Mapping[Tier, Pairs]
    demand_buses: frozenset[int]
    bid_limit: Mapping[bytes, Wh]
    offer_limit: Mapping[bytes, Wh]
    free: Mapping[bytes, Money]
    by_merit: bool = True
    levies: bool = False
    barred: Mapping[bytes, str] = field(default_factory=dict)
    check: Check = signed_by
    name: Callable[[Order], bytes] | None = None
    blocked: frozenset[bytes] = frozenset()
    uncovered: Uncovered = covered


@dataclass
class _Taken:
    """What the accepted orders of one book have used up."""

    orders: dict[bytes, Order] = field(default_factory=dict)
    places: set[tuple[bytes, Side, Tier]] = field(default_factory=set)
    sides: dict[bytes, Side] = field(default_factory=dict)
    offered: dict[bytes, Wh] = field(default_factory=dict)
    reserved: dict[bytes, Money] = field(default_factory=dict)
    proven: Proven = field(default_factory=Proven)


def admit(
    arrived: Iterable[SignedOrder | Refusal], gate: Gate, sign: Callable[[bytes], bytes] | None
) -> tuple[tuple[Accepted, ...], tuple[Refusal, ...]]:
    """Return the accepted orders, numbered from 0, and the refused ones with their reasons.

    What arrived and was no order is a refusal already (`wire.decode`). Of one sender's flood the
    first refusals stand one by one, the others as a number.

    `sign` makes the collector's signature over each `Accepted` digest; None leaves receipts empty
    (studies).
    """
    taken, accepted, refused = _Taken(), list[Accepted](), Refusals()
    for signed in arrived:
        verdict = (
            signed if isinstance(signed, Refusal) else _judge(signed, gate, taken, len(accepted))
        )
        if isinstance(verdict, Refusal):
            refused.add(verdict)
        else:
            accepted.append(verdict if sign is None else _receipted(verdict, gate.domain, sign))
    return tuple(accepted), refused.rows


def _receipted(accepted: Accepted, domain: Domain, sign: Callable[[bytes], bytes]) -> Accepted:
    return Accepted(
        accepted.hash,
        accepted.order,
        accepted.signature,
        accepted.sequence,
        accepted.reserved,
        sign(accepted.digest(domain)),
        accepted.charge,
        accepted.attributes,
    )


def _judge(signed: SignedOrder, gate: Gate, taken: _Taken, sequence: int) -> Accepted | Refusal:
    order = signed.order
    who = order.participant
    if problem := malformed(order) or misfit(signed, gate):
        return Refusal(NONE, who, Code.PRICE_FORM, problem)
    sender = gate.participants.get(who)
    if sender is None:
        return Refusal(NONE, who, Code.CERTIFICATE, "no certificate of this chain")
    digest = order.digest(gate.domain) if gate.name is None else gate.name(order)
    if digest in taken.orders:
        return Refusal(digest, who, Code.DUPLICATE, "this very order is in the book already")
    if late := _untimely(order, gate):
        return Refusal(digest, who, Code.EXPIRED, late)
    if taken.proven.exhausted(who, digest):
        most = f"more than {taken.proven.most} orders of one participant in one book"
        return Refusal(NONE, who, Code.OVER_LIMIT, most)
    if not taken.proven.holds(who, digest, signed.signature):
        if not gate.check(who, digest, signed.signature):
            return Refusal(digest, who, Code.SIGNATURE, "not signed by the participant, or high s")
        taken.proven.add(who, digest, signed.signature)
    for test in (_standing, _sensed, _single, _within, _priced):
        if found := test(order, sender, gate, taken):
            return Refusal(digest, who, *found)
    if problem := _uncovered(order, sender, gate, taken):
        return Refusal(digest, who, Code.OVER_LIMIT, problem, signed)
    charge = _highest_charge(order, sender, gate)
    reserved = reservation(order, charge)
    used = taken.reserved.get(who, 0)
    if reserved > gate.free.get(who, 0) - used:
        return Refusal(digest, who, Code.FUNDS, f"{reserved} micro-units are not free")
    taken.orders[digest] = order
    taken.places.add((who, order.side, order.tier))
    taken.sides[who] = order.side
    taken.reserved[who] = used + reserved
    if order.side is Side.OFFER:
        taken.offered[who] = taken.offered.get(who, 0) + order.energy_wh
    return Accepted(
        digest, order, signed.signature, sequence, reserved, b"", charge, signed.attributes
    )


def reservation(order: Order, charge: Price) -> Money:
    """Return the money set aside for an order; an offer needs none.

    amount(price, energy) + amount(highest charge, energy) + one micro-unit per possible fill,
    of which there are at most 16: fills are rounded one by one.

    Notes
    -----
    A fill has two amounts, each rounded by at most half a micro-unit: one micro-unit per fill
    covers both.
    """
    if order.side is Side.OFFER:
        return 0
    return amount(order.price, order.energy_wh) + amount(charge, order.energy_wh) + MAX_FILLS


_LENGTHS = (20, 32, 32, 32)


def malformed(order: Order) -> str:
    """Return what is wrong with the form of an order, "" if nothing.

    Fields of another length would be padded to the same digest; numbers out of range have none.
    """
    if (len(order.participant), len(order.region), len(order.terms), len(order.parent)) != _LENGTHS:
        return "an address has 20 bytes, an identifier 32"
    if not 0 < order.energy_wh <= MAX_ORDER:
        return f"energy {order.energy_wh} Wh is not within 1 and {MAX_ORDER}"
    if not 0 < order.price <= MAX_PRICE:
        return f"price {order.price} is not within 1 and {MAX_PRICE}"
    if not 0 <= order.min_reputation <= MAX_SCORE:
        return f"reputation {order.min_reputation} is not within 0 and {MAX_SCORE}"
    low = min(order.interval, order.expires, order.salt)
    if low < 0 or max(order.interval, order.expires, order.salt) > MAX_WORD:
        return f"interval, expiry or salt is not within 0 and {MAX_WORD}"
    return ""


def misfit(signed: SignedOrder, gate: Gate) -> str:
    """Return why an order's attributes cannot stand beside it, "" if they can.

    A chain that judges rank sees a bid's terms, not those of the offers that it was not shown: so
    an offer is divisible there. The zonal tier weighs windows and losses of its own.
    """
    order, attributes = signed.order, signed.attributes
    if attributes is not None and (problem := attributes.problem):
        return problem
    if order.terms != terms_of(attributes):
        return "the attributes are not those that the order's terms hash"
    if attributes is None or attributes == PLAIN:
        return ""
    if order.tier is not Tier.LOCAL:
        names = ", ".join(attributes.asked)
        return f"{names}: for orders of the local tier, not the {order.tier.name.lower()} one"
    if gate.by_merit and order.side is Side.OFFER and attributes.all_or_nothing:
        return "in merit order an offer is divisible"
    return ""


_Found: TypeAlias = tuple[Code, str] | None


def _standing(order: Order, sender: Participant, gate: Gate, _taken: _Taken) -> _Found:
    """Certificate, blacklist, region and role."""
    if sender.address in gate.barred:
        return Code.CERTIFICATE, gate.barred[sender.address]
    if sender.address in gate.suspended:
        return Code.BLACKLIST, f"{sender.name} is suspended"
    if order.region != gate.region:
        return Code.CERTIFICATE, "the order is for another region"
    needed = MAY.get((order.side, order.tier))
    if needed is None or not sender.roles & needed or order.tier not in gate.pairs:
        what = f"{order.side.name.lower()} on the {order.tier.name.lower()} tier"
        return Code.CERTIFICATE, f"the certificate of {sender.name} allows no {what}"
    return None


def _untimely(order: Order, gate: Gate) -> str:
    """Return why an order is not for this book, "" if it is.

    Asked before the signature: else somebody's old orders, sent again, would use up its quota.
    """
    if order.interval != gate.interval:
        return f"for interval {order.interval}, the book is of {gate.interval}"
    if order.expires and order.expires <= gate.interval:
        return f"void from interval {order.expires}"
    return ""


def _sensed(_order: Order, sender: Participant, gate: Gate, _taken: _Taken) -> _Found:
    """Whose meter is not believed trades when it is again; what is wrong, an alert tells it."""
    if sender.address in gate.blocked:
        return Code.SENSOR, f"sensors do not believe the meter of {sender.name} at present"
    return None


def _single(order: Order, sender: Participant, _gate: Gate, taken: _Taken) -> _Found:
    if (sender.address, order.side, order.tier) in taken.places:
        what = f"{order.side.name.lower()} on the {order.tier.name.lower()} tier"
        return Code.DUPLICATE, f"{sender.name} has a {what} already"
    return None


def _within(order: Order, sender: Participant, gate: Gate, taken: _Taken) -> _Found:
    """Limits on energy: nobody buys more than it can use or sells what it has not got."""
    who = sender.address
    if taken.sides.get(who, order.side) is not order.side:
        return Code.OVER_LIMIT, f"{sender.name} both buys and sells in one interval"
    if order.side is Side.OFFER:
        total = order.energy_wh + taken.offered.get(who, 0)
        limit = min(gate.offer_limit.get(who, 0), MAX_ORDER)
        if total > limit:
            return Code.OVER_LIMIT, f"{total} Wh offered, {limit} Wh can be delivered"
        return None
    limit = gate.bid_limit.get(who, 0)
    if order.energy_wh > limit:
        return Code.OVER_LIMIT, f"{order.energy_wh} Wh bid, {limit} Wh can be used"
    return _parented(order, taken)


def _parented(order: Order, taken: _Taken) -> _Found:
    """A zonal bid stands for what its local parent leaves, no more."""
    if order.tier is Tier.LOCAL:
        return None if order.parent == NONE else (Code.OVER_LIMIT, "a local bid has no parent")
    parent = taken.orders.get(order.parent)
    if (
        parent is None
        or parent.participant != order.participant
        or (parent.side, parent.tier) != (Side.BID, Tier.LOCAL)
    ):
        return Code.OVER_LIMIT, "the parent is no accepted local bid of the same participant"
    if order.energy_wh > parent.energy_wh:
        return Code.OVER_LIMIT, f"{order.energy_wh} Wh, its parent has {parent.energy_wh} Wh"
    return None


def _priced(order: Order, sender: Participant, gate: Gate, _taken: _Taken) -> _Found:
    """An offer that no pair may trade at is refused outright."""
    if order.side is Side.BID:
        return None
    pairs = gate.pairs[order.tier]
    highest = pairs.highest_ceiling(sender.bus, gate.demand_buses)
    if highest is not None and order.price > highest:
        what = "no pair may trade" if highest < 0 else f"the highest is {highest}"
        return Code.PRICE_FORM, f"price {order.price} is above every cap: {what}"
    return None


def _uncovered(order: Order, sender: Participant, gate: Gate, taken: _Taken) -> str:
    """Return what an offer lacks of credibility and deposit, "" if nothing."""
    if order.side is Side.BID:
        return ""
    cap = gate.pairs[order.tier].highest_ceiling(sender.bus, gate.demand_buses)
    total = order.energy_wh + taken.offered.get(sender.address, 0)
    return gate.uncovered(sender.address, total, max(0, cap or 0))


def _highest_charge(order: Order, sender: Participant, gate: Gate) -> Price:
    """Return the most that a fill of a bid may carry of network charge, and of levy with it.

    A seller gets the floor at least, so price and levy within the bid leave the rest to the levy.
    """
    if order.side is Side.OFFER:
        return 0
    pairs = gate.pairs[order.tier]
    charge = pairs.highest_charge(sender.bus)
    if gate.levies and order.tier is Tier.LOCAL:
        return charge + max(0, order.price - pairs.floor)
    return charge
