"""[Wang23] figures 4 to 7 as pictures, tables and words."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from gridpact.report import style
from gridpact.report.style import AFTER, BATTERY, INK, LOCAL, ZONAL
from gridpact.studies.wang2023_days import DayFigure, Verdict

_LOOK = {
    "demand": (INK, "demand"),
    "discharge": (BATTERY, "batteries supply"),
    "charge": ("#b39bd1", "batteries store"),
    "generation": (ZONAL, "all PV"),
    "roofs": (LOCAL, "rooftop PV"),
    "contracted_before": ("#77848f", "contracted before"),
    "contracted_after": (AFTER, "contracted after"),
    "substation": (INK, "through the substation"),
    "price_before": ("#77848f", "before"),
    "price_after": (AFTER, "after"),
}
_HOURS = {4: ((20, 24), (0, 5)), 5: ((10, 16),), 6: (), 7: ((20, 21),)}
"""Hours of the day that the paper's claim is about, shaded."""
_WHY = {
    4: "An hour's difference counts as met. Demand is that of homes, commerce and vehicles."
    " Batteries supply as their owners' own control decides: in the evening until they are empty.",
    5: "All PV is rooftops and plants together, after what the wires cut. Demand is without what"
    " batteries store.",
    6: "Contracted is what grid supply has to provide by contract before delivery: before, the"
    " forecast net demand; after, what neighbours and plants left unmet. What flows through the"
    " substation is set by devices and weather, not by contracts.",
    7: "Mean price of what participants bought, network charges and fees included. Where nobody"
    " has energy to sell, the price is retail as before.",
}


def write(found: DayFigure, folder: Path) -> list[Path]:
    """Write figureN.svg, figureN.csv, figureN-days.csv and figureN.md; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"figure{found.number}"
    texts = {
        f"{name}.svg": style.svg(picture(found), f"wang2023-{name}"),
        f"{name}.csv": _csv(_curves(found)),
        f"{name}-days.csv": _csv(_days(found)),
        f"{name}.md": report(found),
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in texts]


def table(found: DayFigure) -> str:
    """Return claimed and obtained as a Markdown table."""
    lines = ["| claimed | obtained: mean (90 % of days) | holds? |", "|---|---|---|"]
    lines += [f"| {one.claimed} | {one.obtained} | {_holds(one)} |" for one in found.verdicts]
    return "\n".join(lines)


def _holds(one: Verdict) -> str:
    if one.holds:
        return f"yes, on all {one.of} days"
    return f"**no**, on {one.days or 'none'} of {one.of} days"


def report(found: DayFigure) -> str:
    """Return the study in words, with its table."""
    return f"""# [Wang23] figure {found.number}: {found.subject.title}

{len(found.draws)} days, each with people, forecasts and meters of its own seed (1 to
{len(found.draws)}); curves are means over the days, bands hold 90 % of them.

{table(found)}

{_WHY[found.number]}
"""


def picture(found: DayFigure) -> Figure:
    """Draw the means with their bands; the hours that a claim is about are shaded."""
    unit = "currency per kWh" if found.number == 7 else found.subject.unit
    figure, axes = style.canvas(unit, height=3.3)
    for first, last in _HOURS[found.number]:
        axes.axvspan(first, last, color="#f3efe2", linewidth=0, zorder=0)
    for name, band in found.bands.items():
        sign = -1 if name == "charge" else 1
        colour, words = _LOOK[name]
        style.area(axes, found.edges, sign * band.high, colour, base=sign * band.low, alpha=0.28)
        style.line(axes, found.edges, sign * band.mean, colour, words, 1.7)
    low, high = axes.get_ylim()
    room = 0.03 * (high - low)
    axes.set_ylim(low - room if low < 0 else 0, high + room)
    style.zero(axes)
    style.hour_axis(axes, found.edges)
    style.legend(axes)
    return figure


def _curves(found: DayFigure) -> Iterator[Sequence[object]]:
    """Yield mean and band of every curve, one row an interval."""
    yield (
        "from_h",
        *(f"{name}_{part}" for name in found.bands for part in ("mean", "p05", "p95")),
    )
    for t, begin in enumerate(found.edges[:-1].tolist()):
        parts = [one for band in found.bands.values() for one in (band.mean, band.low, band.high)]
        yield (f"{begin:g}", *(f"{part[t]:.6g}" for part in parts))


def _days(found: DayFigure) -> Iterator[Sequence[object]]:
    """Yield what was measured of each claim on each day."""
    yield ("seed", "claim", "holds", "measured", "value", "unit")
    source = f"fig. {found.number}"
    for draw in found.draws:
        for claim in draw.claims:
            if claim.source.endswith(source):
                for one in claim.measured:
                    value = f"{one.value:.6g}"
                    yield (draw.seed, claim.claimed, int(claim.holds), one.name, value, one.unit)


def _csv(rows: Iterator[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
