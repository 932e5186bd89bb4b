"""Whoever posts a wrong clearing loses the bond, and nothing of it is committed."""

import pytest
from msgspec.structs import replace
from tests.contracts.clearings import Cleared5, signed
from tests.contracts.harness import COLLECTOR, INTERVAL, REGION, World, decoded, refused
from tests.contracts.parts import CHALLENGER, TERMS
from tests.contracts.reading import Contract

from gridpact.errors import InvalidClearing, Reverted
from gridpact.ledger.onchain.abi import Rows
from gridpact.ledger.onchain.roots import fill_leaves
from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Challenge, Served
from gridpact.ledger.proving.part import Place, quorum_digest
from gridpact.model.interval import Phase
from gridpact.model.order import Accepted, Code, Refusal, Side
from gridpact.model.typed import CANCELLED


@pytest.fixture
def market(world: World) -> Cleared5:
    return Cleared5.of(world)


def proven(market: Cleared5, one: Challenge, injured: bytes) -> None:
    """Challenge, and check who pays and who is paid."""
    before = market.bond(), market.free(CHALLENGER.address), market.free(injured)
    market.challenge(one)
    assert market.condemned
    quarter = TERMS.bond // 4
    assert market.bond() == before[0] - TERMS.bond
    assert market.free(CHALLENGER.address) == before[1] + quarter
    assert market.free(injured) == before[2] + quarter
    with refused("clearing: condemned before"):
        market.challenge(one)
    world = market.net.world
    write = world.write(Phase.COMMIT)
    with refused("clearing: condemned"):
        world.raw(
            Contract.SETTLEMENT,
            world.suite.call("settlement", "commit", write, Rows([]), Rows([])).data,
        )
    assert market.net.holds()


# the book


def test_an_omitted_order_is_proven_by_its_receipt(market: Cleared5) -> None:
    lost = market.offers[2]
    orders, fills = market.leaves()
    served = market.serve([leaf for leaf in orders if leaf.order != lost.hash], fills)
    forged = replace(lost, receipt=CHALLENGER.sign(lost.digest(market.net.world.domain)))
    with refused("challenge_book: not the collector's receipt"):
        market.challenge(challenges.omitted(served, forged))
    proven(market, challenges.omitted(served, lost), lost.order.participant)


def test_an_order_in_the_book_is_not_omitted(market: Cleared5) -> None:
    served = market.serve()
    with pytest.raises(InvalidClearing):
        challenges.omitted(served, market.offers[0])
    stranger = signed(market.net.world, market.net.people[3], Side.BID, 5, 90_000, 77)
    shown = challenges.omitted(served, stranger)
    given = shown.given[0]
    own = challenges.mislabelled(served, market.bids[0].hash, market.bids[0].order)
    assert given[:256] == own.given[0][:256]  # both are about the same clearing
    wrong = replace(market.bids[0], sequence=5)
    receipt = COLLECTOR.sign(wrong.digest(market.net.world.domain))
    with pytest.raises(InvalidClearing):
        challenges.omitted(served, replace(wrong, receipt=receipt))


def test_a_cancelled_order_leaves_no_gap_and_its_doubter_pays(market: Cleared5) -> None:
    gone = market.bids.pop()
    market.refusals = (Refusal(gone.hash, gone.order.participant, Code.CANCELLED, "by its owner"),)
    market.fills = ()
    served = market.serve()
    with pytest.raises(InvalidClearing):
        challenges.omitted(served, gone)
    place = served.place(gone.hash)
    before = market.free(CHALLENGER.address)
    market.challenge(challenges.demand(served, True, place))
    device = market.net.people[1]
    domain = market.net.world.domain
    said = domain.digest(CANCELLED.struct_hash((gone.hash, REGION, INTERVAL)))
    with refused("challenge_book: not cancelled"):
        forged = CHALLENGER.sign(said)
        market.challenge(challenges.answer_order(served, place, gone.order, forged))
    market.challenge(challenges.answer_order(served, place, gone.order, device.sign(said)))
    assert market.free(CHALLENGER.address) == before - TERMS.stake
    assert not market.condemned
    assert market.bond() == TERMS.bond


def test_a_book_out_of_order_or_without_its_ends_is_proven(market: Cleared5) -> None:
    orders, fills = market.leaves()
    served = market.serve([orders[0], orders[2], orders[1], *orders[3:]], fills)
    with refused("challenge_book: nothing wrong"):
        market.challenge(challenges.unsorted(served, 0, 1))
    with refused("challenge_book: nothing wrong"):
        market.challenge(challenges.unsorted(served, 0, 0))
    market.challenge(challenges.unsorted(served, 1, 2))
    assert market.condemned


def test_a_book_without_its_end_is_proven(market: Cleared5) -> None:
    orders, fills = market.leaves()
    served = market.serve(orders[:-1], fills)
    market.challenge(challenges.unsorted(served, len(orders) - 2, len(orders) - 2))
    assert market.condemned


def test_two_receipts_with_one_sequence_cost_the_collectors_bond(market: Cleared5) -> None:
    world = market.net.world
    one = signed(world, market.net.people[2], Side.BID, 5, 90_000, 40)
    two = replace(signed(world, market.net.people[3], Side.BID, 6, 90_000, 41), sequence=40)
    two = replace(two, receipt=COLLECTOR.sign(two.digest(world.domain)))
    world.mint(COLLECTOR.address, TERMS.bond)
    market.net.bond(COLLECTOR.address)
    with refused("challenge_book: one order"):
        market.challenge(challenges.doubled_receipts(one, one))
    with refused("challenge_book: not the collector's receipt"):
        market.challenge(challenges.doubled_receipts(one, replace(two, receipt=one.receipt)))
    market.challenge(challenges.doubled_receipts(one, two))
    assert market.bond(COLLECTOR.address) == 0
    with refused("challenge_book: proven before"):
        market.challenge(challenges.doubled_receipts(one, two))
    assert market.net.holds()


def _refuse(market: Cleared5, code: Code) -> tuple[Accepted, Served]:
    """Post a clearing that refuses an offer."""
    out = market.offers.pop()
    market.refusals = (Refusal(out.hash, out.order.participant, code, "says the operator"),)
    market.fills = ()
    return out, market.serve()


@pytest.mark.parametrize("code", [Code.SIGNATURE, Code.FUNDS, Code.EXPIRED])
def test_refusing_what_the_collector_accepted_is_proven(market: Cleared5, code: Code) -> None:
    out, served = _refuse(market, code)
    proof = challenges.refused(served, out.hash, out.order, out.sequence, out.receipt)
    proven(market, proof, out.order.participant)


@pytest.mark.parametrize("code", [Code.SIGNATURE, Code.FUNDS])
def test_refusing_what_stands_on_the_chain_is_proven(market: Cleared5, code: Code) -> None:
    market.net.world.collect(market.offers[-1])
    out, served = _refuse(market, code)
    proof = challenges.refused(served, out.hash, out.order)
    proven(market, proof, out.order.participant)


def test_a_good_signature_shown_later_costs_nobody_a_bond(market: Cleared5) -> None:
    """It was refused for a bad one, which its owner sent to have the operator slashed."""
    out, served = _refuse(market, Code.SIGNATURE)
    with refused("signing: signature form"):
        market.challenge(challenges.refused(served, out.hash, out.order))
    for sequence, receipt in ((out.sequence, out.signature), (out.sequence + 1, out.receipt)):
        with refused("challenge_book: neither here nor accepted"):
            market.challenge(challenges.refused(served, out.hash, out.order, sequence, receipt))
    assert not market.condemned


def test_a_right_refusal_stands(market: Cleared5) -> None:
    world, device = market.net.world, market.net.people[3]
    old = signed(world, device, Side.OFFER, 5, 90_000, 50, expires=INTERVAL)
    poor = signed(world, device, Side.BID, 5, 90_000, 51)
    market.refusals = (
        Refusal(old.hash, device.address, Code.EXPIRED, ""),
        Refusal(poor.hash, device.address, Code.FUNDS, ""),
        Refusal(market.net.people[2].address.ljust(32), device.address, Code.GRID, ""),
    )
    served = market.serve()
    with refused("challenge_book: expired"):
        market.challenge(challenges.refused(served, old.hash, old.order))
    other = market.bids[0]
    with refused("challenge_book: neither here nor accepted"):
        market.challenge(
            challenges.refused(served, poor.hash, poor.order, other.sequence, other.receipt)
        )


def test_an_order_shown_as_anothers_is_proven(market: Cleared5) -> None:
    orders, fills = market.leaves()
    mine = market.offers[0]
    place = next(n for n, leaf in enumerate(orders) if leaf.order == mine.hash)
    orders[place] = orders[place]._replace(participant=market.net.people[3].address)
    served = market.serve(orders, fills)
    other = market.offers[1]
    with refused("challenge_book: nothing wrong"):
        market.challenge(challenges.mislabelled(served, other.hash, other.order))
    proven(market, challenges.mislabelled(served, mine.hash, mine.order), mine.order.participant)


# withheld


def test_an_unanswered_demand_condemns(market: Cleared5) -> None:
    served = market.serve()
    before = market.free(CHALLENGER.address)
    market.challenge(challenges.demand(served, False, 1))
    with refused("challenge_book: demanded before"):
        market.challenge(challenges.demand(served, False, 1))
    with refused("challenge_book: time to answer"):
        market.challenge(challenges.expire(served, False, 1))
    market.net.world.go_to(INTERVAL + TERMS.answer + 1)
    market.challenge(challenges.expire(served, False, 1))
    assert market.condemned
    assert market.bond() == 0
    assert market.free(CHALLENGER.address) == before + TERMS.bond // 4


def test_a_griefing_challenger_loses_his_stake(market: Cleared5) -> None:
    served = market.serve()
    before = market.free(CHALLENGER.address)
    market.challenge(challenges.demand(served, False, 1))
    market.challenge(challenges.demand(served, True, 400))
    with refused("challenge_book: another leaf"):
        asked = challenges.answer_fill(served, 1).given[0]
        shown, path = challenges.answer_fill(served, 0).given
        at = 32 * 9
        moved = Challenge("challenge_book", "answer_fill", (asked[:at] + shown[at:], path), "")
        market.challenge(moved)
    market.challenge(challenges.answer_fill(served, 1))
    market.challenge(challenges.answer_order(served, 400))
    assert market.free(CHALLENGER.address) == before - 2 * TERMS.stake
    with refused("challenge_book: nothing demanded"):
        market.challenge(challenges.expire(served, False, 1))
    assert not market.condemned
    assert market.net.holds()


def test_a_refusal_that_no_chain_judges_needs_the_councils_quorum(market: Cleared5) -> None:
    out = market.offers.pop()
    market.refusals = (Refusal(out.hash, out.order.participant, Code.CERTIFICATE, ""),)
    market.fills = ()
    served = market.serve()
    place = served.place(out.hash)
    with refused("challenge_book: not for a chain to judge"):
        market.challenge(challenges.refused(served, out.hash, out.order))
    market.challenge(challenges.demand(served, True, place))
    council = [one.address for one in market.net.council]
    digest = quorum_digest(
        *(market.net.world.domain, Place(REGION, INTERVAL, 0), Phase.CLEAR, 0, served.name)
    )
    few = market.net.quorum(digest, market.net.council[:2])
    with refused("council: no quorum"):
        market.challenge(challenges.answer_order(served, place, None, b"", 0, council, few))
    enough = market.net.quorum(digest)
    market.challenge(challenges.answer_order(served, place, None, b"", 0, council, enough))
    assert not market.condemned


# the fills


def test_an_overfilled_order_is_proven(market: Cleared5) -> None:
    cheap = market.offers[0]
    own = [n for n, fill in enumerate(market.fills) if fill.offer == cheap.hash]
    more = list(market.fills)
    more[own[0]] = replace(more[own[0]], energy_wh=more[own[0]].energy_wh + 100)
    served = market.serve(*market.leaves(more))
    other = next(n for n, fill in enumerate(more) if fill.offer != cheap.hash)
    order = next(one for one in market.offers if one.hash == more[other].offer)
    with refused("challenge_fills: nothing wrong"):
        market.challenge(challenges.overfilled(served, order.order, other))
    with refused("challenge_fills: another order"):
        market.challenge(challenges.overfilled(served, cheap.order, other))
    proven(
        market,
        challenges.overfilled(served, cheap.order, own[0]),
        cheap.order.participant,
    )


def test_another_price_than_the_offers_is_proven(market: Cleared5) -> None:
    dear = [replace(fill, price=fill.price + 1) for fill in market.fills]
    served = market.serve(*market.leaves(dear))
    offer = next(one for one in market.offers if one.hash == dear[0].offer)
    proven(market, challenges.overfilled(served, offer.order, 0), offer.order.participant)


def _twice(market: Cleared5) -> list[int]:
    """Return the places of an offer's fills: one that is shared by two bids."""
    places = [
        [n for n, fill in enumerate(market.fills) if fill.offer == offer.hash]
        for offer in market.offers
    ]
    return next(two for two in places if len(two) == 2)


@pytest.mark.parametrize("change", ["sum", "fork", "first"])
def test_sums_that_do_not_follow_are_proven(market: Cleared5, change: str) -> None:
    orders, leaves = market.leaves()
    first, second = _twice(market)
    changed = {
        "sum": leaves[second]._replace(offer_before=leaves[second].offer_before - 1),
        "fork": leaves[second]._replace(offer_before=0, offer_previous=0),
        "first": leaves[second]._replace(offer_previous=0),
    }[change]
    leaves[second] = changed
    served = market.serve(orders, leaves)
    injured = leaves[second].fill.seller
    with refused("challenge_fills: nothing wrong"):
        market.challenge(challenges.forked(served, True, second, first))
    proven(market, challenges.forked(served, False, second, first), injured)


def test_another_sum_in_an_orders_leaf_is_proven(market: Cleared5) -> None:
    orders, fills = market.leaves()
    name = market.offers[0].hash
    place = next(n for n, leaf in enumerate(orders) if leaf.order == name)
    last = orders[place].last - 1
    orders[place] = orders[place]._replace(filled=orders[place].filled + 1)
    served = market.serve(orders, fills)
    honest = market.offers[1].hash
    at = served.orders[served.place(honest)].last - 1
    with refused("challenge_fills: nothing wrong"):
        market.challenge(challenges.misstated(served, honest, at))
    proven(market, challenges.misstated(served, name, last), market.offers[0].order.participant)


def test_one_energy_on_both_tiers_is_proven(market: Cleared5) -> None:
    world, device = market.net.world, market.net.people[2]
    parent = signed(world, device, Side.BID, 100, 200_000, 60)
    child = signed(world, device, Side.BID, 100, 200_000, 61, parent=parent.hash)
    market.bids += [parent, child]
    offer = market.offers[2]
    more = [
        replace(
            market.fills[-1], bid=bid.hash, buyer=device.address, energy_wh=energy, index=90 + n
        )
        for n, (bid, energy) in enumerate([(parent, 60), (child, 41)])
    ]
    del offer
    served = market.serve(*market.leaves([*market.fills, *more]))
    with refused("challenge_fills: not its parent"):
        market.challenge(challenges.both_tiers(served, parent, child))
    proven(market, challenges.both_tiers(served, child, parent), device.address)


def test_an_offer_that_went_to_a_later_bid_is_proven(market: Cleared5) -> None:
    early = market.first
    late = next(one for one in market.bids if one is not early)
    buyers = {early.hash: late, late.hash: early}
    swapped = [
        replace(fill, bid=buyers[fill.bid].hash, buyer=buyers[fill.bid].order.participant)
        for fill in market.fills
    ]
    cheap = next(n for n, fill in enumerate(swapped) if fill.bid == late.hash)
    dear = next(n for n in reversed(range(len(swapped))) if swapped[n].bid == early.hash)
    served = market.serve(*market.leaves(swapped))
    with refused("challenge_fills: another order"):
        market.challenge(challenges.outranked(served, late.order, dear, cheap, market.wires))
    with refused("challenge_fills: not drawn before"):
        market.challenge(challenges.outranked(served, late.order, cheap, dear, market.wires))
    proven(
        market,
        challenges.outranked(served, early.order, dear, cheap, market.wires),
        early.order.participant,
    )


def test_the_honest_order_of_service_stands(market: Cleared5) -> None:
    served = market.serve()
    early = market.first
    late = next(one for one in market.bids if one is not early)
    cheap = next(n for n, fill in enumerate(market.fills) if fill.bid == early.hash)
    dear = next(n for n, fill in enumerate(market.fills) if fill.bid == late.hash)
    for bid, worse, better in ((late, dear, cheap), (early, cheap, dear)):
        with pytest.raises(Reverted, match="challenge_fills: not"):
            market.challenge(
                challenges.outranked(served, bid.order, worse, better, market.wires, tie=True)
            )
    last = market.fills[-1]
    bid = next(one for one in market.bids if one.hash == last.bid)
    with refused("challenge_fills: no energy left"):
        place = len(market.fills) - 1
        cheapest = market.offers[0]
        market.challenge(challenges.skipped(served, bid.order, place, cheapest, market.wires))
    assert not market.condemned


def test_a_skipped_offer_is_proven(market: Cleared5) -> None:
    cheap = market.offers[0]
    kept = [fill for fill in market.fills if fill.offer != cheap.hash]
    served = market.serve(*market.leaves(kept))
    bid = next(one for one in market.bids if one.hash == kept[0].bid)
    proven(
        market,
        challenges.skipped(served, bid.order, 0, cheap, market.wires),
        cheap.order.participant,
    )


def test_a_bid_with_terms_of_its_own_may_have_passed_an_offer_over(market: Cleared5) -> None:
    cheap, world = market.offers[0], market.net.world
    for place, plain in enumerate(market.bids):
        one = plain.order
        device = market.net.people[place]
        own = signed(world, device, Side.BID, one.energy_wh, one.price, place, terms=b"\1" * 32)
        market.bids[place] = own
        market.fills = tuple(
            replace(fill, bid=own.hash) if fill.bid == plain.hash else fill for fill in market.fills
        )
    kept = [fill for fill in market.fills if fill.offer != cheap.hash]
    served = market.serve(*market.leaves(kept))
    bid = next(one for one in market.bids if one.hash == kept[0].bid)
    with refused("challenge_fills: terms of its own"):
        market.challenge(challenges.skipped(served, bid.order, 0, cheap, market.wires))
    assert not market.condemned


def test_an_offer_shut_out_below_the_cap_is_proven(market: Cleared5) -> None:
    out = market.offers.pop()
    market.refusals = (Refusal(out.hash, out.order.participant, Code.PRICE_FORM, "too dear"),)
    market.fills = ()
    served = market.serve()
    one = challenges.capped(served, out, market.bids[0].hash, market.wires)
    proven(market, one, out.order.participant)


# who, when, and about what


@pytest.mark.parametrize(
    "function", ["overfilled", "forked", "misstated", "both_tiers", "unsorted"]
)
def test_no_other_number_in_a_proof_condemns_an_honest_clearing(
    market: Cleared5, function: str
) -> None:
    """A leaf says one thing: no bit of a call may change what it says and leave its hash."""
    served = market.serve()
    first, second = _twice(market)
    offer = next(one for one in market.offers if one.hash == market.fills[first].offer)
    last = served.orders[served.place(offer.hash)].last - 1
    one = {
        "overfilled": challenges.overfilled(served, offer.order, second),
        "forked": challenges.forked(served, False, second, first),
        "misstated": challenges.misstated(served, offer.hash, last),
        "both_tiers": challenges.both_tiers(served, market.bids[0], market.bids[1]),
        "unsorted": challenges.unsorted(served, 1, 2),
    }[function]
    words, path = one.given
    assert isinstance(words, bytes)
    for word in range(len(words) // 32):
        for bit in (0, 7, 32, 40, 64, 100, 128, 160, 192, 200, 255):
            changed = bytearray(words)
            changed[32 * word + 31 - bit // 8] ^= 1 << bit % 8
            with pytest.raises(Reverted):
                market.challenge(one._replace(given=(bytes(changed), path)))
    assert not market.condemned


def test_a_proof_about_another_clearing_or_leaf_is_refused(market: Cleared5) -> None:
    orders, fills = market.leaves()
    lost = market.offers[2]
    served = market.serve(orders, fills)
    made = challenges.posted(
        *(REGION, INTERVAL, served.posting.content, market.seed),
        *([leaf for leaf in orders if leaf.order != lost.hash], fills),
    )
    with refused("challenging: not what was posted"):
        market.challenge(challenges.omitted(made, lost))
    mixed = challenges.Served(REGION, INTERVAL, served.posting, made.orders, served.fills)
    with refused("merkle: not under this root"):
        market.challenge(challenges.omitted(mixed, lost))
    more = [replace(fill, energy_wh=fill.energy_wh + 9_000) for fill in market.fills]
    mixed = challenges.Served(REGION, INTERVAL, served.posting, orders, fill_leaves(more))
    with refused("merkle: not under this root"):
        market.challenge(challenges.forked(mixed, True, 1, 0))


@pytest.mark.parametrize("name", ["stranger", "operator"])
def test_nobody_but_the_challenges_condemns(market: Cleared5, name: str) -> None:
    market.serve()
    sender = {} if name == "operator" else {"sender": CHALLENGER.address}
    with refused("clearing: not the challenges"):
        market.net.world.send(Contract.CLEARING, "condemn", REGION, INTERVAL, **sender)


def test_without_a_bond_nothing_is_posted(market: Cleared5) -> None:
    market.net.world.send(Contract.COUNCIL, "leave")
    with refused("clearing: no bond"):
        market.serve()


def test_a_posted_clearing_is_not_replaced(market: Cleared5) -> None:
    market.serve()
    orders, fills = market.leaves(market.fills[:1])
    with refused("clearing: posted before"):
        market.serve(orders, fills)
    write = decoded(market.net.world.write(Phase.CLEAR))
    assert write[0] == REGION
