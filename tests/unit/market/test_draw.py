"""The order in which equal bids are served."""

import random

from tests.unit.market.book_case import SEED, bid

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak
from gridpact.market.draw import book_seed, drawn, place


def test_seed_is_the_hash_of_the_books_root() -> None:
    hashes = [bid(who, 1).hash for who in range(5)]
    assert book_seed(hashes) == keccak(merkle.root(hashes))
    assert book_seed([]) == keccak(merkle.EMPTY)


def test_seed_depends_on_every_order_and_its_place() -> None:
    hashes = [bid(who, 1).hash for who in range(5)]
    assert len({book_seed(hashes), book_seed(hashes[::-1]), book_seed(hashes[:4])}) == 3


def test_who_comes_first_does_not_depend_on_arrival() -> None:
    bids = [bid(who, 1) for who in range(30)]
    shuffled = random.Random(4).sample(bids, 30)
    assert drawn(bids, SEED) == drawn(shuffled, SEED)
    assert drawn(bids, SEED) != drawn(bids, b"\x04" * 32)


def test_every_bid_is_drawn_first_about_equally_often() -> None:
    bids = [bid(who, 1) for who in range(4)]
    first = [drawn(bids, bytes([seed // 256, seed % 256]) * 16)[0] for seed in range(800)]
    assert all(160 < first.count(one) < 240 for one in bids)


def test_anybody_can_check_a_place() -> None:
    one = bid(1, 1)
    assert place(SEED, one.hash) == keccak(SEED + one.hash)
