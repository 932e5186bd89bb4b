"""Does cheating pay? Each trick against honest conduct, the same day, the same seeds.

Tricks that admission stops (an offer above the declared surplus, one stored kWh offered twice) are
tried with the declaration falsified too; the gain is over the day, all payments counted.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from bench.days import Variant, assembled, day, each
from bench.rows import Row
from gridpact.cycle.cycle import run as run_market
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.model.order import Code, Side, SignedOrder
from gridpact.model.record import Limit
from gridpact.prosumer.bidding import Conduct
from gridpact.quantities import MICRO
from gridpact.report.comparison import compare

SEEDS = range(1, 9)
PLANT = "plant-53"
NOTES = (
    "Mean daily gain of the tricksters against honest conduct on the same days (memory ledgers, "
    "20 % forecast error). Negative: the trick costs. A refused trick changes nothing."
)


@dataclass(frozen=True)
class Outcome:
    """What the players paid over the day [micro-units], and how many orders were refused."""

    paid: Mapping[str, int]
    refused: Mapping[str, int]


def outcome(variant: Variant) -> Outcome:
    """Return what everybody paid under a conduct."""
    result = day(variant)
    refused: dict[str, int] = {}
    for interval in result.intervals:
        for one in (*interval.book.refusals, *interval.plant_book.refusals):
            refused[one.code] = refused.get(one.code, 0) + 1
    return Outcome({one.name: one.after for one in compare(result).accounts}, refused)


def run() -> list[Row]:
    honest = each(outcome, [Variant(seed) for seed in SEEDS])
    sellers, buyers = _players()
    offers = [
        _trick(f"over-offering by {share} %, {how}", honest, sellers, conduct)
        for share in (10, 30, 100)
        for how, conduct in (
            ("as admission allows", Conduct(offer=1 + share / 100)),
            ("declaration falsified", Conduct(offer=1 + share / 100, declared=1 + share / 100)),
        )
    ]
    bids = [
        _trick(
            f"over-bidding by {share} %, declaration falsified",
            honest,
            buyers,
            Conduct(bid=1 + share / 100, declared=1 + share / 100),
        )
        for share in (10, 30, 100)
    ]
    washing = [
        _wash(f"wash trading: a plant's shell buyer bids {factor:g} times its need", honest, factor)
        for factor in (1.3, 2.0)
    ]
    return [row for trick in (*offers, *bids, *washing) for row in trick] + list(_stored_twice())


def _players() -> tuple[list[str], list[str]]:
    """Return every sixth seller and every sixth buyer: few enough not to move the market."""
    accounts = compare(day(Variant(1))).accounts
    sellers = [one.name for one in accounts if one.generates and one.kind != "plant"]
    buyers = [one.name for one in accounts if not one.generates]
    return sellers[::6], buyers[::6]


def _trick(
    what: str, honest: Sequence[Outcome], players: Sequence[str], conduct: Conduct
) -> Iterator[Row]:
    played = each(
        outcome, [Variant(seed, conduct=dict.fromkeys(players, conduct)) for seed in SEEDS]
    )
    gains = [
        (before.paid[name] - after.paid[name]) / MICRO
        for before, after in zip(honest, played, strict=True)
        for name in players
    ]
    yield _gain(what, gains)
    refused = sum(one.refused.get(Code.OVER_LIMIT, 0) for one in played) / len(played)
    if refused:
        yield Row(f"{what}: orders refused as over-limit, per day", refused, "orders")


def _gain(what: str, gains: Sequence[float]) -> Row:
    """Return the mean gain; it pays when it is above zero by more than chance explains."""
    mean, error = statistics.fmean(gains), statistics.stdev(gains) / len(gains) ** 0.5
    return Row(
        f"{what}: mean gain per player and day (standard error {error:.3f})",
        mean,
        "currency",
        goal="<= 0 within 2 standard errors",
        holds=mean <= 2 * error,
    )


def _wash(what: str, honest: Sequence[Outcome], factor: float) -> Iterator[Row]:
    """Measure a plant and a consumer under one owner, the consumer bidding more than it needs."""
    shell = _players()[1][0]
    conduct = {shell: Conduct(bid=factor, declared=factor)}
    played = each(outcome, [Variant(seed, conduct=conduct) for seed in SEEDS])
    gains = [
        sum(before.paid[name] - after.paid[name] for name in (shell, PLANT)) / MICRO
        for before, after in zip(honest, played, strict=True)
    ]
    yield _gain(what, gains)


def _stored_twice() -> Iterator[Row]:
    """Offer the evening's stored energy again in a second order: how many get through?"""
    found = each(second_offers, [Variant(seed) for seed in SEEDS])
    tried, accepted = (sum(column) for column in zip(*found, strict=True))
    yield Row("second offers of the same energy, tried", tried, "orders")
    yield Row("second offers of the same energy, accepted", accepted, "orders", goal="0",
              holds=accepted == 0 < tried)  # fmt: skip


def second_offers(variant: Variant) -> tuple[int, int]:
    """Return how many offers were sent a second time with another salt, and how many accepted."""
    parts = assembled(variant)
    field = Doubling(parts.market.field)
    results = list(run_market(replace(parts.market, field=field), parts.scenario.time.intervals))
    accepted = [
        one.order.participant
        for result in results
        for one in result.book.orders
        if one.order.side is Side.OFFER and one.order.salt >= Doubling.SALT
    ]
    return field.tried, len(accepted)


class Doubling:
    """A field in which every local offer is sent again as a new order."""

    SALT = 1_000_000

    def __init__(self, field: Field) -> None:
        self._field, self.tried = field, 0

    def expected(self, interval: int) -> Expected:
        return self._field.expected(interval)

    def orders(self, interval: int) -> Submitted:
        sent = self._field.orders(interval)
        again = [
            SignedOrder(msgspec.structs.replace(one.order, salt=one.order.salt + self.SALT), b"")
            for one in sent.local
            if one.order.side is Side.OFFER
        ]
        self.tried += len(again)
        return replace(sent, local=[*sent.local, *again])

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        return self._field.deliver(interval, limits, reactive_var)
