"""A figure or table of a paper, repeated over many seeds: curves with intervals, claims, words.

A claim about an average is held against the mean of paired differences and its 95 % interval; how
many of the seeds it holds on is said beside it.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from gridpact.propagation.nodes import FloatArray
from gridpact.report import style

_NORMAL = 1.96


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean and half width of its 95 % interval at each place of the horizontal axis."""

    name: str
    colour: str
    mean: FloatArray
    half: FloatArray
    dashed: bool = False


@dataclass(frozen=True)
class Claimed:
    """What a paper claims, what came out, and in which sense it holds."""

    claimed: str
    obtained: str
    holds: str


@dataclass(frozen=True, eq=False)
class Repeated:
    """One figure or table. name: of its files. bars: names along the axis instead of numbers."""

    paper: str
    name: str
    title: str
    unit: str
    axis: str
    at: tuple[float, ...]
    curves: tuple[Curve, ...]
    claims: tuple[Claimed, ...]
    words: str
    rows: tuple[tuple[str, ...], ...] = ()
    bars: tuple[str, ...] = field(default=())
    logarithmic: bool = False


def curve(name: str, colour: str, draws: FloatArray, dashed: bool = False) -> Curve:
    """Return the curve of (place, draw)."""
    return Curve(name, colour, draws.mean(axis=1), half_width(draws), dashed)


def half_width(draws: FloatArray) -> FloatArray:
    """Return half of the 95 % interval of the mean over the last axis."""
    count = draws.shape[-1]
    if count < 2:
        return np.full(draws.shape[:-1], np.nan)
    return np.asarray(_NORMAL * draws.std(axis=-1, ddof=1) / math.sqrt(count))


def exceeds(
    claimed: str, more: FloatArray, less: FloatArray, axis: str, at: Sequence[float], digits: int
) -> Claimed:
    """Return whether one thing is above another, (place, draw) both, paired by draw."""
    gap = more - less
    mean, half = gap.mean(axis=1), half_width(gap)
    always, clear = (gap > 0).mean(), mean - half > 0
    ends = [f"{mean[k]:.{digits}f} ± {half[k]:.{digits}f} at {at[k]:g}" for k in (0, -1)]
    obtained = (
        f"difference {ends[0]}, {ends[1]} {axis}; above on {always:.1%} of all draws, "
        f"level on {(gap == 0).mean():.1%}"
    )
    if (gap >= 0).all() and clear.all():
        return Claimed(claimed, obtained, "yes, on every draw (or level)")
    if clear.all():
        return Claimed(claimed, obtained, "in the mean only")
    where = [f"{at[k]:g}" for k in range(len(at)) if not clear[k]]
    if len(where) == len(at):
        return Claimed(claimed, obtained, "**no**")
    return Claimed(claimed, obtained, f"in the mean only, and not at {', '.join(where)} {axis}")


def table(found: Repeated) -> str:
    """Return claimed and obtained as a Markdown table."""
    lines = ["| claimed | obtained | holds? |", "|---|---|---|"]
    lines += [f"| {one.claimed} | {one.obtained} | {one.holds} |" for one in found.claims]
    return "\n".join(lines)


def write(found: Repeated, folder: Path) -> list[Path]:
    """Write picture, CSV and words; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    kind, number = found.name[:-1], found.name[-1]
    texts = {
        f"{found.name}.svg": style.svg(picture(found), f"{found.paper}-{found.name}"),
        f"{found.name}.csv": _csv(found),
        f"{found.name}.md": f"# [{found.paper}] {kind} {number}: {found.title}\n\n"
        f"{table(found)}\n\n{found.words}\n",
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in texts]


def picture(found: Repeated) -> Figure:
    """Draw means with their intervals, as curves or, where places have names, as bars."""
    figure, axes = style.canvas(found.unit, height=3.4)
    at = np.array(found.at)
    if found.bars:
        width = 0.8 / len(found.curves)
        for turn, one in enumerate(found.curves):
            places = at + (turn - (len(found.curves) - 1) / 2) * width
            axes.bar(places, one.mean, width=0.94 * width, color=one.colour, label=one.name)
            axes.errorbar(places, one.mean, one.half, fmt="none", ecolor=style.INK, elinewidth=0.8)
        axes.set_xticks(found.at, found.bars)
    else:
        for one in found.curves:
            axes.fill_between(at, one.mean - one.half, one.mean + one.half, color=one.colour,
                              alpha=0.25, linewidth=0)  # fmt: skip
            axes.plot(at, one.mean, color=one.colour, label=one.name, linewidth=1.5,
                      linestyle="--" if one.dashed else "-")  # fmt: skip
    if found.logarithmic:
        axes.set_yscale("log")
    axes.set_xlabel(found.axis, color=style.QUIET, fontsize=9)
    style.legend(axes)
    return figure


def _csv(found: Repeated) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if found.rows:
        writer.writerows(found.rows)
        return text.getvalue()
    parts = [f"{one.name} {part}" for one in found.curves for part in ("mean", "half width")]
    writer.writerow([found.axis, *parts])
    for place, at in enumerate(found.at):
        name = found.bars[place] if found.bars else f"{at:g}"
        values = [v for one in found.curves for v in (one.mean[place], one.half[place])]
        writer.writerow([name, *(f"{value:.6g}" for value in values)])
    return text.getvalue()
