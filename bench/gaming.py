"""Does cheating pay? Each trick against honest conduct, the same day, the same seeds.

Tricks that admission stops (an offer above the declared surplus, one stored kWh offered twice) are
tried with the declaration falsified too; the gain is over the day, all payments counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.days import Variant, day, each
from bench.rows import Row
from gridpact.model.order import Code
from gridpact.prosumer.bidding import Conduct
from gridpact.report.comparison import compare

SEEDS = 5
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
    honest = each(outcome, [Variant(seed) for seed in range(1, SEEDS + 1)])
    sellers, buyers = _players()
    return [
        *_trick("over-offering by 30 %, declared truly", honest, sellers, Conduct(offer=1.3)),
        *_trick(
            "over-offering by 30 %, declaration falsified",
            honest,
            sellers,
            Conduct(offer=1.3, declared=1.3),
        ),
        *_trick(
            "over-offering by 100 %, declaration falsified",
            honest,
            sellers,
            Conduct(offer=2.0, declared=2.0),
        ),
        *_trick(
            "over-bidding by 30 %, declaration falsified",
            honest,
            buyers,
            Conduct(bid=1.3, declared=1.3),
        ),
        *_trick(
            "over-bidding by 100 %, declaration falsified",
            honest,
            buyers,
            Conduct(bid=2.0, declared=2.0),
        ),
    ]


def _players() -> tuple[list[str], list[str]]:
    """Return every tenth seller and every tenth buyer: few enough not to move the market."""
    accounts = compare(day(Variant(1))).accounts
    sellers = [one.name for one in accounts if one.generates and one.kind != "plant"]
    buyers = [one.name for one in accounts if not one.generates]
    return sellers[::10], buyers[::10]


def _trick(what: str, honest: list[Outcome], players: list[str], conduct: Conduct) -> Iterator[Row]:
    played = each(
        outcome,
        [Variant(seed, conduct=dict.fromkeys(players, conduct)) for seed in range(1, SEEDS + 1)],
    )
    gains = [
        (before.paid[name] - after.paid[name]) / 1e6
        for before, after in zip(honest, played, strict=True)
        for name in players
    ]
    gain = sum(gains) / len(gains)
    yield Row(
        f"{what}: mean gain per player and day", gain, "currency", goal="<= 0", holds=gain <= 0
    )
    yield Row(f"{what}: largest gain of a player on a day", max(gains), "currency")
    refused = sum(one.refused.get(Code.OVER_LIMIT, 0) for one in played) / len(played)
    yield Row(f"{what}: orders refused as over-limit, per day", refused, "orders")
