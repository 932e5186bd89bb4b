"""Every external function once, in the hands of the model: what random sequences build on.

Each stop is a rule of the state machine with sensible numbers, on a market just opened. A campaign
takes the tour first, so what it lists as never called is what no participant can call.
"""

from collections.abc import Callable

from tests.contracts.fuzz.everything import Everything, market
from tests.contracts.fuzz.wrong_clearings import KINDS as CLEARINGS
from tests.contracts.fuzz.wrong_parts import KINDS as PARTS
from tests.contracts.harness import ANN, BOB, DEVICES, OPERATOR, decoded
from tests.contracts.parts import CHALLENGER
from tests.contracts.purchases import VOLUME
from tests.contracts.reading import Contract
from tests.contracts.test_carry import carry

from gridpact.ledger.onchain.packing import words
from gridpact.model.interval import Phase
from gridpact.model.order import Side

DAN = CHALLENGER.address
NOTHING = ()
SIDES = Side.OFFER, Side.BID
Stop = Callable[[Everything], None]


def clearings(play: Everything) -> None:
    """Challenge every wrong clearing; let a demand expire."""
    for kind in sorted(CLEARINGS):
        play.clear(kind, 1, NOTHING, DAN)
    for at in range(len(play.clearings)):
        play.expire(at, DAN, 1, NOTHING)
    play.retire(BOB)


def parts(number: int) -> Stop:
    """Prove some of the wrong parts: money is not there for all of them."""

    def some(play: Everything) -> None:
        for kind in sorted(PARTS)[number::4]:
            play.wrong_part(kind, 1, NOTHING, DAN, False)

    return some


def released(play: Everything) -> None:
    """Give back what a cancelled part reserved."""
    play.wrong_part("wrong_payment", 1, NOTHING, DAN, True)
    play.release(len(play.parts) - 1, True, 0, NOTHING)


def failed(play: Everything) -> None:
    """Pay some fills of parts that came to nothing, refund the others."""
    play.fall_back(1, False, 2, 9, True, NOTHING)
    play.fall_back(2, True, 2, 9, True, NOTHING)


def held(play: Everything) -> None:
    """Post a part with a dispute, answer what is demanded, carry what it held."""
    play.part(3, 1, 0, True)
    play.data(1, 0, DAN, 0)
    play.data(1, 0, BOB, 2)
    play.finalise(1, DAN, True, True)


def unanswered(play: Everything) -> None:
    """Nobody answers for a posted part."""
    play.part(2, 0, 0, True)
    play.data(1, 1, DAN, 0)
    play.wait(2 * 3600)
    play.data(1, 1, DAN, 3)


def uncovered(play: Everything) -> None:
    """The operator reserves and commits nothing."""
    play.left_over(1, NOTHING, DAN, False)


def followed(play: Everything) -> None:
    """What a part held is settled as it was held, otherwise, not all of it, or by its leaves."""
    for wrong in ("", "delivery", "left out", "unposted"):
        play.following(1, wrong, NOTHING, DAN)


def anchors(play: Everything) -> None:
    """Write, correct, strike."""
    play.wait(3600)
    play.anchor(2, 0, 1, 9, NOTHING)
    play.wait(3600)
    play.anchor(1, 0, 1, 9, NOTHING)
    play.correct(0, 9, True, DAN, NOTHING)
    play.correct(0, 9, False, DAN, NOTHING)


def trades(play: Everything) -> None:
    """Settle in batches, grant, rate one by one and many at once, fine who falls short."""
    play.join("stranger", 2, 9, NOTHING)
    play.trade("ann", "stranger", 300, 10, 1, True, NOTHING)
    play.trade("ann", "plant", 300, 300, 1, False, NOTHING)
    play.granted("plant", 0, 1, 3 * 10**6, 100_000, NOTHING)
    play.losses(40, 1, NOTHING)
    play.crossed("ann", 300, 1, 0, NOTHING)
    play.bill("ann", 50, 10, 12)
    play.send_home(DEVICES["region"].address, 1, 1)


def rated(play: Everything) -> None:
    """The operator registers a reference volume, and rates a batch."""
    volume = BOB.rjust(32, b"\0") + words((500,))
    play.attempt(lambda: play.world.rows(Contract.REPUTATION, "refer", [volume]))
    play.settle(0, 100, 1, False, 0)
    play.rate("cem", 12, OPERATOR, True, 1)
    play.rate("bob", 12, OPERATOR, True, 1)


def inherited(play: Everything) -> None:
    """Let somebody leave, and a newcomer begin with its reputation."""
    score = play.world.view(Contract.REPUTATION, "score", BOB)
    play.attempt(lambda: play.world.send(Contract.REGISTRY, "leave", sender=BOB))
    play.attempt(lambda: carry(play.world, [BOB], {DAN: score}))


def by_hand(play: Everything) -> None:
    """Match, lock, bind; by meters, back, in dispute."""
    for way, lock, end, wait in (
        ("match", "later", "meters", 1),
        ("buy", "at once", "contradict", 1),
        ("bind", "at once", "meters", 2),
        ("bind", "at once", "back", 5),
        ("match", "at once", "back", 5),
        ("match", "never", "back", 5),
    ):
        play.by_hand("ann", "bob", 100, 90, way, lock, end, wait, OPERATOR, NOTHING)


def book(play: Everything) -> None:
    """Post, relay, cancel, close; check a ranking; say what sensors said."""
    for number, way in enumerate(("post", "relay")):
        play.order(
            "ann" if number else "bob",
            list(type(play.orders[0].order.side))[number],
            10,
            4,
            13,
            0,
            way,
            OPERATOR,
        )
        play.withdraw_order(3 * len(play.orders) - 1, ANN, number == 0)
    play.withdraw_order(0, OPERATOR, True)
    play.attempt(lambda: play.world.send(Contract.CLEARING, "check_order", [1 << 128 | 2]))
    write = decoded(play.world.write(Phase.DELIVER, 14))
    said = write, 900, b"\1" * 32, 3, b"\2" * 32, []
    play.attempt(lambda: play.world.send(Contract.VERDICTS, "judge", *said))


def stopped(play: Everything) -> None:
    """Sensors hold fills, by the operator's hand and by anybody's; a seller is curtailed."""
    for at, way in ((0, 1), (0, 2), (1, 3)):
        play.stop_fill(at, 30, way, OPERATOR)
    play.curtail(0, 33, OPERATOR)
    play.curtail(1, 33, OPERATOR)
    play.take_back(1, BOB)
    play.ready(12)
    play.settle(0, 33, 1, False, 0)


def purchases(play: Everything) -> None:
    """Confirm, let the meters say, take back, let go, be held, be fined."""
    for end in ("confirm", "meters", "back", "release", "hold", "fine"):
        play.purchase(1_000, 0, VOLUME, VOLUME // 2 * 2, end, VOLUME, NOTHING)


def membership(play: Everything) -> None:
    """Apply, be approved or refused, be suspended, change roles, leave; hand over."""
    play.join("stranger", 1, 9, NOTHING)
    play.review("stranger", "suspend", OPERATOR, b"\1" * 32)
    play.review("stranger", "reinstate", OPERATOR, b"\1" * 32)
    play.announce("stranger", 1, True, NOTHING)
    play.announce("stranger", 0, True, NOTHING)
    play.apply("stranger", 0, BOB)
    play.review("stranger", "refuse", OPERATOR, b"\1" * 32)
    play.pledge("ann", 1_000, 0, 0)
    play.secure("ann", 1_000, 0, 0, False)
    play.resign(0, True, NOTHING)
    play.appoint(3, 1, 0, OPERATOR)
    play.hand_over(OPERATOR, True, BOB, NOTHING)


def money(play: Everything) -> None:
    """In and out of the vault, by permit too; allowances; out of the currency."""
    play.mint("ann", 1_000, 20, 2)
    play.deposit("ann", 100)
    play.deposit_with_permit("ann", 101, 0, BOB)
    play.deposit_with_permit("ann", 100, 0, BOB)
    play.withdraw(ANN, 50)
    play.pay("ann", BOB, 10, False)
    play.pay("ann", BOB, 5, True)
    play.pay("ann", BOB, 5, True)
    play.burn("ann", 10)


STOPS: tuple[Stop, ...] = (
    *(
        clearings,
        *map(parts, range(4)),
        released,
        failed,
        held,
        unanswered,
        uncovered,
        followed,
        anchors,
        trades,
        rated,
        inherited,
        by_hand,
        stopped,
    ),
    *(book, purchases, membership, money),
)


def take() -> None:
    """Take the whole tour on titanoboa, from the founding on."""
    market.cache_clear()
    for stop in STOPS:
        play = Everything()
        play.begin()
        stop(play)
        play.money_is_conserved()
        play.teardown()
