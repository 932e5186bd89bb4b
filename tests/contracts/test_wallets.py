"""A purchase by voucher: the wallet is filled, its seller named, and it empties in three ways."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.harness import ANN, BOB, MICRO, REGION, STRANGER, World, refused
from tests.contracts.purchases import BALANCE, CHARGE, DUE, UNTIL, VOLUME, Purchase
from tests.contracts.reading import Contract

from gridpact.crypto.keys import Key as Device
from gridpact.model.participant import Account, Named
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Wh, part

WINDOW = 2
RICH = 5 * MICRO


@pytest.fixture
def one(world: World) -> Purchase:
    world.time = 0
    world.mint(ANN, RICH)
    return Purchase(world)


@pytest.fixture
def named(one: Purchase) -> Purchase:
    one.open()
    one.name()
    return one


def tills(purchase: Purchase) -> tuple[Money, Money]:
    """Return what network operator and loss fund have."""
    world = purchase.world
    return world.free(Named.NETWORK_OPERATOR.address), world.free(Named.NETWORK_LOSS.address)


def spent(purchase: Purchase, energy: Wh) -> Money:
    """Return what the buyer pays for some of the volume."""
    return purchase.voucher.due(energy) + purchase.voucher.charged(energy)


def test_a_wallet_is_an_account_of_its_own_with_the_buyers_money(one: Purchase) -> None:
    (opened,) = one.open()
    assert opened.values == {
        "account": one.account,
        "buyer": ANN,
        "key": one.key.address,
        "amount": BALANCE,
        "until": UNTIL,
    }
    assert one.world.account(one.account) == Account(0, 0, BALANCE)
    assert one.world.free(ANN) == RICH - BALANCE
    ann, key = (f"0x{address.hex()}" for address in (ANN, one.key.address))
    assert one.world.view(Contract.WALLETS, "wallet", one.account) == (ann, key, BALANCE, 0, 1)


def test_a_wallet_is_opened_once_and_with_ones_own_money(one: Purchase) -> None:
    with refused("vault: not enough free"):
        one.open(RICH + 1)
    with refused("wallets: amount"):
        one.open(0)
    one.open()
    with refused("wallets: purchase known"):
        one.open()


def test_the_voucher_names_the_seller(one: Purchase) -> None:
    one.open()
    (said,) = one.name()
    voucher = one.voucher
    assert said.values == {
        "account": one.account,
        "seller": BOB,
        "serial": 1,
        "volume": VOLUME,
        "balance": BALANCE,
        "charge": CHARGE,
        "due": DUE,
        "record": voucher.record_root,
    }
    bob = f"0x{BOB.hex()}"
    assert one.world.view(Contract.WALLETS, "sale", one.account) == (bob, DUE, VOLUME, 0, 0, CHARGE)
    with refused("wallets: other state"):
        one.name(serial=2)


def test_a_voucher_has_a_form(one: Purchase) -> None:
    one.open()
    for change, reason in (
        ({"serial": 0}, "wallets: stale serial"),
        ({"serial": 2**56}, "wallets: serial"),
        ({"balance": BALANCE - 1}, "wallets: other balance"),
        ({"charge": BALANCE + 1}, "wallets: charge"),
        ({"volume_wh": 0}, "wallets: volume"),
        ({"volume_wh": 2**40}, "wallets: volume"),
        ({"due_by": 2**32}, "wallets: interval"),
        ({"seller": ANN}, "wallets: trade with oneself"),
        ({"seller": STRANGER}, "wallets: not active"),
    ):
        with refused(reason):
            one.name(**change)
    one.at(UNTIL)
    with refused("wallets: due in the past"):
        one.name(due_by=UNTIL - 1)


def test_the_seller_states_progress_until_the_window_ends(named: Purchase) -> None:
    with refused("wallets: before delivery"):
        named.at(DUE - 1).claim(100)
    (claimed,) = named.at(DUE).claim(100)
    assert claimed.values == {"account": named.account, "seller": BOB, "delivered": 100}
    with refused("wallets: no progress"):
        named.claim(100)
    with refused("wallets: beyond the volume"):
        named.claim(VOLUME + 1)
    with refused("wallets: not the seller"):
        named.claim(VOLUME, sender=ANN)
    named.at(DUE + WINDOW).claim(VOLUME)
    with refused("wallets: too late for a claim"):
        named.at(DUE + WINDOW + 1).claim(VOLUME)


def test_the_buyers_confirmation_pays_part_by_part(named: Purchase) -> None:
    (moved,) = named.confirm(1_000)
    first, levy = named.voucher.due(1_000), named.voucher.charged(1_000)
    assert moved.values == {
        "account": named.account,
        "received": 1_000,
        "paid": first,
        "charge": levy,
    }
    assert (named.world.free(BOB), sum(tills(named))) == (first, levy)
    with refused("wallets: confirmed before"):
        named.confirm(1_000)
    with refused("wallets: beyond the volume"):
        named.confirm(VOLUME + 1)
    named.confirm(VOLUME)
    assert named.world.free(BOB) == BALANCE - CHARGE
    to_loss = part(CHARGE, named.world.settlement.loss_fund_share)
    assert tills(named) == (CHARGE - to_loss, to_loss)
    assert named.world.account(named.account) == Account()
    assert named.state() == 3
    assert named.world.holds()


def test_a_seller_that_does_not_deliver_gives_the_wallet_free(named: Purchase) -> None:
    with refused("wallets: not the seller"):
        named.world.send(Contract.WALLETS, "release", named.account, sender=ANN)
    (released,) = named.world.send(Contract.WALLETS, "release", named.account, sender=BOB)
    assert released.values == {"account": named.account, "seller": BOB}
    with refused("wallets: stale serial"):
        named.name()
    named.name(serial=2)
    named.world.send(Contract.WALLETS, "release", named.account, sender=BOB)
    named.name(serial=3)
    with refused("wallets: not the wallet's key"):
        named.confirm(VOLUME)  # of the first purchase, whose name carries its serial


def test_what_was_confirmed_in_part_is_not_released(named: Purchase) -> None:
    named.confirm(1)
    with refused("wallets: confirmed in part"):
        named.world.send(Contract.WALLETS, "release", named.account, sender=BOB)


def test_the_meters_pay_a_seller_whose_buyer_keeps_silent(named: Purchase) -> None:
    named.at(DUE).claim(VOLUME)
    with refused("wallets: too early"):
        named.at(DUE + WINDOW).meters(VOLUME, VOLUME)
    metered, returned = named.at(DUE + WINDOW + 1).meters(2_500, 2_000)
    paid, levy = named.voucher.due(2_000), named.voucher.charged(2_000)
    assert metered.values == {
        "account": named.account,
        "delivered": 2_000,
        "paid": paid,
        "charge": levy,
    }
    left = BALANCE - paid - levy
    assert returned.values == {"account": named.account, "buyer": ANN, "amount": left}
    assert (named.world.free(BOB), sum(tills(named))) == (paid, levy)
    assert named.world.free(ANN) == RICH - paid - levy
    with refused("wallets: other state"):
        named.meters(2_500, 2_000)


def test_the_meters_pay_no_more_than_was_claimed_and_no_less_than_was_confirmed(
    named: Purchase,
) -> None:
    named.at(DUE).claim(700)
    named.confirm(1_200)
    named.at(DUE + WINDOW + 1).meters(VOLUME, VOLUME)
    assert named.world.free(BOB) == named.voucher.due(1_200)
    assert named.world.free(ANN) == RICH - spent(named, 1_200)


def test_a_wallet_without_a_seller_comes_back_when_its_time_is_over(one: Purchase) -> None:
    one.open()
    with refused("wallets: too early"):
        one.at(UNTIL).world.send(Contract.WALLETS, "time_out", one.account)
    with refused("wallets: wallet expired"):
        one.at(UNTIL + 1).name(valid_until=DUE)
    (returned,) = one.world.send(Contract.WALLETS, "time_out", one.account, sender=STRANGER)
    assert returned.values == {"account": one.account, "buyer": ANN, "amount": BALANCE}
    assert one.world.free(ANN) == RICH
    with refused("wallets: other state"):
        one.world.send(Contract.WALLETS, "time_out", one.account)


def test_what_nobody_proved_comes_back_after_two_windows(named: Purchase) -> None:
    named.at(DUE).claim(VOLUME)
    named.confirm(1_000)
    named.at(DUE + 2 * WINDOW)
    with refused("wallets: too early"):
        named.world.send(Contract.WALLETS, "time_out", named.account)
    named.at(DUE + 2 * WINDOW + 1).world.send(Contract.WALLETS, "time_out", named.account)
    assert named.world.free(ANN) == RICH - spent(named, 1_000)
    assert named.world.account(named.account) == Account()
    assert named.world.holds()


def test_who_is_suspended_opens_no_wallet_and_sells_to_none(one: Purchase) -> None:
    reason = b"\1" * 32
    one.open()
    one.world.send(Contract.REGISTRY, "suspend", BOB, reason)
    with refused("wallets: not active"):
        one.name()
    one.world.send(Contract.REGISTRY, "suspend", ANN, reason)
    with refused("wallets: not active"):
        Purchase(one.world, nonce=2).open()


def test_the_meters_keys_are_those_of_the_registry(named: Purchase) -> None:
    named.at(DUE).claim(VOLUME)
    named.at(DUE + WINDOW + 1)
    bob, ann = named.meter("bob", 0, VOLUME, key="stranger"), named.meter("ann", VOLUME, 0)
    with refused("wallets: not the meter's signature"):
        named.world.send(Contract.WALLETS, "settle_by_meters", named.account, bob, ann)
    assert named.world.view(Contract.REGISTRY, "region", BOB) == REGION
    assert Device.derive(b"contracts", "bob").address == BOB


@given(
    balance=st.integers(0, 2**80 - 1),
    charge=st.integers(0, 2**80 - 1),
    volume=st.integers(1, 2**36 - 1),
    parts=st.lists(st.integers(0, 2**36 - 1)),
)
def test_parts_of_a_purchase_add_up_to_it(
    balance: int, charge: int, volume: int, parts: list[int]
) -> None:
    voucher = Voucher(b"", b"", 1, 1, volume, balance, min(charge, balance), 1, b"")
    came = [0, *sorted(one for one in parts if one <= volume), volume]
    paid = [voucher.due(now) - voucher.due(then) for then, now in pairwise(came)]
    levied = [voucher.charged(now) - voucher.charged(then) for then, now in pairwise(came)]
    assert min(paid + levied) >= 0
    assert (sum(paid), sum(levied)) == (balance - voucher.charge, voucher.charge)
