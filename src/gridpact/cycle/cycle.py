"""The trading cycle of one interval, from posted prices to settled ledger. Read `run` first.

Each phase asks one package for one answer and hands it on; no package calls another. What a phase
decides is written once under its key (`phase.once`), so that a run which was cut off anywhere,
also between the steps of a cross-chain effect, goes on where the ledgers stand.

Prices are posted before orders are collected (ARCHITECTURE has them the other way round): nobody
signs an order without knowing charge and cap, and the reservation can cover the posted charge.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from gridpact.cycle.collect import collect
from gridpact.cycle.crossing import carry_out
from gridpact.cycle.deliver import Flowed, deliver
from gridpact.cycle.disputes import end_disputes
from gridpact.cycle.finalise import conclude, finalise
from gridpact.cycle.market import Market
from gridpact.cycle.past import Past, advance, beginning
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Expected
from gridpact.cycle.rate import rate
from gridpact.cycle.result import Books, Ended, IntervalResult
from gridpact.cycle.rotation import announce, turned
from gridpact.cycle.settle import Settled, settle
from gridpact.cycle.tiers import clear
from gridpact.errors import SettlementError
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Anchor, Cleared, Finalised, Prices, Rating
from gridpact.quantities import PPM, Score, divide_half_even

Watch = Callable[[int, str], None]
"""Told which phase of which interval begins."""


def unwatched(_interval: int, _phase: str) -> None:
    """Tell nobody."""


def run(market: Market, intervals: int, watch: Watch = unwatched) -> Iterator[IntervalResult]:
    """Run the market over its intervals, in order of time."""
    past = beginning(market)
    for interval in range(intervals):
        market = turned(market, interval)
        result = trade(market, interval, past, watch)
        past = advance(past, market, result)
        if interval == intervals - 1:
            result = replace(result, closed=(*result.closed, *conclude(market, intervals)))
        else:
            announce(market, interval + 1)
        yield result


def trade(market: Market, interval: int, past: Past, watch: Watch) -> IntervalResult:
    """Run one interval, knowing what the ones before left."""
    watch(interval, "price")
    expected = market.field.expected(interval)
    prices = price(market, interval, expected)
    watch(interval, "collect")
    books = collect(market, interval, prices, expected)
    watch(interval, "clear")
    cleared = clear(market, interval, prices, books, expected)
    watch(interval, "commit")
    cleared = carry_out(market, interval, cleared, books)
    market.told(interval, cleared.fills)
    watch(interval, "deliver")
    flowed = deliver(market, interval, prices, cleared, past)
    watch(interval, "settle")
    settled = settle(market, interval, prices, cleared, past, flowed.allocation)
    ended = end_disputes(market, interval)
    closed = finalise(market, interval)
    watch(interval, "rate")
    ratings = rate(market, interval, settled.local, settled.zonal)
    watch(interval, "seal")
    seal(market, interval)
    return _result(interval, prices, books, cleared, flowed, settled, ratings, ended, closed)


def price(market: Market, interval: int, expected: Expected) -> Prices:
    """Post retail, feed-in, charges, and what the power flows say, on both chains.

    The locational part comes from the day-ahead optimum, the loss share from the flow that owners'
    own plans will cause, over the same energy as losses are shared over: imports plus loss.
    """

    def decide() -> Prices:
        signal, tariff = market.day_ahead(interval), market.tariff
        return Prices(
            retail=tariff.retail[interval],
            network_share=tariff.network_share,
            feed_in=tariff.feed_in,
            margin=tariff.margin,
            local_charge=tariff.local_charge,
            zonal_charge=tariff.zonal_charge,
            loss_share=loss_share(market, interval, expected),
            buses=signal.buses,
            solver=signal.solver,
            conflicts=signal.conflicts,
        )

    prices = once(market.local, Key(market.region.id, interval, Phase.PRICE), Prices, decide)
    return once(market.zonal, Key(market.zone, interval, Phase.PRICE), Prices, lambda: prices)


def loss_share(market: Market, interval: int, expected: Expected) -> Score:
    """Return the region's expected losses over its imports and losses. [ppm]"""
    loss_w = market.grid_check(interval, expected.load, expected.injectors).loss_w
    imports_w = sum(active for active, _ in expected.load.values())
    return divide_half_even(PPM * loss_w, imports_w + loss_w) if loss_w else 0


def seal(market: Market, interval: int) -> Anchor:
    """Anchor the region's newest block of the interval on the zonal chain."""

    def decide() -> Anchor:
        head = market.local.written_at(Key(market.region.id, interval, Phase.RATE))
        if head is None:
            raise SettlementError(f"interval {interval} is not rated yet")
        before = market.zonal.read(Key(market.zone, interval - 1, Phase.SEAL), Anchor)
        return Anchor(
            region=market.region.id,
            interval=interval,
            number=head.number,
            head=head.hash,
            previous=before.head if before else b"\0" * 32,
        )

    return once(market.zonal, Key(market.zone, interval, Phase.SEAL), Anchor, decide)


def _result(
    interval: int,
    prices: Prices,
    books: Books,
    cleared: Cleared,
    flowed: Flowed,
    settled: Settled,
    ratings: tuple[Rating, Rating],
    ended: Ended | None,
    closed: Finalised | None,
) -> IntervalResult:
    return IntervalResult(
        interval=interval,
        prices=prices,
        book=books.local,
        plant_book=books.zonal,
        cleared=cleared,
        meters=flowed.local,
        plant_meters=flowed.zonal,
        metered=flowed.energy,
        settlement=settled.local,
        zonal_settlement=settled.zonal,
        rating=ratings[0],
        plant_rating=ratings[1],
        ended=ended,
        verdicts=flowed.verdicts,
        closed=(closed,) if closed else (),
    )
