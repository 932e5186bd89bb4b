"""Ratings in net settlement: from the final parts' headers, 32 rows at a time, each once."""

import pytest
from msgspec.structs import astuple
from tests.contracts.halves import halves, held
from tests.contracts.harness import BOB, World
from tests.contracts.parts import NOW, NetWorld, Settled
from tests.contracts.reading import Contract

from gridpact.ledger.proving import net, ratings
from gridpact.ledger.proving.part import Part
from gridpact.model.statement import Case
from gridpact.reputation.rule import Known, rate


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


def final(market: NetWorld, part: Part) -> Part:
    market.after_window(part)
    market.finalise(part)
    return part


def score(market: NetWorld, seller: bytes) -> int:
    found: int = market.world.view(Contract.REPUTATION, "score", seller)
    return found


def due(market: NetWorld, settled: Settled, scores: dict[bytes, int] | None = None):
    """Return what the rule makes of an interval's fills."""
    fills = [fill for _, fill, *_ in settled.trades]
    deliveries = [delivery for *_, delivery, _ in settled.trades]
    known = {seller: Known(score) for seller, score in (scores or {}).items()}
    when = NOW, market.world.timing.seconds
    rated = rate(known, fills, deliveries, market.world.rating, *when)
    return {one.participant: one for one in rated}


def test_sellers_of_a_final_part_are_rated_as_their_fills_would_be(market: NetWorld) -> None:
    settled = market.market(trades=30)
    part = final(market, market.posted(settled))
    *rated, rows = market.rate(part, sender=BOB)
    expected = due(market, settled)
    assert len(expected) == 4
    for event in rated:
        one = expected[event.values["seller"]]
        assert tuple(event.values.values()) == astuple(one)[:5]
        assert score(market, one.participant) == one.after != one.before
    assert {event.values["seller"] for event in rated} == expected.keys()
    assert (rows.name, rows.values) == ("RatedRows", {"key": part.place.key, "first": 0})
    assert [one.seller for one in ratings.sold(part, 0)] == sorted(expected)


def test_a_dispute_counts_when_it_is_settled(market: NetWorld) -> None:
    settled = market.market(trades=24, disputed=2)
    first = final(market, market.posted(settled))
    market.rate(first)
    before = {seller: score(market, seller) for seller in due(market, settled)}
    assert before
    trades = held(market, settled)
    assert all(statement.case is not Case.DISPUTE for *_, statement in trades)
    share = market.world.settlement.loss_fund_share
    second = net.following(first, trades, settled.meters, share)
    market.carry(first)
    market.post(second)
    final(market, second)
    market.rate(second)
    later = due(market, Settled(second.rows, second.header, trades, {}, {}), before)
    assert later
    for seller, one in later.items():
        assert score(market, seller) == one.after
        assert (one.sent_wh, one.after) < (one.agreed_wh, one.before)


def test_two_parts_of_an_interval_are_two_ratings(market: NetWorld) -> None:
    settled = market.market(trades=24)
    scores: dict[bytes, int] = {}
    for part, trades in zip(
        halves(market, settled), (settled.trades[:12], settled.trades[12:]), strict=True
    ):
        market.reserve(part)
        market.commit(part)
        market.post(part)
        final(market, part)
        market.rate(part)
        some = Settled(part.rows, part.header, trades, {}, {})
        scores |= {seller: one.after for seller, one in due(market, some, scores).items()}
    assert scores == {seller: score(market, seller) for seller in scores}


def test_a_part_of_many_accounts_is_rated_32_rows_at_a_time(world: World) -> None:
    market = NetWorld.of(world, people=90, now=NOW)
    settled = market.market(trades=150)
    part = final(market, market.posted(settled))
    chunks = ratings.to_rate(part)
    assert chunks == [0, 1, 2]
    for chunk in reversed(chunks):
        *rated, rows = market.rate(part, chunk)
        assert rows.values["first"] == 32 * chunk
        sold = [(one.values["seller"], one.values["agreed"], one.values["sent"]) for one in rated]
        assert sold == ratings.sold(part, chunk)
    expected = due(market, settled)
    assert {one.seller for chunk in chunks for one in ratings.sold(part, chunk)} == expected.keys()
    assert all(score(market, seller) == one.after for seller, one in expected.items())
