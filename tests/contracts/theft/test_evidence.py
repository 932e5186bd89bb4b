"""Data withheld, challenges for nothing, fills of nowhere: judged by what was posted elsewhere."""

import pytest
from msgspec.structs import replace
from tests.contracts.harness import BOB, OPERATOR, REGION, World, refused
from tests.contracts.parts import CHALLENGER, INTERVAL, NOW, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain import packing, roots
from gridpact.ledger.onchain.abi import pack
from gridpact.ledger.onchain.roots import Posting
from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.leaf import meter_digest
from gridpact.ledger.proving.part import Part
from gridpact.model.order import NONE
from gridpact.model.participant import Named

FINAL, CANCELLED = 4, 5
ORDERS = keccak(b"orders")


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


def posted(market: NetWorld) -> tuple[Settled, Part]:
    settled = market.market(trades=24)
    return settled, market.posted(settled)


def free(market: NetWorld, account: bytes) -> int:
    return market.world.account(account).free


def bond(market: NetWorld, account: bytes = OPERATOR) -> int:
    pledged, _ = market.world.view(Contract.COUNCIL, "pledged", account)
    return int(pledged)


def test_an_unanswered_demand_costs_the_posters_bond(market: NetWorld) -> None:
    _, part = posted(market)
    before = free(market, CHALLENGER.address)
    market.demand(part, 3)
    with refused("evidence: time to answer"):
        market.unanswered(part, 3)
    market.world.go_to(NOW + TERMS.answer + 1)
    market.unanswered(part, 3)
    assert market.state(part)[0] == CANCELLED
    assert bond(market) == 0
    assert free(market, CHALLENGER.address) == before + TERMS.bond // 4
    with refused("evidence: not demanded"):
        market.unanswered(part, 3)
    with refused("fallback: too early"):
        market.release(part)
    market.after_window(part)
    market.release(part)
    assert all(market.world.account(row.account).reserved == 0 for row in part.rows)
    assert market.holds()


@pytest.mark.parametrize("answers", [OPERATOR, CHALLENGER.address])
def test_a_griefing_challenger_pays_the_poster(market: NetWorld, answers: bytes) -> None:
    """Whoever answers: a challenger who answers itself gets nothing of its stake back."""
    settled, part = posted(market)
    before = free(market, CHALLENGER.address)
    was = free(market, Named.OPERATOR.address)
    market.demand(part, 3)
    market.answer(settled, part, 3, sender=answers)
    assert free(market, CHALLENGER.address) == before - TERMS.stake
    assert free(market, Named.OPERATOR.address) == was + TERMS.stake // 2
    with refused("evidence: demanded before"):
        market.demand(part, 3)
    market.after_window(part)
    market.finalise(part)
    assert market.state(part)[0] == FINAL
    assert market.holds()


def test_an_open_demand_suspends_finalise(market: NetWorld) -> None:
    settled, part = posted(market)
    market.world.go_to(NOW + TERMS.window)
    market.demand(part, 3)
    market.world.go_to(NOW + TERMS.window + 1)
    with refused("net: open demand"):
        market.finalise(part)
    market.answer(settled, part, 3)
    with refused("net: window not over"):  # time to prove something from the answer
        market.finalise(part)
    market.after_window(part)
    market.finalise(part)


def test_a_demand_after_the_window_is_refused(market: NetWorld) -> None:
    _, part = posted(market)
    market.world.go_to(NOW + TERMS.window + 1)
    with refused("net: window over"):
        market.demand(part, 3)


def test_a_demand_for_a_leaf_that_cannot_be_costs_the_stake(market: NetWorld) -> None:
    _, part = posted(market)
    before = free(market, CHALLENGER.address)
    was = free(market, Named.OPERATOR.address)
    market.demand(part, 24)
    market.unanswered(part, 24)
    assert free(market, CHALLENGER.address) == before - TERMS.stake
    assert free(market, Named.OPERATOR.address) == was + TERMS.stake // 2
    market.after_window(part)
    market.finalise(part)


@pytest.mark.parametrize("index", [5, 24])
@pytest.mark.parametrize("released", [False, True])
def test_a_part_cancelled_for_something_else_gives_every_stake_back(
    market: NetWorld, index: int, released: bool
) -> None:
    """Also of a demand for a leaf that cannot be, and when all was given back already."""
    _, part = posted(market)
    before = free(market, CHALLENGER.address)
    market.demand(part, 3)
    market.demand(part, index)
    market.world.go_to(NOW + TERMS.answer + 1)
    market.unanswered(part, 3)
    if released:
        market.after_window(part)
        market.release(part)
    market.unanswered(part, index)
    assert free(market, CHALLENGER.address) == before + TERMS.bond // 4
    with refused("evidence: not demanded"):
        market.unanswered(part, index)
    assert market.holds()


def test_whoever_has_no_stake_demands_nothing(market: NetWorld) -> None:
    _, part = posted(market)
    with refused("vault: not enough free"):
        market.demand(part, 3, sender=BOB)


def test_an_altered_reading_cannot_be_answered_for(market: NetWorld) -> None:
    settled = market.market(trades=24)
    honest = market.part(settled)
    _, fill, *_ = settled.trades[3]
    before, now = settled.readings[fill.seller]
    more = replace(now, reading=replace(now.reading, export_wh=now.reading.export_wh + 1_000))
    digests = (one.reading.digest(market.world.domain) for one in (before, more))
    leaves = list(honest.leaves)
    leaves[3] = replace(leaves[3], seller_meter=meter_digest(*digests))
    part = honest._replace(leaves=tuple(leaves))
    market.reserve(part)
    market.commit(part)
    market.post(part)
    market.demand(part, 3)
    altered = {**settled.readings, fill.seller: (before, more)}
    with refused("evidence: not its meter"):
        market.answer(replace_readings(settled, altered), part, 3)
    with refused("evidence: other readings"):
        market.answer(settled, part, 3)
    market.world.go_to(NOW + TERMS.answer + 1)
    with refused("evidence: too late"):
        market.answer(settled, part, 3)
    market.unanswered(part, 3)
    assert market.state(part)[0] == CANCELLED


def replace_readings(settled: Settled, readings: dict) -> Settled:  # type: ignore[type-arg]
    return Settled(settled.rows, settled.header, settled.trades, readings, settled.meters)


def test_signers_of_a_cancelled_part_lose_their_bonds_once(market: NetWorld) -> None:
    _, part = posted(market)
    digest = part.digest(market.world.domain)
    signer = market.council[1]
    given = proofs.opening(part) + compact(signer.sign(digest))
    with refused("evidence: not cancelled"):
        market.send(Contract.EVIDENCE, "signer", given)
    market.demand(part, 3)
    market.world.go_to(NOW + TERMS.answer + 1)
    market.unanswered(part, 3)
    market.send(Contract.EVIDENCE, "signer", given, CHALLENGER.address)
    assert bond(market, signer.address) == 0
    with refused("evidence: slashed before"):
        market.send(Contract.EVIDENCE, "signer", given)
    other = pack(*part.place) + proofs.content(part._replace(epoch=1))
    with refused("evidence: another content"):
        market.send(Contract.EVIDENCE, "signer", other + compact(signer.sign(digest)))


def test_a_proof_of_nothing_is_refused(market: NetWorld) -> None:
    settled, part = posted(market)
    fills = settled.fills
    for index in range(24):
        fill = settled.trades[index][1]
        with refused("fraud: nothing wrong"):
            market.prove(proofs.step(part, fill, index))
        for of_seller in (False, True):
            with refused("fraud: nothing wrong"):
                market.prove(proofs.chain(part, fills, index, of_seller))
            with refused("evidence: nothing wrong"):
                account = fill.seller if of_seller else fill.buyer
                readings = settled.readings[account]
                market.prove(proofs.reading(part, fill, index, of_seller, readings))
    for row, change in enumerate(part.changes):
        with refused("fraud: nothing wrong"):
            market.prove(proofs.delta(part, row, (change.tail or 24) - 1))
    with refused("evidence: one leaf"):
        market.prove(proofs.duplicate(part, 3, part, 3))
    with refused("evidence: two fills"):
        market.prove(proofs.duplicate(part, 3, part, 4))
    with refused("fraud: not in between"):
        at = next(n for n, leaf in enumerate(part.leaves) if leaf.seller.previous)
        before = part.leaves[at].seller.previous - 1
        market.prove(proofs.skipped(part, fills, at, True, before))
    for of_seller in (False, True):
        with refused("fraud: nothing wrong"):
            market.prove(proofs.row(part, settled.trades[0][1], 0, of_seller))
    for which in range(3):
        with refused("fraud: nothing wrong"):
            market.prove(proofs.own_row(part, which))


def test_a_proof_from_another_part_or_leaf_is_refused(market: NetWorld) -> None:
    settled, part = posted(market)
    other = part._replace(leaves=part.leaves[::-1])
    with refused("proving: another content"):
        market.prove(proofs.step(other, settled.trades[0][1], 0))
    fault = proofs.step(part, settled.trades[1][1], 1)
    moved = (fault.given[0], fault.given[1], packing.words((2,)) + fault.given[2][32:])  # type: ignore[index]
    with refused("statement: not the part's leaf"):
        market.prove(fault._replace(given=(*moved, fault.given[3])))
    with refused("proving: another fill"):
        market.prove(proofs.step(part, settled.trades[2][1], 1))


def test_no_proof_after_the_window(market: NetWorld) -> None:
    settled = market.market(trades=24)
    honest = market.part(settled)
    leaves = list(honest.leaves)
    leaves[0] = replace(leaves[0], sent_wh=leaves[0].sent_wh + 1)
    part = honest._replace(leaves=tuple(leaves))
    market.reserve(part)
    market.commit(part)
    market.post(part)
    market.after_window(part)
    with refused("net: window over"):
        market.prove(proofs.step(part, settled.trades[0][1], 0))


def test_a_fill_that_the_clearing_does_not_have_is_proven(market: NetWorld) -> None:
    settled = market.market(trades=24)
    fills = [fill for _, fill, *_ in settled.trades]
    volume = sum(fill.energy_wh for fill in fills)
    invented = [*fills[:7], replace(fills[7], price=fills[7].price - 1), *fills[8:]]
    posting = Posting(keccak(b"record"), ORDERS, roots.fill_root(invented), NONE, 24, volume)
    name = posting.name(REGION, INTERVAL)
    market.postings[name] = posting
    part = market.part(settled)._replace(clearing=name)
    market.reserve(part)
    market.commit(part)
    market.post(part)
    with refused("evidence: nothing wrong"):
        market.prove(proofs.foreign(part, 6, posting, invented))
    with refused("evidence: another clearing"):
        market.prove(proofs.foreign(part, 7, posting._replace(order_root=NONE), invented))
    market.prove(proofs.foreign(part, 7, posting, invented))
    assert market.state(part)[0] == CANCELLED


def test_a_fill_settled_in_two_parts_is_proven(market: NetWorld) -> None:
    _, first = posted(market)
    second = first._replace(
        place=first.place._replace(part=1), header=first.header._replace(first=24)
    )
    market.reserve(second)
    market.commit(second)
    market.post(second)
    market.prove(proofs.duplicate(second, 5, first, 5))
    assert market.state(second)[0] == CANCELLED
    assert market.state(first)[0] == 3


@pytest.mark.parametrize("row", [0, 1, 500])
def test_a_party_with_anothers_row_is_proven(market: NetWorld, row: int) -> None:
    settled = market.market(trades=24)
    honest = market.part(settled)
    leaves = list(honest.leaves)
    at = next(n for n, leaf in enumerate(leaves) if leaf.seller.row > 1)
    leaves[at] = replace(leaves[at], seller=replace(leaves[at].seller, row=row))
    part = honest._replace(leaves=tuple(leaves))
    market.reserve(part)
    market.commit(part)
    market.post(part)
    market.prove(proofs.row(part, settled.trades[at][1], at, True))
    assert market.state(part)[0] == CANCELLED


def test_an_own_account_with_anothers_row_is_proven(market: NetWorld) -> None:
    honest = market.part(market.market(trades=24))
    loss, _, reward = honest.header.own
    part = honest._replace(header=honest.header._replace(own=(loss, loss, reward)))
    market.reserve(part)
    market.commit(part)
    market.post(part)
    market.prove(proofs.own_row(part, 1))
    assert market.state(part)[0] == CANCELLED


@pytest.mark.parametrize("name", ["condemn", "hold", "resume"])
def test_nobody_but_the_proofs_stops_a_part(market: NetWorld, name: str) -> None:
    _, part = posted(market)
    given = (part.place.key, True) if name == "condemn" else (part.place.key,)
    for sender in (OPERATOR, BOB, market.council[0].address):
        with pytest.raises(Exception, match=r"net: not (a judge|the evidence)$"):
            market.world.send(Contract.NET, name, *given, sender=sender)


def test_nobody_but_the_proofs_takes_a_bond(market: NetWorld) -> None:
    member = market.council[0].address
    for name, given in (
        ("slash", (member, BOB, BOB, NONE)),
        ("stake", (member, 1)),
        ("unstake", (member, 1)),
        ("forfeit", (member, 1, BOB, NONE)),
    ):
        for sender in (OPERATOR, BOB, member):
            with refused("council: not a judge"):
                market.world.send(Contract.COUNCIL, name, *given, sender=sender)


def test_an_answered_demand_is_not_answered_again(market: NetWorld) -> None:
    settled, part = posted(market)
    market.demand(part, 3)
    market.answer(settled, part, 3)
    with refused("evidence: not demanded"):
        market.answer(settled, part, 3)
    assert market.holds()
