"""What was ordered, what it asked beyond energy and price, and how much of it was filled.

orders.parquet: one row per accepted order of both chains. Energy in Wh, price in micro-units per
kWh, reputation in ppm; `filled_wh` after the grid check. A window is given in intervals, its end
exclusive, both 0 for none; source is bits, zone 0 is everywhere, partner is empty for nobody.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from gridpact.assembly.day import DayResult
from gridpact.market.unmet import filled
from gridpact.model.attributes import NOBODY, PLAIN
from gridpact.model.order import Accepted, Tier
from gridpact.quantities import Wh
from gridpact.report.tables import write_table

ORDERS = pa.schema(
    [
        ("interval", pa.int32()),
        ("tier", pa.string()),
        ("side", pa.string()),
        ("participant", pa.string()),
        ("energy_wh", pa.int64()),
        ("price", pa.int64()),
        ("filled_wh", pa.int64()),
        ("min_reputation", pa.int64()),
        ("all_or_nothing", pa.bool_()),
        ("window_start", pa.int32()),
        ("window_end", pa.int32()),
        ("source", pa.int64()),
        ("partner", pa.string()),
        ("zone", pa.int64()),
        ("order", pa.string()),
    ]
)


class Row(NamedTuple):
    """An accepted order and what of it was filled. [Wh]"""

    interval: int
    accepted: Accepted
    filled_wh: Wh


class Wished(NamedTuple):
    """How orders with one kind of wish fared. [Wh]"""

    side: str
    wish: str
    orders: int
    asked_wh: Wh
    filled_wh: Wh


def orders(day: DayResult) -> Iterator[Row]:
    """Yield the accepted orders of a day, by interval, the region's first."""
    for result in day.intervals:
        used = filled(result.cleared.fills)
        for one in (*result.book.orders, *result.plant_book.orders):
            yield Row(result.interval, one, used.get(one.hash, 0))


def wishes(day: DayResult) -> list[Wished]:
    """Return how local orders with wishes fared, by side and wish; one with two counts in both.

    A zonal bid asks for the same energy once more and is left out.
    """
    sums: dict[tuple[str, str], list[int]] = {}
    for row in orders(day):
        order = row.accepted.order
        if order.tier is not Tier.LOCAL:
            continue
        asked = [*(row.accepted.attributes or PLAIN).asked]
        asked += ["least reputation"] * bool(order.min_reputation)
        for wish in asked:
            sum_of = sums.setdefault((order.side.name.lower(), wish), [0, 0, 0])
            for place, more in enumerate((1, order.energy_wh, row.filled_wh)):
                sum_of[place] += more
    return [Wished(*what, *sum_of) for what, sum_of in sorted(sums.items())]


def write_orders(day: DayResult, path: Path) -> Path:
    """Write one row per accepted order."""
    return write_table([_row(day, row) for row in orders(day)], ORDERS, path)


def _row(day: DayResult, row: Row) -> dict[str, object]:
    order, asked = row.accepted.order, row.accepted.attributes or PLAIN
    return {
        "interval": row.interval,
        "tier": order.tier.name.lower(),
        "side": order.side.name.lower(),
        "participant": day.names[order.participant],
        "energy_wh": order.energy_wh,
        "price": order.price,
        "filled_wh": row.filled_wh,
        "min_reputation": order.min_reputation,
        "all_or_nothing": asked.all_or_nothing,
        "window_start": asked.start,
        "window_end": asked.end,
        "source": asked.source,
        "partner": "" if asked.partner == NOBODY else day.names[asked.partner],
        "zone": asked.zone,
        "order": row.accepted.hash.hex(),
    }
