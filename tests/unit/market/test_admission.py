"""Which orders get into the book: every refusal by name, and tricks that do not work."""

import random
from collections.abc import Callable

import msgspec
import pytest
from tests.unit.market.book_case import FEED_IN, INTERVAL, REGION, both, located, prices

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import recover
from gridpact.market.admission import MAX_WORD, Gate, admit, reservation
from gridpact.market.caps import Pairs
from gridpact.market.flood import ANYBODY, MOST_RECORDED, MOST_SIGNED, MOST_UNPROVEN
from gridpact.model.attributes import Attributes, terms_of
from gridpact.model.order import (
    MAX_FILLS,
    NONE,
    Accepted,
    Code,
    Order,
    Refusal,
    Side,
    SignedOrder,
    Tier,
)
from gridpact.model.participant import Participant, Role
from gridpact.quantities import MAX_ORDER, MAX_PRICE, amount

DOMAIN = Domain(7, b"\x09" * 20)
COLLECTOR = Key.derive(b"market", "collector")
BUYER, SELLER, PLANT, STRANGER = (
    Key.derive(b"market", name) for name in ("buyer", "seller", "plant", "stranger")
)
PEOPLE = {
    key.address: Participant(name, key.address, bus, roles, b"", b"")
    for key, name, bus, roles in (
        (BUYER, "buyer", 2, Role.CONSUMER | Role.PRODUCER),
        (SELLER, "seller", 3, Role.CONSUMER | Role.PRODUCER),
        (PLANT, "plant", 4, Role.PLANT),
    )
}


def gate(**changes: object) -> Gate:
    settings: dict[str, object] = {
        "domain": DOMAIN,
        "region": REGION,
        "interval": INTERVAL,
        "participants": PEOPLE,
        "suspended": frozenset(),
        "pairs": both(prices()),
        "demand_buses": frozenset({2, 3}),
        "bid_limit": dict.fromkeys(PEOPLE, 1000),
        "offer_limit": dict.fromkeys(PEOPLE, 2000),
        "free": dict.fromkeys(PEOPLE, 10**9),
    }
    return Gate(**{**settings, **changes})  # type: ignore[arg-type]


def order(key: Key, side: Side = Side.BID, tier: Tier = Tier.LOCAL, **changes: object) -> Order:
    plain = Order(key.address, side, tier, REGION, INTERVAL, 1000, 150_000)
    return msgspec.structs.replace(plain, **changes)


def signed(one: Order, key: Key | None = None) -> SignedOrder:
    by = key or next(k for k in (BUYER, SELLER, PLANT, STRANGER) if k.address == one.participant)
    return SignedOrder(one, by.sign(one.digest(DOMAIN)))


def judged(*orders: SignedOrder, at: Gate | None = None) -> tuple[list[Accepted], list[Refusal]]:
    accepted, refused = admit(orders, at or gate(), COLLECTOR.sign)
    return list(accepted), list(refused)


def only_refusal(*orders: SignedOrder, at: Gate | None = None) -> Refusal:
    _, refused = judged(*orders, at=at)
    assert len(refused) == 1
    return refused[0]


def test_an_accepted_order_has_a_number_a_reservation_and_a_signed_receipt() -> None:
    accepted, refused = judged(signed(order(BUYER)), signed(order(SELLER, Side.OFFER)))
    assert refused == []
    assert [one.sequence for one in accepted] == [0, 1]
    bid, offer = accepted
    assert bid.reserved == amount(150_000, 1000) + amount(40_000, 1000) + MAX_FILLS
    assert (bid.charge, offer.charge, offer.reserved) == (40_000, 0, 0)
    for one in accepted:
        assert one.hash == one.order.digest(DOMAIN)
        assert recover(one.digest(DOMAIN), one.receipt) == COLLECTOR.address


def test_refused_orders_take_no_number() -> None:
    accepted, refused = judged(signed(order(BUYER), STRANGER), signed(order(BUYER)))
    assert [one.sequence for one in accepted] == [0]
    assert [one.code for one in refused] == [Code.SIGNATURE]


def test_a_bid_reserves_for_the_dearest_bus_it_may_buy_from() -> None:
    at = gate(pairs=both(prices(buses=located((2, 10_000), (4, -15_000)))))
    accepted, _ = judged(signed(order(BUYER)), at=at)
    assert accepted[0].charge == 40_000 + 25_000


def test_an_offer_without_cover_is_refused_with_the_order_that_was_signed() -> None:
    asked: list[tuple[bytes, int, int]] = []

    def uncovered(seller: bytes, energy: int, cap: int) -> str:
        asked.append((seller, energy, cap))
        return "too much" if energy > 900 else ""

    much, little = (signed(order(SELLER, Side.OFFER, energy_wh=wh)) for wh in (901, 900))
    accepted, refused = judged(signed(order(BUYER)), much, little, at=gate(uncovered=uncovered))
    cap = both(prices())[Tier.LOCAL].highest_ceiling(3, {2, 3})
    assert asked == [(SELLER.address, 901, cap), (SELLER.address, 900, cap)]
    assert [one.order.energy_wh for one in accepted] == [1000, 900]
    assert refused == [
        Refusal(much.order.digest(DOMAIN), SELLER.address, Code.OVER_LIMIT, "too much", much)
    ]


def test_under_a_levying_mechanism_a_bid_reserves_for_the_levy_too() -> None:
    levying = gate(levies=True)
    one = order(BUYER, energy_wh=1000, price=300_000)
    (plain,), _ = judged(signed(one))
    child = order(BUYER, tier=Tier.ZONAL, energy_wh=1000, price=300_000, parent=one.digest(DOMAIN))
    (levied, zonal), _ = judged(signed(one), signed(child), at=levying)
    assert levied.charge == plain.charge + 300_000 - FEED_IN
    assert levied.reserved == plain.reserved + amount(300_000 - FEED_IN, 1000)
    assert zonal.charge == levying.pairs[Tier.ZONAL].highest_charge(2)


GREEN = Attributes(source=2, start=3, end=5)


def with_wishes(wish: Attributes | None, **changes: object) -> SignedOrder:
    """Return a signed order that carries attributes, by default those that its terms hash."""
    fields: dict[str, object] = {"terms": terms_of(wish), **changes}
    one = order(BUYER, **fields)
    return SignedOrder(one, BUYER.sign(one.digest(DOMAIN)), wish)


def test_attributes_travel_with_the_order_that_hashes_them() -> None:
    (accepted,), _ = judged(with_wishes(GREEN))
    assert accepted.attributes == GREEN
    assert accepted.order.terms == GREEN.hash
    (plain,), _ = judged(with_wishes(None))
    assert plain.attributes is None


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (with_wishes(None, terms=GREEN.hash), "not those that the order's terms hash"),
        (with_wishes(GREEN, terms=NONE), "not those that the order's terms hash"),
        (with_wishes(GREEN, terms=Attributes(source=1).hash), "not those that the order's"),
        (with_wishes(GREEN, tier=Tier.ZONAL), "for orders of the local tier"),
        (with_wishes(Attributes(start=5, end=5)), "ends at 5, not after its start 5"),
        (with_wishes(Attributes(start=5)), "from 5 has no end"),
        (with_wishes(Attributes(zone=2**31)), "not within 0 and"),
        (with_wishes(Attributes(partner=b"x")), "an address of 20 bytes"),
        (
            with_wishes(Attributes(all_or_nothing=True), side=Side.OFFER),
            "in merit order an offer is divisible",
        ),
    ],
)
def test_attributes_that_do_not_fit_are_refused(sent: SignedOrder, says: str) -> None:
    refusal = only_refusal(sent)
    assert refusal.code is Code.PRICE_FORM
    assert says in refusal.detail


def test_forged_order() -> None:
    assert only_refusal(signed(order(BUYER), STRANGER)).code is Code.SIGNATURE


def test_order_changed_after_signing() -> None:
    good = signed(order(BUYER))
    changed = SignedOrder(msgspec.structs.replace(good.order, energy_wh=999), good.signature)
    assert only_refusal(changed).code is Code.SIGNATURE


def test_order_signed_for_another_chain() -> None:
    one = order(BUYER)
    elsewhere = SignedOrder(one, BUYER.sign(one.digest(Domain(8, b"\x09" * 20))))
    assert only_refusal(elsewhere).code is Code.SIGNATURE


def test_the_high_s_twin_of_a_signature() -> None:
    good = signed(order(BUYER))
    curve = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = curve - int.from_bytes(good.signature[32:64], "big")
    v = bytes([55 - good.signature[64]])
    twin = SignedOrder(good.order, good.signature[:32] + s.to_bytes(32, "big") + v)
    assert only_refusal(twin).code is Code.SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"\0" * 65, b"\xff" * 65, b"\x01" * 64])
def test_nonsense_instead_of_a_signature(signature: bytes) -> None:
    assert only_refusal(SignedOrder(order(BUYER), signature)).code is Code.SIGNATURE


def test_a_stranger_has_no_certificate() -> None:
    assert only_refusal(signed(order(STRANGER))).code is Code.CERTIFICATE


@pytest.mark.parametrize(
    ("key", "side", "tier"),
    [
        (BUYER, Side.OFFER, Tier.ZONAL),
        (PLANT, Side.OFFER, Tier.LOCAL),
        (PLANT, Side.BID, Tier.LOCAL),
        (PLANT, Side.BID, Tier.ZONAL),
        (BUYER, Side.BID, Tier.GRID),
    ],
)
def test_a_role_that_the_certificate_does_not_give(key: Key, side: Side, tier: Tier) -> None:
    assert only_refusal(signed(order(key, side, tier))).code is Code.CERTIFICATE


def test_a_tier_that_this_chain_does_not_trade() -> None:
    at = gate(pairs={Tier.LOCAL: Pairs.of(prices(), Tier.LOCAL)})
    one = signed(order(PLANT, Side.OFFER, Tier.ZONAL))
    assert only_refusal(one, at=at).code is Code.CERTIFICATE


def test_another_region() -> None:
    assert only_refusal(signed(order(BUYER, region=b"\x05" * 32))).code is Code.CERTIFICATE


def test_a_suspended_participant() -> None:
    at = gate(suspended=frozenset({BUYER.address}))
    assert only_refusal(signed(order(BUYER)), at=at).code is Code.BLACKLIST


@pytest.mark.parametrize("interval", [INTERVAL - 1, INTERVAL + 1])
def test_another_interval(interval: int) -> None:
    assert only_refusal(signed(order(BUYER, interval=interval))).code is Code.EXPIRED


def test_an_order_is_void_from_the_interval_it_expires() -> None:
    for expires, refused in ((INTERVAL, 1), (1, 1), (INTERVAL + 1, 0), (0, 0)):
        _, refusals = judged(signed(order(BUYER, expires=expires)))
        assert [one.code for one in refusals] == [Code.EXPIRED] * refused


def test_a_replayed_order() -> None:
    one = signed(order(BUYER))
    assert only_refusal(one, one).code is Code.DUPLICATE


def test_a_second_order_of_the_same_side_and_tier() -> None:
    found = only_refusal(signed(order(BUYER)), signed(order(BUYER, salt=1)))
    assert found.code is Code.DUPLICATE


def test_a_forged_order_does_not_take_the_place_of_the_real_one() -> None:
    real = signed(order(BUYER))
    forged = SignedOrder(real.order, STRANGER.sign(real.order.digest(DOMAIN)))
    accepted, refused = judged(forged, real)
    assert [one.signature for one in accepted] == [real.signature]
    assert [one.code for one in refused] == [Code.SIGNATURE]


def test_over_bidding_is_refused() -> None:
    assert only_refusal(signed(order(BUYER, energy_wh=1001))).code is Code.OVER_LIMIT
    assert only_refusal(signed(order(BUYER)), at=gate(bid_limit={})).code is Code.OVER_LIMIT


def test_over_offering_is_refused() -> None:
    found = only_refusal(signed(order(SELLER, Side.OFFER, energy_wh=2001)))
    assert found.code is Code.OVER_LIMIT


def test_one_stored_kwh_offered_on_two_tiers_is_refused() -> None:
    people = dict(PEOPLE)
    people[SELLER.address] = msgspec.structs.replace(
        people[SELLER.address], roles=Role.PRODUCER | Role.PLANT
    )
    first = signed(order(SELLER, Side.OFFER, energy_wh=1500))
    again = signed(order(SELLER, Side.OFFER, Tier.ZONAL, energy_wh=501))
    fits = signed(order(SELLER, Side.OFFER, Tier.ZONAL, energy_wh=500))
    at = gate(participants=people)
    assert only_refusal(first, again, at=at).code is Code.OVER_LIMIT
    assert judged(first, fits, at=at)[1] == []


def test_buying_and_selling_in_one_interval_is_refused() -> None:
    bid, offer = signed(order(BUYER)), signed(order(BUYER, Side.OFFER))
    assert only_refusal(bid, offer).code is Code.OVER_LIMIT
    assert only_refusal(offer, bid).code is Code.OVER_LIMIT


def test_a_zonal_bid_names_its_own_local_parent() -> None:
    local = order(BUYER)
    name = local.digest(DOMAIN)
    child = signed(order(BUYER, tier=Tier.ZONAL, parent=name))
    accepted, refused = judged(signed(local), child)
    assert (len(accepted), refused) == (2, [])
    assert accepted[1].charge == 60_000


@pytest.mark.parametrize(
    "child",
    [
        {"parent": NONE},
        {"parent": b"\x08" * 32},
        {"energy_wh": 801},
        {"participant": SELLER.address},
        {"tier": Tier.LOCAL, "participant": SELLER.address},
    ],
)
def test_a_zonal_bid_without_a_right_to_its_energy(child: dict[str, object]) -> None:
    local = order(BUYER, energy_wh=800)
    plain = order(BUYER, tier=Tier.ZONAL, parent=local.digest(DOMAIN), energy_wh=800)
    found = only_refusal(signed(local), signed(msgspec.structs.replace(plain, **child)))
    assert found.code is Code.OVER_LIMIT


def test_a_zonal_bid_whose_parent_was_refused() -> None:
    local = order(BUYER, energy_wh=1001)
    child = order(BUYER, tier=Tier.ZONAL, parent=local.digest(DOMAIN), energy_wh=500)
    _, refused = judged(signed(local), signed(child))
    assert [one.code for one in refused] == [Code.OVER_LIMIT] * 2


@pytest.mark.parametrize(
    "form",
    [
        {"energy_wh": 0},
        {"energy_wh": -1},
        {"energy_wh": MAX_ORDER + 1},
        {"price": 0},
        {"price": -5},
        {"price": MAX_PRICE + 1},
        {"min_reputation": -1},
        {"min_reputation": 2**32},
        {"salt": MAX_WORD + 1},
        {"salt": -1},
        {"expires": 2**64},
        {"interval": -1},
        {"parent": b""},
        {"terms": b"\0" * 31},
        {"region": b"\x01"},
        {"participant": b"\x01" * 21},
    ],
)
def test_numbers_without_a_form(form: dict[str, object]) -> None:
    made = SignedOrder(msgspec.structs.replace(order(BUYER), **form), b"\x01" * 65)
    assert only_refusal(made).code is Code.PRICE_FORM


def test_an_offer_above_every_cap_is_refused_and_one_at_the_highest_is_not() -> None:
    at = gate(pairs=both(prices(buses=located((2, 70_000)))))
    highest = at.pairs[Tier.LOCAL].cap(3, 3)
    assert highest > at.pairs[Tier.LOCAL].cap(2, 3)
    above = signed(order(SELLER, Side.OFFER, price=highest + 1))
    assert only_refusal(above, at=at).code is Code.PRICE_FORM
    assert judged(signed(order(SELLER, Side.OFFER, price=highest)), at=at)[1] == []
    assert judged(signed(order(SELLER, Side.OFFER, price=FEED_IN - 1)), at=at)[1] == []


def test_an_offer_where_nobody_has_demand_is_kept() -> None:
    above = signed(order(SELLER, Side.OFFER, price=MAX_PRICE))
    assert judged(above, at=gate(demand_buses=frozenset()))[1] == []


def test_a_bid_without_funds() -> None:
    need = reservation(order(BUYER), 40_000)
    assert need == 190_016
    at = gate(free={BUYER.address: need - 1})
    assert only_refusal(signed(order(BUYER)), at=at).code is Code.FUNDS
    assert judged(signed(order(BUYER)), at=gate(free={BUYER.address: need}))[1] == []
    assert only_refusal(signed(order(BUYER)), at=gate(free={})).code is Code.FUNDS


def test_money_is_reserved_once_for_each_order() -> None:
    local = order(BUYER)
    child = order(BUYER, tier=Tier.ZONAL, parent=local.digest(DOMAIN))
    need = reservation(local, 40_000) + reservation(child, 60_000)
    short = gate(free={BUYER.address: need - 1})
    assert only_refusal(signed(local), signed(child), at=short).code is Code.FUNDS
    assert judged(signed(local), signed(child), at=gate(free={BUYER.address: need}))[1] == []


def test_a_stranger_learns_nothing_and_causes_no_cryptography() -> None:
    """Whatever an unproven sender writes, the answer does not depend on anybody's account."""

    def forbidden(*_: bytes) -> bool:
        raise AssertionError("a signature was checked")

    asked = [
        order(STRANGER, energy_wh=energy, interval=when) for energy in (1, 10**6) for when in (0, 9)
    ]
    for one in asked:
        found = only_refusal(SignedOrder(one, b""), at=gate(check=forbidden))
        assert (found.code, found.detail) == (Code.CERTIFICATE, "no certificate of this chain")


@pytest.mark.parametrize(
    "changes",
    [
        {"suspended": frozenset({BUYER.address})},
        {"free": {}},
        {"bid_limit": {}},
        {"barred": {BUYER.address: "revoked"}},
    ],
)
def test_who_cannot_sign_is_told_nothing_about_the_account(changes: dict[str, object]) -> None:
    forged = signed(order(BUYER), STRANGER)
    assert only_refusal(forged, at=gate(**changes)).code is Code.SIGNATURE


def test_studies_may_replace_signatures_and_names() -> None:
    name: Callable[[Order], bytes] = lambda one: one.participant.rjust(32, b"\x01")  # noqa: E731
    at = gate(check=lambda *_: True, name=name)
    accepted, refused = admit([SignedOrder(order(BUYER), b"")], at, None)
    assert refused == ()
    assert (accepted[0].hash, accepted[0].receipt) == (name(order(BUYER)), b"")


def test_a_crowd_of_bad_orders_changes_nothing_for_the_good_ones() -> None:
    good = [signed(order(BUYER)), signed(order(SELLER, Side.OFFER))]
    bad = [
        signed(order(BUYER, energy_wh=5000)),
        signed(order(BUYER), STRANGER),
        signed(order(SELLER, Side.OFFER, price=MAX_PRICE)),
        signed(order(PLANT, Side.BID)),
        signed(order(STRANGER)),
    ]
    for seed in range(10):
        mixed = random.Random(seed).sample([*good, *bad], 7)
        accepted, refused = judged(*mixed)
        assert {one.hash for one in accepted} == {one.order.digest(DOMAIN) for one in good}
        assert len(refused) == len(bad)


def flood(key: Key, count: int) -> list[SignedOrder]:
    """Return different orders that all bid too much: signed, and of no use."""
    return [signed(order(key, salt=n, energy_wh=5000)) for n in range(count)]


def test_a_flood_of_ones_own_orders_is_not_listened_to() -> None:
    asked: list[bytes] = []

    def counting(who: bytes, digest: bytes, signature: bytes) -> bool:
        asked.append(who)
        return recover(digest, signature) == who

    sent = [*flood(BUYER, 200), signed(order(BUYER)), signed(order(SELLER, Side.OFFER))]
    accepted, refused = judged(*sent, at=gate(check=counting))
    assert [one.order.participant for one in accepted] == [SELLER.address]
    assert asked.count(BUYER.address) == MOST_SIGNED
    mine = [one for one in refused if one.participant == BUYER.address]
    assert mine[-1].detail == f"{MOST_SIGNED - MOST_RECORDED} more were refused"
    assert len(refused) == MOST_RECORDED + 1 + (201 - MOST_SIGNED)


def test_forging_and_repeating_use_up_nobodys_quota() -> None:
    real = signed(order(BUYER, salt=1))
    old = flood(BUYER, 3)
    forged = [SignedOrder(order(BUYER, salt=9 + n), real.signature) for n in range(200)]
    accepted, refused = judged(*forged, *(200 * old), real)
    assert [one.signature for one in accepted] == [real.signature]
    assert len(refused) == len(forged) + MOST_RECORDED + 1


def test_forged_orders_crowd_out_no_true_refusal() -> None:
    [greedy] = flood(BUYER, 1)
    forged = [SignedOrder(order(BUYER, salt=n), bytes(65)) for n in range(MOST_UNPROVEN + 44)]
    _, refused = judged(*forged, greedy)
    assert Code.OVER_LIMIT in {one.code for one in refused}
    assert (refused[-1].participant, refused[-1].detail) == (ANYBODY, "44 more were refused")


def test_order_that_was_verified_is_verified_again_under_another_signature() -> None:
    [greedy] = flood(BUYER, 1)
    assert only_refusal(greedy).code is Code.OVER_LIMIT
    _, refused = judged(greedy, SignedOrder(greedy.order, bytes(65)))
    assert [one.code for one in refused] == [Code.OVER_LIMIT, Code.SIGNATURE]


def test_old_orders_sent_again_use_up_nobodys_quota_and_cost_no_cryptography() -> None:
    old = [signed(order(BUYER, interval=INTERVAL - n, salt=n)) for n in range(1, INTERVAL)]
    old += [signed(order(BUYER, salt=n, expires=1)) for n in range(2 * MOST_SIGNED)]
    asked: list[bytes] = []

    def counting(who: bytes, digest: bytes, signature: bytes) -> bool:
        asked.append(who)
        return recover(digest, signature) == who

    accepted, refused = judged(*old, signed(order(BUYER)), at=gate(check=counting))
    assert (len(accepted), asked) == (1, [BUYER.address])
    assert {one.code for one in refused} == {Code.EXPIRED}


def test_strangers_fill_no_record() -> None:
    people = [Key.derive(b"stranger", str(n)) for n in range(MOST_UNPROVEN + 44)]
    _, refused = judged(*(SignedOrder(order(key), bytes(65)) for key in people))
    assert len(refused) == MOST_UNPROVEN + 1
    assert (refused[-1].participant, refused[-1].detail) == (ANYBODY, "44 more were refused")
