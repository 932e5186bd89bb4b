"""The trading cycle of one interval, from posted prices to settled ledger. Read `run` first.

Each phase asks one package for one answer and hands it on; no package calls another. What a phase
decides is written once under its key (`phase.once`), so that a run which was cut off anywhere,
also between the steps of a cross-chain effect, goes on where the ledgers stand.

Prices are posted before orders are collected (ARCHITECTURE has them the other way round): nobody
signs an order without knowing charge and cap, and the reservation can cover the posted charge.
"""

from collections.abc import Callable, Iterator, Mapping

from gridpact.cycle.collect import Books, collect
from gridpact.cycle.crossing import carry_out
from gridpact.cycle.market import Market
from gridpact.cycle.past import Past, advance, beginning
from gridpact.cycle.phase import once
from gridpact.cycle.result import IntervalResult, metered
from gridpact.cycle.settle import Settled, settle
from gridpact.cycle.tiers import clear
from gridpact.errors import SettlementError
from gridpact.model.delivery import Metered
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Anchor, Cleared, Meters, Prices, Rating
from gridpact.reputation.feedback import rate as rated

Watch = Callable[[int, str], None]
"""Told which phase of which interval begins."""


def unwatched(_interval: int, _phase: str) -> None:
    """Tell nobody."""


def run(market: Market, intervals: int, watch: Watch = unwatched) -> Iterator[IntervalResult]:
    """Run the market over its intervals, in order of time."""
    past = beginning(market)
    for interval in range(intervals):
        result = trade(market, interval, past, watch)
        past = advance(past, market, result)
        yield result


def trade(market: Market, interval: int, past: Past, watch: Watch) -> IntervalResult:
    """Run one interval, knowing what the ones before left."""
    watch(interval, "price")
    prices = price(market, interval)
    watch(interval, "collect")
    expected = market.field.expected(interval)
    books = collect(market, interval, prices, expected)
    watch(interval, "clear")
    cleared = clear(market, interval, prices, books, expected)
    watch(interval, "commit")
    carry_out(market, interval, cleared, books)
    watch(interval, "deliver")
    meters = deliver(market, interval, cleared, past.readings)
    energy = metered((*meters[0].readings, *meters[1].readings), past.readings)
    watch(interval, "settle")
    settled = settle(market, interval, prices, cleared, past, meters, energy)
    watch(interval, "rate")
    ratings = rate(market, interval, settled)
    watch(interval, "seal")
    seal(market, interval)
    return _result(interval, prices, books, cleared, meters, energy, settled, ratings)


def price(market: Market, interval: int) -> Prices:
    """Post retail, feed-in, charges and the day-ahead power flow's signal on both chains."""

    def decide() -> Prices:
        signal, tariff = market.day_ahead(interval), market.tariff
        return Prices(
            retail=tariff.retail[interval],
            network_share=tariff.network_share,
            feed_in=tariff.feed_in,
            margin=tariff.margin,
            local_charge=tariff.local_charge,
            zonal_charge=tariff.zonal_charge,
            loss_share=signal.loss_share,
            buses=signal.buses,
            solver=signal.solver,
            conflicts=signal.conflicts,
        )

    prices = once(market.local, Key(market.region.id, interval, Phase.PRICE), Prices, decide)
    return once(market.zonal, Key(market.zone, interval, Phase.PRICE), Prices, lambda: prices)


def deliver(
    market: Market,
    interval: int,
    cleared: Cleared,
    readings: Mapping[bytes, tuple[int, int]],
) -> tuple[Meters, Meters]:
    """Let energy flow within the cleared limits and write what the meters signed."""
    reactive = {row.participant: row.reactive_var for row in cleared.reactive}
    delivered = market.field.deliver(interval, cleared.limits, reactive)
    energy = metered((*delivered.local, *delivered.zonal), readings)
    loss_wh, imports_wh = _balance(delivered.local[-1].reading.meter, energy)
    homes = {one.address for one in market.participants}

    def local() -> Meters:
        return Meters(
            readings=tuple(delivered.local),
            loss_wh=loss_wh,
            weighed_wh=imports_wh + loss_wh,
            curtailed=tuple(row for row in delivered.curtailed if row.participant in homes),
        )

    def zonal() -> Meters:
        return Meters(
            readings=tuple(delivered.zonal),
            loss_wh=loss_wh,
            weighed_wh=imports_wh + loss_wh,
            curtailed=tuple(row for row in delivered.curtailed if row.participant not in homes),
        )

    return (
        once(market.local, Key(market.region.id, interval, Phase.DELIVER), Meters, local),
        once(market.zonal, Key(market.zone, interval, Phase.DELIVER), Meters, zonal),
    )


def _balance(substation: bytes, energy: Mapping[bytes, Metered]) -> tuple[int, int]:
    """Return the region's loss and its imports: what came in and was not metered out. [Wh]"""
    above = energy[substation]
    meters = [row for row in energy.values() if row.participant != substation]
    imports = sum(row.import_wh for row in meters)
    loss = above.import_wh - above.export_wh + sum(row.export_wh for row in meters) - imports
    if loss < 0:
        raise SettlementError(f"the meters show {-loss} Wh more out of the region than into it")
    return loss, imports


def rate(market: Market, interval: int, settled: Settled) -> tuple[Rating, Rating]:
    """Move the sellers' reputations by what they delivered."""
    terms = market.rules.rating

    def local() -> Rating:
        fills, deliveries = settled.local.fills, settled.local.deliveries
        scores = {fill.seller: market.local.score(fill.seller) for fill in fills}
        return Rating(rated(scores, fills, deliveries, terms))

    def zonal() -> Rating:
        fills, deliveries = settled.zonal.fills, settled.zonal.deliveries
        scores = {fill.seller: market.zonal.score(fill.seller) for fill in fills}
        return Rating(rated(scores, fills, deliveries, terms))

    return (
        once(market.local, Key(market.region.id, interval, Phase.RATE), Rating, local),
        once(market.zonal, Key(market.zone, interval, Phase.RATE), Rating, zonal),
    )


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
    meters: tuple[Meters, Meters],
    energy: Mapping[bytes, Metered],
    settled: Settled,
    ratings: tuple[Rating, Rating],
) -> IntervalResult:
    return IntervalResult(
        interval=interval,
        prices=prices,
        book=books.local,
        plant_book=books.zonal,
        cleared=cleared,
        meters=meters[0],
        plant_meters=meters[1],
        metered=energy,
        settlement=settled.local,
        zonal_settlement=settled.zonal,
        rating=ratings[0],
        plant_rating=ratings[1],
    )
