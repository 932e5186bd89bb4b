"""Reputation stolen in net settlement: volumes made up, rated twice, rated from what never counted.

Each attempt is refused, or proven in the window, which cancels the part and costs the bond.
"""

import pytest
from msgspec.structs import replace
from tests.contracts.fills import Hands
from tests.contracts.harness import ANN, BOB, INTERVAL, MICRO, OPERATOR, World, fill, refused
from tests.contracts.parts import CHALLENGER, NOW, TERMS, NetWorld
from tests.contracts.reading import Contract
from tests.contracts.theft.test_net import Heist, other_leaf, proven

from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, arguments
from gridpact.ledger.proving import proofs, ratings, steps
from gridpact.ledger.proving.part import Part
from gridpact.model.council import Word
from gridpact.model.interval import Phase
from gridpact.model.order import NONE, Side

FINAL = 4


@pytest.fixture
def heist(world: World) -> Heist:
    market = NetWorld.of(world, now=NOW)
    settled = market.market(trades=24, disputed=1)
    return Heist(market, settled, market.part(settled))


def rated_as(part: Part, row: int, **changes: int) -> Part:
    """Return the part with another rating of one row, the header made for it."""
    said = [*part.ratings]
    said[row] = said[row]._replace(**changes)
    return part._replace(ratings=tuple(said))


def seller_row(part: Part) -> int:
    return next(n for n, one in enumerate(part.ratings) if one.agreed > one.sent > 0)


def buyer_row(part: Part) -> int:
    return next(n for n, one in enumerate(part.changes) if one.tail and part.rows[n].lock)


def posted(heist: Heist, part: Part) -> Part:
    return heist.post(part)


# volumes made up by the poster and a bought council


@pytest.mark.parametrize(
    "changes",
    [{"sent": 1}, {"sent": -1}, {"agreed": -1}, {"agreed": 1 << 20}],
    ids=["more sent", "less sent", "less agreed", "much more agreed"],
)
def test_another_volume_than_the_last_leafs_is_proven(heist: Heist, changes) -> None:
    row = seller_row(heist.honest)
    said = heist.honest.ratings[row]
    other = {name: getattr(said, name) + by for name, by in changes.items()}
    part = posted(heist, rated_as(heist.honest, row, **other))
    proven(heist, part, proofs.rating(part, row, said.tail - 1))


def test_a_bad_rating_left_out_is_proven_by_any_leaf_that_sold(heist: Heist) -> None:
    row = seller_row(heist.honest)
    last = heist.honest.ratings[row].tail - 1
    part = posted(heist, rated_as(heist.honest, row, agreed=0, sent=0, tail=0))
    proven(heist, part, proofs.rating(part, row, last))


def test_a_rating_that_stops_at_an_earlier_leaf_is_proven_by_a_later_one(heist: Heist) -> None:
    part = heist.honest
    row = next(
        n
        for n, said in enumerate(part.ratings)
        if said.agreed and part.leaves[said.tail - 1].seller.previous
    )
    last = part.ratings[row].tail - 1
    earlier = part.leaves[last].seller.previous - 1
    sums = part.leaves[earlier].seller
    assert sums.row == row
    part = rated_as(part, row, agreed=sums.sold, sent=sums.sent, tail=earlier + 1)
    posted(heist, part)
    with refused("fraud: nothing wrong"):
        heist.market.prove(proofs.rating(part, row, earlier))
    proven(heist, part, proofs.rating(part, row, last))


def test_a_rating_that_names_no_leaf_is_proven(heist: Heist) -> None:
    row = buyer_row(heist.honest)
    part = posted(heist, rated_as(heist.honest, row, agreed=1_000, sent=1_000))
    proven(heist, part, proofs.rating(part, row, None))


def test_a_rating_that_names_anothers_leaf_is_proven(heist: Heist) -> None:
    part = heist.honest
    row = seller_row(part)
    strange = next(
        n for n, leaf in enumerate(part.leaves) if row not in (leaf.buyer.row, leaf.seller.row)
    )
    part = posted(heist, rated_as(part, row, tail=strange + 1))
    proven(heist, part, proofs.rating(part, row, strange))


@pytest.mark.parametrize("name", ["loss", "network", "reward"])
def test_the_markets_own_accounts_are_not_rated(heist: Heist, name: str) -> None:
    row = heist.honest.header.own[("loss", "network", "reward").index(name)]
    part = posted(heist, rated_as(heist.honest, row, agreed=7, sent=7, tail=1))
    proven(heist, part, proofs.rating(part, row, 0))


@pytest.mark.parametrize("of_seller", [True, False])
def test_a_sold_sum_that_does_not_follow_is_proven(heist: Heist, of_seller: bool) -> None:
    leaf = heist.honest.leaves[9]
    name = "seller" if of_seller else "buyer"
    party = getattr(leaf, name)
    part = other_leaf(heist.honest, 9, **{name: replace(party, sold=party.sold + 5)})
    posted(heist, part)
    proven(heist, part, proofs.chain(part, heist.fills, 9, of_seller))


def test_what_is_in_dispute_is_not_in_the_sum(heist: Heist) -> None:
    leaves = heist.honest.leaves
    at = next(n for n, one in enumerate(leaves) if one.delivery.disputed and one.delivery.agreed)
    leaf = leaves[at]
    more = leaf.seller.sold + leaf.delivery.agreed
    part = posted(heist, other_leaf(heist.honest, at, seller=replace(leaf.seller, sold=more)))
    proven(heist, part, proofs.chain(part, heist.fills, at, True))


def test_an_honest_part_is_not_proven_wrong_by_any_leaf(heist: Heist) -> None:
    part = posted(heist, heist.honest)
    for row in (seller_row(part), buyer_row(part), part.header.own[0]):
        for index in (0, 9, len(part.leaves) - 1):
            with refused("fraud: nothing wrong"):
                heist.market.prove(proofs.rating(part, row, index))
    for index in (0, 9):
        with refused("fraud: nothing wrong"):
            heist.market.prove(proofs.chain(part, heist.fills, index, True))


@pytest.mark.parametrize("which", range(3))
def test_an_aggregator_signs_no_made_up_rating(heist: Heist, which: int) -> None:
    honest = heist.honest
    row, leaf = seller_row(honest), honest.leaves[9]
    wrong = (
        rated_as(honest, row, sent=honest.ratings[row].sent + 1),
        rated_as(honest, row, agreed=0, sent=0, tail=0),
        other_leaf(honest, 9, seller=replace(leaf.seller, sold=leaf.seller.sold + 1)),
    )[which]
    share = heist.market.world.settlement.loss_fund_share
    given = heist.settled.trades, heist.settled.meters, share
    assert proofs.faults(honest, *given) == ""
    assert proofs.faults(wrong, *given)


# a list that nobody else has


def post(heist: Heist, part: Part, said: list[int]) -> None:
    """Post a part with another list of ratings beside its header."""
    market = heist.market
    market.reserve(part)
    market.commit(part)
    market.meter(part)
    seats = tuple(one.address for one in market.council)
    word = Word(part.epoch, seats, market.quorum(part.digest(market.world.domain)))
    given = [*steps.post(part, word)]
    given[3] = Rows([one.to_bytes(32, "big") for one in said])
    market.send(Contract.NET, "post", arguments(*given))


def test_ratings_under_the_header_that_nobody_published_are_refused(heist: Heist) -> None:
    row = seller_row(heist.honest)
    hidden = rated_as(heist.honest, row, agreed=9_000_000, sent=9_000_000)
    with refused("net: other ratings"):
        post(heist, hidden, heist.honest.rating_words)


@pytest.mark.parametrize("length", [-1, 1])
def test_a_list_of_another_length_is_refused(heist: Heist, length: int) -> None:
    words = heist.honest.rating_words
    said = words[:-1] if length < 0 else [*words, 0]
    with refused("net: not one rating per account"):
        post(heist, heist.honest, said)


# rated from what does not count, or again


def test_rated_once_per_part_and_row(heist: Heist) -> None:
    part = posted(heist, heist.honest)
    heist.market.after_window(part)
    heist.market.finalise(part)
    heist.market.rate(part)
    with refused("reputation: rated before"):
        heist.market.rate(part)
    at_another_row = list(ratings.rate_part(part, 0))
    at_another_row[1] = proofs.opened(part.row_words, 3)
    with refused("reputation: rated before"):
        heist.market.send(
            *(Contract.REPUTATION, "rate_part", proofs.packed(at_another_row)), CHALLENGER.address
        )


def test_nothing_is_rated_before_a_part_is_final(heist: Heist) -> None:
    part, market = heist.honest, heist.market
    for step in (market.reserve, market.commit, market.post):
        with refused("reputation: part not final"):
            market.rate(part)
        step(part)
    market.after_window(part)
    with refused("reputation: part not final"):
        market.rate(part)
    market.finalise(part)
    assert market.state(part)[0] == FINAL
    assert market.rate(part)


def test_nothing_is_rated_from_a_condemned_part(heist: Heist) -> None:
    row = seller_row(heist.honest)
    said = heist.honest.ratings[row]
    part = posted(heist, rated_as(heist.honest, row, sent=said.agreed))
    proven(heist, part, proofs.rating(part, row, said.tail - 1))
    with refused("reputation: part not final"):
        heist.market.rate(part)


def test_nothing_is_rated_from_a_released_part(heist: Heist) -> None:
    part, market = heist.honest, heist.market
    market.reserve(part)
    market.commit(part)
    market.world.go_to(NOW + TERMS.posting + TERMS.per_fill + 1)
    market.release(part)
    with refused("reputation: part not final"):
        market.rate(part)


def test_a_condemned_rating_is_no_proof_after_the_window(heist: Heist) -> None:
    """After it nothing is unwound: whoever watches has the window."""
    row = seller_row(heist.honest)
    said = heist.honest.ratings[row]
    part = posted(heist, rated_as(heist.honest, row, sent=said.agreed))
    heist.market.after_window(part)
    with refused("net: window over"):
        heist.market.prove(proofs.rating(part, row, said.tail - 1))


def test_other_numbers_than_the_parts_are_refused(heist: Heist) -> None:
    part, market = posted(heist, heist.honest), heist.market
    market.after_window(part)
    market.finalise(part)
    row = seller_row(part)
    better = rated_as(part, row, sent=part.ratings[row].agreed)
    with refused("reputation: another content"):
        market.rate(better)

    def given(rows: Part, said: Part) -> bytes:
        lists = proofs.opened(rows.row_words, 0), proofs.opened(said.rating_words, 0)
        return proofs.packed((proofs.opening(part), *lists))

    with refused("chunks: another list"):
        market.send(Contract.REPUTATION, "rate_part", given(part, better))
    others = part._replace(rows=part.rows[1:])
    with refused("chunks: another list"):
        market.send(Contract.REPUTATION, "rate_part", given(others, part))


def test_ratings_of_other_rows_are_refused(world: World) -> None:
    market = NetWorld.of(world, people=90, now=NOW)
    part = market.posted(market.market(trades=120))
    market.after_window(part)
    market.finalise(part)
    head, rows, _ = ratings.rate_part(part, 0)
    shifted = proofs.packed((head, rows, proofs.opened(part.rating_words, 32)))
    with refused("reputation: ratings of other rows"):
        market.send(Contract.REPUTATION, "rate_part", shifted)


# what batch settlement counted too


def settled_by_itself(market: NetWorld, interval: int = INTERVAL) -> Hands:
    """Settle a fill of ann's and bob's by itself, in an interval that is settled net."""
    hands, world = Hands(market.world), market.world
    hands.at(0)
    for account in (ANN, BOB):
        world.mint(account, MICRO)
    if interval != INTERVAL:
        world.price_of(interval)
    bid = world.order("ann", Side.BID, interval=interval)
    offer = world.order("bob", Side.OFFER, price=100_000, interval=interval)
    book = [packing.collection(one) for one in (bid, offer)]
    world.rows(Contract.ORDERS, "collect", book, write=world.write(interval=interval))
    trade = fill(bid, offer, 1_000, 150_000, 30_000)
    world.commit(trade, write=world.write(interval=interval))
    hands.at(max(NOW, interval + 1))
    hands.settle(trade, sent=900, taken=1_000)
    return hands


def rate(hands: Hands, interval: int = INTERVAL) -> None:
    """The operator rates in a batch."""
    world = hands.world
    rows, write = [BOB.rjust(32, b"\0")], world.write(Phase.RATE, interval)
    world.rows(Contract.REPUTATION, "rate", rows, after=NONE, write=write)


def test_what_parts_count_is_not_counted_by_fills_too(heist: Heist) -> None:
    market, part = heist.market, heist.honest
    hands = settled_by_itself(market)
    market.reserve(part)
    market.commit(part)
    with refused("net: rated by its parts"):
        rate(hands)
    market.post(part)
    market.after_window(part)
    market.finalise(part)
    hands.at(NOW + 8)
    with refused("net: rated by its parts"):
        hands.rate(BOB)
    assert market.rate(part)
    with refused("net: rated by its parts"):
        hands.rate(BOB)


@pytest.mark.parametrize("batch", [True, False])
def test_nobodys_rating_by_parts_is_held_off_by_a_fill_that_is_rated_first(
    heist: Heist, batch: bool
) -> None:
    """The operator settles and rates a puppet's fill: then it cannot settle net at all."""
    market, part = heist.market, heist.honest
    hands = settled_by_itself(market)
    if not batch:
        hands.at(NOW + 3)
    (rate if batch else lambda one: one.rate(BOB))(hands)
    market.reserve(part)
    with refused("net: rated by its fills"):
        market.commit(part)


def test_only_the_reputation_says_how_an_interval_is_rated(heist: Heist) -> None:
    for thief in (OPERATOR, BOB):
        with refused("net: not the reputation"):
            heist.market.world.send(Contract.NET, "by_fills", INTERVAL, sender=thief)


def test_each_interval_is_rated_in_its_own_way(heist: Heist) -> None:
    """Neighbours in one word: some by parts, some by fills."""
    market, part = heist.market, heist.honest
    hands = settled_by_itself(market)
    later = settled_by_itself(market, INTERVAL + 1)
    market.reserve(part)
    market.commit(part)
    with refused("net: rated by its parts"):
        rate(hands)
    before = market.world.view(Contract.REPUTATION, "score", BOB)
    rate(later, INTERVAL + 1)
    assert market.world.view(Contract.REPUTATION, "score", BOB) != before


def test_an_empty_batch_keeps_no_part_from_being_rated(heist: Heist) -> None:
    market, part = heist.market, heist.honest
    market.world.rows(Contract.REPUTATION, "rate", [], after=NONE)
    posted(heist, part)
    market.after_window(part)
    market.finalise(part)
    assert market.rate(part)
