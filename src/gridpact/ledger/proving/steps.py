"""The steps of a part of net settlement as calls carry them: the arguments of `net.vy`.

A part goes reserve -> commit -> post -> window -> finalise. The first three bring the council's
word on their digest (`part.reserve_digest`, `commit_digest`, `Part.digest`), the rest is anybody's:
`finalise`, `carry` for what it held, `ratings.rate_part` for its sellers, `release` when it failed.
`Suite.call` makes a transaction of each.
"""

from collections.abc import Iterable, Sequence

from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.ledger.proving.part import Part, Row
from gridpact.ledger.proving.proofs import opening
from gridpact.model.council import Word

Given = tuple[bytes | Rows, ...]
"""A call's arguments, for `Suite.call` or `abi.arguments`."""


def reserve(part: Part, word: Word) -> Given:
    """Return the arguments of `reserve`: every row's reservation, no locks yet."""
    rows = _list(row._replace(lock=0).word for row in part.rows)
    return (pack(*part.place, part.epoch), rows, *_said(word))


def commit(part: Part, word: Word) -> Given:
    """Return the arguments of `commit`: the locks, the clearing and which fills of it."""
    head = pack(*part.place, part.epoch, part.clearing, part.span)
    return (head, _list(part.row_words), *_said(word))


def post(part: Part, word: Word, root: bytes | None = None) -> Given:
    """Return the arguments of `post`; `root` where it is known already."""
    head = pack(*part.place, part.epoch, part.clearing, root or part.root) + part.head
    lists = map(_list, (part.row_words, part.delta_words, part.rating_words))
    return (head, *lists, *_said(word))


def finalise(part: Part, root: bytes | None = None) -> Given:
    """Return the arguments of `finalise`, and of `carry`."""
    return (opening(part, root), _list(part.row_words), _list(part.delta_words))


carry = finalise


def release(part: Part, rows: Sequence[Row] | None = None) -> Given:
    """Return the arguments of `fallback.release`; `rows` without locks where none was committed."""
    words = [row.word for row in (part.rows if rows is None else rows)]
    return (pack(*part.place, part.clearing, part.span), _list(words))


def _said(word: Word) -> tuple[Rows, Rows]:
    return Rows(list(map(pack, word.members))), Rows(word.signatures)


def _list(words: Iterable[int]) -> Rows:
    return Rows([word.to_bytes(32, "big") for word in words])
