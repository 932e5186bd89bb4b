"""[Wang23] figure 3: what eight operations cost in gas, by the paper and by our contracts.

The paper's operations a to h, three by local producers on the regional chain (LETB), two by users,
three by plants on the zonal chain (RETB). It states two of them, bid sorting with about 280,000 on
LETB and about 110,000 on RETB, and that no other takes more than 150,000. It does not print how
many bids were sorted: `NAIVE` finds how many a sort inside storage can do for that gas. We sort off
chain and check on chain.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.ledger.chain import Call
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import contract, listed, pack
from gridpact.ledger.onchain.calls import Calls
from gridpact.model.delivery import Delivery
from gridpact.model.door import DoorTerms, deposit_digest, warrant
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, Accepted, Order, Side, Tier
from gridpact.model.participant import Named, Participant, Role
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import (
    Anchor,
    Book,
    Cleared,
    Commitment,
    Deposit,
    Found,
    IncentiveTerms,
    Meters,
    Prices,
    Record,
    Settlement,
    encode,
)
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.quantities import amount
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split
from gridpact.studies.ground import CHAIN_ID, Ground, Sent

SORTING_LETB, SORTING_RETB, OTHERS = 280_000, 110_000, 150_000
"""What the paper states of its figure 3. [gas]"""
SIZES = (2, 5, 8, *range(9, 13), 15, 18, *range(20, 27), 30)
"""Numbers of bids that the naive sort is tried with."""
DRAWS = 15
"""Random orders of bids over which sorting is averaged: how much is moved depends on them."""

_OPERATOR = PrivateKey.derive(b"wang2023", "operator")
_KEEPER = PrivateKey.derive(b"wang2023", "door keeper")
_REGION = name_hash("region of wang2023")
_DEPOSIT = 10**9
_PRICES = Prices(300_000, 90_000, 80_000, 0, 40_000, 60_000, 0, (), "none")
_DISPUTES_OVER = 10 * 3600
"""When anybody may rate the interval's sellers. [s]"""
_ENERGY, _BID, _OFFER = 1_000, 200_000, 100_000


@dataclass(frozen=True)
class Operation:
    """One bar of the figure. `claimed` is the paper's gas; `bound` where it only says at most."""

    letter: str
    name: str
    by: str
    claimed: int
    bound: bool
    gas: int
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.gas / self.claimed

    @property
    def holds(self) -> bool:
        """Say whether our contracts need no more than the paper's."""
        return self.gas <= self.claimed


@dataclass(frozen=True)
class Sorted:
    """A sort of bids in storage: mean, least and most gas over random orders."""

    bids: int
    mean: int
    least: int
    most: int


@dataclass(frozen=True)
class FigureThree:
    """What the study found. `sent` are raw transactions with their gas, chain after chain."""

    operations: tuple[Operation, ...]
    sorts: tuple[Sorted, ...]
    sent: tuple[tuple[Sent, ...], ...]

    def bids_for(self, gas: int) -> int:
        """Return how many bids a naive sort comes nearest to some gas with."""
        return min(self.sorts, key=lambda one: abs(one.mean - gas)).bids


def figure_3(sizes: Sequence[int] = SIZES, draws: int = DRAWS) -> FigureThree:
    """Run all operations on both chains, and the naive sort for some numbers of bids."""
    sorts = tuple(naive(bids, draws) for bids in sizes)
    letb, retb = _Chain(Role.PRODUCER), _Chain(Role.PLANT)
    by = ("local producer, LETB", "user", "plant, RETB")
    at_most = (OTHERS, True)
    a, b, d, c, e = letb.gas()
    f, g, _, h, _ = retb.gas()
    operations = (
        Operation("a", "registration", by[0], *at_most, a),
        Operation("b", "data upload", by[0], *at_most, b),
        Operation("c", "bid sorting", by[0], SORTING_LETB, False, c),
        Operation("d", "demand upload", by[1], *at_most, d),
        Operation("e", "feedback", by[1], *at_most, e),
        Operation("f", "registration", by[2], *at_most, f),
        Operation("g", "data upload", by[2], *at_most, g),
        Operation("h", "bid sorting", by[2], SORTING_RETB, False, h),
    )
    return FigureThree(operations, sorts, (tuple(letb.ground.sent), tuple(retb.ground.sent)))


class _Chain:
    """One chain with a consumer and a seller, and every operation's gas on it."""

    def __init__(self, role: Role) -> None:
        self.ground = Ground(_OPERATOR)
        self._role = role
        self._orders: list[Accepted] = []
        self._keys = {
            name: PrivateKey.derive(b"wang2023", name) for name in ("user", "seller", "new")
        }
        self._record(Phase.FOUND, self._found(), interval=0)

    def gas(self) -> tuple[int, int, int, int, int]:
        """Return the gas of registration, offer, bid, clearing and feedback, in order of time."""
        return (
            self.registration(),
            self.offer(),
            self.bid(),
            self.clearing(),
            self.feedback(),
        )

    def registration(self) -> int:
        """Return the gas of one more seller's application and of the operator's approval."""
        new = self._participant("new", self._role)
        given = new.certificate + new.meter + pack(packing.place(new)) + _REGION + pack(0)
        suite = self.ground.suite
        applied = self.ground.run(suite.call("registry", "apply", given), self._keys["new"])
        approval = suite.call("registry", "approve", pack(new.address) + given)
        return applied + self.ground.run(approval)

    def offer(self) -> int:
        """Return the gas of a seller that posts its own offer."""
        self._offer = self._order("seller", Side.OFFER, _OFFER)
        return self._post(self._offer, self._keys["seller"])

    def bid(self) -> int:
        """Return the gas of a user that posts its own bid."""
        self._bid = self._order("user", Side.BID, _BID)
        return self._post(self._bid, self._keys["user"])

    def clearing(self) -> int:
        """Return the gas of posting what was sorted off chain: roots of book and of fills."""
        self._record(Phase.PRICE, _PRICES)
        scores = (FeedbackTerms().prior,) * len(self._orders)
        cleared = Cleared((self._fill,), (), (), (), (), (), scores=scores)
        return self._record(Phase.CLEAR, cleared)

    def anchor(self) -> Sent:
        """Anchor two heads of a region without a council; return what the second one took."""
        heads = [bytes(32), keccak(b"first"), keccak(b"second")]
        for interval in (1, 2):
            record = Anchor(_REGION, interval, interval, heads[interval], heads[interval - 1])
            self._record(Phase.SEAL, record, interval)
        return self.ground.sent[-1]

    def feedback(self) -> int:
        """Return the gas of rating a seller by what it was settled to have delivered."""
        fill = self._fill
        made = Delivery(fill.hash, _ENERGY, _ENERGY, _ENERGY, 0, 0, 0)
        terms = SettlementTerms()
        said = fund([split(fill, made, terms, 0)], _DEPOSIT, _DEPOSIT, terms)
        self._record(Phase.COMMIT, Commitment((fill,)))
        self._record(Phase.DELIVER, Meters((), 0, _ENERGY))
        self._record(Phase.SETTLE, Settlement((fill,), (made,), said, ()))
        self.ground.later = _DISPUTES_OVER
        return self.ground.run(
            self.ground.suite.call("reputation", "rate_one", pack(fill.seller, 1))
        )

    @property
    def _fill(self) -> Fill:
        return Fill(
            *(_REGION, 1, Tier.LOCAL, 0, self._bid.hash, self._offer.hash),
            *(self._bid.order.participant, self._offer.order.participant),
            *(_ENERGY, _OFFER, _PRICES.local_charge),
        )

    def _record(self, phase: Phase, record: Record, interval: int = 1) -> int:
        """Execute a record's calls; return the gas of the last of them."""
        book = Book(bytes(32), tuple(self._orders), ())
        calls = Calls(self.ground.suite, lambda _: [book])
        content = keccak(encode(record))
        gas = [self.ground.run(c) for c in calls.of(Key(_REGION, interval, phase), record, content)]
        return gas[-1]

    def _post(self, order: Accepted, key: PrivateKey) -> int:
        given = packing.order(order.order) + pack(order.charge, MAX_FILLS if order.charge else 0)
        gas = self.ground.run(self.ground.suite.call("orders", "post", given), key)
        self._orders.append(order)
        return gas

    def _order(self, name: str, side: Side, price: int) -> Accepted:
        key, bid = self._keys[name], side is Side.BID
        order = Order(
            *(key.address, side, Tier.LOCAL, _REGION, 1, _ENERGY, price),
            expires=2,
        )
        digest = order.digest(self.ground.suite.domain(CHAIN_ID))
        charge = _PRICES.local_charge if bid else 0
        whole = amount(price, _ENERGY) + amount(charge, _ENERGY) + MAX_FILLS
        return Accepted(digest, order, b"", 0, whole if bid else 0, b"", charge)

    def _found(self) -> Found:
        people = (
            self._participant("user", Role.CONSUMER),
            self._participant("seller", self._role),
        )
        funded = [*(one.address for one in people), *(named.address for named in Named)]
        deposits = tuple(map(self._deposit, funded))
        terms = (SettlementTerms(), FeedbackTerms(), IncentiveTerms())
        return Found(
            "wang2023", _REGION, people, deposits, *terms, door=DoorTerms((_KEEPER.address,))
        )

    def _deposit(self, account: bytes) -> Deposit:
        reference = keccak(b"wang2023" + account)
        currency = self.ground.suite.currency(CHAIN_ID)
        digest = deposit_digest(currency, account, _DEPOSIT, reference, 0)
        return Deposit(account, _DEPOSIT, reference, warrant(digest, 0, [_KEEPER.sign]))

    def _participant(self, name: str, role: Role) -> Participant:
        commitments = (keccak(f"certificate {name}".encode()), keccak(f"meter {name}".encode()))
        return Participant(name, self._keys[name].address, 7, role, *commitments)


def anchoring() -> Sent:
    """Return a region's anchor on the zonal chain, not its first."""
    return _Chain(Role.PLANT).anchor()


def naive(bids: int, draws: int) -> Sorted:
    """Sort random bids in storage, in several random orders, each on a fresh contract."""
    chance = random.Random(bids)
    gas = [naive_sort(chance.sample(range(1, 10**9), bids))[0] for _ in range(draws)]
    return Sorted(bids, round(mean(gas)), min(gas), max(gas))


def naive_sort(bids: Sequence[int]) -> tuple[int, tuple[Sent, ...]]:
    """Post bids to a fresh contract that sorts them in storage; return the sort's gas and all sent.

    Raises `AssertionError` when they are not in order afterwards.
    """
    compiled, ground = contract("study/naive_sort"), Ground(_OPERATOR)
    at = ground.deploy(compiled.bytecode, "naive_sort")
    for bid in bids:
        ground.run(Call(at, compiled.selectors["submit"] + pack(bid), "submit"))
    gas = ground.run(Call(at, compiled.selectors["sort"], "sort"))
    ground.run(Call(at, compiled.selectors["read"], "read"))
    if list(listed(ground.output)) != sorted(bids):
        raise AssertionError(f"naive_sort left {bids} out of order")
    return gas, tuple(ground.sent)
