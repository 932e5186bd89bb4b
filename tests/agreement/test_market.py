"""A whole random market comes to the same in the rules, in the contracts and in memory.

Drawn: orders, fills, meters, losses, curtailments, disputes, and accounts that run empty. The
rules' amounts go to a chain, whose contracts refuse any other, and to the ledger in memory; both
must end with the same accounts and scores.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Phases
from hypothesis import strategies as st
from tests.door import TERMS as DOOR
from tests.door import deposit
from tests.unit.ledger.market_case import COLLECTOR, REGION, TERMS, accept, sealed

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.model.delivery import Delivery, Metered
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, NONE, Accepted, Order, Side, Tier
from gridpact.model.participant import Named, Participant, Role
from gridpact.model.rating import (
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
)
from gridpact.model.record import (
    Cleared,
    Commitment,
    Curtailed,
    Found,
    Incentive,
    IncentiveTerms,
    Meters,
    Prices,
    Rating,
    Record,
    Settlement,
    Verdicts,
)
from gridpact.model.statement import Case, Statement
from gridpact.model.trade import Fill
from gridpact.model.watch import Hold
from gridpact.quantities import Money, Wh
from gridpact.reputation.rule import Known, rate
from gridpact.settlement import account_lines, incentive
from gridpact.settlement.allocation import Allocation, allocate
from gridpact.settlement.bills import bills, loss_purchase
from gridpact.settlement.fund import fund
from gridpact.settlement.split import split

BUYERS = [Device.derive(b"random", f"buyer {n}") for n in range(4)]
SELLERS = [Device.derive(b"random", f"seller {n}") for n in range(3)]
PEOPLE = [device.address for device in (*BUYERS, *SELLERS)]
PRICES = Prices(300_000, 90_000, 80_000, 0, 20_000, 60_000, 20_000, (), "none")
INCENTIVE = IncentiveTerms(daily_budget=30_000)
CHARGE = 20_003
ENERGY = st.integers(0, 4_000)


@dataclass(frozen=True)
class Drawn:
    """What chance decides of one interval. Energy in Wh."""

    bids: Sequence[tuple[Wh, int]]
    offers: Sequence[tuple[Wh, int]]
    wanted: Sequence[Wh]
    imports: Sequence[Wh]
    exports: Sequence[Wh]
    loss: Wh
    stopped: Wh
    disputed: bool
    steadiness: int
    held: Wh = 0


orders = st.tuples(st.integers(1, 3_000), st.integers(80_000, 250_000))
intervals = st.builds(
    Drawn,
    bids=st.tuples(*[orders] * len(BUYERS)),
    offers=st.tuples(*[orders] * len(SELLERS)),
    wanted=st.tuples(*[ENERGY] * (len(BUYERS) * len(SELLERS))),
    imports=st.tuples(*[ENERGY] * len(BUYERS)),
    exports=st.tuples(*[ENERGY] * len(SELLERS)),
    loss=st.integers(0, 1_000),
    stopped=st.integers(0, 500),
    disputed=st.sampled_from([False, False, False, True]),
    steadiness=st.integers(0, 40_000_000),
    held=st.sampled_from([0, 300, 4_000]),
)
funds = st.fixed_dictionaries(
    {
        Named.REWARD: st.sampled_from([0, 3_000, 10**8]),
        Named.NETWORK_LOSS: st.sampled_from([0, 3_000, 10**8]),
        Named.GRID_SUPPLY: st.sampled_from([0, 100_000, 10**8]),
        Named.NETWORK_OPERATOR: st.sampled_from([0, 10**8]),
        Named.INCENTIVE: st.sampled_from([0, 5_000, 10**8]),
    }
)


RULES: tuple[RatingTerms, ...] = (
    FeedbackTerms(),
    ComprehensiveTerms(),
    CredibilityTerms(reference_wh=3_000),
)


def _found(currency: Domain, money: dict[Named, Money], each: Money, rating: RatingTerms) -> Found:
    people = tuple(
        Participant(
            *(f"p{n}", address, n, Role.PRODUCER, keccak(address), keccak(b"m" + address)),
            reference_wh=n * 1_000,
        )
        for n, address in enumerate(PEOPLE)
    )
    deposits = dict.fromkeys(PEOPLE, each)
    deposits |= {named.address: sum_ for named, sum_ in money.items()}
    rows = tuple(deposit(currency, to, sum_, keccak(to)) for to, sum_ in deposits.items() if sum_)
    return Found("local", REGION, people, rows, TERMS, rating, INCENTIVE, door=DOOR)


class Market:
    """Writes drawn intervals to a chain and to memory alike."""

    def __init__(self, chain: MarketLedger, memory: MemoryLedger, rating: RatingTerms) -> None:
        self.chain, self.memory, self.rating = chain, memory, rating

    def write(self, interval: int, phase: Phase, record: Record, part: int = 0) -> None:
        for ledger in (self.chain, self.memory):
            ledger.write(Key(REGION, interval, phase, part), record)
        assert dict(self.chain.accounts()) == dict(self.memory.accounts())
        assert self.chain.totals() == self.memory.totals()
        for address in PEOPLE:
            assert self.chain.score(address) == self.memory.score(address)
            assert self.chain.standing(address) == self.memory.standing(address)

    def trade(self, interval: int, drawn: Drawn) -> set[str]:
        """Run an interval; return what happened in it."""
        book = self._book(interval, drawn)
        fills = _fills(interval, drawn, book)
        self.write(interval, Phase.PRICE, PRICES)
        self.write(interval, Phase.COLLECT, sealed(book))
        scores = tuple(self.chain.score(one.order.participant) for one in book)
        self.write(interval, Phase.CLEAR, Cleared(fills, (), (), (), (), (), scores=scores))
        self.write(interval, Phase.COMMIT, Commitment(fills))
        weighed = sum(drawn.imports) + drawn.loss
        self.write(interval, Phase.DELIVER, Verdicts(0, NONE, 0, NONE, _holds(drawn, fills)), 1)
        stopped = Meters((), drawn.loss, weighed, curtailed=_curtailed(drawn))
        self.write(interval, Phase.DELIVER, stopped)
        allocation = _allocated(drawn, fills, weighed)
        settlement = self._settlement(fills, allocation, drawn)
        self.write(interval, Phase.SETTLE, settlement)
        known = {one: Known(self.chain.score(one), self.chain.standing(one)) for one in PEOPLE}
        rated = rate(known, fills, allocation.deliveries, self.rating, interval, 3600)
        self.write(interval, Phase.RATE, Rating(rated))
        return _events(settlement)

    def _book(self, interval: int, drawn: Drawn) -> tuple[Accepted, ...]:
        placed = [
            (device, side, *row)
            for side, devices, rows in (
                (Side.BID, BUYERS, drawn.bids),
                (Side.OFFER, SELLERS, drawn.offers),
            )
            for device, row in zip(devices, rows, strict=True)
        ]
        book = [
            accept(
                Order(device.address, side, Tier.LOCAL, REGION, interval, energy, price),
                *(device, self.chain.domain, n, CHARGE, MAX_FILLS),
            )
            for n, (device, side, energy, price) in enumerate(placed)
        ]
        accounts = self.chain.accounts()
        return tuple(one for one in book if one.reserved <= accounts[one.order.participant].free)

    def _settlement(
        self, fills: tuple[Fill, ...], allocation: Allocation, drawn: Drawn
    ) -> Settlement:
        free = Counter({who: one.free for who, one in self.chain.accounts().items()})
        deliveries = allocation.deliveries
        owed = [
            split(*row, TERMS, PRICES.loss_share) for row in zip(fills, deliveries, strict=True)
        ]
        reward, loss = Named.REWARD.address, Named.NETWORK_LOSS.address
        statements = fund(owed, free[reward], free[loss], TERMS)
        _pay(free, fills, deliveries, statements)
        rows = bills(allocation.balances, PRICES, free)
        for row in rows:
            for flow in account_lines.bill_flows(row):
                free[flow.source] -= flow.amount
                free[flow.target] += flow.amount
        bought = allocation.network_loss_wh
        cost = loss_purchase(bought, PRICES, free[Named.NETWORK_OPERATOR.address])
        grants = _grants(fills, deliveries, statements, drawn, free)
        return Settlement(fills, deliveries, statements, rows, bought, cost, incentives=grants)


def _fills(interval: int, drawn: Drawn, book: Sequence[Accepted]) -> tuple[Fill, ...]:
    """Let each buyer take what it wants of each seller, as far as orders and prices allow."""
    bids = [accepted for accepted in book if accepted.order.side is Side.BID]
    offers = [accepted for accepted in book if accepted.order.side is Side.OFFER]
    left = {accepted.hash: accepted.order.energy_wh for accepted in book}
    fills: list[Fill] = []
    pairs = [(bid, offer) for bid in bids for offer in offers]
    for (bid, offer), wanted in zip(pairs, drawn.wanted, strict=False):
        energy = min(wanted, left[bid.hash], left[offer.hash])
        if energy and offer.order.price <= bid.order.price:
            left[bid.hash] -= energy
            left[offer.hash] -= energy
            parties = (bid.hash, offer.hash, bid.order.participant, offer.order.participant)
            place = (REGION, interval, Tier.LOCAL, len(fills))
            fills.append(Fill(*place, *parties, energy, offer.order.price, CHARGE))
    return tuple(fills)


def _allocated(drawn: Drawn, fills: Sequence[Fill], weighed: Wh) -> Allocation:
    metered = [
        *(Metered(d.address, wh, 0) for d, wh in zip(BUYERS, drawn.imports, strict=True)),
        *(Metered(d.address, 0, wh) for d, wh in zip(SELLERS, drawn.exports, strict=True)),
    ]
    disputed = [BUYERS[0].address] if drawn.disputed else []
    held = {one.fill: one.energy_wh for one in _holds(drawn, fills)}
    lost = (drawn.loss, weighed)
    return allocate(fills, metered, *lost, 0, _curtailed(drawn), disputed, held)


def _curtailed(drawn: Drawn) -> tuple[Curtailed, ...]:
    return (Curtailed(SELLERS[0].address, drawn.stopped),)


def _holds(drawn: Drawn, fills: Sequence[Fill]) -> tuple[Hold, ...]:
    """Return what sensors stop: the last fill, as a whole or in part."""
    if not drawn.held:
        return ()
    return tuple(
        Hold(one.hash, min(drawn.held, one.energy_wh), 0, "stale", "station") for one in fills[-1:]
    )


def _pay(
    free: Counter[bytes],
    fills: Sequence[Fill],
    deliveries: Sequence[Delivery],
    statements: Sequence[Statement],
) -> None:
    for row in zip(fills, deliveries, statements, strict=True):
        settled = account_lines.Settled(*row)
        for flow in account_lines.fill_flows(settled, TERMS):
            free[flow.target] += flow.amount
            if flow.source != settled.fill.buyer:
                free[flow.source] -= flow.amount
        free[settled.fill.buyer] += settled.statement.refund


def _grants(
    fills: Sequence[Fill],
    deliveries: Sequence[Delivery],
    statements: Sequence[Statement],
    drawn: Drawn,
    free: Counter[bytes],
) -> tuple[Incentive, ...]:
    supplies = [
        incentive.Supply(fill.seller, delivery.sent, statement.charge, drawn.steadiness + n)
        for n, (fill, delivery, statement) in enumerate(
            zip(fills, deliveries, statements, strict=True)
        )
        if delivery.sent and statement.case is not Case.DISPUTE
    ]
    available = min(INCENTIVE.daily_budget, free[Named.INCENTIVE.address])
    return incentive.grant(supplies, 100_007, INCENTIVE.difficulty, available)


def _events(settlement: Settlement) -> set[str]:
    seen = {statement.case.name for statement in settlement.statements}
    if any(statement.unpaid_reward for statement in settlement.statements):
        seen.add("unpaid reward")
    if any(bill.unpaid_purchase for bill in settlement.bills):
        seen.add("unpaid purchase")
    if any(bill.unpaid_sale for bill in settlement.bills):
        seen.add("unpaid sale")
    if any(0 < made.held < made.held + made.agreed for made in settlement.deliveries):
        seen.add("held in part")
    if any(made.held and not made.agreed + made.unused for made in settlement.deliveries):
        seen.add("held")
    if any(row.paid for row in settlement.incentives):
        seen.add("granted")
    return seen


def _run(
    money: dict[Named, Money], each: Money, days: Sequence[Drawn], rating: RatingTerms
) -> set[str]:
    """Run a market from founding on; intervals lie a day apart, each with its own budget."""
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ledger.db") as store:
        embedded = EmbeddedChain(store, "local", 7, COLLECTOR, lambda key: 60 * key.interval)
        market = Market(MarketLedger(embedded, REGION), MemoryLedger("local"), rating)
        market.write(0, Phase.FOUND, _found(market.chain.currency, money, each, rating))
        seen: set[str] = set()
        for day, drawn in enumerate(days):
            seen |= market.trade(day * INCENTIVE.day, drawn)
        return seen


# without shrinking: a failure names its seed and stands within seconds
@settings(
    max_examples=20,
    deadline=None,
    phases=[Phases.explicit, Phases.reuse, Phases.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    money=funds,
    each=st.sampled_from([1_100_000, 2_000_000, 10**8]),
    days=st.lists(intervals, min_size=1, max_size=3),
    rating=st.sampled_from(RULES),
)
def test_rules_contracts_and_memory_agree_on_random_markets(
    money: dict[Named, Money], each: Money, days: list[Drawn], rating: RatingTerms
) -> None:
    _run(money, each, days, rating)


def test_every_case_and_every_empty_account_was_among_them() -> None:
    """Random markets of one seed show all that the drawn ones may show."""
    chance, seen = Random(7), set[str]()
    for n in range(12):
        rich = 10**8 if n % 2 else 3_000
        money = dict.fromkeys((Named.REWARD, Named.NETWORK_LOSS, Named.INCENTIVE), rich)
        money |= {Named.GRID_SUPPLY: 10**8 if n % 3 else 0, Named.NETWORK_OPERATOR: 10**8}
        each = 1_100_000 if n % 2 else 10**8
        seen |= _run(money, each, [_chance(chance), _chance(chance)], RULES[n % 3])
    assert seen >= {case.name for case in Case}
    assert seen >= {"unpaid reward", "unpaid purchase", "unpaid sale", "granted"}
    assert seen >= {"held", "held in part"}


def _chance(chance: Random) -> Drawn:
    def orders_of(devices: Sequence[Device], low: int, high: int) -> list[tuple[int, int]]:
        return [(chance.randint(500, 3_000), chance.randint(low, high)) for _ in devices]

    idle = chance.random() < 0.2
    drawn = Drawn(
        bids=orders_of(BUYERS, 120_000, 250_000),
        offers=orders_of(SELLERS, 80_000, 150_000),
        wanted=[chance.randint(0, 1_500) for _ in range(len(BUYERS) * len(SELLERS))],
        imports=[0 if idle else chance.randint(500, 4_000) for _ in BUYERS],
        exports=[chance.randint(500, 4_000) for _ in SELLERS],
        loss=chance.randint(0, 1_500),
        stopped=chance.randint(0, 200),
        disputed=chance.random() < 0.3,
        steadiness=chance.randint(0, 40_000_000),
    )
    return replace(drawn, held=(0, 300, 4_000)[drawn.loss % 3])
