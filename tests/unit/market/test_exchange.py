"""Signed counter-offers: who may say what, and what is proven by it."""

from dataclasses import replace

import msgspec
import pytest

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key
from gridpact.errors import InvalidClearing
from gridpact.market.exchange import Exchange, Party, Reply, negotiate, verify
from gridpact.model.order import Order, Side, SignedOrder, Tier
from gridpact.model.proposal import SignedProposal, Word

DOMAIN = Domain(7, b"\1" * 20)
BUYER, ANNE, BERT, EVE = (Key.derive(b"exchange", name) for name in ("buyer", "a", "b", "e"))
LEAST = {ANNE.address: 100, BERT.address: 120}


def request(energy: int = 1_000, price: int = 150) -> SignedOrder:
    order = Order(BUYER.address, Side.BID, Tier.LOCAL, b"\2" * 32, 4, energy, price)
    return SignedOrder(order, BUYER.sign(order.digest(DOMAIN)))


def party(key: Key, *replies: Reply | None) -> Party:
    """Return a party that gives these replies one after the other, then ignores."""
    left = list(replies)
    return Party(key.address, lambda *_: left.pop(0) if left else None, key.sign)


def accept(energy: int) -> Reply:
    return Reply(Word.ACCEPT, energy, 0)


def counter(energy: int, price: int) -> Reply:
    return Reply(Word.COUNTER, energy, price)


def haggle() -> Exchange:
    """Anne counters, the buyer counters, Anne accepts; Bert's price is accepted for the rest."""
    return negotiate(
        request(),
        party(BUYER, counter(600, 120), accept(400)),
        [party(ANNE, counter(600, 130), accept(600)), party(BERT, counter(900, 140))],
        DOMAIN,
        rounds=3,
    )


def test_counter_offers_change_price_and_volume_until_someone_accepts() -> None:
    found = haggle()
    said = [
        (one.proposal.word.name, one.proposal.energy_wh, one.proposal.price)
        for one in found.messages
    ]
    assert said == [
        ("COUNTER", 600, 130), ("COUNTER", 900, 140), ("COUNTER", 600, 120),
        ("ACCEPT", 400, 140), ("ACCEPT", 600, 120),
    ]  # fmt: skip
    agreed = {one.seller: (one.energy_wh, one.price) for one in found.agreements}
    assert agreed == {ANNE.address: (600, 120), BERT.address: (400, 140)}
    verify(found, DOMAIN, 3, LEAST)


def test_a_request_may_be_taken_as_it_is_and_no_more_is_sold_than_asked() -> None:
    sellers = [party(ANNE, accept(700)), party(BERT, accept(700))]
    found = negotiate(request(), party(BUYER), sellers, DOMAIN, 3)
    assert [(one.energy_wh, one.price) for one in found.agreements] == [(700, 150), (300, 150)]
    verify(found, DOMAIN, 3, LEAST)


def test_who_ignores_a_message_is_out() -> None:
    sellers = [party(ANNE, None, accept(700)), party(BERT, counter(10, 149))]
    found = negotiate(request(), party(BUYER, None, accept(10)), sellers, DOMAIN, 5)
    assert len(found.messages) == 1
    assert found.agreements == ()


def test_after_k_rounds_nothing_more_is_said() -> None:
    stubborn = [counter(1_000, 149)] * 9
    found = negotiate(
        request(), party(BUYER, *[counter(1_000, 101)] * 9), [party(ANNE, *stubborn)], DOMAIN, 3
    )
    assert [one.proposal.round for one in found.messages] == [1, 1, 2, 2, 3, 3]
    verify(found, DOMAIN, 3, LEAST)
    with pytest.raises(InvalidClearing, match="round 3, 2 are allowed"):
        verify(found, DOMAIN, 2, LEAST)


def test_the_root_binds_every_word() -> None:
    found = haggle()
    shorter = replace(found, messages=found.messages[:-1])
    assert len({found.root(DOMAIN), shorter.root(DOMAIN), haggle().root(DOMAIN)}) == 2


def forged(exchange: Exchange, place: int, key: Key, **change: object) -> Exchange:
    """Return an exchange in which one message says something else, signed by a key."""
    said = msgspec.structs.replace(exchange.messages[place].proposal, **change)
    signed = SignedProposal(said, key.sign(said.digest(DOMAIN)))
    messages = (*exchange.messages[:place], signed, *exchange.messages[place + 1 :])
    return replace(exchange, messages=messages)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda e: forged(e, 4, EVE), "message 4 is not signed by its participant"),
        (lambda e: forged(e, 4, EVE, participant=EVE.address), "message 4 is by nobody"),
        (lambda e: forged(e, 4, BERT, participant=BERT.address), "message 4 is by nobody"),
        (lambda e: forged(e, 4, ANNE, price=149), "message 4 accepts what was not proposed"),
        (lambda e: forged(e, 4, ANNE, energy_wh=601), "message 4 accepts what was not proposed"),
        (lambda e: forged(e, 4, ANNE, answers=b"\3" * 32), "message 4 answers nothing"),
        (lambda e: forged(e, 4, ANNE, request=b"\3" * 32), "message 4 answers nothing"),
        (lambda e: replace(e, agreements=e.agreements[:1]), "the agreements are not those"),
        (lambda e: replace(e, messages=(*e.messages, e.messages[4])), "has been answered"),
    ],
)
def test_a_changed_exchange_is_found_out(change: object, problem: str) -> None:
    with pytest.raises(InvalidClearing, match=problem):
        verify(change(haggle()), DOMAIN, 3, LEAST)  # type: ignore[operator]


def test_an_agreement_outside_the_orders_limits_is_found_out() -> None:
    found = haggle()
    with pytest.raises(InvalidClearing, match="breaks a limit"):
        verify(found, DOMAIN, 3, {ANNE.address: 121, BERT.address: 120})
