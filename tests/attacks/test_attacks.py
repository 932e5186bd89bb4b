"""Each attack of issue and paper on the purchase protocol: refused by name, nobody loses money.

Bounded ones (sham trades, whitewashing) are in `test_gains`.
"""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.attacks.town import (
    CAP,
    COST,
    DUE,
    FINE,
    LOCKED,
    OPERATOR,
    PRICE,
    RICH,
    SECURED,
    VOLUME,
    Town,
    device,
)
from tests.unit.identity.authorities import BEGINS, REGION, authority, certified, claims

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key
from gridpact.cycle.purchase.buyer import cheapest
from gridpact.errors import (
    CertificateExpired,
    CertificateReplaced,
    CertificateRevoked,
    ForgedCertificate,
    ForgedSignature,
    GridpactError,
    MalformedMessage,
    Misplaced,
    Misstated,
    NotForMe,
    OutOfTime,
    Overexposed,
    Replayed,
    Reverted,
    TooMany,
    Unfunded,
    UnreadableCertificate,
)
from gridpact.identity.freshness import FreshnessTerms
from gridpact.identity.messages import Buy, Confirm, Pay, encode
from gridpact.identity.revocation import Reason, Revoked
from gridpact.model.participant import ReviewTerms
from gridpact.model.voucher import account_of, possession
from gridpact.quantities import amount

THIEF = Key.derive(b"town", "thief")
WANT = Buy(DUE, VOLUME, CAP, 0)


def whole(town: Town, **held: int) -> bool:
    """Say whether everybody has what is its: buyers are rich, sellers have nothing yet."""
    expected = {"ann": RICH, "ben": RICH, "sue": 0, "sol": 0} | held
    return {name: town.free(name) for name in expected} == expected


def refused(town: Town, error: type[GridpactError], reason: str, **changes: Any) -> bool:
    """Say whether a request of Ann's with lies in its envelope is refused, and changes nothing."""
    with pytest.raises(error, match=reason):
        town.hear(town.say("ann", WANT, **changes))
    return whole(town)


# who speaks


def test_forged_certificate(town: Town) -> None:
    own = authority("an operator of nowhere").issue(claims("ann"), 10).der
    assert refused(town, ForgedCertificate, "not signed by", certificate=own)


def test_no_certificate_at_all(town: Town) -> None:
    assert refused(town, UnreadableCertificate, "no X.509 certificate", certificate=b"")


def test_somebody_elses_certificate(town: Town) -> None:
    stolen = town.people["ben"].certificate
    assert refused(town, Misstated, "sender's certificate", certificate=stolen)


def test_somebody_elses_name_under_a_certificate_of_ones_own(town: Town) -> None:
    message = replace(town.say("ben", WANT), sender=device("ann").address)
    with pytest.raises(ForgedSignature, match="expected"):
        town.hear(message)
    assert whole(town)


def test_revoked_certificate_within_the_same_interval(town: Town) -> None:
    town.hear(town.say("ann", WANT))
    town.publish(Revoked(10, town.now, Reason.KEY_COMPROMISE))
    assert refused(town, CertificateRevoked, "keyCompromise")


def test_expired_certificate(town: Town) -> None:
    old = certified("ann", 50, days=1).der
    town.go_to(25)
    assert refused(town, CertificateExpired, "expired", certificate=old)


def test_replaced_certificate_speaks_no_more(town: Town) -> None:
    """Sol leaves and comes back under a new certificate; the old one is genuine and in date."""
    old, new = certified("sol", 13), certified("sol", 60)
    said = town.say("sol", town.sellers["sol"].offer(DUE + 40, VOLUME, PRICE, 0))
    assert town.hear(said).sender == device("sol").address
    town.leave("sol")
    town.enter("sol", new, nonce=3)
    town.people["sol"].certificate = old.der
    with pytest.raises(CertificateReplaced, match="registry holds") as caught:
        town.hear(town.say("sol", WANT))
    assert caught.value.serial == 13
    assert caught.value.registered == new.fingerprint
    town.people["sol"].certificate = new.der
    assert town.hear(town.say("sol", WANT)).body == WANT


def test_genuine_certificate_of_somebody_not_registered(town: Town) -> None:
    """An authority's word alone lets nobody speak: who is not on the ledger has no money there."""
    key, stranger = device("eve"), certified("eve", 70).der
    with pytest.raises(CertificateReplaced, match="registry knows no certificate"):
        town.hear(town.say("ann", WANT, key=key, certificate=stranger))
    assert whole(town)


# what is said


def test_message_cut_redirected_or_changed(town: Town) -> None:
    wire = encode(town.say("ann", WANT))
    for at in range(0, len(wire), 7):
        bad = bytearray(wire)
        bad[at] ^= 1
        with pytest.raises(GridpactError):
            town.inbox.opened(bytes(bad), town.now)
    for cut in (0, 1, len(wire) // 2, len(wire) - 1):
        with pytest.raises(MalformedMessage):
            town.inbox.opened(wire[:cut], town.now)
    with pytest.raises(MalformedMessage, match="at most"):
        town.inbox.opened(wire + bytes(20_000), town.now)
    with pytest.raises(NotForMe):
        town.people["sue"].inbox.opened(wire, town.now)
    assert town.inbox.opened(wire, town.now).body == WANT


def test_message_of_another_chain(town: Town) -> None:
    message = town.say("ann", WANT)
    elsewhere = Domain(1, town.domain.verifying_contract)
    foreign = replace(message, signature=device("ann").sign(message.digest(elsewhere)))
    with pytest.raises(ForgedSignature):
        town.hear(foreign)


def test_replay(town: Town) -> None:
    message = town.say("ann", WANT)
    town.hear(message)
    with pytest.raises(Replayed, match="used before"):
        town.hear(message)
    town.now += 301
    with pytest.raises(OutOfTime):
        town.hear(message)


@pytest.mark.parametrize("skew", [-301, 301, -BEGINS, 2**63 - BEGINS])
def test_clock_skew(town: Town, skew: int) -> None:
    with pytest.raises(OutOfTime, match="expected within 300 s"):
        town.hear(town.say("ann", WANT, sent_at=town.now + skew))
    assert town.hear(town.say("ann", WANT, sent_at=town.now + 300)).body == WANT


def test_order_flood_is_cut_off_and_others_are_heard(town: Town) -> None:
    town.inbox = town.inbox_of(OPERATOR.address, FreshnessTerms(window_s=300, most=10))
    for _ in range(10):
        town.hear(town.say("ann", WANT))
    for _ in range(20):
        with pytest.raises(TooMany, match="more than 10 messages"):
            town.hear(town.say("ann", WANT))
    for _ in range(20):  # in Ben's name, not by Ben: costs Ben nothing
        with pytest.raises(ForgedSignature):
            town.hear(replace(town.say("ann", WANT), sender=device("ben").address))
    assert town.hear(town.say("ben", WANT)).body == WANT
    town.now += 301
    assert town.hear(town.say("ann", WANT)).body == WANT


# money


def test_double_spend_over_two_requests(town: Town) -> None:
    town.offer(volume=20_000)
    most = RICH * 1_000 // CAP
    town.ask("ann", most // 2 + 1_000)
    with pytest.raises(Unfunded, match="promised"):
        town.ask("ann", most // 2 + 1_000)
    town.ask("ben", most // 2 + 1_000)


def test_double_spend_over_two_wallets(town: Town) -> None:
    town.offer("sue", volume=VOLUME)
    answer = town.tell("ann", town.ask())
    ann = town.buyers["ann"]
    first = ann.choose(answer)
    assert first is not None
    town.desk.requests.choose(town.hear(town.say("ann", first)), town.now)
    # the same wallet for a second purchase
    town.offer("sol", volume=VOLUME)
    answer = town.tell("ann", town.ask())
    [choice] = answer.body.choices  # type: ignore[union-attr]
    second = replace(first, request=answer.body.request, offer=choice.offer)  # type: ignore[union-attr]
    with pytest.raises(Misplaced, match="out for another purchase"):
        town.desk.requests.choose(town.hear(town.say("ann", second)), town.now)
    # another wallet, opened with the money that is in the first
    ann.ledger.free(device("ann").address)
    with pytest.raises(Reverted, match="vault: not enough free"):
        ann.ledger.open_wallet(7, THIEF.address, _proof(town, 7), RICH, DUE)
    assert whole(town, ann=RICH - LOCKED)


def _proof(town: Town, number: int) -> bytes:
    ann = device("ann").address
    account = account_of(ann, REGION, number)
    return THIEF.sign(possession(town.domain, account, ann, THIEF.address))


def test_wallet_that_holds_money_is_kept_from_the_operator(town: Town) -> None:
    town.offer(volume=2 * VOLUME)
    town.choose()
    body = replace(town.buyers["ann"].ask(DUE, VOLUME, CAP, 0), wallets=())
    with pytest.raises(Misstated, match="wallets of the request"):
        town.desk.requests.buy(town.hear(town.say("ann", body)), town.now)


def test_somebody_elses_wallet_counts_for_nobody_else(town: Town) -> None:
    town.offer(volume=2 * VOLUME)
    voucher = town.choose().voucher
    body = replace(WANT, wallets=(voucher.account,))
    with pytest.raises(Misstated, match="buyer of wallet"):
        town.desk.requests.buy(town.hear(town.say("ben", body)), town.now)


def test_credit_that_one_has_not_got(town: Town) -> None:
    with pytest.raises(Misstated, match="credit of the request"):
        town.desk.requests.buy(town.hear(town.say("ann", replace(WANT, credit=900_000))), town.now)


def test_altered_amount_in_voucher_payment_and_bill(town: Town) -> None:
    town.offer()
    certified = town.choose()
    cheaper = replace(certified.voucher, balance=1)
    more = replace(certified.voucher, volume_wh=2 * VOLUME)
    uncharged = replace(certified.voucher, charge=0)
    for bad in (cheaper, more, uncharged):
        with pytest.raises(Misstated):
            town.buyers["ann"].pay(town.tell("ann", replace(certified, voucher=bad)))
    seller, payment = town.buyers["ann"].pay(town.tell("ann", certified))
    sue = town.sellers["sue"]
    free = replace(payment, voucher=replace(certified.voucher, charge=0))
    with pytest.raises(Misstated, match="less charge of the voucher"):
        sue.accept(town.say("ann", free, to=seller))
    with pytest.raises(Misstated, match="price of the payment"):
        sue.accept(town.say("ann", replace(payment, price=1), to=seller))
    with pytest.raises(Misstated, match="less charge of the voucher"):
        sue.accept(town.say("ann", replace(payment, voucher=more), to=seller))
    voucher = sue.accept(town.say("ann", payment, to=seller))
    town.go_to(DUE)
    bill = sue.bill(voucher.purchase, VOLUME)
    for lie in (
        replace(bill, due=bill.due + 1),
        replace(bill, delivered_wh=VOLUME + 1),
        replace(bill, receiver=THIEF.address),
        replace(bill, delivered_wh=VOLUME - 1, due=voucher.due(VOLUME - 1)),
    ):
        with pytest.raises(Misstated):
            town.desk.bills.bill(town.hear(town.say("sue", lie)), town.now)
    assert whole(town, ann=RICH - LOCKED)


def test_voucher_that_the_operator_did_not_sign(town: Town) -> None:
    town.offer()
    certified = town.choose()
    forged = replace(certified, signature=THIEF.sign(certified.voucher.digest(town.domain)))
    with pytest.raises(ForgedSignature, match="voucher"):
        town.buyers["ann"].pay(town.tell("ann", forged))
    _, payment = town.buyers["ann"].pay(town.tell("ann", certified))
    bad = replace(payment, certified=forged.signature)
    with pytest.raises(ForgedSignature, match="voucher"):
        town.sellers["sue"].accept(town.say("ann", bad, to=device("sue").address))
    assert whole(town, ann=RICH - LOCKED)


def test_stolen_voucher(town: Town) -> None:
    town.offer()
    payment = town.pay()
    sue, body = town.sellers["sue"], payment.body
    assert isinstance(body, Pay)
    with pytest.raises(Misstated, match="buyer of the wallet"):
        sue.accept(town.say("ben", body, to=device("sue").address))
    own = replace(body, paid=device("ben").sign(body.voucher.digest(town.domain)))
    with pytest.raises(ForgedSignature, match="payment"):
        sue.accept(town.say("ann", own, to=device("sue").address))
    assert sue.accept(payment) == body.voucher
    assert whole(town, ann=RICH - LOCKED)


def test_buyer_that_never_pays_costs_no_seller_its_name(town: Town) -> None:
    town.offer()
    voucher = town.choose().voucher
    town.go_to(DUE + 1)
    town.desk.settling.time_out(voucher.purchase, town.now)
    town.rate()
    assert whole(town)
    assert not town.desk.standings.blacklist
    assert town.desk.standings.of(device("sue").address, DUE).broken == 0


def test_expired_voucher(town: Town) -> None:
    town.offer()
    payment = town.pay()
    town.go_to(DUE + 1)
    with pytest.raises(Reverted, match="wallets: voucher expired"):
        town.sellers["sue"].accept(payment)
    town.desk.settling.time_out(payment.body.voucher.purchase, town.now)  # type: ignore[union-attr]
    assert whole(town)


# delivery


def test_seller_bills_without_delivery(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.go_to(DUE + 3)
    settled = town.metered(voucher, sent=0, taken=VOLUME)
    town.rate(ann=(VOLUME, 0))
    assert (settled.delivered_wh, settled.paid) == (0, 0)
    assert whole(town)
    assert town.desk.standings.blacklist == {device("sue").address}
    with pytest.raises(Reverted, match="wallets: too early"):
        town.fined()
    town.go_to(DUE + 5)
    assert town.fined() == {"sue": amount(FINE, VOLUME)}
    assert town.fined() == {}


def test_seller_delivers_short(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    word = town.sellers["sue"].correct(voucher.purchase, 1_000)
    town.desk.bills.correct(town.hear(town.say("ann", word)))
    town.go_to(DUE + 3)
    settled = town.metered(voucher, sent=1_000, taken=VOLUME)
    town.rate(ann=(VOLUME, 0), sue=(0, 1_000))
    assert (settled.paid, settled.charge) == (voucher.due(1_000), voucher.charged(1_000))
    assert whole(town, ann=RICH - settled.paid - settled.charge, sue=settled.paid)
    assert town.desk.standings.blacklist == {device("sue").address}
    town.go_to(DUE + 5)
    owed = ReviewTerms(fine=FINE).owed(VOLUME, 1_000)
    assert town.fined() == {"sue": owed}
    assert town.desk.ledger.deposit(device("sue").address) == SECURED - owed
    assert whole(town, ann=RICH - settled.paid - settled.charge, sue=settled.paid)


def test_buyer_withholds_confirmation(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    with pytest.raises(Reverted, match="wallets: too early"):
        town.metered(voucher, sent=VOLUME, taken=VOLUME)
    town.go_to(DUE + 3)
    settled = town.metered(voucher, sent=VOLUME, taken=VOLUME)
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME))
    assert (settled.delivered_wh, settled.paid) == (VOLUME, COST)
    assert whole(town, ann=RICH - LOCKED, sue=COST)
    record = town.desk.standings.record(device("ann").address)
    assert (record.timely, record.late) == (0, 1)
    assert town.desk.standings.blacklist == {device("ann").address}
    proven = town.desk.ledger.proven(device("ann").address, DUE)
    assert (proven.withheld_wh, proven.confirmed_wh) == (VOLUME, 0)
    town.go_to(DUE + 5)
    assert town.fined() == {"ann": 0}  # she has no deposit


def test_operator_keeps_a_confirmation_back_to_have_the_buyer_fined(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    with pytest.raises(Misplaced, match="nothing was confirmed"):
        town.buyers["ann"].insist(voucher.purchase)
    town.buyers["ann"].confirm(voucher.purchase, VOLUME)  # on its way to nobody
    town.buyers["ann"].insist(voucher.purchase)
    assert whole(town, ann=RICH - LOCKED, sue=COST)
    town.go_to(DUE + 3)
    with pytest.raises(Reverted, match="wallets: other state"):
        town.metered(voucher, sent=VOLUME, taken=VOLUME)
    assert town.desk.ledger.proven(device("ann").address, DUE).withheld_wh == 0


def test_buyer_confirms_less_than_came(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.confirm(voucher, 500)
    town.go_to(DUE + 3)
    settled = town.metered(voucher, sent=VOLUME, taken=VOLUME)
    assert settled.delivered_wh == VOLUME
    assert whole(town, ann=RICH - LOCKED, sue=COST)
    assert town.desk.standings.record(device("ann").address).late == 1


def test_buyer_takes_nothing_to_harm_a_seller_that_delivered(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.go_to(DUE + 3)
    settled = town.metered(voucher, sent=VOLUME, taken=0)
    town.rate(sue=(0, VOLUME))
    assert settled.paid == 0
    assert device("sue").address not in town.desk.standings.blacklist
    assert town.credit("sue") > 0


def test_thief_confirms_and_meters_for_others(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    word = Confirm(voucher.purchase, VOLUME, THIEF.sign(bytes(32)))
    with pytest.raises(ForgedSignature, match="confirmation"):
        town.desk.settling.confirm(town.hear(town.say("ann", word)), town.now)
    with pytest.raises(Misstated, match="buyer of the purchase"):
        town.desk.settling.confirm(town.hear(town.say("ben", word)), town.now)
    town.go_to(DUE + 3)
    sold, bought = town.profile("sue", 0, VOLUME), town.profile("ann", VOLUME, 0)
    forged = THIEF.sign(sold[0].digest(town.domain))
    with pytest.raises(Reverted, match="not the meter's signature"):
        town.desk.settling.meter(voucher.purchase, sold[0], forged, *bought, town.now)
    assert whole(town, ann=RICH - LOCKED)


def test_wrong_bill_is_corrected_by_its_seller_and_costs_no_credibility(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    bill = town.bill(voucher)
    less = town.sellers["sue"].correct(voucher.purchase, VOLUME - 100)
    assert less.bill == bill
    town.desk.bills.correct(town.hear(town.say("sue", less)))
    assert town.desk.records.purchases[voucher.purchase].billed == VOLUME - 100
    for lie in (replace(less, delivered_wh=VOLUME), replace(less, bill=bytes(32))):
        with pytest.raises((Misstated, Misplaced)):
            town.desk.bills.correct(town.hear(town.say("sue", lie)))
    with pytest.raises(Misstated, match="sender of the counter-statement"):
        town.desk.bills.correct(town.hear(town.say("ben", less)))
    town.confirm(voucher, VOLUME - 100)
    town.go_to(DUE + 3)
    town.metered(voucher, sent=VOLUME - 100, taken=VOLUME)
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME - 100))
    assert not town.desk.standings.blacklist


def test_buyer_disputes_a_bill_and_the_meters_decide(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    word = town.sellers["sue"].correct(voucher.purchase, 200)
    town.desk.bills.correct(town.hear(town.say("ann", word)))
    assert town.desk.records.purchases[voucher.purchase].disputed == 200
    town.go_to(DUE + 3)
    assert town.metered(voucher, sent=VOLUME, taken=VOLUME).paid == COST
    assert town.desk.standings.record(device("ann").address).late == 1


def test_purchase_settles_once(town: Town) -> None:
    settled = town.trade()
    with pytest.raises(Misplaced, match="settled before"):
        town.metered_again(settled.purchase)
    assert whole(town, ann=RICH - LOCKED, sue=COST)


# standing


def test_newcomer_sells_no_more_than_its_deposit_covers(town: Town) -> None:
    with pytest.raises(Overexposed, match="needs a deposit"):
        town.offer(volume=21_000)
    town.offer(volume=20_000)
    with pytest.raises(Overexposed):
        town.offer(volume=1)


def test_blacklisted_are_refused_and_told_to_all(town: Town) -> None:
    test_seller_bills_without_delivery(town)
    sue = device("sue").address
    notice = town.desk.requests.notice()
    assert notice.blacklist == (sue,)
    assert town.desk.requests.notice().serial == notice.serial + 1
    with pytest.raises(GridpactError, match="on the blacklist"):
        town.sell_again("sue")
    with pytest.raises(Misplaced, match="may ask for a review from interval"):
        town.desk.standings.review(sue, DUE + 4)
    town.desk.standings.review(sue, DUE + 24 * 7)
    assert not town.desk.standings.blacklist
    assert town.desk.standings.of(sue, DUE + 24 * 7).broken == 1


@pytest.mark.parametrize(
    "lie",
    [
        {"volume_wh": 0},
        {"volume_wh": 2**36},
        {"cap": 0},
        {"cap": 2**48},
        {"interval": 0},
    ],
)
def test_request_with_numbers_out_of_range(town: Town, lie: dict[str, int]) -> None:
    with pytest.raises(Misstated, match="expected"):
        town.desk.requests.buy(town.hear(town.say("ann", replace(WANT, **lie))), town.now)


def test_answer_that_nobody_asked_for_and_prices_above_the_cap(town: Town) -> None:
    town.offer()
    answer = town.ask()
    ann = town.buyers["ann"]
    with pytest.raises(Misplaced, match="that nobody made"):
        ann.choose(town.tell("ann", replace(answer, request=bytes(32))))
    [choice] = answer.choices
    for lie in ({"price": CAP + 1}, {"charge": CAP}, {"volume_wh": VOLUME + 1}, {"volume_wh": 0}):
        bad = replace(answer, choices=(replace(choice, **lie),))  # type: ignore[arg-type]
        with pytest.raises(Misstated):
            ann.choose(town.tell("ann", bad))
    assert ann.choose(town.tell("ann", replace(answer, choices=())), cheapest) is None
    assert whole(town)


def test_old_record_of_a_buyer_does_not_replace_a_newer_one(town: Town) -> None:
    before = town.desk.settling.renewed(device("ann").address)
    town.trade()
    with pytest.raises(Misstated, match="serial of the record"):
        town.buyers["ann"].renew(town.tell("ann", before))
    forged = replace(before, record=replace(town.buyers["ann"].record, late=0, timely=99))
    with pytest.raises(ForgedSignature, match="record"):
        town.buyers["ann"].renew(town.tell("ann", forged))


def test_every_body_of_another_kind_is_refused_by_name(town: Town) -> None:
    message = town.hear(town.say("ann", WANT))
    desk = town.desk
    requests, bills, settling = desk.requests, desk.bills, desk.settling
    for method in (requests.sell, requests.choose, bills.bill, settling.confirm, bills.stop):
        with pytest.raises(MalformedMessage, match="a body of kind Buy"):
            method(message, town.now)
