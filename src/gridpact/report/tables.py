"""Trades and prices of a day as Parquet files that any table tool reads.

trades.parquet: one row per fill, the buyer of a zonal fill being the participant for whom the
region bought. Energy in Wh, price in micro-units per kWh, money in micro-units. `fill` is the
fill's hash on `chain`, where it was settled.

prices.parquet: one row per interval and bus. retail, feed_in, network_share [micro-units/kWh],
loss_share [ppm] and the energy-weighted mean prices of the interval's local and zonal fills (null
without any) repeat on every row of an interval; dlmp and locational [micro-units/kWh] are the bus's
own, from the day-ahead power flow; dlmp is null where that found limits which cannot hold.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.json import ParseOptions, read_json

from gridpact.model.order import Tier
from gridpact.report.findings import Findings

TRADES = pa.schema(
    [
        ("interval", pa.int32()),
        ("tier", pa.string()),
        ("seller", pa.string()),
        ("buyer", pa.string()),
        ("agreed_wh", pa.int64()),
        ("sent_wh", pa.int64()),
        ("received_wh", pa.int64()),
        ("price", pa.int64()),
        ("paid", pa.int64()),
        ("reward", pa.int64()),
        ("refund", pa.int64()),
        ("charge", pa.int64()),
        ("case", pa.string()),
        ("cleared_wh", pa.int64()),
        ("unused_wh", pa.int64()),
        ("held_wh", pa.int64()),
        ("fee", pa.int64()),
        ("claim", pa.int64()),
        ("chain", pa.string()),
        ("fill", pa.string()),
    ]
)
PRICES = pa.schema(
    [
        ("interval", pa.int32()),
        ("bus", pa.int32()),
        ("retail", pa.int64()),
        ("feed_in", pa.int64()),
        ("network_share", pa.int64()),
        ("loss_share", pa.int64()),
        ("mean_local", pa.int64()),
        ("mean_zonal", pa.int64()),
        ("dlmp", pa.int64()),
        ("locational", pa.int64()),
    ]
)


def write_trades(found: Findings, path: Path) -> Path:
    """Write one row per fill."""
    day = found.day
    chains = {Tier.LOCAL: day.chains[0].name, Tier.ZONAL: day.chains[1].name}
    rows = []
    for trade in found.compared.trades:
        fill, delivery, statement = trade.settled
        rows.append(
            {
                "interval": trade.interval,
                "tier": trade.tier.name.lower(),
                "seller": day.names[fill.seller],
                "buyer": day.names[fill.buyer],
                "agreed_wh": delivery.agreed,
                "sent_wh": delivery.sent,
                "received_wh": delivery.received,
                "price": fill.price,
                "paid": statement.paid,
                "reward": statement.reward,
                "refund": statement.refund,
                "charge": statement.charge,
                "case": statement.case.name.lower(),
                "cleared_wh": fill.energy_wh,
                "unused_wh": delivery.unused,
                "held_wh": delivery.held,
                "fee": statement.fee_seller + statement.fee_network,
                "claim": statement.claim,
                "chain": chains[trade.tier],
                "fill": trade.name.hex(),
            }
        )
    return write_table(rows, TRADES, path)


def write_prices(found: Findings, path: Path) -> Path:
    """Write one row per interval and bus."""
    day, rows = found.day, []
    for result, hour in zip(day.intervals, found.compared.hours, strict=True):
        prices, advice = result.prices, day.advice.day[result.interval]
        posted = {row.bus: row.locational for row in prices.buses}
        rows += [
            {
                "interval": result.interval,
                "bus": bus,
                "retail": prices.retail,
                "feed_in": prices.feed_in,
                "network_share": prices.network_share,
                "loss_share": prices.loss_share,
                "mean_local": hour.local_price,
                "mean_zonal": hour.zonal_price,
                "dlmp": None if advice.conflicts else dlmp,
                "locational": posted.get(bus, 0),
            }
            for bus, dlmp in advice.dlmp.items()
        ]
    return write_table(rows, PRICES, path)


def write_table(rows: Sequence[Mapping[str, object]], schema: pa.Schema, path: Path) -> Path:
    """Write rows as Parquet.

    They go through JSON lines: making arrays of Python values one by one would import pandas where
    it is installed, which takes longer than all the rest.
    """
    lines = b"\n".join(map(msgspec.json.encode, rows))
    options = ParseOptions(explicit_schema=schema)
    table = read_json(pa.BufferReader(lines), parse_options=options) if rows else None
    pq.write_table(schema.empty_table() if table is None else table, path)
    return path
