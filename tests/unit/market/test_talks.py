"""The words behind a fill: said by the rule, signed by both, and found out when they are others."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.market.book_case import BOOKS, REGION, SEED, prices

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key
from gridpact.errors import InvalidClearing
from gridpact.market.caps import Pairs
from gridpact.market.concession import Concession
from gridpact.market.local_book import LocalBook, local_book
from gridpact.market.negotiation import Negotiation
from gridpact.market.talks import Pair, check, talk, talks
from gridpact.model.order import Accepted, Order, Side, Tier
from gridpact.model.proposal import Talk, Word
from gridpact.model.trade import Fill
from gridpact.quantities import PPM

DOMAIN = Domain(7, b"\1" * 20)
KEYS = {key.address: key for key in (Key.derive(b"talks", name) for name in ("b", "c", "s", "t"))}
BUYER, OTHER, SELLER, RIVAL = KEYS
TERMS = Concession()


def device(who: bytes, digest: bytes) -> bytes:
    return KEYS[who].sign(digest)


def ordered(who: bytes, side: Side, energy: int, price: int) -> Accepted:
    order = Order(who, side, Tier.LOCAL, REGION, 4, energy, price)
    name = order.digest(DOMAIN)
    return Accepted(name, order, device(who, name), 0, 0, b"")


def market() -> tuple[LocalBook, tuple[Fill, ...]]:
    book = [
        ordered(BUYER, Side.BID, 900, 300_000),
        ordered(OTHER, Side.BID, 500, 250_000),
        ordered(SELLER, Side.OFFER, 700, 100_000),
        ordered(RIVAL, Side.OFFER, 700, 120_000),
    ]
    buses, scores = dict.fromkeys(KEYS, 1), dict.fromkeys(KEYS, PPM)
    local = local_book(book, Pairs.of(prices(), Tier.LOCAL), buses, scores, SEED)
    return local, local.fills(Negotiation()(local.book))


@given(
    low=st.integers(1, 10**6),
    gap=st.integers(0, 10**6),
    buyer=st.integers(0, PPM),
    seller=st.integers(0, PPM),
    rounds=st.integers(1, 12),
)
@BOOKS
def test_devices_agree_on_the_price_that_the_mechanism_finds(
    low: int, gap: int, buyer: int, seller: int, rounds: int
) -> None:
    terms = Concession(rounds, buyer, seller)
    bid = ordered(BUYER, Side.BID, 900, low + gap)
    pair = Pair(bid, ordered(SELLER, Side.OFFER, 700, low), 650, low, low + gap)
    said = talk(pair, terms, DOMAIN, device).said
    met = terms.meeting(low, low + gap)
    last = said[-1]
    assert (last.word is Word.ACCEPT) == (met is not None)
    assert len(said) <= 2 * (rounds + 1)
    if met is not None:
        assert (last.energy_wh, last.price) == (650, met[1])


def test_every_fill_is_what_its_devices_signed() -> None:
    local, fills = market()
    said = talks(local, fills, TERMS, DOMAIN, device)
    assert len(fills) == len(said) == 3
    check(said, local, fills, TERMS, DOMAIN)
    assert [one.word for one in said[0].said] == [Word.COUNTER] * 10 + [Word.ACCEPT]
    ceiling = int(local.book.ceiling(0, 0))
    assert said[0].said[0].price == ceiling, "the seller opens with the most"


def word(place: int, **change: object) -> Callable[[Sequence[Talk]], Sequence[Talk]]:
    def forge(said: Sequence[Talk]) -> Sequence[Talk]:
        words = list(said[1].said)
        words[place] = replace(words[place], **change)
        return (said[0], replace(said[1], said=tuple(words)), *said[2:])

    return forge


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda said: said[:-1], "2 talks for 3 local fills"),
        (lambda said: (said[1], said[0], said[2]), "talk 0: is about other orders"),
        (word(3, price=1), "talk 1: message 3 is not signed by its participant"),
        (word(-1, energy_wh=1), "talk 1: message 10 is not signed by its participant"),
        (word(0, signature=b"\2" * 65), "talk 1: message 0 is not signed"),
        (
            lambda said: (said[0], replace(said[1], said=said[1].said[:-1]), said[2]),
            r"talk 1: agrees on \[\], the fill is",
        ),
    ],
)
def test_a_talk_that_was_not_held_so_is_found_out(
    forge: Callable[[Sequence[Talk]], Sequence[Talk]], says: str
) -> None:
    local, fills = market()
    said = talks(local, fills, TERMS, DOMAIN, device)
    with pytest.raises(InvalidClearing, match=says):
        check(forge(said), local, fills, TERMS, DOMAIN)


def test_a_fill_at_another_price_than_agreed_is_found_out() -> None:
    local, fills = market()
    said = talks(local, fills, TERMS, DOMAIN, device)
    dearer = (replace(fills[0], price=fills[0].price + 1), *fills[1:])
    with pytest.raises(InvalidClearing, match="talk 0: agrees on"):
        check(said, local, dearer, TERMS, DOMAIN)


def test_nobody_speaks_for_another() -> None:
    local, fills = market()
    alone = talks(local, fills, TERMS, DOMAIN, lambda _, digest: device(BUYER, digest))
    with pytest.raises(InvalidClearing, match="is not signed by its participant"):
        check(alone, local, fills, TERMS, DOMAIN)
