"""[Zeng23] figures 6 and 9: a day of six suppliers and five users, and what it costs.

The paper prints neither loads nor prices nor weather. The day here is drawn: the large grid with
250 MW, two PV plants, three wind plants, five users, with the sizes and hours that the paper names.
What follows from the draw alone is marked so; what the methods make of it is a finding. All methods
clear the same books with gridpact's own mechanisms. The paper's "double-layer" and "heterogeneous"
methods have no algorithm in the source and are not compared with.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import Pairs
from gridpact.market.mechanism import Clearing
from gridpact.market.mechanisms import mechanism
from gridpact.market.pareto_case import Floats
from gridpact.report.style import AFTER, BATTERY, GRID, INK, LOCAL, ZONAL
from gridpact.studies.repeated import Claimed, Repeated, curve

HOURS = 24
GRID_MW, PV_MW, WIND_MW = 250.0, (90.0, 70.0), (70.0, 60.0, 50.0)
NIGHT, DAY = 0.38, 0.50
"""Price of the large grid before 7:00 and after 23:00, and between. [yuan per kWh]"""
CAP = 0.5
"""Highest mean delivered price ([Zeng23] section 4). [yuan per kWh]"""
TURNOVER = 200_000.0
"""What the paper's figure 9 shows an hour, about. [yuan]"""
METHODS = {
    "pareto": ("pareto", AFTER),
    "Nash bargaining": ("nash_bargaining", BATTERY),
    "merit order": ("merit_order", LOCAL),
    "uniform auction": ("uniform_price", ZONAL),
    "grid only": ("merit_order", GRID),
}
_MICRO, _WH = 1_000_000, 1_000_000


@dataclass(frozen=True, eq=False)
class Day:
    """One draw: available [MW] (supplier, hour), price [yuan/kWh] likewise, load [MW] (user, hour).

    The grid is the first supplier. bus: transport price at each place. [yuan/kWh]
    """

    available: Floats
    price: Floats
    load: Floats
    supplier_bus: Floats
    user_bus: Floats


def drawn(seed: int) -> Day:
    """Return the day of a seed."""
    chance = np.random.default_rng(seed)
    hour = np.arange(HOURS, dtype=np.float64) + 0.5
    sun = np.maximum(0.0, np.sin(np.pi * (hour - 7) / 12)) ** 2
    # wind with the paper's peaks about 9:00 and 17:00, PV with that about 13:00
    wind = 0.12 + 0.75 * _bumps(hour, (9.5, 1.3, 1.0), (17.5, 1.3, 1.0))
    plants = [*(mw * sun for mw in PV_MW), *(mw * wind for mw in WIND_MW)]
    made = np.array(plants) * chance.uniform(0.85, 1.1, (len(plants), HOURS))
    grid = np.where((hour < 7) | (hour > 23), NIGHT, DAY)
    asked = grid * chance.uniform(0.7, 0.95, (len(plants), 1))
    shape = 0.62 + _bumps(hour, (11.0, 3.0, 0.25), (19.5, 2.5, 0.38))
    size = chance.uniform(40, 60, 5)
    load = size[:, None] * shape * chance.uniform(0.92, 1.08, (5, HOURS))
    return Day(
        np.vstack([np.full(HOURS, GRID_MW), made]),
        np.vstack([grid, asked]),
        load,
        chance.uniform(0.0, 0.02, 1 + len(plants)),
        chance.uniform(0.0, 0.02, 5),
    )


def _bumps(hour: Floats, *each: tuple[float, float, float]) -> Floats:
    """Return a sum of bell curves, each of (middle, width, height). [h]"""
    heights = [high * np.exp(-(((hour - at) / wide) ** 2)) for at, wide, high in each]
    return np.asarray(np.sum(heights, axis=0), np.float64)


def book_of(day: Day, hour: int, suppliers: slice = slice(None)) -> OrderBook:
    """Return an hour as an order book; a user bids a little more than the large grid asks.

    Transport costs 0.01 yuan/kWh and what the user's place has more than the supplier's.
    """
    dearest = int(day.price[0, hour] * _MICRO) + 1_000
    pairs = Pairs(10 * _MICRO, 0, 0, 10_000, _MICRO, {})
    bids = Orders.of(
        energy=(day.load[:, hour] * _WH).astype(np.int64),
        price=np.full(len(day.load), dearest),
        location=(day.user_bus * _MICRO).astype(np.int64),
    )
    offers = Orders.of(
        energy=np.maximum(1, (day.available[suppliers, hour] * _WH).astype(np.int64)),
        price=(day.price[suppliers, hour] * _MICRO).astype(np.int64),
        location=(day.supplier_bus[suppliers] * _MICRO).astype(np.int64),
    )
    return OrderBook.of(bids, offers, pairs=pairs)


@dataclass(frozen=True)
class Hour:
    """What a method made of an hour. [MWh], [yuan], transport included."""

    served: float
    renewable: float
    turnover: float

    @property
    def price(self) -> float:
        """Return the mean delivered price. [yuan per kWh]"""
        return self.turnover / self.served / 1000 if self.served else float("nan")


def cleared(day: Day, hour: int, method: str) -> Hour:
    """Return what one of `METHODS` makes of an hour."""
    book = book_of(day, hour, slice(1) if method == "grid only" else slice(None))
    fills: Clearing = mechanism(METHODS[method][0]).match(book)
    if fills.uniform is not None:
        # pay as clear: every buyer pays the one price and its own transport
        fills = replace(fills, price=np.full(len(fills), fills.uniform))
    paid = fills.price + fills.levy + book.charge(fills.bid, fills.offer)
    energy = fills.energy / _WH
    return Hour(
        float(energy.sum()),
        float(energy[fills.offer > 0].sum()),
        float((energy * paid).sum() / _MICRO * 1000),
    )


@cache
def _days(draws: int) -> dict[str, tuple[tuple[Hour, ...], ...]]:
    """Return (draw, hour) of every method."""
    days = [drawn(seed) for seed in range(1, draws + 1)]
    return {
        method: tuple(tuple(cleared(day, h, method) for h in range(HOURS)) for day in days)
        for method in METHODS
    }


def _values(draws: int, method: str, what: str) -> Floats:
    """Return one figure of a method, (hour, draw)."""
    rows = _days(draws)[method]
    return np.array([[getattr(one, what) for one in row] for row in rows]).T


def figure_6(draws: int) -> Repeated:
    """Return what is traded through the day and at what mean price."""
    renewable, served = (_values(draws, "pareto", what) for what in ("renewable", "served"))
    price = _values(draws, "pareto", "price")
    made = np.array([drawn(seed).available[1:].sum(axis=0) for seed in range(1, draws + 1)]).T
    night, share = renewable[:6].sum(axis=0) / served[:6].sum(axis=0), renewable / served
    high = price[7:23].mean(axis=0) > price[:7].mean(axis=0)
    follows = np.array([np.corrcoef(share[7:23, k], price[7:23, k])[0, 1] for k in range(draws)])
    peaks = {
        at: float(np.mean([made[at, k] >= made[at - 2 : at + 3, k].max() * 0.95
                           for k in range(draws)]))
        for at in (9, 13, 17)
    }  # fmt: skip
    claims = (
        Claimed(
            "little renewable supply from 0 to 6 h",
            f"{night.mean():.1%} of what is used (drawn so)",
            "yes, by the draw",
        ),
        Claimed(
            "prices are high after 7:00",
            f"{price[7:23].mean():.3f} against {price[:7].mean():.3f} yuan/kWh before, higher on "
            f"{high.mean():.0%} of the days (the large grid's tariff is drawn so)",
            "yes, by the draw" if high.all() else "**no**",
        ),
        Claimed(
            "renewables peak about 9:00, 13:00 and 17:00",
            "; ".join(f"{at}:00 within 5 % of the most in 2 h about it on {peaks[at]:.0%} of days"
                      for at in peaks) + " (drawn so)",
            "yes, by the draw" if min(peaks.values()) > 0.5 else "**no**",
        ),
        Claimed(
            "prices fall where renewables peak",
            f"correlation of price and renewable share from 7 to 23 h {follows.mean():.2f} "
            f"(worst day {follows.max():.2f})",
            "yes, on every day" if (follows < 0).all() else "in the mean only",
        ),
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [
        ("hour", "renewable MW", "grid MW", "available MW", "price yuan/kWh")
    ]
    for h in range(HOURS):
        four = (renewable[h], served[h] - renewable[h], made[h], price[h])
        rows.append((str(h), *(f"{one.mean():.6g}" for one in four)))
    return Repeated(
        paper="Zeng23",
        name="figure6",
        title="supply through the day",
        unit="MW",
        axis="hour of the day",
        at=tuple(range(HOURS)),
        curves=(
            curve("renewables used", LOCAL, renewable),
            curve("large grid used", GRID, served - renewable),
            curve("renewables there are", ZONAL, made, dashed=True),
            curve("load", INK, served),
        ),
        claims=claims,
        words=f"{draws} drawn days, cleared by paper D's scheme (exact front, knee). {_INPUTS}",
        rows=tuple(rows),
    )


def figure_9(draws: int) -> Repeated:
    """Return the turnover of each hour, and what a MWh costs at equal served energy."""
    turnover = {method: _values(draws, method, "turnover") for method in METHODS}
    served = {method: _values(draws, method, "served") for method in METHODS}
    equal = np.all([np.abs(one - served["pareto"]) < 1e-3 for one in served.values()], axis=0)
    lacking = served["grid only"] < served["pareto"] - 1e-3
    cost = {m: float((turnover[m] * equal).sum() / (served[m] * equal).sum()) for m in METHODS}
    prices = {m: _values(draws, m, "price") for m in METHODS}
    table = ["| method | yuan per MWh | mean turnover, yuan/h | hours at or below 0.5 yuan/kWh |",
             "|---|--:|--:|--:|"]  # fmt: skip
    table += [
        f"| {m} | {cost[m]:.2f} | {turnover[m].mean():,.0f} | {(prices[m] <= CAP).mean():.1%} |"
        for m in METHODS
    ]
    return Repeated(
        paper="Zeng23",
        name="figure9",
        title="hourly turnover",
        unit="yuan/h",
        axis="hour of the day",
        at=tuple(range(HOURS)),
        curves=tuple(curve(m, METHODS[m][1], turnover[m]) for m in METHODS),
        claims=_claims_9(turnover, cost, served["pareto"]),
        words=f"{draws} drawn days. At equal served energy ({equal.mean():.1%} of the hours; in "
        f"{lacking.mean():.1%} the grid alone cannot serve the load):\n\n" + "\n".join(table)
        + "\n\nLeast turnover is also won by not trading, so methods are compared by what a MWh "
        "costs where all serve the same. The auction's price is that of the last offer needed, "
        "which is mostly the large grid's; Nash bargaining gives half of what is saved against the "
        f"large grid to the seller. {_INPUTS}",
    )  # fmt: skip


def _claims_9(
    turnover: dict[str, Floats], cost: dict[str, float], served: Floats
) -> tuple[Claimed, ...]:
    ours = turnover["pareto"]
    others = {m: one for m, one in turnover.items() if m != "pareto"}
    least = {m: float((ours <= one + 1e-6).mean()) for m, one in others.items()}
    dearer = {m: cost[m] / cost["pareto"] - 1 for m in others}
    night = served[:6]
    most = 1000 * CAP * (GRID_MW + 0.2 * sum(WIND_MW))
    return (
        Claimed(
            "about 200,000 yuan an hour",
            f"mean {ours.mean():,.0f}, from {ours.mean(axis=1).min():,.0f} to "
            f"{ours.mean(axis=1).max():,.0f} over the day (sizes of loads are ours)",
            "**no**, and it cannot at night: see the next line",
        ),
        Claimed(
            "200,000 yuan an hour at a mean price of at most 0.5 yuan/kWh, also at night",
            f"needs {TURNOVER / CAP / 1000:.0f} MWh an hour; with 250 MW of grid and little "
            f"renewable supply (20 % of the wind) there are at most {most:,.0f} yuan; served here "
            f"{night.mean():.0f} MWh from 0 to 6 h",
            "**no**: the paper's own figures 6 and 9 and its price limit conflict",
        ),
        Claimed(
            "least turnover of all methods",
            "ours at or below "
            + ", ".join(f"{m} in {share:.1%}" for m, share in least.items()) + " of all hours",
            _verdict(least),
        ),
        Claimed(
            "least cost (per MWh, at equal served energy)",
            ", ".join(f"{m} {more:+.2%}" for m, more in dearer.items()) + " against ours",
            "yes, over the day" if min(dearer.values()) >= 0 else "**no**",
        ),
        Claimed(
            "below double-layer and heterogeneous blockchain",
            "no algorithm in the source, nothing to run",
            "cannot be tested",
        ),
    )  # fmt: skip


def _verdict(least: dict[str, float]) -> str:
    if min(least.values()) == 1.0:
        return "yes, in every hour"
    return "not in every hour" if min(least.values()) > 0.5 else "**no**"


_INPUTS = (
    "Drawn, since the paper prints no data: PV of 90 and 70 MW, wind of 70, 60 and 50 MW, users of "
    f"40 to 60 MW each; the large grid asks {NIGHT} yuan/kWh before 7:00 and after 23:00 and {DAY} "
    "between, plants 70 to 95 % of that; transport 0.01 yuan/kWh and up to 0.02 more by place. "
    "Users bid 0.001 more than the large grid asks."
)
