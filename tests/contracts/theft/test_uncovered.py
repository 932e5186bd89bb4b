"""Fills of a posted clearing that the operator puts in no part: its bond, nobody else's money."""

import pytest
from msgspec.structs import replace
from tests.contracts.halves import halves
from tests.contracts.harness import OPERATOR, World, refused
from tests.contracts.parts import CHALLENGER, INTERVAL, NOW, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract

from gridpact.ledger.proving import proofs
from gridpact.ledger.proving.part import Part

CANCELLED = 5
LATE = INTERVAL + TERMS.posting + 1


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


def half_settled(market: NetWorld, zonal: int = 0) -> tuple[Settled, Part, Part]:
    """Return a clearing of which the first half is committed and the second reserved."""
    settled = market.market(trades=8, zonal=zonal)
    first, second = halves(market, settled)
    market.reserve(first)
    market.commit(first)
    market.reserve(second)
    return settled, first, second


def fills(settled: Settled):
    return [fill for _, fill, *_ in settled.trades]


def bond(market: NetWorld) -> int:
    return int(market.world.view(Contract.COUNCIL, "pledged", OPERATOR)[0])


@pytest.mark.parametrize("index", [4, 7])
def test_an_uncovered_fill_costs_the_operator_its_bond_once(market: NetWorld, index: int) -> None:
    settled, first, second = half_settled(market)
    injured = fills(settled)[index].seller
    before = market.world.free(CHALLENGER.address), market.world.free(injured)
    _, burned, *_ = market.world.view(Contract.VAULT, "totals")
    fault = proofs.uncovered(first, settled.posting, fills(settled), index)
    with refused("evidence: time to post"):
        market.prove(fault)
    market.world.go_to(LATE)
    (said,) = [one for one in market.prove(fault) if one.name == "Uncovered"]
    assert said.values == {"key": first.place.key, "fill": fills(settled)[index].hash}
    assert bond(market) == 0
    quarter = TERMS.bond // 4
    after = market.world.free(CHALLENGER.address), market.world.free(injured)
    assert after == (before[0] + quarter, before[1] + quarter)
    assert market.world.view(Contract.VAULT, "totals")[1] - burned == TERMS.bond - 2 * quarter
    for part in (first, second):
        with refused("evidence: proven before"):
            market.prove(proofs.uncovered(part, settled.posting, fills(settled), 5))
    assert market.holds()


def test_the_buyers_of_uncovered_fills_have_their_money_back(market: NetWorld) -> None:
    settled = market.market(trades=8)
    _, second = halves(market, settled)
    before = [market.world.account(row.account) for row in second.rows]
    _, first, second = half_settled(market)
    market.world.go_to(LATE)
    market.prove(proofs.uncovered(first, settled.posting, fills(settled), 6))
    market.world.go_to(NOW + TERMS.posting + 1)
    market.release(second, rows=[row._replace(lock=0) for row in second.rows])
    market.world.go_to(NOW + TERMS.posting + TERMS.per_fill + 1)
    market.release(first)
    injured = fills(settled)[6].seller
    for row, was in zip(second.rows, before, strict=True):
        given = TERMS.bond // 4 if row.account == injured else 0
        assert market.world.account(row.account) == replace(was, free=was.free + given)
    assert market.holds()


def test_an_interval_reserved_and_never_committed_is_uncovered(market: NetWorld) -> None:
    settled = market.market(trades=8)
    part = market.part(settled)
    market.reserve(part)
    market.clear(part)
    market.world.go_to(LATE)
    market.prove(proofs.uncovered(part, settled.posting, fills(settled), 0))
    assert bond(market) == 0


def test_a_fill_that_is_in_a_part_is_covered(market: NetWorld) -> None:
    settled, first, second = half_settled(market)
    market.world.go_to(LATE)
    for index in (0, 3):
        with refused("evidence: in a part"):
            market.prove(proofs.uncovered(first, settled.posting, fills(settled), index))
    assert bond(market) == TERMS.bond
    assert market.state(second)[0] == 1


def test_a_clearing_covered_to_its_end_has_no_uncovered_fill(market: NetWorld) -> None:
    settled, first, second = half_settled(market)
    market.commit(second)
    market.world.go_to(LATE)
    for index in range(8):
        with refused("evidence: in a part"):
            market.prove(proofs.uncovered(first, settled.posting, fills(settled), index))


def test_a_fill_of_nowhere_is_refused(market: NetWorld) -> None:
    settled, first, _ = half_settled(market)
    market.world.go_to(LATE)
    made_up = fills(settled)
    made_up[5] = replace(made_up[5], price=made_up[5].price + 1)
    with refused("evidence: not the clearing's fill"):
        market.prove(proofs.uncovered(first, settled.posting, made_up, 5))
    other = settled.posting._replace(seed=b"\1" * 32)
    with refused("evidence: another clearing"):
        market.prove(proofs.uncovered(first, other, fills(settled), 5))


def test_an_interval_that_is_not_settled_net_is_not_asked_for(market: NetWorld) -> None:
    settled = market.market(trades=8)
    part = market.part(settled)
    market.clear(part)
    market.world.go_to(LATE)
    with refused("evidence: no part of net settlement"):
        market.prove(proofs.uncovered(part, settled.posting, fills(settled), 5))


def test_the_fills_of_a_condemned_clearing_need_no_part(market: NetWorld) -> None:
    settled, first, _ = half_settled(market)
    market.condemn(first)
    before = bond(market)
    market.world.go_to(LATE)
    with refused("evidence: clearing condemned"):
        market.prove(proofs.uncovered(first, settled.posting, fills(settled), 5))
    assert bond(market) == before


def test_fills_of_the_zonal_tier_are_asked_for_in_no_part(market: NetWorld) -> None:
    settled, first, _ = half_settled(market, zonal=3)
    before = bond(market)
    market.world.go_to(LATE)
    for index in (5, 6, 7):
        with refused("evidence: not the local tier"):
            market.prove(proofs.uncovered(first, settled.posting, fills(settled), index))
    assert bond(market) == before
    market.prove(proofs.uncovered(first, settled.posting, fills(settled), 4))
    assert bond(market) == 0


def test_a_part_with_a_fill_of_the_zonal_tier_is_proven_wrong(market: NetWorld) -> None:
    settled = market.market(trades=8, zonal=1)
    part = market.posted(settled)
    for index in (0, 6):
        with refused("fraud: nothing wrong"):
            market.prove(proofs.step(part, fills(settled)[index], index))
    market.prove(proofs.step(part, fills(settled)[7], 7))
    assert market.state(part)[0] == CANCELLED
