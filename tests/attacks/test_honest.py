"""Honest people first: what an attack on the protocol is compared with."""

import pytest
from tests.attacks.town import (
    CAP,
    CHARGE,
    COST,
    DUE,
    FINE,
    LEVY,
    LOCKED,
    PRICE,
    RICH,
    SECURED,
    VOLUME,
    Town,
    device,
)

from gridpact.cycle.purchase.buyer import cheapest
from gridpact.errors import Misplaced
from gridpact.identity.messages import Buy, Choose
from gridpact.model.purchase import WalletState
from gridpact.model.voucher import Voucher
from gridpact.quantities import amount, part


def test_one_purchase_from_request_to_renewed_record(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    assert town.free("ann") == RICH - LOCKED
    assert town.free("sue") == 0
    town.bill(voucher)
    settled = town.confirm(voucher)
    assert (settled.delivered_wh, settled.paid) == (VOLUME, COST)
    assert town.chain.receipt(settled.transaction) is not None
    assert (town.free("ann"), town.free("sue")) == (RICH - LOCKED, COST)
    assert settled.charge == LEVY == sum(town.tills())
    assert town.tills()[1] == part(LEVY, 200_000)
    town.buyers["ann"].renew(town.tell("ann", town.desk.settling.renewed(device("ann").address)))
    record = town.buyers["ann"].record
    assert (record.serial, record.timely, record.late) == (1, 1, 0)
    assert record.payments == (settled.transaction,)


def test_credit_grows_for_both_and_the_next_voucher_commits_to_the_record(town: Town) -> None:
    assert town.credit("ann") == town.credit("sue") == 0
    town.trade()
    town.go_to(DUE + 1)
    assert town.credit("ann") > 0
    assert town.credit("sue") > 0
    assert town.desk.standings.record(device("ann").address).root != (
        town.desk.standings.record(device("ben").address).root
    )


def test_confirmation_in_two_steps_pays_what_came(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    first = town.confirm(voucher, 1_000)
    second = town.confirm(voucher, VOLUME)
    assert first.paid == voucher.due(1_000)
    assert first.paid + second.paid == COST == town.free("sue")


def test_sensor_stops_a_delivery_nobody_is_blamed_and_the_buyer_has_its_money(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    stop(town, voucher)
    town.desk.settling.released(voucher.purchase)
    town.go_to(DUE + 1)
    town.desk.ledger.time_out(voucher.account)
    town.rate()
    town.go_to(DUE + 5)
    assert town.fined() == {}
    assert (town.free("ann"), town.free("sue")) == (RICH, 0)
    assert not town.desk.standings.blacklist


def test_sensor_stops_half_way_what_came_is_paid_and_the_rest_goes_back(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher, 1_000)
    town.confirm(voucher, 1_000)
    stop(town, voucher)
    town.go_to(DUE + 3)
    town.metered(voucher, sent=1_000, taken=VOLUME)
    town.rate(ann=(VOLUME, 0), sue=(0, 1_000))
    assert town.free("sue") == voucher.due(1_000)
    assert town.free("ann") == RICH - voucher.due(1_000) - voucher.charged(1_000)
    town.go_to(DUE + 5)
    assert town.fined() == {}
    assert not town.desk.standings.blacklist


def stop(town: Town, voucher: Voucher) -> None:
    """Let the sensors hold the trade, the operator sign it, the seller bring it to the ledger."""
    sue = town.sellers["sue"]
    town.desk.bills.holds = lambda purchase, _: purchase.seller == device("sue").address
    word = town.hear(town.say("sue", sue.stop(voucher.purchase)))
    sue.stopped(town.tell("sue", town.desk.bills.stop(word, town.now)))


def test_seller_says_that_sensors_hold_and_they_do_not(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    sue = town.sellers["sue"]
    word = town.hear(town.say("sue", sue.stop(voucher.purchase)))
    with pytest.raises(Misplaced, match="the sensors do not hold it"):
        town.desk.bills.stop(word, town.now)
    with pytest.raises(Misplaced, match="did not release the wallet"):
        town.desk.settling.released(voucher.purchase)
    sue.give_up(voucher.purchase)
    town.desk.settling.released(voucher.purchase)
    town.rate()
    assert town.desk.ledger.deposit(device("sue").address) == SECURED - amount(FINE, VOLUME)
    assert town.desk.standings.blacklist == {device("sue").address}


def test_freed_wallet_serves_the_next_purchase(town: Town) -> None:
    town.offer("sue")
    voucher = town.sold()
    stop(town, voucher)
    assert town.desk.ledger.wallet(voucher.account).serial == 1
    assert town.desk.ledger.wallet(voucher.account).state is WalletState.FUNDED
    town.desk.settling.released(voucher.purchase)
    town.offer("sol")
    body = Buy(DUE, VOLUME, CAP, 0, (voucher.account,))
    answer = town.desk.requests.buy(town.hear(town.say("ann", body)), town.now)
    [choice] = [one for one in answer.choices if one.seller == device("sol").address]
    choose = Choose(answer.request, choice.offer, voucher.account)
    certified = town.desk.requests.choose(town.hear(town.say("ann", choose)), town.now)
    assert (certified.voucher.serial, certified.voucher.balance) == (2, LOCKED)


def test_choices_are_sorted_by_what_they_cost_with_the_charge_of_the_pair(town: Town) -> None:
    near, far = device("sol").address, device("sue").address
    charges = {near: 5_000, far: CHARGE}
    town.desk.requests.charge = lambda _buyer, seller, _interval: charges[seller]
    town.offer("sue", price=PRICE)
    town.offer("sol", price=PRICE + 20_000)
    choices = town.ask().choices
    assert [one.seller for one in choices] == [near, far]
    assert [one.costs for one in choices] == [PRICE + 25_000, PRICE + CHARGE]
    assert [one.charge for one in town.desk.requests.notice().choices] == [0, 0]
    dear = town.ask(cap=PRICE + CHARGE - 1).choices
    assert [one.seller for one in dear] == [near]
    assert cheapest(choices) == choices[0]
