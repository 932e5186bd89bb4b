"""Parts of net settlement that are wrong in one way each, with the proof of it.

Most are the theft suite's; the others are made here. `Heist.honest` is the part as it should be.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec.structs import replace
from tests.contracts.halves import halves
from tests.contracts.harness import REGION, World, decoded
from tests.contracts.reading import Contract
from tests.contracts.theft.test_net import ALTERATIONS, Heist, other_change, other_leaf, shifted

from gridpact.crypto.keccak import keccak
from gridpact.errors import Reverted
from gridpact.ledger.onchain import roots
from gridpact.ledger.onchain.roots import Posting
from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.leaf import meter_digest
from gridpact.ledger.proving.part import Part
from gridpact.ledger.proving.proofs import Fault
from gridpact.model.delivery import SignedReading
from gridpact.model.interval import Phase
from gridpact.model.order import NONE
from gridpact.model.participant import Named

TRADES = 24
SEEDS = (1, 3, 5, 7)
"""Of markets in which every alteration finds what it alters."""


class Wrong(NamedTuple):
    """A part, the proof against it, and the part that must stand before it, if one must."""

    part: Part
    fault: Fault
    before: Part | None = None


def self_credit(heist: Heist) -> Wrong:
    part, _, thief = shifted(heist)
    row = [one.account for one in part.rows].index(thief)
    return Wrong(part, proofs.delta(part, row, part.changes[row].tail - 1))


def loot(heist: Heist) -> Wrong:
    own, places = Named.NETWORK_OPERATOR.address, [row.account for row in heist.honest.rows]
    _, victim, _ = shifted(heist)
    was = {one: heist.honest.changes[places.index(one)].delta for one in (victim, own)}
    part = other_change(heist.honest, victim, delta=was[victim] - 500)
    part = other_change(part, own, delta=was[own] + 500)
    return Wrong(part, proofs.delta(part, places.index(own), TRADES - 1))


def foreign(heist: Heist) -> Wrong:
    fills = [fill for _, fill, *_ in heist.settled.trades]
    fills[7] = replace(fills[7], price=fills[7].price - 1)
    volume = sum(fill.energy_wh for fill in fills)
    posting = Posting(
        keccak(b"record"), keccak(b"book"), roots.fill_root(fills), NONE, TRADES, volume
    )
    name = posting.name(REGION, heist.honest.place.interval)
    heist.market.postings[name] = posting
    part = heist.honest._replace(clearing=name)
    return Wrong(part, proofs.foreign(part, 7, posting, fills))


def in_two_parts(heist: Heist) -> Wrong:
    first = heist.honest
    part = first._replace(
        place=first.place._replace(part=1), header=first.header._replace(first=TRADES)
    )
    return Wrong(part, proofs.duplicate(part, 5, first, 5), first)


def in_no_row(heist: Heist) -> Wrong:
    return _anothers_row(heist, 500)


def in_anothers_row(heist: Heist) -> Wrong:
    return _anothers_row(heist, 1)


def _anothers_row(heist: Heist, row: int) -> Wrong:
    leaves = heist.honest.leaves
    at = next(n for n, leaf in enumerate(leaves) if leaf.seller.row > 1)
    part = other_leaf(heist.honest, at, seller=replace(leaves[at].seller, row=row))
    return Wrong(part, proofs.row(part, heist.fill(at), at, True))


def praised(heist: Heist) -> Wrong:
    ratings = [*heist.honest.ratings]
    sellers = [n for n, said in enumerate(ratings) if said.tail]
    row = max(sellers, key=lambda n: ratings[n].agreed - ratings[n].sent)
    said = ratings[row]
    # where nobody fell short, somebody is praised for more than it agreed to
    better = said.agreed if said.agreed > said.sent else said.sent + 1
    ratings[row] = said._replace(agreed=max(said.agreed, better), sent=better)
    part = heist.honest._replace(ratings=tuple(ratings))
    return Wrong(part, proofs.rating(part, row, ratings[row].tail - 1))


def more_sold(heist: Heist) -> Wrong:
    leaf = heist.honest.leaves[9]
    part = other_leaf(heist.honest, 9, seller=replace(leaf.seller, sold=leaf.seller.sold + 5))
    return Wrong(part, proofs.chain(part, heist.fills, 9, True))


def own_account_elsewhere(heist: Heist) -> Wrong:
    loss, _, reward = heist.honest.header.own
    part = heist.honest._replace(header=heist.honest.header._replace(own=(loss, loss, reward)))
    return Wrong(part, proofs.own_row(part, 1))


def leaves_out(heist: Heist) -> Wrong:
    leaf = heist.honest.leaves[4]
    part = other_leaf(heist.honest, 4, delivery=replace(leaf.delivery, held=1))
    return Wrong(part, proofs.stopped(part, heist.fill(4), 4))


def begins_elsewhere(heist: Heist) -> Wrong:
    first, second = halves(heist.market, heist.settled, heist.honest)
    header = second.header._replace(before_wh=second.header.before_wh + 1)
    part = second._replace(header=header)
    return Wrong(part, proofs.running(part, first), first)


def counted_again(heist: Heist) -> Wrong:
    """A leaf binds a reading from before the last one that was posted."""
    world, interval = heist.market.world, heist.honest.place.interval
    at = next(n for n, leaf in enumerate(heist.honest.leaves) if leaf.delivery.sent)
    fill = heist.fill(at)
    last, now = (one.reading for one in heist.settled.readings[fill.seller])
    when = next(n for n in range(interval - 1, 0, -1) if not _metered(world, n))
    older, read = replace(last, interval=when - 1), replace(last, interval=when)
    heard = [SignedReading(read, b"\1" * 65)]
    write = decoded(world.write(Phase.DELIVER, when))
    world.send(Contract.CLEARING, "deliver", write, roots.reading_root(heard), (0, 1, 0))
    digests = (one.digest(world.domain) for one in (older, now))
    part = other_leaf(heist.honest, at, seller_meter=meter_digest(*digests))
    return Wrong(part, proofs.between(part, fill, at, True, (older, now), heard, 0))


def _metered(world: World, interval: int) -> bool:
    try:
        world.view(Contract.CLEARING, "metered", REGION, interval)
    except Reverted:
        return False
    return True


def _of_theft(alteration: Callable[[Heist], tuple[Part, Fault]]) -> Callable[[Heist], Wrong]:
    return lambda heist: Wrong(*alteration(heist))


_OWN = (
    *(self_credit, loot, foreign, in_two_parts, in_no_row, in_anothers_row),
    *(own_account_elsewhere, begins_elsewhere, praised, more_sold, counted_again),
    leaves_out,
)
KINDS: Mapping[str, Callable[[Heist], Wrong]] = {kind.__name__: kind for kind in _OWN} | {
    one.__name__: _of_theft(one) for one in ALTERATIONS
}
