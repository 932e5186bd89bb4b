"""Members of a council who took their bond back, or lost it, and sign on: nobody counts them."""

from collections.abc import Sequence

import pytest
from tests.contracts.harness import INTERVAL, REGION, World, refused
from tests.contracts.parts import CHALLENGER, NOW, TERMS, NetWorld
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.errors import Reverted
from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.part import Place

FORGED = keccak(b"a batch that pays the thieves")
GONE = "council: no bond behind a signature"


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


def leave(market: NetWorld, member: Device) -> None:
    market.world.send(Contract.COUNCIL, "leave", sender=member.address)


def sign(market: NetWorld, interval: int, who: Sequence[Device], epoch: int = 0) -> None:
    """Attest a batch of an interval by the word of these."""
    market.attest([FORGED], signers=who, place=Place(REGION, interval), epoch=epoch)


def test_members_take_their_bonds_back_and_sign_on(market: NetWorld) -> None:
    thieves = market.council[:3]
    for thief in thieves:
        leave(market, thief)
    market.world.go_to(NOW + TERMS.notice + 1)
    for thief in thieves:
        market.world.send(Contract.COUNCIL, "withdraw", sender=thief.address)
    for interval in (0, NOW, NOW + TERMS.notice):
        with refused(GONE):
            sign(market, interval, thieves)
    assert not market.stands(FORGED)


def test_a_part_that_is_signed_by_who_left_is_not_posted(market: NetWorld) -> None:
    part = market.part(market.market())
    market.reserve(part)
    before = market.state(part)
    market.world.go_to(INTERVAL)
    leave(market, market.council[0])
    market.world.go_to(NOW)
    with refused(GONE):
        market.commit(part)
    assert market.state(part) == before


def test_one_who_left_counts_no_more_from_that_interval_on(market: NetWorld) -> None:
    leave(market, market.council[0])
    for interval in (NOW, NOW + 1):
        with refused(GONE):
            sign(market, interval, market.council[:3])
        sign(market, interval, market.council[1:])


def test_what_it_signed_before_counts_while_it_can_be_proven_wrong(market: NetWorld) -> None:
    leave(market, market.council[0])
    market.world.go_to(NOW + TERMS.notice // 2)
    sign(market, NOW - 1, market.council[:3])
    market.world.go_to(NOW + TERMS.notice // 2 + 1)
    with refused(GONE):
        sign(market, NOW - 1, market.council[:3])


def test_a_signer_who_lost_its_bond_counts_no_more(market: NetWorld) -> None:
    part = market.posted(market.market(trades=24))
    market.demand(part, 3)
    market.world.go_to(NOW + TERMS.answer + 1)
    market.unanswered(part, 3)
    digest = part.digest(market.world.domain)
    guilty = market.council[1]
    given = proofs.opening(part) + compact(guilty.sign(digest))
    market.send(Contract.EVIDENCE, "signer", given, CHALLENGER.address)
    with refused(GONE):
        sign(market, NOW, market.council[:3])
    sign(market, NOW, [one for one in market.council if one is not guilty])
    market.world.mint(guilty.address, TERMS.bond)
    market.bond(guilty.address)
    sign(market, NOW, market.council[:3])


def test_the_next_epoch_has_bonded_members_only(market: NetWorld) -> None:
    gone, *rest = market.council
    leave(market, gone)
    begins = NOW + TERMS.delay
    with refused("council: no bond"):
        market.appoint(market.council, begins, epoch=1)
    market.appoint(rest, begins, epoch=1)
    given = {"place": Place(REGION, begins), "epoch": 1}
    market.attest([FORGED], signers=rest, members=rest, **given)
    assert market.stands(FORGED)
    with pytest.raises(Reverted, match=r"council: (not a member|other members)"):
        market.attest([FORGED], signers=market.council[:3], members=market.council, **given)
