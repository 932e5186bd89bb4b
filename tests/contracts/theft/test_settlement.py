"""Who tries to settle by readings that nobody signed, and how the council's word stops it.

The operator brings the batches. Where a council holds office none is executed that a quorum of it
did not sign for the chain's own region: alone, with a minority, with strangers, with a word on
something else, or in the name of another region the operator moves nothing.
"""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.contracts.harness import (
    ANN,
    BOB,
    FEED_IN,
    INTERVAL,
    LOSS_SHARE,
    MICRO,
    REGION,
    RETAIL,
    SHARE,
    World,
    decoded,
    delivery,
    refused,
)
from tests.contracts.parts import NetWorld
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as Device
from gridpact.errors import Reverted
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.attest import batches
from gridpact.ledger.proving.part import Place
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.order import NONE
from gridpact.model.participant import Named
from gridpact.model.record import Settlement
from gridpact.model.statement import Bill

SETTLED = Key(REGION, INTERVAL, Phase.SETTLE)
ALONE = "attested: not the council's word"
BOUGHT = Bill(ANN, 500, 0, 0, 0, 0, 0, 0)
PUPPETS = [Device.derive(b"puppets", f"{n}") for n in range(4)]


class Scene:
    """A locked fill of ann and bob, delivered, and what the operator says of it."""

    def __init__(self, office: NetWorld) -> None:
        self.office, self.world = office, office.world
        for account in (ANN, BOB):
            self.world.mint(account, MICRO)
        _, _, self.trade = self.world.trade()
        self.world.commit(self.trade)
        self.world.deliver()
        self.true = delivery(self.trade, 600, loss=28)
        self.forged = delivery(self.trade, 1000, loss=47)

    def names(self, made: Delivery, key: Key = SETTLED) -> list[bytes]:
        """Return the batches of a settlement: the fill, a bill, a loss."""
        said = Settlement((self.trade,), (made,), (), (BOUGHT,), network_loss_wh=300)
        return batches(key, said)

    def settle(self, made: Delivery, batch: int = 0, part: int = 0) -> list[Event]:
        write = packing.write(replace(SETTLED, part=part), batch, keccak(b"record"))
        return self.world.settle((self.trade, made), write=write)

    def bill(self, region: bytes = REGION) -> list[Event]:
        write = packing.write(replace(SETTLED, region=region), 0, keccak(b"record"))
        rows = [packing.bill(BOUGHT)]
        return self.world.rows(Contract.SUPPLY, "bill", rows, after=NONE, write=write)

    def buy_loss(self, energy: int = 300) -> list[Event]:
        write = decoded(packing.write(SETTLED, 0, keccak(b"record")))
        cost = (RETAIL - SHARE) * energy // 1000
        return self.world.send(Contract.SUPPLY, "buy_loss", write, energy, cost)

    def unharmed(self) -> None:
        assert self.world.account(ANN).locked == self.trade.lock
        assert self.world.free(BOB) == MICRO
        ann = self.world.account(ANN)
        assert ann.free + ann.reserved + ann.locked == MICRO


@pytest.fixture
def scene(world: World) -> Iterator[Scene]:
    yield Scene(NetWorld.of(world, people=2))
    world.time = 0


def test_operator_alone_settles_nothing(scene: Scene) -> None:
    scene.world.mint(Named.NETWORK_OPERATOR.address, MICRO)
    for attempt in (lambda: scene.settle(scene.forged), scene.bill, scene.buy_loss):
        with refused(ALONE):
            attempt()
    scene.unharmed()
    assert scene.world.free(Named.NETWORK_OPERATOR.address) == MICRO


def test_with_the_quorums_word_it_settles_that_and_only_that(scene: Scene) -> None:
    scene.world.mint(Named.NETWORK_OPERATOR.address, MICRO)
    scene.office.attest(scene.names(scene.true))
    with refused(ALONE):
        scene.settle(scene.forged)
    with refused(ALONE):
        scene.settle(scene.true, batch=1)
    with refused(ALONE):
        scene.settle(scene.true, part=2)
    with refused(ALONE):
        scene.buy_loss(301)
    scene.unharmed()
    scene.settle(scene.true)
    scene.bill()
    scene.buy_loss()
    assert scene.world.free(BOB) > MICRO
    assert scene.world.account(ANN).locked == 0


def test_minority_of_the_council_is_no_quorum(scene: Scene) -> None:
    with refused("council: no quorum"):
        scene.office.attest(scene.names(scene.forged), signers=scene.office.council[:2])
    with refused(ALONE):
        scene.settle(scene.forged)
    scene.unharmed()


def test_one_member_does_not_count_three_times(scene: Scene) -> None:
    with refused("quorum: signers not rising"):
        scene.office.attest(scene.names(scene.forged), signers=scene.office.council[:1] * 3)


def test_forged_quorum_of_puppets_is_refused(scene: Scene) -> None:
    puppets = sorted(PUPPETS, key=lambda one: one.address)
    with refused("council: not a member"):
        scene.office.attest(scene.names(scene.forged), signers=puppets[:3])
    with refused("council: other members"):
        scene.office.attest(scene.names(scene.forged), signers=puppets[:3], members=puppets)
    with refused(ALONE):
        scene.settle(scene.forged)
    scene.unharmed()


def test_word_of_another_interval_is_not_this_ones(scene: Scene) -> None:
    with pytest.raises(Reverted):  # it recovers to three strangers, in any order
        scene.office.attest(scene.names(scene.forged), signed_for=Place(REGION, INTERVAL - 1))
    later = replace(SETTLED, interval=INTERVAL + 1)
    scene.office.attest(scene.names(scene.forged, later), place=Place(REGION, INTERVAL + 1))
    with refused(ALONE):
        scene.settle(scene.forged)
    scene.unharmed()


def test_operator_bills_nobody_in_the_name_of_a_region_of_its_own(scene: Scene) -> None:
    """It posts prices and appoints itself there: a bill of that region still reaches nobody."""
    fake = name_hash("region of puppets")
    price = decoded(packing.write(Key(fake, INTERVAL, Phase.PRICE), 0, keccak(b"record")))
    costs = (0, 0, 0, keccak(b"buses"))
    scene.world.send(Contract.CLEARING, "price", price, (RETAIL, SHARE, FEED_IN, LOSS_SHARE), costs)
    members = [one.address for one in scene.office.council]
    scene.world.send(Contract.COUNCIL, "appoint", fake, 0, 0, members)
    names = batches(replace(SETTLED, region=fake), Settlement((), (), (), (BOUGHT,)))
    scene.office.attest(names, place=Place(fake, INTERVAL))
    with refused(ALONE):
        scene.bill(region=fake)
    scene.unharmed()


def test_word_on_this_regions_batch_counts_only_from_its_own_council(scene: Scene) -> None:
    fake = name_hash("region of puppets")
    members = [one.address for one in scene.office.council]
    scene.world.send(Contract.COUNCIL, "appoint", fake, 0, 0, members)
    scene.office.attest(scene.names(scene.forged), place=Place(fake, INTERVAL))
    with refused(ALONE):
        scene.settle(scene.forged)
    scene.unharmed()


def test_strangers_settle_nothing_even_with_the_word(scene: Scene) -> None:
    scene.office.attest(scene.names(scene.true))
    write = packing.write(SETTLED, 0, keccak(b"record"))
    rows = [packing.settlement(scene.trade, scene.true)]
    with refused("settlement: not the operator"):
        scene.world.rows(Contract.SETTLEMENT, "settle", rows, after=NONE, write=write, sender=BOB)
