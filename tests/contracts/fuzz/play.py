"""What all rules stand on: the founded market, the pools that rules pick from, and an attempt."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.spoiling import Changes, spoiled
from tests.contracts.fuzz.watched import Watched
from tests.contracts.harness import (
    ANN,
    AREA,
    BOB,
    COLLECTOR,
    COSTS,
    DEVICES,
    FEED_IN,
    LOSS_SHARE,
    MICRO,
    OPERATOR,
    PLANT,
    REGION,
    RETAIL,
    SHARE,
    STRANGER,
    decoded,
)
from tests.contracts.parts import TERMS, NetWorld
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.errors import Reverted
from gridpact.ledger.evm.engine import EngineFactory
from gridpact.ledger.onchain.packing import words
from gridpact.ledger.proving.part import Part, Place
from gridpact.model.challenge import ChallengeTerms
from gridpact.model.interval import Phase
from gridpact.model.net import NetTerms
from gridpact.model.order import NONE, Accepted
from gridpact.model.participant import Named, Participant, ReviewTerms, Role
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import IncentiveTerms, Timing
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill

PEOPLE = ("ann", "bob", "cem")
INTERVALS = (12, 13, 14)
START = 10
LOSS, WEIGHED = 100, 2_000
"""The region's balance in an interval: one in twenty is lost."""
MEMBERS = 4
pick = st.integers(0, 2**16)
energy = st.integers(1, 400)
price = st.integers(99_000, 201_000)
money = st.one_of(st.integers(0, 400_000), st.sampled_from([1, MICRO, 10 * MICRO, 2**80]))
who = st.sampled_from(PEOPLE)
when = st.sampled_from(INTERVALS)
sender = st.sampled_from([OPERATOR, ANN, BOB, STRANGER, PLANT])
"""The operator, a buyer, a seller, somebody unknown, a plant."""
ANYBODY = [OPERATOR, ANN, BOB, DEVICES["cem"].address, PLANT, AREA, STRANGER]


def founded(engine: EngineFactory, deadlines: ChallengeTerms) -> tuple[Watched, NetWorld]:
    """Return a market with money, prices and a council."""
    world = Watched(
        engine=engine,
        settlement=SettlementTerms(),
        rating=FeedbackTerms(),
        incentive=IncentiveTerms(),
        timing=Timing(),
        challenge=deadlines,
        # changes take effect soon, so that a sequence of calls lives to see them
        net=NetTerms(notice=8),
        review=ReviewTerms(delay=2, fine=50_000, tolerance=100_000),
        ends_founding=False,
    )
    world.found([collector()], last=True)
    net = NetWorld.of(world, people=8, members=MEMBERS)
    world.mint(COLLECTOR.address, TERMS.bond)
    net.bond(COLLECTOR.address)
    for often_slashed in (Named.OPERATOR.address, net.council[1].address):
        world.mint(often_slashed, 30 * TERMS.bond)
    for account in (ANN, BOB, DEVICES["cem"].address, PLANT, AREA):
        world.mint(account, 20 * MICRO)
    for named in (Named.GRID_SUPPLY, Named.INCENTIVE):
        world.mint(named.address, MICRO // 100)
    for number, name in enumerate(PEOPLE):
        given = hands.minted(world, DEVICES[name].address, MICRO, hands.reference(number), 2)
        world.send(Contract.CURRENCY, "mint", *given)
    for interval in INTERVALS[1:]:
        world.price_of(interval)
    world.go_to(START)
    world.keep()
    return world, net


def collector() -> Participant:
    """Return the collector as a participant: its bond answers for its receipts."""
    who = COLLECTOR.address
    return Participant("collector", who, 7, Role.CONSUMER, keccak(who), keccak(b"meter" + who))


class Play:
    """The pools of a running market; each rule attempts one thing."""

    world: Watched
    net: NetWorld

    def open_market(self) -> None:
        """Begin with some orders, fills and readings, so that every rule finds something."""
        self.orders: list[Accepted] = []
        self.pocket: list[Accepted] = []
        self.fills: list[Fill] = []
        self.parts: list[tuple[Any, Part]] = []
        self.epochs: list[tuple[int, list[Device]]] = [(0, list(self.net.council))]
        self.nonces = dict.fromkeys(PEOPLE, 0)
        self.heads: list[tuple[int, int, bytes, bytes, Device]] = []

    def attempt(self, act: Callable[[], Any], spoil: Changes = ()) -> bool:
        """Say whether it was accepted; `watched` has looked at why not.

        With a `spoil` the call comes with words changed first, then as it should be.
        """
        if spoil:
            self.world.spoil = lambda data: spoiled(data, spoil, self.known())
            self.attempt(act)
            self.world.spoil = None
        try:
            act()
        except Reverted:
            return False
        return True

    def witness(self, write: bytes, step: int, rows: bytes) -> None:
        """Let the council in office sign a batch, so that it may be executed."""
        interval, part = (int.from_bytes(write[at : at + 32], "big") for at in (32, 96))
        name = keccak(keccak(write[:128]) + write[128:160] + words((step,)) + keccak(rows))
        epoch, seats = self.office(interval)
        place = Place(REGION, interval, part)
        self.attempt(lambda: self.net.attest([name], members=seats, place=place, epoch=epoch))

    def office(self, interval: int) -> tuple[int, list[Device]]:
        """Return the epoch that an interval lies in, and who holds office."""
        found = [(n, seats) for n, (begins, seats) in enumerate(self.epochs) if begins <= interval]
        return found[-1]

    def now(self) -> int:
        """Return the interval that the next transaction lies in."""
        timing = self.world.timing
        return (self.world.time - timing.begins) // timing.seconds

    def known(self) -> list[bytes]:
        """Return words that mean something here: people, contracts, names, regions."""
        people = [one.rjust(32, b"\0") for one in ANYBODY]
        contracts = [one.rjust(32, b"\0") for one in self.world.at.values()]
        named = [one.address.rjust(32, b"\0") for one in Named]
        names = [one.hash for one in self.orders[-4:]] + [one.hash for one in self.fills[-4:]]
        keys = [part.place.key for _, part in self.parts]
        return [*people, *contracts, *named, *names, *keys, REGION, NONE]

    def held(self, fill: bytes) -> int:
        """Return how much of a fill sensors hold."""
        found: int = self.world.view(Contract.SETTLEMENT, "held", fill)
        return found

    def of(self, number: int, among: list[Any]) -> Any:
        return among[number % len(among)]

    def ready(self, interval: int) -> None:
        """Let an interval have prices and readings."""
        self.attempt(lambda: self.price_with(interval))
        self.attempt(lambda: self.deliver(interval))

    def deliver(
        self, interval: int, loss: int = LOSS, weighed: int = WEIGHED, batch: int = 0
    ) -> Any:
        write = decoded(self.world.write(Phase.DELIVER, interval, number=batch))
        root = keccak(b"readings")
        return self.world.send(Contract.CLEARING, "deliver", write, root, (loss, weighed, 0))

    def price_with(self, interval: int, loss_share: int = LOSS_SHARE, batch: int = 0) -> Any:
        write = decoded(self.world.write(Phase.PRICE, interval, number=batch))
        tariffs = (RETAIL, SHARE, FEED_IN, loss_share)
        return self.world.send(Contract.CLEARING, "price", write, tariffs, COSTS)
