"""What anybody brings to have a failed part paid fill by fill: the arguments of `fallback.vy`.

A part of net settlement fails when it was cancelled or never posted in time. Then each account's
row is opened once, each fill is shown in the posted clearing with both meters' signed profiles, and
what nobody paid in its time goes back (5-decisions, section 17). What a final part held is paid by
its own leaves, when the part that follows it fails.
"""

from collections.abc import Iterable, Sequence

from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import arguments, pack
from gridpact.ledger.onchain.chunks import chunked, opened
from gridpact.ledger.onchain.roots import Posting, fill_leaves
from gridpact.ledger.proving.part import OWN, Part
from gridpact.ledger.proving.proofs import content, siblings
from gridpact.ledger.proving.proofs import shown as leaf_of
from gridpact.model.trade import Fill

Signed = tuple[int, bytes]
"""A meter's registers of an interval as `model.delivery.Profile` has them, and their signature."""


def rows(part: Part, fills: Iterable[Fill]) -> list[int]:
    """Return the rows that must be open before these fills are paid: the buyers' and `OWN`."""
    wanted = {fill.buyer for fill in fills} | set(OWN)
    return [at for at, row in enumerate(part.rows) if row.account in wanted]


def open_row(part: Part, row: int) -> bytes:
    """Return the arguments of `open` for a row of the part."""
    words = part.row_words
    head = pack(*part.place, part.clearing, part.span, chunked(words))
    return arguments(head, opened(words, row))


def shown(part: Part, posting: Posting, fills: Sequence[Fill], index: int) -> bytes:
    """Return the arguments of `refund`: the part, its book, and a fill in the posted clearing.

    `fills` are all of the clearing, in its order; `index` is a fill's place among them.
    """
    leaves = fill_leaves(fills)
    fill, links = leaves[index].fill, leaves[index].links
    contents = [leaf.content for leaf in leaves]
    book = pack(chunked(part.row_words), part.span, *posting)
    leaf = fill.region + packing.fill(fill) + links
    proof = pack(index << 128 | len(leaves)) + siblings(contents, index)
    return pack(*part.place) + book + leaf + proof


def pay(
    part: Part,
    posting: Posting,
    fills: Sequence[Fill],
    index: int,
    seller: Signed,
    buyer: Signed,
) -> bytes:
    """Return the arguments of `pay`: what `shown` does, and the two meters' word."""
    meters = b"".join(
        pack(registers) + packing.compact(signature) for registers, signature in (seller, buyer)
    )
    return shown(part, posting, fills, index) + meters


def pay_held(part: Part, first: Part, fill: Fill, index: int) -> bytes:
    """Return the arguments of `pay_held`: a fill that a final part held, by its leaf `index` there.

    `part` is the one that was to settle what `first` held, and failed.
    """
    head = pack(*part.place) + packing.fill(fill) + content(first)
    return head + chunked(part.row_words) + leaf_of(first, index)
