"""Who tries to take more than its due out of a part that came to nothing: refused, nobody loses."""

import pytest
from msgspec.structs import replace
from tests.contracts.failing import Failed
from tests.contracts.halves import halves
from tests.contracts.harness import BOB, OPERATOR, REGION, World, refused
from tests.contracts.parts import CHALLENGER, INTERVAL, NOW, TERMS, NetWorld
from tests.contracts.reading import Contract

from gridpact.crypto.eip712 import Domain
from gridpact.ledger.proving import fallback
from gridpact.model.statement import Case


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


@pytest.fixture
def failed(market: NetWorld) -> Failed:
    made = Failed.unposted(market, market.market(trades=8))
    made.open_all()
    return made


def test_a_fill_is_paid_once(failed: Failed) -> None:
    failed.pay(3)
    with refused("fallback: fill done with"):
        failed.pay(3)


def test_a_paid_fill_is_not_given_back_and_the_other_way_round(failed: Failed) -> None:
    failed.pay(3)
    failed.after_paying()
    with refused("fallback: fill done with"):
        failed.refund(3)
    failed.refund(4)
    with refused("fallback: fill done with"):
        failed.refund(4)


def test_nothing_is_given_back_while_it_can_be_paid(failed: Failed) -> None:
    with refused("fallback: too early"):
        failed.refund(3)
    with refused("fallback: too early"):
        failed.market.release(failed.part)


def test_nothing_is_paid_or_given_back_twice_when_all_is_released(failed: Failed) -> None:
    failed.after_paying()
    failed.market.release(failed.part)
    for again in (lambda: failed.pay(3), lambda: failed.refund(3), lambda: failed.open(0)):
        with refused("net: not failed"):
            again()
    with refused("net: not failed"):
        failed.market.release(failed.part)


@pytest.mark.parametrize("other", ["part", "interval", "region"])
def test_a_fill_of_elsewhere_is_refused(failed: Failed, other: str) -> None:
    place = failed.part.place
    elsewhere = {
        "part": place._replace(part=1),
        "interval": place._replace(interval=INTERVAL + 1),
        "region": place._replace(region=b"\1" * 32),
    }[other]
    with refused("net: not failed"):
        failed.pay(3, part=failed.part._replace(place=elsewhere))


def test_a_fill_of_the_clearings_other_part_is_refused(market: NetWorld) -> None:
    settled = market.market(trades=8)
    parts = halves(market, settled)
    for one in parts:
        market.reserve(one)
        market.commit(one)
    market.world.go_to(NOW + TERMS.posting + 1)
    for one, mine, others in ((parts[0], 3, 4), (parts[1], 4, 3)):
        failed = Failed(market, settled, one)
        failed.open_all()
        failed.pay(mine)
        with refused("fallback: another part's fill"):
            failed.pay(others)


def test_a_fill_that_the_clearing_does_not_have_is_refused(failed: Failed) -> None:
    dearer = list(failed.fills)
    dearer[3] = replace(dearer[3], price=dearer[3].price + 1)
    with refused("fallback: not a fill of the clearing"):
        failed.pay(3, fills=dearer)


@pytest.mark.parametrize("bit", [64, 128, 192, 240, 255])
def test_no_other_number_robs_a_seller_under_the_same_leaf(failed: Failed, bit: int) -> None:
    """What the bid's earlier fills took is one word with its neighbours, hashed as it is shown."""
    fill = failed.fills[3]
    meters = failed.profile(fill.seller), failed.profile(fill.buyer)
    given = bytearray(fallback.pay(failed.part, failed.settled.posting, failed.fills, 3, *meters))
    links = 3 + 8 + 6
    given[32 * links + 31 - bit // 8] ^= 1 << bit % 8
    with refused("fallback: not a fill of the clearing"):
        failed.call("pay", bytes(given))


def test_another_clearing_is_refused(failed: Failed) -> None:
    other = failed.settled.posting._replace(fill_root=b"\1" * 32)
    with refused("fallback: another book"):
        failed.pay(3, posting=other)


def test_other_fills_than_were_committed_are_refused(failed: Failed) -> None:
    header = failed.part.header
    with refused("fallback: another book"):
        failed.pay(3, part=failed.part._replace(header=header._replace(leaves=header.leaves + 1)))


@pytest.mark.parametrize("party", ["seller", "buyer"])
@pytest.mark.parametrize("forgery", ["signer", "interval", "region", "chain"])
def test_a_forged_reading_is_refused(failed: Failed, party: str, forgery: str) -> None:
    account = getattr(failed.fills[3], party)
    domain = failed.market.world.domain
    stranger = next(d.address for d in failed.market.people if d.address != account)
    other = {
        "signer": {"signer": stranger},
        "interval": {"interval": INTERVAL - 1},
        "region": {"region": b"\1" * 32},
        "chain": {"domain": Domain(domain.chain_id + 1, domain.verifying_contract)},
    }[forgery]
    with refused("fallback: not the meter's signature"):
        failed.pay(3, **{party: failed.profile(account, **other)})


def test_altered_registers_are_refused(failed: Failed) -> None:
    registers, signature = failed.profile(failed.fills[3].seller)
    with refused("fallback: not the meter's signature"):
        failed.pay(3, seller=(registers + 1_000, signature))


def test_a_seller_that_delivered_nothing_is_paid_nothing(failed: Failed) -> None:
    fill = failed.fills[3]
    before = failed.market.world.free(fill.seller)
    nothing = failed.profile(fill.seller, more=(0, -failed.metered(fill.seller)[1]))
    failed.pay(3, seller=nothing)
    assert failed.market.world.free(fill.seller) == before


def test_one_export_is_sold_once(market: NetWorld) -> None:
    """Two buyers, one seller who exported what one of them bought."""
    failed = _of_one_seller(market)
    first, second = failed.fills
    given = first.energy_wh - failed.metered(first.seller)[1]
    seller = failed.profile(first.seller, more=(0, given))
    for index, fill in enumerate((first, second)):
        buyer = failed.profile(fill.buyer, more=(fill.energy_wh, 0))
        paid = failed.pay(index, seller, buyer)[-1].values["delivery"]
        assert paid >> 168 & 2**40 - 1 == (first.energy_wh if index == 0 else 0)


def _of_one_seller(market: NetWorld) -> Failed:
    """Return a failed part of two fills: one seller, two buyers."""
    settled = next(
        made
        for made in (market.market(trades=2, seed=seed) for seed in range(99))
        if len({fill.seller for _, fill, *_ in made.trades}) == 1
        and len({fill.buyer for _, fill, *_ in made.trades}) == 2
    )
    failed = Failed.unposted(market, settled)
    failed.open_all()
    return failed


def _energies(delivery: int) -> tuple[int, ...]:
    """Return agreed, sent, unused and sent of it, as `Paid` has them. [Wh]"""
    return tuple(delivery >> at & 2**40 - 1 for at in (208, 168, 88, 48))


def test_a_debit_above_the_lock_is_refused(market: NetWorld) -> None:
    """The council committed less than the buyer's fills cost: the rest of its money is safe."""
    settled = market.market(trades=8, shortfall=0.0)
    whole = market.part(settled)
    buyer = settled.trades[0][1].buyer
    owed = sum(fill.lock for fill in settled.fills.values() if fill.buyer == buyer)
    rows = tuple(
        row._replace(lock=row.lock - 1) if row.account == buyer else row for row in whole.rows
    )
    part = whole._replace(rows=rows)
    market.reserve(part)
    market.commit(part)
    market.world.go_to(NOW + TERMS.posting + 1)
    failed = Failed(market, settled, part)
    failed.open_all()
    mine = [n for n, fill in enumerate(failed.fills) if fill.buyer == buyer]
    for index in mine[:-1]:
        failed.pay(index)
    with refused("fallback: above the lock"):
        failed.pay(mine[-1])
    assert failed.lock(buyer) == (owed - 1, owed - failed.fills[mine[-1]].lock)


def test_a_row_is_opened_once_and_as_it_was_committed(market: NetWorld) -> None:
    failed = Failed.unposted(market, market.market(trades=8))
    row = fallback.rows(failed.part, failed.fills)[0]
    with refused("fallback: account not opened"):
        failed.pay(0)
    failed.open(row)
    with refused("fallback: opened before"):
        failed.open(row)
    given = fallback.open_row(failed.part, row)
    wider = given[:-32] + (int.from_bytes(given[-32:], "big") ^ 1).to_bytes(32, "big")
    with refused("chunks: another chunk"):
        failed.call("open", wider)


def test_a_part_that_may_still_be_posted_or_proven_is_not_paid_by_fill(market: NetWorld) -> None:
    settled = market.market(trades=8)
    part = market.part(settled)
    failed = Failed(market, settled, part)
    market.reserve(part)
    with refused("fallback: another book"):
        failed.pay(0)
    market.commit(part)
    market.world.go_to(NOW + TERMS.posting)
    with refused("fallback: too early"):
        failed.pay(0)
    market.post(part)
    with refused("net: not failed"):
        failed.pay(0)
    market.after_window(part)
    market.finalise(part)
    with refused("net: not failed"):
        failed.pay(0)
    with refused("net: not failed"):
        market.release(part)


def test_nobody_but_the_fallback_ends_a_part(failed: Failed) -> None:
    for sender in (OPERATOR, BOB, CHALLENGER.address, failed.market.council[0].address):
        with refused("net: not the fallback"):
            failed.market.world.send(Contract.NET, "end", failed.part.place.key, sender=sender)


# what a part is committed to


def test_a_commit_to_a_clearing_that_nobody_posted_is_refused(market: NetWorld) -> None:
    part = market.part(market.market())
    market.reserve(part)
    posting = market.postings.pop(part.clearing)
    with refused("net: not the posted clearing"):
        market.commit(part)
    market.postings[part.clearing] = posting
    market.clear(part)
    with refused("net: not the posted clearing"):
        market.commit(part._replace(clearing=b"\1" * 32))


def test_a_commit_to_a_condemned_clearing_is_refused(market: NetWorld) -> None:
    part = market.part(market.market())
    market.reserve(part)
    market.clear(part)
    market.condemn(part)
    with refused("clearing: condemned"):
        market.commit(part)


def test_nothing_of_a_condemned_clearing_is_opened(market: NetWorld) -> None:
    failed = Failed.unposted(market, market.market(trades=8))
    market.world.go_to(NOW)
    market.condemn(failed.part)
    market.world.go_to(NOW + TERMS.posting + 1)
    with refused("fallback: clearing condemned"):
        failed.open(0)
    market.release(failed.part)
    with refused("net: not failed"):
        failed.pay(3)


def test_one_export_is_sold_once_over_two_parts(market: NetWorld) -> None:
    settled = market.market(trades=8)
    fills = [fill for _, fill, *_ in settled.trades]
    one, two = next(
        (n, m) for n in range(4) for m in range(4, 8) if fills[n].seller == fills[m].seller
    )
    parts = halves(market, settled)
    for part in parts:
        market.reserve(part)
        market.commit(part)
    market.world.go_to(NOW + TERMS.posting + 1)
    for part, index, due in ((parts[0], one, fills[one].energy_wh), (parts[1], two, 0)):
        failed = Failed(market, settled, part)
        failed.open_all()
        fill = fills[index]
        given = fills[one].energy_wh - failed.metered(fill.seller)[1]
        seller = failed.profile(fill.seller, more=(0, given))
        buyer = failed.profile(fill.buyer, more=(sum(f.energy_wh for f in fills), 0))
        paid = failed.pay(index, seller, buyer)[-1].values["delivery"]
        assert paid >> 168 & 2**40 - 1 == due


def test_a_buyer_that_paid_its_import_in_one_part_makes_no_seller_of_another_short(
    market: NetWorld,
) -> None:
    """It owes no second fill of that energy, and the seller, who sent all, gets the fee."""
    settled = market.market(trades=8)
    fills = [fill for _, fill, *_ in settled.trades]
    one, two = next(
        (n, m)
        for n in range(4)
        for m in range(4, 8)
        if fills[n].buyer == fills[m].buyer and fills[n].seller != fills[m].seller
    )
    parts = halves(market, settled)
    for part in parts:
        market.reserve(part)
        market.commit(part)
    market.world.go_to(NOW + TERMS.posting + 1)
    for part, index, due in ((parts[0], one, fills[one].energy_wh), (parts[1], two, 0)):
        failed = Failed(market, settled, part)
        failed.open_all()
        fill = fills[index]
        taken, given = failed.metered(fill.buyer)[0], failed.metered(fill.seller)[1]
        seller = failed.profile(fill.seller, more=(0, fill.energy_wh - given))
        buyer = failed.profile(fill.buyer, more=(fills[one].energy_wh - taken, 0))
        paid = failed.pay(index, seller, buyer)[-1].values
        rest = fill.energy_wh - due
        assert _energies(paid["delivery"]) == (due, due, rest, rest)
        assert paid["money"] >> 240 == Case.FULL


def test_energy_that_buyers_left_is_exported_once(market: NetWorld) -> None:
    """Two buyers leave all unused, their seller exported what one of them bought."""
    failed = _of_one_seller(market)
    for index, (fill, due) in enumerate(zip(failed.fills, (True, False), strict=True)):
        given = failed.fills[0].energy_wh - failed.metered(fill.seller)[1]
        seller = failed.profile(fill.seller, more=(0, given))
        buyer = failed.profile(fill.buyer, more=(-failed.metered(fill.buyer)[0], 0))
        paid = _energies(failed.pay(index, seller, buyer)[-1].values["delivery"])
        assert paid == (0, 0, fill.energy_wh, fill.energy_wh if due else 0)


def test_energy_that_one_buyer_left_is_sent_to_another(market: NetWorld) -> None:
    failed = _of_one_seller(market)
    first, second = failed.fills
    given = second.energy_wh - failed.metered(first.seller)[1]
    seller = failed.profile(first.seller, more=(0, given))
    left = failed.profile(first.buyer, more=(-failed.metered(first.buyer)[0], 0))
    taken = failed.profile(second.buyer, more=(second.energy_wh, 0))
    failed.pay(0, seller, left)
    paid = _energies(failed.pay(1, seller, taken)[-1].values["delivery"])
    assert paid == (second.energy_wh, second.energy_wh, 0, 0)


def test_nobody_but_wallets_and_fallback_counts_what_meters_showed(failed: Failed) -> None:
    fill = failed.fills[3]
    given = ("0x" + fill.seller.hex(), "0x" + fill.buyer.hex(), INTERVAL, 1, 1, 1, 1)
    for sender in (OPERATOR, BOB, CHALLENGER.address):
        with refused("settlement: not the wallets"):
            failed.market.world.send(Contract.SETTLEMENT, "count", *given, sender=sender)


@pytest.mark.parametrize(("first", "number"), [(0, 4), (3, 5), (5, 3)])
def test_fills_of_two_parts_or_of_none_are_refused(
    market: NetWorld, first: int, number: int
) -> None:
    """The first part has four of the clearing's fills; the next one begins where it ends."""
    settled = market.market(trades=8)
    one, two = halves(market, settled)
    market.reserve(one)
    market.commit(one)
    assert market.world.view(Contract.NET, "covered", REGION, INTERVAL) == 4
    other = two._replace(header=two.header._replace(first=first, leaves=number))
    market.reserve(other)
    with refused("net: not the next fills"):
        market.commit(other)


def test_other_fills_are_posted_than_were_committed_is_refused(market: NetWorld) -> None:
    part = market.part(market.market(trades=8))
    market.reserve(part)
    market.commit(part)
    with refused("net: another list"):
        market.post(part._replace(header=part.header._replace(leaves=7)))


def test_a_held_parts_number_is_not_reserved(market: NetWorld) -> None:
    part = market.part(market.market(trades=8))
    with refused("net: held parts follow by themselves"):
        market.reserve(part._replace(place=part.place.held))
