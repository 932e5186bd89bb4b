"""Honest people first: what an attack on the protocol is compared with."""

import pytest
from tests.attacks.town import (
    DUE,
    PRICE,
    RICH,
    VOLUME,
    Town,
    device,
)

from gridpact.errors import Misplaced
from gridpact.model.purchase import WalletState
from gridpact.quantities import amount

COST = amount(PRICE, VOLUME)


def test_one_purchase_from_request_to_renewed_record(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    assert town.free("ann") == RICH - COST
    assert town.free("sue") == 0
    town.bill(voucher)
    settled = town.confirm(voucher)
    assert (settled.delivered_wh, settled.paid) == (VOLUME, COST)
    assert town.chain.receipt(settled.transaction) is not None
    assert (town.free("ann"), town.free("sue")) == (RICH - COST, COST)
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
    town.desk.settling.holds = lambda purchase, _: purchase.seller == device("sue").address
    town.desk.settling.stop(
        town.hear(town.say("sue", town.sellers["sue"].stop(voucher.purchase))), town.now
    )
    town.go_to(DUE + 1)
    town.desk.settling.time_out(voucher.purchase)
    town.rate()
    assert (town.free("ann"), town.free("sue")) == (RICH, 0)
    assert not town.desk.standings.blacklist


def test_seller_says_that_sensors_hold_and_they_do_not(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    word = town.hear(town.say("sue", town.sellers["sue"].stop(voucher.purchase)))
    with pytest.raises(Misplaced, match="the sensors do not hold it"):
        town.desk.settling.stop(word, town.now)
    town.go_to(DUE + 1)
    town.desk.settling.time_out(voucher.purchase)
    town.rate()
    assert town.free("ann") == RICH
    assert town.desk.standings.blacklist == {device("sue").address}


def test_freed_wallet_serves_the_next_request(town: Town) -> None:
    town.offer("sue")
    voucher = town.sold()
    town.sellers["sue"].stop(voucher.purchase)
    assert town.desk.ledger.wallet(voucher.account).serial == 1
    assert town.desk.ledger.wallet(voucher.account).state is WalletState.FUNDED
