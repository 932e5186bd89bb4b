"""What a part held in disputes: settled by its own following part, as it was held and all of it."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from tests.contracts.halves import held
from tests.contracts.harness import OPERATOR, World, refused
from tests.contracts.parts import CHALLENGER, NOW, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract

from gridpact.ledger.proving import net, proofs
from gridpact.ledger.proving.part import Part
from gridpact.model.statement import Case

COMMITTED, POSTED, FINAL, CANCELLED = 2, 3, 4, 5


@dataclass
class Holding:
    """A final part that held some fills, and how they are to be settled."""

    market: NetWorld
    settled: Settled
    first: Part
    trades: list

    @property
    def at(self) -> list[int]:
        """Return the leaves of the first part that are held."""
        return [n for n, leaf in enumerate(self.first.leaves) if _held(leaf)]

    def part(self, trades=None) -> Part:
        """Return the part that settles these held fills, or all."""
        share = self.market.world.settlement.loss_fund_share
        given = self.trades if trades is None else trades
        return net.following(self.first, given, self.settled.meters, share)

    def post(self, part: Part) -> Part:
        self.market.carry(self.first)
        self.market.post(part)
        return part


def _held(leaf) -> bool:
    return leaf.statement.case is Case.DISPUTE


@pytest.fixture
def holding(world: World) -> Holding:
    market = NetWorld.of(world, now=NOW)
    settled = market.market(trades=24, disputed=2)
    first = market.posted(settled)
    market.after_window(first)
    market.finalise(first)
    trades = held(market, settled)
    assert len(trades) >= 3
    return Holding(market, settled, first, trades)


def proven(holding: Holding, part: Part, fault: proofs.Fault) -> None:
    """Prove a following part wrong: it costs the poster's bond, and nobody else anything."""
    market = holding.market
    before = [market.world.account(row.account).reserved for row in part.rows]
    market.prove(fault)
    assert market.state(part)[0] == CANCELLED
    assert market.world.view(Contract.COUNCIL, "pledged", OPERATOR)[0] == 0
    assert [market.world.account(row.account).reserved for row in part.rows] == before
    market.after_window(part)
    market.release(part)
    assert all(market.world.account(row.account).reserved == 0 for row in part.rows)
    assert market.holds()


def test_what_is_held_is_paid_by_the_following_part(holding: Holding) -> None:
    market = holding.market
    part = holding.post(holding.part())
    before = {row.account: market.world.account(row.account) for row in part.rows}
    assert sum(account.reserved for account in before.values()) == sum(
        fill.lock for _, fill, *_ in holding.trades
    )
    market.after_window(part)
    market.finalise(part)
    for row, change in zip(part.rows, part.changes, strict=True):
        after, was = market.world.account(row.account), before[row.account]
        assert after.free == was.free + row.lock + change.delta
        assert after.reserved == was.reserved - row.lock == 0
    assert market.state(part)[0] == FINAL
    with refused("net: held twice"):
        market.carry(part)
    assert market.holds()


def test_a_following_part_is_what_an_aggregator_signs(holding: Holding) -> None:
    share = holding.market.world.settlement.loss_fund_share
    part = holding.part()
    assert proofs.faults(part, holding.trades, holding.settled.meters, share) == ""


@pytest.mark.parametrize("field", ["agreed", "unused", "unused_sent", "received"])
def test_another_delivery_than_was_held_is_proven(holding: Holding, field: str) -> None:
    """Energy that the first part does not have, or has elsewhere: also with sums that add up."""
    at, fill, made, _ = holding.trades[1]
    other = {
        "agreed": {"agreed": made.agreed - 1, "unused": made.unused + 1},
        "unused": {"agreed": made.agreed - 1, "held": made.held + 1},
        "unused_sent": {"unused_sent": made.unused_sent + 1},
        "received": {"sent": made.sent + 1, "received": made.received + 1},
    }[field]
    delivery = replace(made, **other)
    leaf = holding.part().leaves[1]
    honest = holding.part()
    leaves = (honest.leaves[0], replace(leaf, delivery=delivery), *honest.leaves[2:])
    part = holding.post(honest._replace(leaves=leaves))
    proven(holding, part, proofs.held(part, fill, 1, holding.first, holding.at[1]))
    assert at == holding.first.leaves[holding.at[1]].position


def test_the_delivery_that_was_held_is_not_proven_wrong(holding: Holding) -> None:
    part = holding.post(holding.part())
    for index, (_, fill, *_) in enumerate(holding.trades):
        with refused("evidence: nothing wrong"):
            holding.market.prove(proofs.held(part, fill, index, holding.first, holding.at[index]))
    with refused("evidence: two fills"):
        holding.market.prove(
            proofs.held(part, holding.trades[0][1], 0, holding.first, holding.at[1])
        )
    assert holding.market.state(part)[0] == POSTED


@pytest.mark.parametrize("index", [0, 1, -1])
def test_a_held_fill_that_is_left_out_is_proven(holding: Holding, index: int) -> None:
    """The first, one between two others, the last."""
    trades = list(holding.trades)
    del trades[index]
    part = holding.post(holding.part(trades))
    proven(holding, part, proofs.left_out(part, holding.first, holding.at[index]))


def test_nothing_is_left_out_of_an_honest_part(holding: Holding) -> None:
    part = holding.post(holding.part())
    for at in holding.at:
        with refused("evidence: nothing left out"):
            holding.market.prove(proofs.left_out(part, holding.first, at))
    settled = next(n for n, leaf in enumerate(holding.first.leaves) if not _held(leaf))
    with refused("evidence: not held"):
        holding.market.prove(proofs.left_out(part, holding.first, settled))


def test_leaves_that_are_no_neighbours_leave_nothing_out(holding: Holding) -> None:
    part = holding.post(holding.part())
    first, last = proofs.shown(part, 0), proofs.shown(part, len(part.leaves) - 1)
    proof = proofs.content(holding.first) + proofs.shown(holding.first, holding.at[1])
    for gap in (1, len(part.leaves) - 1):
        given = proofs.opening(part) + gap.to_bytes(32, "big") + first + last + proof
        with refused("evidence: not neighbours"):
            holding.market.send(Contract.EVIDENCE, "left_out", given, CHALLENGER.address)
    beyond = (len(part.leaves) + 1).to_bytes(32, "big")
    with refused("evidence: beyond the last leaf"):
        given = proofs.opening(part) + beyond + first + last + proof
        holding.market.send(Contract.EVIDENCE, "left_out", given, CHALLENGER.address)


def test_a_part_that_held_nothing_is_judged_by_no_other(holding: Holding) -> None:
    part = holding.first
    with refused("evidence: not a part of held fills"):
        holding.market.prove(proofs.left_out(part, part, holding.at[0]))
    with refused("evidence: not a part of held fills"):
        fill = holding.settled.trades[0][1]
        holding.market.prove(proofs.held(part, fill, 0, part, 0))


def test_what_nobody_settles_goes_back_to_the_buyers(holding: Holding) -> None:
    market, part = holding.market, holding.part()
    market.carry(holding.first)
    assert market.state(part)[0] == COMMITTED
    _, _, _, until, _ = market.state(part)
    market.world.go_to(until + TERMS.per_fill + 1)
    rows = [row for row in part.rows if row.lock]
    before = {row.account: market.world.account(row.account) for row in rows}
    market.release(part)
    for row in rows:
        after, was = market.world.account(row.account), before[row.account]
        assert (after.free, after.reserved) == (was.free + row.lock, was.reserved - row.lock)
    assert market.holds()
    assert until > NOW


# energy without its meter


@pytest.mark.parametrize("missing", ["seller_meter", "buyer_meter"])
def test_energy_without_its_meter_is_proven(world: World, missing: str) -> None:
    """A council says that a meter is silent, and what it would have shown."""
    market = NetWorld.of(world, now=NOW)
    settled = market.market(trades=24)
    honest = market.part(settled)
    at = next(n for n, leaf in enumerate(honest.leaves) if leaf.delivery.sent)
    leaf = honest.leaves[at]
    silent = replace(
        leaf,
        delivery=replace(leaf.delivery, disputed=True),
        statement=replace(leaf.statement, case=Case.DISPUTE),
        **{missing: b"\0" * 32},
    )
    part = honest._replace(leaves=(*honest.leaves[:at], silent, *honest.leaves[at + 1 :]))
    market.reserve(part)
    market.commit(part)
    market.post(part)
    market.prove(proofs.step(part, settled.trades[at][1], at))
    assert market.state(part)[0] == CANCELLED
