"""[Wang23] figures 4 to 7: the same market day again and again, and what of the claims is left.

The paper shows one day. Here each curve is the mean over many draws of people, forecasts and
meters, its band holds 90 % of them, and each claim says on how many of the days it holds. The
claims themselves, word for word, and when they hold are `report.claims`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.errors import BadInput
from gridpact.grid.feeder import FloatArray
from gridpact.report.claims import PAPER, Claim
from gridpact.report.series import clock
from gridpact.studies.days import Draw

LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Subject:
    """What a figure shows: its title, its curves, their unit."""

    title: str
    curves: tuple[str, ...]
    unit: str


SUBJECTS = {
    4: Subject("demand, and what batteries supply", ("demand", "discharge", "charge"), "kW"),
    5: Subject("generation against demand", ("demand", "generation", "roofs"), "kW"),
    6: Subject("demand on the grid", ("contracted_before", "contracted_after", "substation"), "kW"),
    7: Subject("users' hourly price", ("price_before", "price_after"), "per kWh"),
}


@dataclass(frozen=True, eq=False)
class Band:
    """A curve over all draws: mean and the quantiles LOW and HIGH, (interval,)."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Verdict:
    """A claim over all draws. obtained: its numbers, mean and band, in words."""

    claimed: str
    obtained: str
    days: int
    of: int

    @property
    def holds(self) -> bool:
        """Say whether the claim holds on every day."""
        return self.days == self.of


@dataclass(frozen=True, eq=False)
class DayFigure:
    """One figure of the paper, repeated."""

    number: int
    subject: Subject
    edges: FloatArray
    bands: dict[str, Band]
    verdicts: tuple[Verdict, ...]
    draws: tuple[Draw, ...]


def day_figure(number: int, draws: Sequence[Draw]) -> DayFigure:
    """Return a figure of the paper from the days of many draws.

    Raises
    ------
    BadInput
        The scenario is not one whole day in hours or less: the paper's claims are about hours.
    """
    subject, source = SUBJECTS[number], f"{PAPER} fig. {number}"
    rows = [[one for one in draw.claims if one.source == source] for draw in draws]
    if not rows[0]:
        raise BadInput("a study of hours needs a scenario of one whole day in hours or less")
    bands = {
        name: _band(np.array([draw.curves[name] for draw in draws])) for name in subject.curves
    }
    verdicts = tuple(_verdict(claims) for claims in zip(*rows, strict=True))
    return DayFigure(number, subject, draws[0].edges, bands, verdicts, tuple(draws))


def _band(values: FloatArray) -> Band:
    low, high = np.quantile(values, (LOW, HIGH), axis=0)
    return Band(values.mean(axis=0), low, high)


def _verdict(claims: Sequence[Claim]) -> Verdict:
    parts = []
    for column in zip(*(one.measured for one in claims), strict=True):
        values = [one.value for one in column]
        parts.append(f"{column[0].name} {_spread(values, column[0].unit)}")
    return Verdict(
        claims[0].claimed, "; ".join(parts), sum(one.holds for one in claims), len(claims)
    )


def _spread(values: Sequence[float], unit: str) -> str:
    """Return mean and band of a number in words."""
    # the values themselves, nothing between them: peaks and counts are whole
    low = np.quantile(values, LOW, method="lower")
    high = np.quantile(values, HIGH, method="higher")
    mean = float(np.mean(values))
    if unit == "h":
        return f"{clock(mean)} ({clock(float(low))} to {clock(float(high))})"
    digits = 3 if unit == "per kWh" else 1
    whole = all(value.is_integer() for value in values)
    shown = [f"{mean:.{digits}f}", *(f"{one:.{0 if whole else digits}f}" for one in (low, high))]
    return f"{shown[0]} {unit} ".replace("  ", " ") + f"({shown[1]} to {shown[2]})"
