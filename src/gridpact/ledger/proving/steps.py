"""The steps of a part of net settlement, from the part itself: the arguments of `net.vy`.

A part goes reserve -> commit -> post -> window -> finalise. The first three bring the council's
word on their digest (`part.reserve_digest`, `commit_digest`, `Part.digest`), the rest is anybody's:
`finalise`, `carry` for what it held, `ratings.rate_part` for its sellers, `release` when it failed.
`Suite.call` makes a transaction of each. `onchain/netting.py` has the words.
"""

from collections.abc import Sequence

from gridpact.ledger.onchain import netting, packing
from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.ledger.onchain.netting import Given
from gridpact.ledger.proving.part import Part, Row
from gridpact.model.council import Word
from gridpact.model.net import NetLocks, NetPart

_NOBODY = Word()


def locked(part: Part, reserved: Word = _NOBODY, committed: Word = _NOBODY) -> NetLocks:
    """Return what a record says of a part before delivery."""
    return NetLocks(part.clearing, packing.words(part.row_words), reserved, committed)


def stated(part: Part, word: Word = _NOBODY, root: bytes | None = None) -> NetPart:
    """Return what a record says of a part; `root` where it is known already."""
    return NetPart(
        clearing=part.clearing,
        root=root or part.root,
        header=part.head,
        rows=packing.words(part.row_words),
        deltas=packing.words(part.delta_words),
        ratings=packing.words(part.rating_words),
        word=word,
    )


def reserve(part: Part, word: Word) -> Given:
    """Return the arguments of `reserve`: every row's reservation, no locks yet."""
    return netting.reserve(part.place, locked(part, reserved=word))


def commit(part: Part, word: Word) -> Given:
    """Return the arguments of `commit`: the locks, the clearing and which fills of it."""
    return netting.commit(part.place, locked(part, committed=word), part.span)


def post(part: Part, word: Word, root: bytes | None = None) -> Given:
    """Return the arguments of `post`; `root` where it is known already."""
    return netting.post(part.place, stated(part, word, root))


def finalise(part: Part, root: bytes | None = None) -> Given:
    """Return the arguments of `finalise`, and of `carry`."""
    return netting.finalise(part.place, stated(part, Word(part.epoch), root))


carry = finalise


def release(part: Part, rows: Sequence[Row] | None = None) -> Given:
    """Return the arguments of `fallback.release`; `rows` without locks where none was committed."""
    words = [row.word for row in (part.rows if rows is None else rows)]
    head = pack(*part.place, part.clearing, part.span)
    return (head, Rows(netting.listed(packing.words(words))))
