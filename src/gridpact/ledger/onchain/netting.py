"""A part of net settlement as calls carry it: the arguments of `net.vy` and `reputation.rate_part`.

From what a record says of a part (`model/net.py`) and from its place: region, interval, number.
"""

from collections.abc import Iterator, Sequence

from gridpact.ledger.onchain.abi import WORD, Rows, Tail, pack
from gridpact.ledger.onchain.chunks import CHUNK, digest, opened_at
from gridpact.model.council import Word
from gridpact.model.net import NetLocks, NetPart
from gridpact.quantities import MAX_ENERGY, Wh

HELD = 2**16
"""Added to a part's number for the part that settles what it held."""
LOCKS = 2**48 - 1
SOLD, SENT = 56, 16
"""Where a rating says what was agreed, and what was sent: see `netting.vy`."""

At = tuple[bytes, int, int]
Given = tuple[bytes | Rows | Tail, ...]
"""A call's arguments, for `Suite.call` or `abi.arguments`."""


def reserve(place: At, locks: NetLocks) -> Given:
    """Return the arguments of `reserve`: every row's reservation, no locks yet."""
    rows = Rows([unlocked(row) for row in listed(locks.rows)])
    return (pack(*place, locks.reserved.epoch), rows, *said(locks.reserved))


def commit(place: At, locks: NetLocks, span: int) -> Given:
    """Return the arguments of `commit`; `span`: first fill 32 | how many 32."""
    head = pack(*place, locks.committed.epoch, locks.clearing, span)
    return (head, Rows(listed(locks.rows)), *said(locks.committed))


def post(place: At, part: NetPart) -> Given:
    """Return the arguments of `post`."""
    head = pack(*place, part.word.epoch, part.clearing, part.root) + part.header
    lists = (Rows(listed(words)) for words in (part.rows, part.deltas, part.ratings))
    return (head, *lists, *said(part.word))


def finalise(place: At, part: NetPart) -> Given:
    """Return the arguments of `finalise`, and of `carry`."""
    return (opening(place, part), Rows(listed(part.rows)), Rows(listed(part.deltas)))


def opening(place: At, part: NetPart) -> bytes:
    """Return `netting.Place` and `netting.Content`: which part a call is about."""
    head = pack(part.word.epoch, part.clearing, digest(part.rows), part.root)
    return pack(*place) + head + part.header + digest(part.deltas)


def rate(place: At, part: NetPart) -> Iterator[Given]:
    """Yield the arguments of `rate_part` for each 32 rows in which somebody sold."""
    for row in range(0, len(part.rows) // WORD, CHUNK):
        ratings = part.ratings[row // 2 * WORD : (row + CHUNK) // 2 * WORD]
        if any(ratings):
            rows = opened_at(part.rows, row), opened_at(part.ratings, row // 2)
            yield (opening(place, part), *rows)


def said(word: Word) -> tuple[Rows, Rows]:
    return Rows(list(map(pack, word.members))), Rows(word.signatures)


def listed(words: bytes) -> Sequence[bytes]:
    """Return words one by one."""
    return [words[at : at + WORD] for at in range(0, len(words), WORD)]


def unlocked(row: bytes) -> bytes:
    """Return a row without its lock."""
    return row[:-6] + bytes(6)


def accounts(rows: bytes) -> list[tuple[bytes, int, int]]:
    """Return account, reservation and lock of each row."""
    found = (int.from_bytes(row, "big") for row in listed(rows))
    return [((row >> 96).to_bytes(20, "big"), row >> 48 & LOCKS, row & LOCKS) for row in found]


def halves(words: bytes, count: int) -> list[int]:
    """Return the first `count` half words of a list that has two rows to a word."""
    size = WORD // 2
    return [int.from_bytes(words[n * size : n * size + size], "big") for n in range(count)]


def sold(part: NetPart) -> list[tuple[bytes, Wh, Wh]]:
    """Return the sellers of a part with what they agreed and sent, in the order they are rated."""
    rows = accounts(part.rows)
    said = zip(rows, halves(part.ratings, len(rows)), strict=True)
    found = ((row[0], half >> SOLD, half >> SENT & MAX_ENERGY) for row, half in said)
    return [one for one in found if one[1]]
