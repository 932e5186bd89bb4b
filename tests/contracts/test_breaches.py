"""What a broken purchase by voucher costs: by the meters' word or the seller's own act alone.

The fine goes from the deposit to the market's fines, never beyond it and never to the other side.
"""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.harness import (
    ANN,
    BOB,
    DEVICES,
    MICRO,
    OPERATOR,
    REGION,
    STRANGER,
    World,
    refused,
)
from tests.contracts.purchases import DUE, VOLUME, Purchase
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.errors import Reverted
from gridpact.model.participant import Account, Named, ReviewTerms, Role
from gridpact.quantities import Money, Wh

TERMS = ReviewTerms(fine=200_000, tolerance=250_000)
RICH = 40 * MICRO
ROLES = int(Role.PRODUCER | Role.CONSUMER)
MEMBER = (keccak(b"certificate"), keccak(b"meter"), 7 << 8 | ROLES, REGION, MICRO)
WINDOW = 2
LATE, OVER = DUE + WINDOW + 1, DUE + 2 * WINDOW + 1


@pytest.fixture(scope="module")
def strict() -> World:
    """A market that fines; the stranger trades there on a deposit of one unit."""
    world = World(review=TERMS)
    world.send(Contract.REGISTRY, "apply", MEMBER, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, MEMBER)
    world.mint(STRANGER, MICRO)
    world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)
    for account in (ANN, STRANGER):
        world.mint(account, RICH)
    world.engine.keep()
    return world


@pytest.fixture
def market(strict: World) -> World:
    strict.engine.undo()
    strict.time = 0
    return strict


def bought(world: World, nonce: int = 1, buyer: str = "ann", seller: str = "stranger") -> Purchase:
    """Return a purchase whose seller has accepted."""
    world.time = 0
    one = Purchase(world, nonce=nonce, buyer=buyer, seller=seller)
    one.open()
    one.name()
    return one


def fined(one: Purchase, who: bytes = STRANGER) -> list[Event]:
    """Fine somebody for the interval; anybody may."""
    return one.at(OVER).world.send(Contract.WALLETS, "fine", who, DUE, sender=BOB)


def lost(world: World) -> Money:
    """Return what the stranger's deposit lost; the market's fines have exactly that."""
    _, held = world.view(Contract.REGISTRY, "deposit", STRANGER)
    assert world.account(STRANGER).locked == held
    assert world.free(Named.FINES.address) == MICRO - held
    return MICRO - int(held)


def due(promised: Wh, kept: Wh) -> Money:
    """Return what a breach takes of the deposit."""
    return min(MICRO, TERMS.owed(promised, kept))


# what sellers break


@pytest.mark.parametrize("claims", [True, False], ids=["claimed", "silent"])
@pytest.mark.parametrize("sent", [0, 1_000, 2_250, 2_251, VOLUME])
def test_seller_is_fined_for_what_its_meter_did_not_send(
    market: World, sent: Wh, claims: bool
) -> None:
    one = bought(market)
    one.at(DUE)
    if claims:
        one.claim(VOLUME)
    one.at(LATE).meters(sent, VOLUME)
    with refused("wallets: too early"):
        one.at(OVER - 1).world.send(Contract.WALLETS, "fine", STRANGER, DUE)
    before = market.free(ANN), market.free(STRANGER)
    events = fined(one)
    assert lost(market) == due(VOLUME, sent)
    assert (market.free(ANN), market.free(STRANGER)) == before
    if sent < 2_251:
        assert events[-1].values == {
            "participant": STRANGER,
            "interval": DUE,
            "undelivered": VOLUME - sent,
            "withheld": 0,
            "fined": due(VOLUME, sent),
        }
    with refused("wallets: nothing to fine"):
        fined(one)


def test_seller_whose_buyer_takes_nothing_is_not_fined(market: World) -> None:
    one = bought(market)
    one.at(DUE).claim(VOLUME)
    one.at(LATE).meters(VOLUME, 0)
    fined(one)
    assert lost(market) == 0


def test_confirmed_sham_purchase_does_not_hide_a_breach(market: World) -> None:
    sham, one = bought(market, nonce=2), bought(market)
    sham.confirm(VOLUME)
    one.at(LATE).meters(VOLUME // 2, VOLUME)
    fined(one)
    assert lost(market) == due(VOLUME, VOLUME // 2)


def test_fine_takes_no_more_than_the_deposit(market: World) -> None:
    for nonce in range(4):
        bought(market, nonce)
    for nonce in range(4):
        Purchase(market, nonce=nonce, seller="stranger").at(LATE).meters(0, VOLUME)
    (_, broken) = fined(Purchase(market))
    assert broken.values["fined"] == lost(market) == MICRO
    assert TERMS.owed(4 * VOLUME, 0) > MICRO


def test_seller_that_gives_up_is_fined_for_all_at_once(market: World) -> None:
    one = bought(market)
    released, _, broken = one.release()
    assert (released.name, broken.name) == ("Released", "Broken")
    assert lost(market) == due(VOLUME, 0)
    assert one.state() == 1
    with refused("wallets: nothing to fine"):
        fined(one)


def test_sensors_word_lifts_the_fine(market: World) -> None:
    one, short = bought(market), bought(market, nonce=2)
    for wrong in (DEVICES["stranger"], DEVICES["ann"]):
        with refused("wallets: not the operator's word"):
            one.hold(wrong)
    with refused("wallets: not the operator's word"):
        one.hold(serial=2)
    (held,) = one.hold()
    assert held.values == {"account": one.account}
    assert [event.name for event in one.release()] == ["Released"]
    with refused("wallets: other state"):
        one.hold()
    short.hold()
    short.at(DUE).claim(700)
    short.confirm(500)
    short.at(LATE).meters(700, VOLUME)
    assert market.free(STRANGER) == RICH + short.voucher.due(700)
    assert lost(market) == 0


def test_nobody_but_the_seller_makes_it_promise(market: World) -> None:
    """A buyer could name a seller that knows of nothing, in the last minute, to have it fined."""
    one = Purchase(market, seller="stranger")
    one.open()
    for sender in (ANN, BOB, OPERATOR):
        with refused("wallets: not the seller"):
            one.name(sender=sender)


# what buyers break


def test_buyer_that_withholds_what_both_meters_prove_is_fined(market: World) -> None:
    one = bought(market, buyer="stranger", seller="bob")
    one.at(DUE).claim(VOLUME)
    one.confirm(600)
    one.at(LATE).meters(VOLUME, 2_000)
    (*_, broken) = fined(one)
    assert broken.values["withheld"] == 1_400
    assert lost(market) == due(2_000, 600)
    assert market.free(BOB) == one.voucher.due(2_000)


def test_buyer_that_confirms_what_it_took_within_the_tolerance_is_not_fined(market: World) -> None:
    one = bought(market, buyer="stranger", seller="bob")
    one.at(DUE).claim(VOLUME)
    one.confirm(1_500)
    one.at(LATE).meters(VOLUME, 2_000)
    fined(one)
    assert lost(market) == 0


def test_buyer_need_not_confirm_a_false_claim(market: World) -> None:
    one = bought(market, buyer="stranger", seller="bob")
    one.at(DUE).claim(VOLUME)
    one.at(LATE).meters(1_000, VOLUME)
    assert market.free(BOB) == one.voucher.due(1_000)
    with refused("wallets: nothing to fine"):
        fined(one)


def test_buyer_owes_its_word_for_no_more_than_it_took(market: World) -> None:
    """It bought twice what it used, and confirmed one purchase whole."""
    one = bought(market, buyer="stranger", seller="bob")
    two = bought(market, nonce=2, buyer="stranger", seller="cem")
    one.at(DUE).claim(VOLUME)
    two.claim(VOLUME)
    one.confirm(VOLUME)
    two.at(LATE).meters(VOLUME, VOLUME)
    fined(one)
    assert lost(market) == 0


def test_who_has_no_deposit_is_not_fined(market: World) -> None:
    one = bought(market, seller="bob")
    one.at(LATE).meters(0, VOLUME)
    before = market.account(BOB)
    (broken,) = fined(one, BOB)
    assert broken.values["fined"] == 0
    assert market.account(BOB) == before


def test_market_without_fines_notes_nothing(world: World) -> None:
    world.time = 0
    world.mint(ANN, RICH)
    one = bought(world, seller="bob")
    one.at(LATE).meters(0, VOLUME)
    assert world.view(Contract.WALLETS, "proven", BOB, DUE) == (0, 0, 0, 0)
    with refused("wallets: nothing to fine"):
        fined(one, BOB)


def test_rules_that_make_no_sense_are_refused() -> None:
    with refused("reputation: fine"):
        World(review=ReviewTerms(fine=2**48))


# any order


energy = st.integers(0, VOLUME)


@settings(max_examples=20, deadline=None)
@given(
    sales=st.lists(st.tuples(energy, energy), min_size=1, max_size=4),
    exported=st.integers(0, 3 * VOLUME),
    data=st.data(),
)
def test_order_of_calls_changes_no_seller_s_fine(
    strict: World, sales: list[tuple[Wh, Wh]], exported: Wh, data: st.DataObject
) -> None:
    found = []
    for _ in range(2):
        strict.engine.undo()
        wallets = [bought(strict, nonce) for nonce in range(len(sales))]
        for one, (claimed, _) in zip(wallets, sales, strict=True):
            if claimed:
                one.at(DUE).claim(claimed)
        for at in data.draw(st.permutations(range(len(sales)))):
            wallets[at].at(LATE).meters(exported, sum(took for _, took in sales))
        promised = VOLUME * len(sales)
        proven = strict.view(Contract.WALLETS, "proven", STRANGER, DUE)
        assert proven[:2] == (promised, min(promised, exported))
        fined(wallets[0])
        found.append(lost(strict))
    assert found[0] == found[1] == due(VOLUME * len(sales), min(promised, exported))


@settings(max_examples=40, deadline=None)
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["claim", "confirm", "meters", "back", "release", "hold", "later"]),
            st.integers(1, VOLUME),
            energy,
        ),
        min_size=1,
        max_size=10,
    )
)
def test_wallet_is_paid_out_to_the_micro_unit_in_any_order_of_calls(
    strict: World, acts: list[tuple[str, Wh, Wh]]
) -> None:
    """What was in it = what the seller has + what the network has + what the buyer has again."""
    strict.engine.undo()
    one, interval = bought(strict), DUE
    one.at(interval)
    for act, some, took in [*acts, ("back", 0, 0)]:
        if (act, some) == ("back", 0):
            one.at(OVER)
        with suppress(Reverted):
            match act:
                case "later":
                    interval += 1
                    one.at(interval)
                case "claim":
                    one.claim(some)
                case "confirm":
                    one.confirm(some)
                case "meters":
                    one.meters(some, took)
                case "release":
                    one.release()
                case "hold":
                    one.hold()
                case "back":
                    strict.send(Contract.WALLETS, "time_out", one.account)
        tills = [strict.free(one.address) for one in (Named.NETWORK_OPERATOR, Named.NETWORK_LOSS)]
        left = strict.account(one.account).locked
        shared = strict.free(STRANGER) - RICH + sum(tills) + left + strict.free(ANN)
        assert shared == RICH
    assert strict.account(one.account) == Account()
    minted, burned, *pots = strict.view(Contract.VAULT, "totals")
    assert minted - burned == sum(pots)
