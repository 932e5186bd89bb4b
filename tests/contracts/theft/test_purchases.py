"""Who tries to empty a wallet that is not its to empty: refused, buyer and seller whole."""

import pytest
from msgspec.structs import replace
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    DEVICES,
    MICRO,
    OPERATOR,
    OPERATOR_DEVICE,
    STRANGER,
    World,
    refused,
)
from tests.contracts.purchases import BALANCE, CHARGE, DUE, UNTIL, VOLUME, Purchase, pair
from tests.contracts.reading import Contract

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.model.participant import Account
from gridpact.model.voucher import confirmation

RICH = 5 * MICRO
THIEF = DEVICES["stranger"]
OTHER_CHAIN = 31_337


@pytest.fixture
def one(world: World) -> Purchase:
    world.time = 0
    world.mint(ANN, RICH)
    purchase = Purchase(world)
    purchase.open()
    return purchase


@pytest.fixture
def named(one: Purchase) -> Purchase:
    one.name()
    return one


def whole(purchase: Purchase) -> bool:
    """Say whether the wallet still has all its money, and Ann the rest of hers."""
    world = purchase.world
    return (
        world.account(purchase.account) == Account(0, 0, BALANCE)
        and world.free(ANN) == RICH - BALANCE
        and world.free(BOB) == world.free(STRANGER) == 0
        and world.view(Contract.VAULT, "totals") == (RICH, 0, RICH - BALANCE, 0, BALANCE, 0)
    )


def test_operator_alone_names_a_seller(one: Purchase) -> None:
    with refused("wallets: not the wallet's key"):
        one.name(paid=OPERATOR_DEVICE)
    assert whole(one)


def test_operator_alone_confirms(named: Purchase) -> None:
    for key in (OPERATOR_DEVICE, DEVICES["bob"], THIEF):
        with refused("wallets: not the wallet's key"):
            named.confirm(VOLUME, key=key)
    assert whole(named)


def test_operator_moves_a_wallets_money_by_the_vault(named: Purchase) -> None:
    for sender in (OPERATOR, BOB, STRANGER, ANN):
        with refused("vault: not the wallets"):
            named.world.send(
                Contract.VAULT, "empty_wallet", named.account, STRANGER, 1, sender=sender
            )
        with refused("vault: not the wallets"):
            named.world.send(Contract.VAULT, "fill_wallet", ANN, STRANGER, 1, sender=sender)
    assert whole(named)


def test_buyer_pays_with_a_voucher_that_nobody_certified(one: Purchase) -> None:
    for certifier in (THIEF, DEVICES["ann"], one.key):
        with refused("wallets: not certified"):
            one.name(certified=certifier)
    assert whole(one)


def test_somebody_opens_a_wallet_with_a_key_it_does_not_have(world: World) -> None:
    world.time = 0
    world.mint(ANN, RICH)
    purchase = Purchase(world)
    with refused("wallets: no possession"):
        purchase.open(proof=THIEF)
    assert world.free(ANN) == RICH


def test_seller_changes_the_voucher(one: Purchase) -> None:
    honest = one.voucher
    for change in ({"seller": CEM}, {"volume_wh": 1}, {"due_by": DUE + 1}, {"valid_until": DUE}):
        with refused("wallets: not certified"):
            one.name(signed=honest, **change)
    assert whole(one)


def test_a_voucher_is_brought_after_its_time(one: Purchase) -> None:
    one.at(UNTIL - 1)
    with refused("wallets: voucher expired"):
        one.name(valid_until=UNTIL - 2)
    assert whole(one)


def test_a_voucher_is_brought_again_after_its_seller_gave_it_back(named: Purchase) -> None:
    named.world.send(Contract.WALLETS, "release", named.account, sender=BOB)
    with refused("wallets: stale serial"):
        named.name()
    assert whole(named)


def test_a_voucher_of_one_wallet_is_used_for_another(one: Purchase) -> None:
    second = Purchase(one.world, nonce=2)
    second.open(amount=MICRO)
    with refused("wallets: not certified"):
        one.name(signed=second.voucher)
    with refused("wallets: other balance"):
        second.name(balance=BALANCE)
    assert one.world.account(second.account).locked == MICRO


def test_a_voucher_and_a_confirmation_of_another_chain_are_replayed(one: Purchase) -> None:
    there = Domain(OTHER_CHAIN, one.world.domain.verifying_contract)
    voucher = one.voucher
    digest = voucher.digest(there)
    row = tuple(getattr(voucher, name) for name in voucher.__struct_fields__)
    both = pair(OPERATOR_DEVICE.sign(digest)), pair(one.key.sign(digest))
    with refused("wallets: not certified"):
        one.world.send(Contract.WALLETS, "name_seller", row, *both, sender=BOB)
    one.name()
    region = one.world.view(Contract.REGISTRY, "region", ANN)
    said = pair(one.key.sign(confirmation(there, voucher, region, VOLUME)))
    with refused("wallets: not the wallet's key"):
        one.world.send(Contract.WALLETS, "confirm", one.account, VOLUME, said)
    with refused("wallets: not the wallet's key"):
        one.confirm(VOLUME, region=keccak(b"region south"))
    assert whole(one)


def test_seller_raises_a_confirmation(named: Purchase) -> None:
    with refused("wallets: not the wallet's key"):
        named.confirm(VOLUME, said=1_000)
    named.confirm(1_000)
    assert named.world.free(BOB) == named.voucher.due(1_000)


def test_a_confirmation_is_brought_twice(named: Purchase) -> None:
    named.confirm(1_000)
    with refused("wallets: confirmed before"):
        named.confirm(1_000)
    assert named.world.free(BOB) == named.voucher.due(1_000)


def test_a_stranger_claims_in_the_sellers_place(named: Purchase) -> None:
    for sender in (STRANGER, ANN, OPERATOR):
        with refused("wallets: not the seller"):
            named.at(DUE).claim(VOLUME, sender=sender)
        with refused("wallets: not the seller"):
            named.world.send(Contract.WALLETS, "release", named.account, sender=sender)
    assert whole(named)


def test_seller_claims_without_delivering(named: Purchase) -> None:
    named.at(DUE).claim(VOLUME)
    named.at(DUE + 3).meters(0, VOLUME)
    assert named.world.free(BOB) == 0
    assert named.world.free(ANN) == RICH


def test_seller_brings_readings_it_made_itself(named: Purchase) -> None:
    named.at(DUE).claim(VOLUME)
    named.at(DUE + 3)
    sold, bought = named.meter("bob", 0, VOLUME), named.meter("ann", VOLUME, 0)
    for wrong in (
        (named.meter("bob", 0, VOLUME, key="cem"), bought),
        (sold, named.meter("ann", VOLUME, 0, key="bob")),
        (named.meter("bob", 0, VOLUME, interval=DUE - 1), bought),
        (sold, named.meter("cem", VOLUME, 0)),
    ):
        with refused("wallets: not the meter's signature"):
            named.world.send(Contract.WALLETS, "settle_by_meters", named.account, *wrong)
    assert whole(named)


def test_seller_has_one_export_paid_by_two_wallets(named: Purchase) -> None:
    second = Purchase(named.world, nonce=2)
    second.open()
    second.name()
    for purchase in (named, second):
        purchase.at(DUE).claim(VOLUME)
    named.at(DUE + 3).meters(VOLUME, VOLUME)
    second.meters(VOLUME, VOLUME)
    assert named.world.free(BOB) == BALANCE - CHARGE
    assert named.world.free(ANN) == RICH - BALANCE


def test_buyer_takes_its_money_back_while_the_seller_can_prove(named: Purchase) -> None:
    named.at(DUE).claim(VOLUME)
    for interval in (DUE, DUE + 2, DUE + 4):
        with refused("wallets: too early"):
            named.at(interval).world.send(Contract.WALLETS, "time_out", named.account, sender=ANN)
    named.meters(VOLUME, VOLUME)
    assert named.world.free(BOB) == BALANCE - CHARGE


def test_buyer_names_a_second_seller_for_the_same_money(named: Purchase) -> None:
    with refused("wallets: other state"):
        named.name(serial=2, seller=CEM)
    other = replace(named.voucher, serial=2, seller=CEM)
    with refused("wallets: other state"):
        named.name(signed=other, serial=2, seller=CEM)
    named.confirm(VOLUME)
    assert named.world.free(BOB) == BALANCE - CHARGE
