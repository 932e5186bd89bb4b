"""Who tries to be paid twice for one export, or to pay twice for one import: by fills, by wallets.

Fills and wallets of one interval, settled by the meters' signed word in every order. What the
meters of seller and buyer show is paid once, whoever comes first; what a seller sent for its fills
does not depend on who comes first.
"""

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.fills import Hands
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    DEVICES,
    MICRO,
    PLANT,
    World,
    delivery,
    fill,
    refused,
)
from tests.contracts.purchases import BALANCE, DUE, VOLUME, Purchase
from tests.contracts.reading import Contract

from gridpact.model.order import Side
from gridpact.model.participant import Named
from gridpact.model.trade import Fill

RICH = 50 * MICRO
LATE = DUE + 3  # a silent buyer's time is over
NAMES = {device.address: name for name, device in DEVICES.items()}


@pytest.fixture
def hands(world: World) -> Hands:
    return _market(world)


def _market(world: World) -> Hands:
    for account in (ANN, BOB, CEM, PLANT, Named.REWARD.address):
        world.mint(account, RICH)
    world.price_of(DUE)
    return Hands(world)


def _bought(hands: Hands, buyer: str, nonce: int = 1, claimed: int = VOLUME) -> Purchase:
    """Return a purchase of Bob's energy with what he claims to have delivered."""
    hands.at(DUE - 2)
    one = Purchase(hands.world, nonce=nonce, buyer=buyer)
    one.open()
    one.name()
    one.at(DUE).claim(claimed)
    return one


def _traded(hands: Hands, buyer: str, *energies: int, seller: str = "bob") -> list[Fill]:
    """Return locked fills of one bid."""
    hands.at(DUE - 2)
    world = hands.world
    bid = world.order(buyer, Side.BID, energy=sum(energies), interval=DUE)
    offer = world.order(seller, Side.OFFER, energy=sum(energies), price=100_000, interval=DUE)
    hands.post(bid)
    hands.post(offer)
    fills = [
        fill(bid, offer, energy, 150_000, 30_000, index) for index, energy in enumerate(energies)
    ]
    for one in fills:
        hands.match(bid, offer, one)
    return fills


def _sent(hands: Hands, one: Fill, exported: int, imported: int) -> int:
    """Settle a fill; return what it was paid for. [Wh]"""
    return _settled(hands, one, exported, imported)[1]


def _settled(hands: Hands, one: Fill, exported: int, imported: int) -> tuple[int, int, int]:
    """Settle a fill; return what was agreed, sent, and sent of what was left unused. [Wh]"""
    (paid,) = hands.settle(one, exported, imported, sender=BOB)
    agreed, sent, unused = (paid.values["delivery"] >> at & (1 << 40) - 1 for at in (208, 168, 48))
    return agreed, sent, unused


def _delivered(one: Purchase, exported: int, imported: int) -> int:
    """Settle a wallet; return what it was paid for. [Wh]"""
    metered: int = one.meters(exported, imported)[0].values["delivered"]
    return metered


# the seller's side


def test_a_wallet_paid_the_export_before_a_fill(hands: Hands) -> None:
    (trade,) = _traded(hands, "cem", VOLUME)
    wallet = _bought(hands, "ann")
    hands.at(LATE)
    assert _delivered(wallet, VOLUME, VOLUME) == VOLUME
    before = hands.world.account(BOB)
    assert _sent(hands, trade, VOLUME, VOLUME) == 0
    assert hands.world.account(BOB) == before  # and Cem has all of its lock back
    cem = hands.world.account(CEM)
    assert (cem.free + cem.reserved, cem.locked) == (RICH, 0)


def test_a_fill_paid_the_export_before_a_wallet(hands: Hands) -> None:
    (trade,) = _traded(hands, "cem", VOLUME)
    wallet = _bought(hands, "ann")
    hands.at(LATE)
    assert _sent(hands, trade, VOLUME, VOLUME) == VOLUME
    assert _delivered(wallet, VOLUME, VOLUME) == 0
    assert hands.world.account(ANN).free == RICH


def test_energy_that_a_buyer_left_unused_is_not_sold_to_a_wallet_too(hands: Hands) -> None:
    (trade,) = _traded(hands, "cem", VOLUME)
    wallet = _bought(hands, "ann")
    hands.at(LATE)
    assert _sent(hands, trade, VOLUME, 1_000) == 1_000  # the fee is paid for the other 2,001 Wh
    assert _delivered(wallet, VOLUME, VOLUME) == 0


def test_energy_that_one_buyer_left_unused_is_sent_to_another(hands: Hands) -> None:
    """Ann leaves all of her fill unused and settles it first: Bob is not short at Cem's."""
    (unused,) = _traded(hands, "ann", VOLUME)
    (trade,) = _traded(hands, "cem", VOLUME)
    hands.at(LATE)
    assert _sent(hands, unused, VOLUME, 0) == 0
    assert _sent(hands, trade, VOLUME, VOLUME) == VOLUME
    hands.at(DUE + 4)
    (rated,) = hands.rate(BOB, DUE)
    assert (rated.values["agreed"], rated.values["sent"]) == (VOLUME, VOLUME)


def test_a_batch_paid_the_export_before_a_wallet(hands: Hands) -> None:
    (trade,) = _traded(hands, "cem", VOLUME)
    wallet = _bought(hands, "ann")
    _settle_batch(hands, trade)
    hands.at(LATE)
    assert _delivered(wallet, VOLUME, VOLUME) == 0


def test_the_count_of_an_interval_that_was_sold_over_is_not_taken_for_nothing(
    hands: Hands,
) -> None:
    (trade,) = _traded(hands, "cem", VOLUME)
    wallet = _bought(hands, "ann")
    hands.at(LATE)
    _sent(hands, trade, VOLUME, VOLUME)
    world = hands.world
    world.price_of(DUE + 16)
    hands.at(DUE + 14)
    bid = world.order("cem", Side.BID, interval=DUE + 16)
    offer = world.order("bob", Side.OFFER, interval=DUE + 16, price=100_000)
    hands.post(bid)
    hands.post(offer)
    later = fill(bid, offer, 1_000, 150_000, 30_000)
    hands.match(bid, offer, later)
    hands.at(DUE + 18)
    hands.settle(later, 1_000, 1_000, sender=BOB)
    with refused("settlement: the interval is past"):
        wallet.meters(VOLUME, VOLUME)
    world.send(Contract.WALLETS, "time_out", wallet.account)
    assert world.account(ANN).free == RICH


# the buyer's side


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_buyer_pays_its_import_once_over_wallets_and_fills(
    hands: Hands, order: tuple[int, int, int]
) -> None:
    """Ann took 3,001 Wh and promised to buy that much three times; Bob sent enough for all."""
    first, second = _bought(hands, "ann"), _bought(hands, "ann", nonce=2)
    (trade,) = _traded(hands, "ann", VOLUME)
    hands.at(LATE)
    acts = [
        lambda: _delivered(first, 3 * VOLUME, VOLUME),
        lambda: _delivered(second, 3 * VOLUME, VOLUME),
        lambda: _sent(hands, trade, 3 * VOLUME, VOLUME),
    ]
    assert [acts[at]() for at in order] == [VOLUME, 0, 0]
    assert hands.world.holds()


def test_a_batch_counted_the_import_before_a_wallet(hands: Hands) -> None:
    wallet = _bought(hands, "ann")
    (trade,) = _traded(hands, "ann", VOLUME)
    _settle_batch(hands, trade)
    hands.at(LATE)
    assert _delivered(wallet, 2 * VOLUME, VOLUME) == 0


def test_two_signed_bids_that_hold_their_fills_pay_one_import_once(hands: Hands) -> None:
    hands.at(DUE - 2)
    fills = []
    for _ in range(2):
        bid = hands.world.order("ann", Side.BID, interval=DUE, price=240_000)
        offer = hands.world.order("bob", Side.OFFER, interval=DUE, price=100_000)
        one = fill(bid, offer, 1_000, 150_000, 30_000)
        hands.bind(bid, offer, one)
        fills.append(one)
    hands.at(LATE)
    assert [_sent(hands, one, 2_000, 1_200) for one in fills] == [1_000, 200]


def test_the_first_wallet_marks_its_buyer_for_good(hands: Hands) -> None:
    world = hands.world
    assert world.view(Contract.VAULT, "standing", ANN) == 1
    _bought(hands, "ann")
    assert world.view(Contract.VAULT, "standing", ANN) == 5
    world.send(Contract.REGISTRY, "suspend", ANN, b"\1" * 32)
    assert world.view(Contract.VAULT, "standing", ANN) == 6
    world.send(Contract.REGISTRY, "reinstate", ANN, b"\1" * 32)
    assert world.view(Contract.VAULT, "standing", ANN) == 5
    assert world.account(ANN).free == RICH - BALANCE


def test_only_the_wallets_count(hands: Hands) -> None:
    for sender in (BOB, ANN, DEVICES["stranger"].address):
        with refused("settlement: not the wallets"):
            hands.world.send(Contract.SETTLEMENT, "count", BOB, ANN, DUE, 1, 1, 1, 1, sender=sender)


def _settle_batch(hands: Hands, trade: Fill) -> None:
    """Settle a fill by the operator's record."""
    world = hands.world
    write = world.write(interval=DUE)
    world.deliver(0, VOLUME, interval=DUE)
    hands.at(DUE + 1)
    world.settle((trade, delivery(trade, trade.energy_wh)), write=write)


# every order of calls

BUYERS = ("ann", "cem", "plant")
energy = st.integers(0, 3_000)


@st.composite
def _markets(draw: st.DrawFn) -> tuple[dict[str, tuple[int, list[int], list[int]]], int, list[int]]:
    """Return per buyer its import, the claims on its wallets, its bid's fills; Bob's export."""
    buyers = {
        name: (
            draw(energy),
            draw(st.lists(st.integers(1, VOLUME), max_size=2)),
            draw(st.lists(st.integers(1, 2_000), max_size=2)),
        )
        for name in BUYERS
    }
    count = sum(len(claims) + len(fills) for _, claims, fills in buyers.values())
    return buyers, draw(st.integers(0, 6_000)), draw(st.permutations(range(count)))


@settings(max_examples=60, deadline=None)
@given(market=_markets())
def test_in_any_order_meters_pay_no_more_than_they_show(
    founded: World, market: tuple[dict[str, tuple[int, list[int], list[int]]], int, list[int]]
) -> None:
    buyers, exported, order = market
    founded.engine.undo()
    founded.time = 0
    hands = _market(founded)
    acts = []
    for name, (imported, claims, energies) in buyers.items():
        for nonce, claimed in enumerate(claims):
            wallet = _bought(hands, name, nonce, claimed)
            acts.append((name, wallet, imported))
        if energies:
            acts += [(name, one, imported) for one in _traded(hands, name, *energies)]
    hands.at(LATE)
    sold, unused, took = 0, 0, Counter[str]()
    for at in order:
        name, what, imported = acts[at]
        if isinstance(what, Purchase):
            paid = _delivered(what, exported, imported)
            unused += paid
        else:
            _, paid, left = _settled(hands, what, exported, imported)
            unused += left
        sold += paid
        took[name] += paid
    assert sold <= exported
    assert unused <= exported
    assert all(took[name] <= imported for name, (imported, _, _) in buyers.items())
    assert founded.holds()


SELLERS = ("bob", "plant")


@settings(max_examples=60, deadline=None)
@given(
    energies=st.lists(
        st.tuples(st.sampled_from(("ann", "cem")), st.sampled_from(SELLERS), energy),
        min_size=2,
        max_size=5,
    ),
    imported=st.tuples(energy, energy),
    exported=st.tuples(energy, energy),
    data=st.data(),
)
def test_the_order_of_calls_decides_nothing_for_a_seller(
    founded: World,
    energies: list[tuple[str, str, int]],
    imported: tuple[int, int],
    exported: tuple[int, int],
    data: st.DataObject,
) -> None:
    """Posted bids of several buyers: in two orders every seller sent and is rated the same."""
    used = dict(zip(("ann", "cem"), imported, strict=True))
    made = dict(zip(SELLERS, exported, strict=True))
    found = []
    for _ in range(2):
        founded.engine.undo()
        founded.time = 0
        hands = _market(founded)
        fills = [_traded(hands, buyer, 1 + wh, seller=by)[0] for buyer, by, wh in energies]
        hands.at(LATE)
        owed, sent, unused = Counter[str](), Counter[str](), Counter[str]()
        for at in data.draw(st.permutations(range(len(fills)))):
            buyer, by, _wh = energies[at]
            agreed, now, left = _settled(hands, fills[at], made[by], used[buyer])
            owed[by] += agreed
            sent[by] += now
            unused[by] += left
        hands.at(DUE + 4)
        for by in SELLERS:
            assert sent[by] == min(owed[by], made[by])
            assert unused[by] <= made[by]
            if owed[by]:
                (rated,) = hands.rate(DEVICES[by].address, DUE)
                assert (rated.values["agreed"], rated.values["sent"]) == (owed[by], sent[by])
        assert founded.holds()
        found.append((owed, sent))
    assert found[0] == found[1]
