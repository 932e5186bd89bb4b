"""Who is rated by a part of net settlement, and what anybody brings for it.

A final part says under its header what each account agreed and sent as a seller. `reputation.vy`
rates 32 rows of it at a time; the rule itself is `reputation/rule.py: rated`.
"""

from typing import NamedTuple

from gridpact.ledger.onchain.abi import Tail
from gridpact.ledger.onchain.chunks import CHUNK, opened
from gridpact.ledger.proving.part import Part
from gridpact.ledger.proving.proofs import opening
from gridpact.quantities import Wh


class Sold(NamedTuple):
    """What a seller is rated by."""

    seller: bytes
    agreed: Wh
    sent: Wh


def sold(part: Part, chunk: int) -> list[Sold]:
    """Return the sellers among the 32 rows of a chunk, in the order in which they are rated."""
    first, end = chunk * CHUNK, (chunk + 1) * CHUNK
    rows = zip(part.rows[first:end], part.ratings[first:end], strict=True)
    return [Sold(row.account, said.agreed, said.sent) for row, said in rows if said.agreed]


def to_rate(part: Part) -> list[int]:
    """Return the chunks of 32 rows in which somebody is rated."""
    return [chunk for chunk in range(-(-len(part.rows) // CHUNK)) if sold(part, chunk)]


def rate_part(part: Part, chunk: int) -> tuple[bytes | Tail, ...]:
    """Return the arguments of `reputation.rate_part` for a chunk of 32 rows."""
    row = chunk * CHUNK
    return (opening(part), opened(part.row_words, row), opened(part.rating_words, row // 2))
