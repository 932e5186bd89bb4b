"""What every ledger promises, written once: memory, both embedded engines, a chain on a node.

A module that wants to be held to it imports everything here and gives two fixtures: `fresh`, two
new ledgers, local and zonal (`Pair`), and `chains`, the same or already founded ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import (
    ANN,
    BEN,
    DEPOSIT,
    PLANT,
    PRICES,
    RATING,
    REGION,
    REGION_ACCOUNT,
    SUE,
    TERMS,
    ZONE,
    Round,
    accept,
    fill,
    found_local,
    found_zonal,
    founded,
    order,
)

from gridpact.errors import Disagreement, LedgerError, Reverted, WriteConflict
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import security_digest
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, NONE, Side, Tier
from gridpact.model.participant import Account, Named, ReviewTerms
from gridpact.model.record import (
    Anchor,
    Book,
    Commitment,
    Confirmed,
    Crossing,
    Fine,
    Found,
    Meters,
    Rating,
    Record,
    Refund,
    Returned,
    Security,
    Settlement,
    Verdicts,
)
from gridpact.model.watch import Hold
from gridpact.quantities import amount, part


@dataclass(frozen=True)
class Pair:
    """Two chains that money crosses between."""

    local: Ledger
    zonal: Ledger


T = TypeVar("T", bound=Record)


def _upto(
    chains: Pair, phase: Phase, interval: int = 0, refusing: bool = False, **given: int
) -> Round:
    """Found both chains and write an interval up to a phase."""
    founded(chains.local, chains.zonal)
    market = Round(chains.local, chains.zonal, interval, refusing=refusing, **given)
    market.write(until=phase)
    return market


def _step(market: Round, kind: type[T], ledger: Ledger) -> tuple[Key, T]:
    """Return the key and record that the interval would write next of a kind."""
    for where, key, record in market.steps():
        if isinstance(record, kind) and where is ledger:
            return key, record
    raise LookupError(kind)


def _refused(ledger: Ledger, key: Key, record: Record, *errors: type[LedgerError]) -> None:
    """Expect a refusal that leaves no trace."""
    before = ledger.head(), ledger.totals(), dict(ledger.accounts()), ledger.state_hash()
    with pytest.raises(errors or (Reverted, Disagreement)):
        ledger.write(key, record)
    assert before == (ledger.head(), ledger.totals(), dict(ledger.accounts()), ledger.state_hash())
    assert ledger.written_at(key) is None


# founding


def test_deposits_are_free_money_of_their_accounts(fresh: Pair) -> None:
    founded(fresh.local, fresh.zonal)
    assert fresh.local.account(ANN.address) == Account(free=DEPOSIT)
    assert fresh.zonal.account(REGION_ACCOUNT.address) == Account()
    assert fresh.local.totals().minted == 7 * DEPOSIT
    assert set(fresh.local.accounts()) == {named.address for named in Named} | {
        participant.address for participant in found_local("x", fresh.local.currency).participants
    }


def test_nobody_rated_has_the_prior(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    assert chains.local.score(SUE.address) == RATING.prior


def test_a_deposit_counts_once_per_reference(fresh: Pair) -> None:
    found = found_local(fresh.local.name, fresh.local.currency)
    twice = replace(found, deposits=(*found.deposits, found.deposits[0]))
    key = Key(REGION, 0, Phase.FOUND)
    _refused(fresh.local, key, twice)
    fresh.local.write(key, found)
    assert fresh.local.totals().minted == 7 * DEPOSIT


def test_a_participant_registers_once(fresh: Pair) -> None:
    found = found_local(fresh.local.name, fresh.local.currency)
    twice = replace(found, participants=(*found.participants, found.participants[0]))
    _refused(fresh.local, Key(REGION, 0, Phase.FOUND), twice)


# writing


def test_an_identical_write_changes_nothing_and_returns_the_first_head(chains: Pair) -> None:
    market = _upto(chains, Phase.COMMIT)
    key, record = _step(market, Commitment, chains.local)
    first = chains.local.write(key, record)
    later = chains.local.head()
    accounts = dict(chains.local.accounts())
    assert chains.local.write(key, record) == first == chains.local.written_at(key)
    assert chains.local.head() == later
    assert dict(chains.local.accounts()) == accounts


def test_another_content_under_a_taken_key_is_a_conflict(chains: Pair) -> None:
    market = _upto(chains, Phase.PRICE)
    key, book = _step(market, Book, chains.local)
    with pytest.raises(WriteConflict) as caught:
        chains.local.write(key, replace(book, seed=b"another"))
    assert caught.value.key == key
    assert chains.local.read(key, Book) == book


def test_what_was_written_is_read(chains: Pair) -> None:
    market = _upto(chains, Phase.CLEAR)
    assert chains.local.read(market.key(Phase.COLLECT), Book) == market.book
    assert chains.zonal.read(market.key(Phase.COLLECT, ZONE), Book) == market.plants
    assert chains.local.read(market.key(Phase.SETTLE), Settlement) is None
    assert chains.local.written_at(market.key(Phase.SETTLE)) is None


def test_heads_follow_each_other(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    market, numbers = Round(chains.local, chains.zonal), []
    for ledger, key, record in market.steps():
        head = ledger.write(key, record)
        assert head == ledger.head() == ledger.written_at(key)
        if ledger is chains.local:
            numbers.append(head.number)
    assert numbers == sorted(numbers)


# money over a whole day


def test_nothing_is_minted_or_lost_in_any_write(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    for interval in range(3):
        market = Round(chains.local, chains.zonal, interval, sue_wh=1_950 - 400 * interval)
        for ledger, key, record in market.steps():
            ledger.write(key, record)
            assert ledger.totals().holds
            held = ledger.accounts().values()
            totals = ledger.totals()
            assert sum(account.free for account in held) == totals.free
            assert sum(account.reserved for account in held) == totals.reserved
            assert sum(account.locked for account in held) == totals.locked
    assert chains.local.totals().minted == 7 * DEPOSIT


def test_what_is_in_transit_is_what_the_zone_still_has_of_it(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    for interval in range(2):
        Round(chains.local, chains.zonal, interval, plant_wh=500).write()
    zonal = chains.zonal.totals()
    assert chains.local.totals().transit == zonal.minted - 5 * DEPOSIT - zonal.burned > 0


def test_equal_runs_end_with_equal_states(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    Round(chains.local, chains.zonal).write()
    once = chains.local.state_hash()
    assert once == chains.local.state_hash()
    Round(chains.local, chains.zonal, 1).write()
    assert once != chains.local.state_hash()


# collect


def test_a_bid_reserves_its_price_its_charge_and_a_micro_unit_per_fill(chains: Pair) -> None:
    market = _upto(chains, Phase.COMMIT)
    bid = market.book.orders[1]
    expected = (
        amount(bid.order.price, bid.order.energy_wh)
        + amount(bid.charge, bid.order.energy_wh)
        + MAX_FILLS
    )
    assert chains.local.account(BEN.address) == Account(DEPOSIT - expected, expected, 0)
    assert chains.local.account(SUE.address) == Account(DEPOSIT)


def test_a_bid_without_funds_is_refused(chains: Pair) -> None:
    market = _upto(chains, Phase.PRICE)
    rich = order(BEN, Side.BID, Tier.LOCAL, 0, 10**9, 180_000, salt=1)
    book = Book(b"", (accept(rich, BEN, chains.local.domain, 9, 0, MAX_FILLS),), ())
    _refused(chains.local, market.key(Phase.COLLECT, part=1), book, Reverted)


def test_an_order_enters_a_book_once(chains: Pair) -> None:
    market = _upto(chains, Phase.PRICE)
    again = Book(b"", market.book.orders[:1], ())
    _refused(chains.local, market.key(Phase.COLLECT, part=1), again, Reverted)


def test_an_order_of_a_stranger_is_refused(chains: Pair) -> None:
    market = _upto(chains, Phase.PRICE)
    strange = order(PLANT, Side.OFFER, Tier.LOCAL, 0, 100, 90_000)
    book = Book(b"", (accept(strange, PLANT, chains.local.domain, 9, 0, 0),), ())
    _refused(chains.local, market.key(Phase.COLLECT, part=1), book, Reverted)


@pytest.mark.parametrize("parent", ["nobody's", "another's", "an offer", "a child"])
def test_a_zonal_bid_names_its_own_local_bid(chains: Pair, parent: str) -> None:
    market = _upto(chains, Phase.PRICE)
    ann, _, offer, born = (accepted.hash for accepted in market.book.orders)
    named = {"nobody's": b"\1" * 32, "another's": ann, "an offer": offer, "a child": born}[parent]
    device = {"an offer": SUE, "a child": ANN}.get(parent, BEN)
    placed = order(device, Side.BID, Tier.ZONAL, 0, 100, 180_000, named, salt=5)
    charge = PRICES.zonal_charge
    child = accept(placed, device, chains.local.domain, 9, charge, MAX_FILLS)
    chains.local.write(market.key(Phase.COLLECT, part=1), Book(b"", (child,), ()))
    bought = fill(child, market.plants.orders[0], 100, 7, charge)
    chains.local.write(market.key(Phase.CLEAR), market.cleared((bought,)))
    out = Crossing(b"\2" * 32, chains.local.name, chains.zonal.name, bought.lock)
    commitment = Commitment((), (bought,), departed=out)
    _refused(chains.local, market.key(Phase.COMMIT), commitment, Reverted)


def test_nobody_trades_with_himself(chains: Pair) -> None:
    market = _upto(chains, Phase.PRICE)
    both = tuple(
        accept(order(SUE, side, Tier.LOCAL, 0, 100, 150_000, salt=9), SUE, chains.local.domain,
               9 + int(side), PRICES.local_charge, MAX_FILLS if side is Side.BID else 0)
        for side in Side
    )  # fmt: skip
    chains.local.write(market.key(Phase.COLLECT, part=1), Book(b"", both, ()))
    shell = fill(both[0], both[1], 100, 7, PRICES.local_charge)
    chains.local.write(market.key(Phase.CLEAR), market.cleared((shell,)))
    _refused(chains.local, market.key(Phase.COMMIT), Commitment((shell,)), Reverted)


def test_an_order_of_another_interval_is_refused(chains: Pair) -> None:
    market = _upto(chains, Phase.PRICE)
    late = order(SUE, Side.OFFER, Tier.LOCAL, 1, 100, 90_000)
    book = Book(b"", (accept(late, SUE, chains.local.domain, 9, 0, 0),), ())
    _refused(chains.local, market.key(Phase.COLLECT, part=1), book, Reverted)


# commit


def test_commitment_locks_the_fills_and_frees_the_rest(chains: Pair) -> None:
    market = _upto(chains, Phase.COMMIT)
    chains.local.write(*_step(market, Commitment, chains.local))
    first, second = market.local_fills
    ann, ben = chains.local.account(ANN.address), chains.local.account(BEN.address)
    assert ann == Account(DEPOSIT - first.lock - market.out.amount, 0, first.lock)
    assert ben == Account(DEPOSIT - second.lock, 0, second.lock)
    assert chains.local.totals().transit == market.out.amount


def test_money_that_left_appears_under_the_same_crossing(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    bought = market.zonal_fills[0].lock
    assert bought == market.out.amount
    assert chains.zonal.account(REGION_ACCOUNT.address) == Account(locked=bought)


def test_sensors_hold_a_fill_once_and_before_its_meters_are_read(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    fill = market.local_fills[0]
    hold = Hold(fill.hash, fill.energy_wh, 0, "lightning", "station roof")

    def said(*holds: Hold) -> Verdicts:
        return Verdicts(0, NONE, 0, NONE, holds)

    opening, during, later = (replace(market.key(Phase.DELIVER), part=n) for n in (1, 2, 3))
    chains.local.write(opening, said(hold))
    with pytest.raises(Reverted, match="settlement: held otherwise"):
        chains.local.write(during, said(replace(hold, energy_wh=hold.energy_wh - 1)))
    with pytest.raises(Reverted, match="settlement: nothing held"):
        chains.local.write(during, said(replace(hold, fill=NONE, energy_wh=0)))
    chains.local.write(during, said())
    chains.local.write(*_step(market, Meters, chains.local))
    with pytest.raises(Reverted, match="verdicts: the meters have spoken"):
        chains.local.write(later, said())


def _with(crossing: Crossing | None, amount_out: int) -> Crossing:
    """Return a crossing of another amount."""
    assert crossing is not None
    return replace(crossing, amount=amount_out)


def _committed(chains: Pair, change: Callable[[Commitment], Commitment]) -> None:
    market = _upto(chains, Phase.COMMIT)
    key, record = _step(market, Commitment, chains.local)
    _refused(chains.local, key, change(record))


def test_no_fill_is_larger_than_its_offer(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(
        c.fills[0], replace(c.fills[1], energy_wh=801)
    )))  # fmt: skip


def test_no_fill_is_larger_than_its_bid(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(
        replace(c.fills[0], energy_wh=100), replace(c.fills[1], energy_wh=1_002)
    )))  # fmt: skip


def test_no_fill_costs_more_than_its_bid_pays(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(replace(c.fills[0], price=200_001),)))


def test_no_fill_pays_less_than_its_offer_asks(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(replace(c.fills[0], price=120_002),)))


def test_no_fill_charges_more_than_was_posted_for_its_bid(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(replace(c.fills[0], charge=60_001),)))


def test_no_fill_names_another_seller_than_its_offer(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(replace(c.fills[0], seller=BEN.address),)))


def test_no_fill_is_locked_twice(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, fills=(c.fills[1], c.fills[1])))


def test_the_zonal_tier_takes_only_what_the_local_one_left(chains: Pair) -> None:
    def more(c: Commitment) -> Commitment:
        large = replace(c.crossed[0], energy_wh=801)
        return replace(c, crossed=(large,), departed=_with(c.departed, large.lock))

    _committed(chains, more)


def test_exactly_the_locks_of_the_crossed_fills_depart(chains: Pair) -> None:
    _committed(chains, lambda c: replace(c, departed=_with(c.departed, c.crossed[0].lock - 1)))


def test_a_crossing_arrives_once(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    again = Commitment(market.zonal_fills, arrived=market.out, bid=market.region_bid)
    _refused(chains.zonal, market.key(Phase.COMMIT, ZONE, 7), again, LedgerError)


def test_only_what_left_is_confirmed_and_once(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    where = market.key(Phase.COMMIT, part=9)
    _refused(chains.local, where, Confirmed(market.out, b"\1" * 32), LedgerError)
    _refused(chains.local, where, Confirmed(market.home, b"\1" * 32), LedgerError)


# a crossing that is refused


def test_a_refused_crossing_comes_back_whole(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER, refusing=True)
    first = market.local_fills[0]
    assert chains.local.account(ANN.address) == Account(DEPOSIT - first.lock, 0, first.lock)
    assert chains.local.totals().transit == 0
    assert chains.zonal.account(REGION_ACCOUNT.address) == Account()
    assert chains.zonal.totals().minted == 5 * DEPOSIT


def test_an_interval_without_its_zonal_trades_is_settled(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    Round(chains.local, chains.zonal, refusing=True).write()
    Round(chains.local, chains.zonal, 1).write()
    assert chains.local.totals().locked == chains.zonal.totals().locked == 0


@pytest.mark.parametrize("part", [0, 7])
def test_a_late_commit_of_a_refused_crossing_is_refused_for_ever(chains: Pair, part: int) -> None:
    market = _upto(chains, Phase.DELIVER, refusing=True)
    before = chains.zonal.head(), chains.zonal.state_hash()
    said = chains.zonal.written_at(market.key(Phase.COMMIT, ZONE))
    key = market.key(Phase.COMMIT, ZONE, part)
    with pytest.raises(LedgerError):
        chains.zonal.write(key, market.taken)
    assert before == (chains.zonal.head(), chains.zonal.state_hash())
    assert chains.zonal.write(market.key(Phase.COMMIT, ZONE), market.refusal) == said


def test_what_was_taken_in_is_refused_no_more(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    _refused(chains.zonal, market.key(Phase.COMMIT, ZONE, 7), market.refusal, LedgerError)


def test_what_was_confirmed_does_not_come_back(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    _refused(chains.local, market.key(Phase.COMMIT, part=2), market.returned(bytes(32)),
             LedgerError)  # fmt: skip


def test_what_came_back_is_neither_confirmed_nor_returned_again(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER, refusing=True)
    receipt = market.block(chains.zonal, market.key(Phase.COMMIT, ZONE)).hash
    late = Confirmed(market.out, receipt)
    _refused(chains.local, market.key(Phase.COMMIT, part=1), late, LedgerError)
    again = market.returned(receipt)
    _refused(chains.local, market.key(Phase.COMMIT, part=3), again, LedgerError)


def _not_returned(chains: Pair, change: Callable[[Returned], Returned]) -> None:
    market = _upto(chains, Phase.DELIVER, refusing=True)
    market = Round(chains.local, chains.zonal, 1, refusing=True)
    for ledger, key, record in market.steps():
        if isinstance(record, Returned):
            _refused(chains.local, key, change(record), LedgerError)
            return
        ledger.write(key, record)


def test_nobody_gets_back_more_than_left(chains: Pair) -> None:
    def more(r: Returned) -> Returned:
        much = r.refunds[0].amount + 1
        crossing = replace(r.crossing, amount=much)
        return replace(r, crossing=crossing, refunds=(replace(r.refunds[0], amount=much),))

    _not_returned(chains, more)


def test_nobody_gets_back_less_than_left(chains: Pair) -> None:
    _not_returned(chains, lambda r: replace(r, refunds=()))


def test_nobody_gets_back_what_another_sent(chains: Pair) -> None:
    _not_returned(chains, lambda r: replace(r, refunds=(
        Refund(r.refunds[0].fill, BEN.address, r.refunds[0].amount),
    )))  # fmt: skip


# settle


def test_a_seller_who_delivered_is_paid_its_price_and_a_reward(chains: Pair) -> None:
    _upto(chains, Phase.RATE)
    paid = amount(120_003, 1_200) + amount(120_003, 700)
    reward = sum(part(amount(120_003, energy), TERMS.reward) for energy in (1_200, 700))
    feed_in = amount(PRICES.feed_in, 50)
    assert chains.local.account(SUE.address) == Account(DEPOSIT + paid + reward + feed_in)


def test_a_seller_who_delivers_short_is_paid_for_what_arrived_less_the_penalty(
    chains: Pair,
) -> None:
    _upto(chains, Phase.RATE, sue_wh=1_500)
    paid = amount(120_003, 1_200) + amount(120_003, 700) - amount(120_003, part(400, TERMS.kappa))
    reward = part(amount(120_003, 1_200), TERMS.reward)
    assert chains.local.account(SUE.address) == Account(DEPOSIT + paid + reward)


def test_the_plant_is_paid_on_the_zonal_chain_and_the_rest_comes_home(chains: Pair) -> None:
    market = _upto(chains, Phase.RATE, plant_wh=500)
    assert chains.zonal.account(REGION_ACCOUNT.address) == Account()
    plant = chains.zonal.account(PLANT.address).free - DEPOSIT
    assert plant == amount(100_007, 800) - amount(100_007, part(300, TERMS.kappa))
    assert market.home.amount > 0
    assert chains.local.totals().transit == market.out.amount - market.home.amount


def _settled(chains: Pair, change: Callable[[Settlement], Settlement], **given: int) -> None:
    market = _upto(chains, Phase.SETTLE, **given)
    zonal_key, zonal = _step(market, Settlement, chains.zonal)
    chains.zonal.write(zonal_key, zonal)
    key, record = _step(market, Settlement, chains.local)
    _refused(chains.local, key, change(record), LedgerError)


def test_a_statement_that_spends_more_than_the_lock_is_refused(chains: Pair) -> None:
    def more(s: Settlement) -> Settlement:
        first = replace(s.statements[0], paid=s.statements[0].paid + 1)
        return replace(s, statements=(first, s.statements[1]))

    _settled(chains, more)


def test_a_claim_on_an_account_that_could_pay_is_refused(chains: Pair) -> None:
    def unpaid(s: Settlement) -> Settlement:
        first = s.statements[0]
        first = replace(first, reward=0, unpaid_reward=first.reward)
        return replace(s, statements=(first, s.statements[1]))

    _settled(chains, unpaid)


def test_no_fill_is_settled_twice(chains: Pair) -> None:
    market = _upto(chains, Phase.RATE)
    again = replace(market.local_settlement, bills=(), network_loss_wh=0, network_loss_cost=0,
                    refunds=(), arrived=None)  # fmt: skip
    _refused(chains.local, market.key(Phase.SETTLE, part=5), again)


def test_no_bill_asks_another_price_than_posted(chains: Pair) -> None:
    def dear(s: Settlement) -> Settlement:
        return replace(s, bills=(replace(s.bills[0], purchase=s.bills[0].purchase + 1),))

    _settled(chains, dear)


def test_no_refund_exceeds_what_crossed(chains: Pair) -> None:
    def more(s: Settlement) -> Settlement:
        much = 10**9
        return replace(
            s,
            refunds=(replace(s.refunds[0], amount=much),),
            arrived=_with(s.arrived, much),
        )

    _settled(chains, more)


def test_no_refund_goes_to_another_than_the_buyer(chains: Pair) -> None:
    _settled(
        chains,
        lambda s: replace(s, refunds=(replace(s.refunds[0], buyer=BEN.address),)),
        plant_wh=500,
    )


def test_the_region_sends_home_what_its_fills_left(chains: Pair) -> None:
    market = _upto(chains, Phase.SETTLE, plant_wh=500)
    key, record = _step(market, Settlement, chains.zonal)
    less = replace(record, departed=replace(market.home, amount=market.home.amount - 1))
    _refused(chains.zonal, key, less)


# disputes


def _in_dispute(chains: Pair) -> Round:
    """Write an interval in which Sue's meter stayed silent."""
    founded(chains.local, chains.zonal)
    silent = Round(chains.local, chains.zonal, sue_wh=0, silent=True)
    silent.write()
    return silent


def test_a_disputed_fill_keeps_its_lock_until_it_is_settled(chains: Pair) -> None:
    silent = _in_dispute(chains)
    locks = [traded.lock for traded in silent.local_fills]
    assert chains.local.totals().locked == sum(locks)
    before = chains.local.account(ANN.address).free
    for ledger, key, record in silent.end():
        ledger.write(key, record)
        assert ledger.totals().holds
    assert chains.local.totals().locked == 0
    assert chains.local.account(ANN.address) == Account(before + locks[0])


def test_a_dispute_ends_once(chains: Pair) -> None:
    silent = _in_dispute(chains)
    for ledger, key, record in silent.end():
        ledger.write(key, record)
    _refused(chains.local, silent.key(Phase.SETTLE, part=4), silent.ended)


def test_a_seller_is_rated_for_a_dispute_when_it_has_ended(chains: Pair) -> None:
    silent = _in_dispute(chains)
    assert chains.local.score(SUE.address) == RATING.prior
    for ledger, key, record in silent.end():
        ledger.write(key, record)
    assert chains.local.score(SUE.address) < RATING.prior


# rate and seal


def test_reputation_follows_the_energy_that_was_settled(chains: Pair) -> None:
    market = _upto(chains, Phase.SEAL, sue_wh=1_500)
    rated = chains.local.read(market.key(Phase.RATE), Rating)
    assert rated is not None
    assert chains.local.score(SUE.address) == rated.rated[0].after != RATING.prior
    assert chains.zonal.score(PLANT.address) > RATING.prior


def test_a_rating_over_other_energy_is_refused(chains: Pair) -> None:
    market = _upto(chains, Phase.RATE)
    key, rating = _step(market, Rating, chains.local)
    more = replace(rating.rated[0], sent_wh=rating.rated[0].sent_wh - 1)
    _refused(chains.local, key, Rating((more,)))


def test_the_book_suspends_and_the_next_one_reinstates(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    market = Round(chains.local, chains.zonal)
    key, whole = _step(market, Book, chains.local)
    _refused(chains.local, key, replace(whole, suspended=(SUE.address,)))
    others = tuple(one for one in whole.orders if one.order.participant != SUE.address)
    chains.local.write(key, Book(whole.seed, others, (), (SUE.address,)))
    assert [chains.local.active(one.address) for one in (SUE, ANN)] == [False, True]
    assert not chains.local.active(PLANT.address)
    later = Round(chains.local, chains.zonal, 1)
    key, whole = _step(later, Book, chains.local)
    _refused(chains.local, key, replace(whole, suspended=(SUE.address,)))
    chains.local.write(key, whole)
    assert chains.local.active(SUE.address)


STRICT = ReviewTerms(fine=100_000, tolerance=250_000)
PUT_DOWN = 150_000


def _strict(chains: Pair) -> Pair:
    """Found both chains; Sue put a deposit down, and what she does not send is fined."""
    found = found_local(chains.local.name, chains.local.currency)
    word = SUE.sign(security_digest(chains.local.domain, SUE.address, PUT_DOWN))
    put_down = (Security(SUE.address, PUT_DOWN, word),)
    strict = replace(found, review=STRICT, securities=put_down)
    chains.local.write(Key(REGION, 0, Phase.FOUND), strict)
    zonal = found_zonal(chains.zonal.name, chains.zonal.currency)
    chains.zonal.write(Key(ZONE, 0, Phase.FOUND), zonal)
    return chains


def test_a_deposit_is_locked_at_the_founding(fresh: Pair) -> None:
    local = _strict(fresh).local
    assert local.account(SUE.address) == Account(DEPOSIT - PUT_DOWN, 0, PUT_DOWN)
    assert (local.deposit(SUE.address), local.deposit(ANN.address)) == (PUT_DOWN, 0)


@pytest.mark.parametrize(
    ("sue_wh", "fine"), [(1_425, 0), (0, PUT_DOWN)], ids=["kept", "beyond the deposit"]
)
def test_a_breach_costs_its_fine_and_never_more_than_the_deposit(
    fresh: Pair, sue_wh: int, fine: int
) -> None:
    chains = _strict(fresh)
    market = Round(chains.local, chains.zonal, sue_wh=sue_wh)
    market.write(until=Phase.RATE)
    key, rating = _step(market, Rating, chains.local)
    fines = (Fine(SUE.address, fine, PUT_DOWN - fine),) if fine else ()
    before = chains.local.account(SUE.address)
    for wrong in (() if fine else (Fine(SUE.address, 1, PUT_DOWN - 1),), fines * 2):
        if wrong != fines:
            _refused(chains.local, key, replace(rating, fines=wrong))
    chains.local.write(key, replace(rating, fines=fines))
    assert chains.local.deposit(SUE.address) == PUT_DOWN - fine
    assert chains.local.account(Named.FINES.address).free == fine
    assert chains.local.account(SUE.address) == replace(before, locked=PUT_DOWN - fine)
    assert chains.local.totals().holds


def test_an_anchor_names_its_predecessor(chains: Pair) -> None:
    founded(chains.local, chains.zonal)
    Round(chains.local, chains.zonal, 0).write()
    market = Round(chains.local, chains.zonal, 1)
    market.write(until=Phase.SEAL)
    key, anchor = _step(market, Anchor, chains.zonal)
    _refused(chains.zonal, key, replace(anchor, previous=b"\0" * 32))
    chains.zonal.write(key, anchor)


def test_readings_move_no_money(chains: Pair) -> None:
    market = _upto(chains, Phase.DELIVER)
    before = dict(chains.local.accounts())
    chains.local.write(*_step(market, Meters, chains.local))
    assert dict(chains.local.accounts()) == before


def test_each_chain_is_founded_under_its_own_name(fresh: Pair) -> None:
    wrong = found_zonal("another chain", fresh.zonal.currency)
    _refused(fresh.zonal, Key(ZONE, 0, Phase.FOUND), wrong)
    assert fresh.zonal.read(Key(ZONE, 0, Phase.FOUND), Found) is None
