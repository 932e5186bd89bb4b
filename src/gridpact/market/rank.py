"""In which order generation is cut when the wires cannot carry it (5-decisions, section 6).

Unsold energy first, then the last in merit order, then lower reputation. One participant's
generation has up to two ranks, so it becomes two rows of the grid check: one that is sold or used
behind the meter, one that is surplus. Each row has a name of its own (`address`, or that and
"surplus"), so that a check takes it for an injector; `merged` puts its verdict together again.

The inverter is divided between the rows in proportion to their power: the sum of two discs whose
radii add up is the disc of that radius, so together they can do what the inverter can, exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridpact.model.grid_check import Curtailment, GridVerdict, Injector
from gridpact.model.order import Accepted, Side
from gridpact.model.trade import Fill
from gridpact.quantities import Price, Score, Wh

_SURPLUS = b"surplus"


@dataclass(frozen=True)
class Span:
    """An interval's length, which turns energy into mean power and back."""

    minutes: int = 60

    def power_up(self, energy: Wh) -> int:
        """Return the mean power that delivers at least `energy`. [W]"""
        return -(-energy * 60 // self.minutes)

    def energy_down(self, power: int) -> Wh:
        """Return the energy that `power` delivers for sure. [Wh]"""
        return power * self.minutes // 60


def ranked(
    injectors: Sequence[Injector],
    fills: Sequence[Fill],
    offers: Sequence[Accepted],
    scores: Mapping[bytes, Score],
    exports: Mapping[bytes, Wh],
    span: Span,
    floor: Price,
) -> tuple[Injector, ...]:
    """Return the rows of the grid check, the first to keep with rank 0.

    Parameters
    ----------
    injectors
        Everyone who will generate, one row each, unranked.
    fills
        Of both tiers, before the check.
    offers
        Offers of both tiers: where the surplus stands in merit order.
    exports
        What each participant will export by forecast; the rest of its generation is used behind
        the meter and kept longest. Who is not named uses nothing itself. [Wh]
    floor
        Feed-in tariff, to which lower offers are lifted. [micro-units per kWh]
    """
    asked = _asked(offers, floor)
    sold = energy_sold(fills)
    rows: list[tuple[tuple[bool, int, Price, Score, bytes], Injector]] = []
    for one in injectors:
        who = one.participant
        merit = asked.get(who, _NO_OFFER)
        surplus = surplus_power(one, sold.get(who, 0), exports.get(who), span)
        for unsold, row in _rows(one, surplus):
            tier, price, name = merit
            rows.append(((unsold, tier, price, -scores.get(who, 0), name or who), row))
    rows.sort(key=lambda pair: pair[0])
    return tuple(_with_rank(row, rank) for rank, (_, row) in enumerate(rows))


def own_use(one: Injector, export: Wh | None, span: Span) -> int:
    """Return the power that never leaves the house. [W]"""
    return 0 if export is None else max(0, one.generation_w - span.power_up(export))


def surplus_power(one: Injector, sold: Wh, export: Wh | None, span: Span) -> int:
    """Return the power that leaves the house unsold. [W]"""
    return max(0, one.generation_w - own_use(one, export, span) - span.power_up(sold))


def energy_sold(fills: Sequence[Fill]) -> dict[bytes, Wh]:
    """Return what each seller has sold. [Wh]"""
    sold: dict[bytes, Wh] = {}
    for fill in fills:
        sold[fill.seller] = sold.get(fill.seller, 0) + fill.energy_wh
    return sold


def merged(verdict: GridVerdict, rows: Sequence[Injector]) -> GridVerdict:
    """Return the verdict per participant again: limits and reactive power of its rows added up.

    A participant's limit is what its rows may still feed in together. The name and multiplier are
    those of its row with the highest multiplier.
    """
    by_row = {one.participant: one for one in verdict.curtailments}
    power: dict[bytes, int] = {}
    worst: dict[bytes, Curtailment] = {}
    for row in rows:
        who, cut = owner(row.participant), by_row.get(row.participant)
        power[who] = power.get(who, 0) + (row.generation_w if cut is None else cut.power_w)
        if cut is not None and (who not in worst or cut.multiplier > worst[who].multiplier):
            worst[who] = cut
    reactive: dict[bytes, int] = {}
    for name, var in verdict.reactive_var.items():
        reactive[owner(name)] = reactive.get(owner(name), 0) + var
    return GridVerdict(
        tuple(
            Curtailment(who, power[who], one.limit, one.multiplier) for who, one in worst.items()
        ),
        reactive,
        verdict.loss_w,
        verdict.v_min,
        verdict.v_max,
        verdict.binding,
        verdict.conflicts,
    )


def owner(row: bytes) -> bytes:
    """Return the address of the participant that a row belongs to."""
    return row.removesuffix(_SURPLUS)


_NO_OFFER = (99, 0, b"")
"""Who offers nothing stands behind every offer."""


def _asked(offers: Sequence[Accepted], floor: Price) -> dict[bytes, tuple[int, Price, bytes]]:
    """Return (tier, price, order hash) of each participant's last offer in merit order."""
    asked: dict[bytes, tuple[int, Price, bytes]] = {}
    for one in offers:
        if one.order.side is Side.OFFER:
            merit = int(one.order.tier), max(one.order.price, floor), one.hash
            asked[one.order.participant] = max(merit, asked.get(one.order.participant, merit))
    return asked


def _rows(one: Injector, surplus: int) -> list[tuple[bool, Injector]]:
    """Return (unsold, row) of an injector; a part without power has no row."""
    kept = one.generation_w - surplus
    if not surplus:
        return [(False, one)]
    if not kept:
        return [(True, _part(one, surplus, one.inverter_va, _SURPLUS))]
    share = one.inverter_va * surplus // one.generation_w
    return [
        (False, _part(one, kept, one.inverter_va - share, b"")),
        (True, _part(one, surplus, share, _SURPLUS)),
    ]


def _part(one: Injector, power: int, inverter: int, suffix: bytes) -> Injector:
    return Injector(one.participant + suffix, one.bus, power, one.rank, inverter)


def _with_rank(row: Injector, rank: int) -> Injector:
    return Injector(row.participant, row.bus, row.generation_w, rank, row.inverter_va)
