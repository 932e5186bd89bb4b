"""What anybody shows to prove a posted part wrong: the arguments of `fraud.vy` and `evidence.vy`.

Everything comes out of the `Part` that the poster serves and out of the clearing's fills; `faults`
finds what an aggregator must look for before it signs, and a challenger afterwards.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import astuple

from gridpact.crypto import merkle
from gridpact.ledger.onchain import packing, roots
from gridpact.ledger.onchain.abi import Rows, Tail, arguments, pack
from gridpact.ledger.onchain.chunks import chunked, opened
from gridpact.ledger.onchain.roots import Posting, fill_leaves
from gridpact.ledger.proving import net
from gridpact.ledger.proving.part import Part
from gridpact.model.delivery import Delivery, Reading, SignedReading
from gridpact.model.statement import Statement
from gridpact.model.trade import Fill
from gridpact.quantities import Score

NOTHING = b"\0" * 32
_SIBLINGS = merkle.MAX_DEPTH
_NO_LEAF = NOTHING * (1 + 11 + _SIBLINGS)
_NO_FILL = NOTHING * 5


class Fault(NamedTuple):
    """What is wrong with a part: the contract and function that judge it, and what they are shown.

    `what` says it in words.
    """

    contract: str
    function: str
    given: tuple[bytes | Tail, ...]
    what: str


def content(part: Part, root: bytes | None = None) -> bytes:
    """Return `netting.Content`; `root` where it is known already."""
    head = pack(part.epoch, part.clearing, chunked(part.row_words), root or part.root)
    return head + part.head + chunked(part.delta_words)


def opening(part: Part, root: bytes | None = None) -> bytes:
    """Return `netting.Place` and `netting.Content`: which part a proof is about."""
    return pack(*part.place) + content(part, root)


def siblings(contents: Sequence[bytes], index: int) -> bytes:
    """Return the proof of a leaf, filled up to the tree's greatest depth."""
    return b"".join(merkle.proof(contents, index)).ljust(32 * _SIBLINGS, b"\0")


def shown(part: Part, index: int) -> bytes:
    """Return `statement.Shown` of a leaf: its place, its words, its proof."""
    contents = [leaf.content for leaf in part.leaves]
    return packing.words((index,)) + contents[index] + siblings(contents, index)


# the proofs, one function each


def step(part: Part, fill: Fill, index: int) -> Fault:
    """Prove that a leaf does not follow from the one before it."""
    before = shown(part, index - 1) if index else _NO_LEAF
    given = (opening(part), packing.fill(fill), shown(part, index), before)
    return Fault("fraud", "step", given, f"leaf {index} does not follow")


def chain(part: Part, fills: Mapping[bytes, Fill], index: int, of_seller: bool) -> Fault:
    """Prove that an account's sums in a leaf do not follow from its leaf before."""
    leaf = part.leaves[index]
    previous = (leaf.seller if of_seller else leaf.buyer).previous
    before = _NO_FILL + _NO_LEAF
    if 0 < previous <= index:
        last = part.leaves[previous - 1]
        before = packing.fill(fills[last.statement.fill]) + shown(part, previous - 1)
    given = (
        opening(part),
        packing.fill(fills[leaf.statement.fill]) + pack(int(of_seller)),
        shown(part, index) + before,
    )
    return Fault("fraud", "chain", given, f"sums of a party to leaf {index} do not follow")


def skipped(
    part: Part, fills: Mapping[bytes, Fill], index: int, of_seller: bool, between: int
) -> Fault:
    """Prove that an account has a leaf between a leaf and the one it names as before."""
    leaf, other = part.leaves[index], part.leaves[between]
    given = (
        opening(part),
        packing.fill(fills[leaf.statement.fill]) + pack(int(of_seller)),
        shown(part, index),
        packing.fill(fills[other.statement.fill]) + shown(part, between),
    )
    return Fault("fraud", "skipped", given, f"leaf {index} leaves out leaf {between}")


def delta(part: Part, row: int, index: int | None) -> Fault:
    """Prove that a row's change is not what its last leaf says."""
    leaf = _NO_LEAF if index is None else shown(part, index)
    given = (opening(part) + pack(row) + leaf, opened(part.delta_words, row // 2))
    return Fault("fraud", "delta", given, f"change of row {row}")


def rating(part: Part, row: int, index: int | None) -> Fault:
    """Prove that what a row is rated by is not what its last leaf says."""
    leaf = _NO_LEAF if index is None else shown(part, index)
    given = (opening(part) + pack(row) + leaf, opened(part.rating_words, row // 2))
    return Fault("fraud", "rating", given, f"rating of row {row}")


def row(part: Part, fill: Fill, index: int, of_seller: bool) -> Fault:
    """Prove that the row which a leaf gives a party is not that party's."""
    leaf = part.leaves[index]
    at = min((leaf.seller if of_seller else leaf.buyer).row, len(part.rows) - 1)
    head = opening(part) + packing.fill(fill) + pack(int(of_seller)) + shown(part, index)
    given = (head, opened(part.row_words, at))
    return Fault("fraud", "row", given, f"row of a party to leaf {index}")


def own_row(part: Part, which: int) -> Fault:
    """Prove that the header takes a row for one of the market's own accounts that is another's."""
    at = min(part.header.own[which], len(part.rows) - 1)
    given = (opening(part) + pack(which), opened(part.row_words, at))
    return Fault("fraud", "own_row", given, f"row of own account {which}")


def foreign(part: Part, index: int, posting: Posting, fills: Sequence[Fill]) -> Fault:
    """Prove that a leaf's fill is not the clearing's at its place."""
    leaves = [leaf.content for leaf in fill_leaves(fills)]
    position = part.leaves[index].position
    there = NOTHING * (2 + _SIBLINGS)
    if position < len(leaves):
        there = leaves[position] + siblings(leaves, position)
    given = (opening(part), shown(part, index) + pack(*posting) + there)
    return Fault("evidence", "foreign", given, f"leaf {index} is not the clearing's")


def duplicate(part: Part, index: int, first: Part, at: int) -> Fault:
    """Prove that a fill of a part is settled in another leaf too."""
    given = (opening(part) + shown(part, index), opening(first) + shown(first, at))
    return Fault("evidence", "duplicate", given, f"leaf {index} is settled twice")


def reading(
    part: Part,
    fill: Fill,
    index: int,
    of_seller: bool,
    readings: tuple[SignedReading, SignedReading],
) -> Fault:
    """Prove that a leaf gives a party more energy than the readings it binds."""
    both = b"".join(pack(*astuple(one.reading)) for one in readings)
    head = opening(part) + packing.fill(fill) + pack(int(of_seller))
    return Fault("evidence", "reading", (head, shown(part, index), both), f"meter of leaf {index}")


def between(
    part: Part,
    fill: Fill,
    index: int,
    of_seller: bool,
    bound: tuple[Reading, Reading],
    heard: Sequence[SignedReading],
    at: int,
) -> Fault:
    """Prove that a meter was read between the two readings that a leaf binds.

    `heard` are all readings that were posted of an interval between, `at` is the meter's place.
    """
    contents = [roots.reading_content(one) for one in heard]
    head = opening(part) + packing.fill(fill) + pack(int(of_seller)) + shown(part, index)
    words = b"".join(pack(*astuple(one)) for one in (*bound, heard[at].reading))
    proof = pack(at << 128 | len(heard)) + siblings(contents, at)
    signature = heard[at].signature
    tail = Tail(pack(len(signature)) + signature.ljust(-(-len(signature) // 32) * 32, b"\0"))
    what = f"meter of leaf {index} was read between"
    return Fault("fraud", "between", (head + words, tail, proof), what)


def stopped(part: Part, fill: Fill, index: int) -> Fault:
    """Prove that a leaf leaves out less of a fill than sensors hold, or more than was stopped."""
    given = (opening(part) + packing.fill(fill) + shown(part, index),)
    return Fault("evidence", "stopped", given, f"what leaf {index} leaves out")


def funds(part: Part, at: int) -> Fault:
    """Prove that the header's limit of rewards or claims is not what was locked for them."""
    given = (opening(part), opened(part.row_words, at))
    return Fault("evidence", "funds", given, "limits that were not locked")


def running(part: Part, before: Part) -> Fault:
    """Prove that a part does not begin with the energy that the part before it ends with."""
    given = (opening(part) + opening(before) + shown(before, len(before.leaves) - 1),)
    return Fault("evidence", "running", given, "energy sent before the first leaf")


def held(part: Part, fill: Fill, index: int, first: Part, at: int) -> Fault:
    """Prove that a held fill is settled by another delivery than `first`, which held it, has."""
    head = opening(part) + packing.fill(fill) + shown(part, index)
    given = (head + content(first) + shown(first, at),)
    return Fault("evidence", "held", given, f"leaf {index} is not the delivery that was held")


def left_out(part: Part, first: Part, at: int) -> Fault:
    """Prove that a part does not settle the fill of leaf `at` that `first` held."""
    position = first.leaves[at].position
    gap = sum(leaf.position < position for leaf in part.leaves)
    before = shown(part, gap - 1) if gap else _NO_LEAF
    after = shown(part, gap) if gap < len(part.leaves) else _NO_LEAF
    given = (opening(part) + pack(gap) + before + after, content(first) + shown(first, at))
    return Fault("evidence", "left_out", given, f"held leaf {at} is not settled")


def uncovered(part: Part, posting: Posting, fills: Sequence[Fill], index: int) -> Fault:
    """Prove that a fill of the posted clearing is in no part; `part` is any of its interval."""
    leaves = fill_leaves(fills)
    contents = [leaf.content for leaf in leaves]
    leaf = fills[index].region + packing.fill(fills[index]) + leaves[index].links
    proof = pack(index << 128 | len(leaves)) + siblings(contents, index)
    given = (pack(*part.place, *posting) + leaf + proof,)
    return Fault("evidence", "uncovered", given, f"fill {index} is in no part")


def answer(
    part: Part,
    fill: Fill,
    index: int,
    seller: tuple[SignedReading, SignedReading] | None,
    buyer: tuple[SignedReading, SignedReading] | None,
) -> bytes:
    """Return what answers a demand for a leaf."""
    head = opening(part) + packing.fill(fill) + shown(part, index)
    return head + _signed(seller) + _signed(buyer)


def _signed(pair: tuple[SignedReading, SignedReading] | None) -> bytes:
    if pair is None:
        return NOTHING * 16
    words = b"".join(pack(*astuple(one.reading)) for one in pair)
    return words + b"".join(packing.compact(one.signature) for one in pair)


# what an aggregator looks for before it signs


def faults(
    part: Part,
    settled: Sequence[tuple[int, Fill, Delivery, Statement]],
    meters: Mapping[bytes, bytes],
    fund_share: Score,
) -> str:
    """Say in words where a part differs from what its records come to; empty when nowhere.

    An aggregator calls this with the clearing's fills and its own statements of them before it
    signs, and signs nothing that differs.
    """
    rows = part.rows
    own = net.build(
        *(part.place, part.epoch, part.clearing, part.header, rows),
        *(settled, meters, fund_share),
    )
    for index, (said, due) in enumerate(zip(part.leaves, own.leaves, strict=False)):
        if said != due:
            return f"leaf {index}: {said}, due is {due}"
    if len(part.leaves) != len(own.leaves):
        return f"{len(part.leaves)} leaves, due are {len(own.leaves)}"
    for row, said_change, due_change in zip(rows, part.changes, own.changes, strict=True):
        if said_change != due_change:
            return f"change of {row.account.hex()}: {said_change}, due is {due_change}"
    for row, said_rating, due_rating in zip(rows, part.ratings, own.ratings, strict=True):
        if said_rating != due_rating:
            return f"rating of {row.account.hex()}: {said_rating}, due is {due_rating}"
    return ""


def packed(given: Sequence[bytes | Rows | Tail]) -> bytes:
    """Return a proof's arguments as a call carries them."""
    return arguments(*given)
