"""Do the paper's claims hold on this day, hour by hour, and gridpact's own promises?

[Wang23], figures 4 to 7, and the promises of the market's rules (5-decisions, sections 4, 5, 7).
Every row says what was claimed, what came out, and whether that is the same. Several claims do
not hold with measured household profiles; then the row says by how much.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.assembly.day import DayResult
from gridpact.prosumer.devices import FloatArray
from gridpact.quantities import MICRO
from gridpact.report.comparison import Comparison
from gridpact.report.hours import Hour
from gridpact.report.series import Series, clock

PAPER, OURS = "[Wang23]", "gridpact"
_NEAR_H = 1.0


@dataclass(frozen=True)
class Measured:
    """One number behind a claim. unit: "h" for a time of the day, "%", "" for a plain count, …"""

    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Claim:
    """One row of the table "claimed / obtained / holds?", with the numbers that decide it."""

    source: str
    claimed: str
    obtained: str
    holds: bool
    measured: tuple[Measured, ...] = ()


def claims(day: DayResult, compared: Comparison, curves: Series) -> tuple[Claim, ...]:
    """Return the paper's claims, for the hours of one whole day, then gridpact's promises."""
    hourly = curves.hours <= 1 and round(len(curves.begins) * curves.hours, 6) == 24
    paper = tuple(_paper(compared, curves)) if hourly else ()
    return (*paper, *_promises(day, compared, curves))


def _paper(compared: Comparison, curves: Series) -> Iterator[Claim]:
    yield _peaks(curves)
    yield _battery(curves)
    yield _cover(curves)
    hours = compared.hours
    yield Claim(
        f"{PAPER} fig. 6",
        "energy demanded from the grid is lower with the scheme at all hours",
        "contracted from grid supply: "
        + _counts(hours, lambda hour: hour.contracted_after - hour.contracted_before)
        + "; the power through the substation changes by at most"
        f" {np.abs(curves.substation - curves.substation_before).max():.1f} kW",
        all(hour.contracted_after < hour.contracted_before for hour in hours),
        (
            *_signs(hours, lambda hour: hour.contracted_after - hour.contracted_before),
            Measured("contracted less over the day", _less_contracted(hours), "%"),
            Measured(
                "largest change of the power through the substation",
                float(np.abs(curves.substation - curves.substation_before).max()),
                "kW",
            ),
        ),
    )
    yield Claim(
        f"{PAPER} fig. 7",
        "users' hourly price is lower than the original at all hours",
        "mean price: " + _counts(hours, _price_change),
        all(_price_change(hour) < 0 for hour in hours),
        _signs(hours, _price_change),
    )
    yield _dearest(hours, curves)


def _promises(day: DayResult, compared: Comparison, curves: Series) -> Iterator[Claim]:
    hours, consumers = compared.hours, compared.consumers
    before = sum(hour.contracted_before for hour in hours)
    after = sum(hour.contracted_after for hour in hours)
    yield Claim(
        OURS,
        "energy contracted from grid supply is lower over the day and higher in no hour",
        f"{before / MICRO:.2f} MWh before, {after / MICRO:.2f} MWh after; "
        + _counts(hours, lambda hour: hour.contracted_after - hour.contracted_before),
        after < before and all(one.contracted_after <= one.contracted_before for one in hours),
    )
    yield Claim(
        OURS,
        "the mean price is higher in no hour",
        _counts(hours, _price_change),
        all(_price_change(hour) <= 0 for hour in hours),
    )
    share = compared.not_worse / len(consumers) if consumers else 1.0
    yield Claim(
        OURS,
        "the bill of at least 99 % of the participants without generation is not above before",
        f"{compared.not_worse} of {len(consumers)} ({100 * share:.1f} %)",
        share >= 0.99,
    )
    peak_before, peak = float(curves.substation_before.max()), float(curves.substation.max())
    planned = day.scenario.strategy == "market"
    yield Claim(
        OURS,
        "the peak of the substation's import is "
        + ("at most 1.05 times that before" if planned else "the same as before"),
        f"{peak_before:.1f} kW before, {peak:.1f} kW after",
        peak <= peak_before * (1.05 if planned else 1 + 1e-9),
    )
    unpaid = compared.unpaid / MICRO
    yield Claim(
        OURS,
        "no account runs empty and every claim is paid",
        f"{unpaid:.2f} unpaid; emptied: {', '.join(compared.emptied) or 'none'}",
        not compared.unpaid and not compared.emptied,
    )


def _peaks(curves: Series) -> Claim:
    morning = _peak(curves, 4, 13)
    evening = _peak(curves, 15, 24)
    return Claim(
        f"{PAPER} fig. 4",
        "load has peaks at 8:00 and 20:00",
        f"load peaks at {clock(morning)} and {clock(evening)} (an hour's difference counts as met)",
        abs(morning - 8) <= _NEAR_H and abs(evening - 20) <= _NEAR_H,
        (Measured("morning peak", morning, "h"), Measured("evening peak", evening, "h")),
    )


def _peak(curves: Series, first: float, end: float) -> float:
    """Return when demand is highest between two hours of the day. [h]"""
    among = (curves.begins >= first) & (curves.begins < end)
    return float(curves.begins[among][int(curves.demand[among].argmax())])


def _battery(curves: Series) -> Claim:
    night = (curves.begins >= 20) | (curves.begins < 5)
    supplies = curves.discharge > 0.005 * curves.demand
    when = _spans(curves, supplies)
    in_night = curves.energy(curves.discharge[night])
    total = curves.energy(curves.discharge)
    return Claim(
        f"{PAPER} fig. 4",
        "batteries supply from 20:00 to 05:00",
        f"batteries supply {when or 'never'}; {in_night:.0f} of {total:.0f} kWh between 20:00 and"
        " 05:00",
        bool(supplies[night].all()),
        (
            Measured("supplied between 20:00 and 05:00", 100 * in_night / (total or 1.0), "%"),
            Measured("intervals of these with supply", float(supplies[night].sum()), ""),
        ),
    )


def _cover(curves: Series) -> Claim:
    noon = (curves.begins >= 10) & (curves.begins < 16)
    # the region asks for energy; what its batteries store at noon is a use of PV, no deficit
    covered = curves.generation - curves.demand >= 0
    share = curves.energy(np.minimum(curves.generation, curves.demand)[noon])
    needed = curves.energy(curves.demand[noon])
    return Claim(
        f"{PAPER} fig. 5",
        "PV covers the deficit from 10:00 to 16:00",
        f"PV exceeds demand {_spans(curves, covered) or 'never'}; between 10:00 and 16:00 it covers"
        f" {100 * share / needed if needed else 100:.0f} % of it",
        bool(covered[noon].all()),
        (
            Measured("covered", 100 * share / needed if needed else 100.0, "%"),
            Measured("intervals of these without deficit", float(covered[noon].sum()), ""),
        ),
    )


def _dearest(hours: tuple[Hour, ...], curves: Series) -> Claim:
    best = min(range(len(hours)), key=lambda t: _price_change(hours[t]))
    at_peak = min((t for t in range(len(hours)) if curves.begins[t] >= 20), default=0)
    return Claim(
        f"{PAPER} fig. 7",
        "the price falls most at the peak of 20:00",
        f"it falls most at {clock(float(curves.begins[best]))}, by"
        f" {-_price_change(hours[best]) / MICRO:.3f} per kWh; at 20:00 by"
        f" {-_price_change(hours[at_peak]) / MICRO:.3f}, when batteries hold"
        f" {curves.stored[at_peak - 1]:.0f} of the day's most, {curves.stored.max():.0f} kWh",
        best == at_peak,
        (
            Measured("falls most at", float(curves.begins[best]), "h"),
            Measured("there by", -_price_change(hours[best]) / MICRO, "per kWh"),
            Measured("at 20:00 by", -_price_change(hours[at_peak]) / MICRO, "per kWh"),
        ),
    )


def _price_change(hour: Hour) -> int:
    return 0 if hour.price_after is None else hour.price_after - hour.price_before


def _counts(hours: Sequence[Hour], change: Callable[[Hour], int]) -> str:
    lower, equal, higher = (int(one.value) for one in _signs(hours, change))
    return f"lower in {lower} intervals, equal in {equal}, higher in {higher}"


def _signs(hours: Sequence[Hour], change: Callable[[Hour], int]) -> tuple[Measured, ...]:
    """Return in how many intervals something fell, stayed and rose."""
    signs = [int(np.sign(change(hour))) for hour in hours]
    return tuple(
        Measured(name, float(signs.count(sign)), "intervals")
        for name, sign in (("lower in", -1), ("equal in", 0), ("higher in", 1))
    )


def _less_contracted(hours: Sequence[Hour]) -> float:
    before = sum(hour.contracted_before for hour in hours)
    return 100 * (1 - sum(hour.contracted_after for hour in hours) / before) if before else 0.0


def _spans(curves: Series, mask: FloatArray | np.ndarray) -> str:
    """Return "06:00-08:00 and 17:00-20:00" of the intervals in a mask."""
    spans: list[list[float]] = []
    for begin in curves.begins[np.asarray(mask, dtype=bool)].tolist():
        if spans and abs(spans[-1][1] - begin) < 1e-9:
            spans[-1][1] = begin + curves.hours
        else:
            spans.append([begin, begin + curves.hours])
    return " and ".join(f"{clock(first)}-{clock(last)}" for first, last in spans)
