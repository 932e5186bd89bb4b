"""How every picture of the report looks: one palette, one hour axis, one way to become SVG.

A tier has the same colour everywhere. Pictures are matplotlib figures drawn without any global
state and rendered with text as text, so that they stay small and can be searched and scaled.
"""

import io
import re
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from gridpact.prosumer.devices import FloatArray

LOCAL, ZONAL, GRID = "#1f8a70", "#e8a33d", "#8593a1"
BEFORE, AFTER = "#9aa7b4", "#1d5fa6"
BATTERY, LOSS, INK, FAINT, QUIET = "#7b5ea7", "#c8453b", "#24313d", "#e4e9ee", "#5b6875"

_LOOK: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "svg.fonttype": "none",
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_DASHES = (0, (3, 2))
_WIDE = 75
"""Letters of a legend, with room for its signs, beyond which it would cover the axis' name."""


def canvas(y_label: str, height: float = 3.0, left: float = 0.105) -> tuple[Figure, Axes]:
    """Return an empty figure with one axis and calm lines."""
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(6.4, height), facecolor="none")
        FigureCanvasSVG(figure)
        axes = figure.add_axes((left, 0.46 / height, 0.975 - left, 1 - 0.81 / height))
        axes.set_facecolor("none")
        axes.set_title(y_label, loc="left", fontsize=9, color=QUIET, pad=9)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color("#b9c3cc")
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, colors=QUIET, labelsize=9)
    return figure, axes


def hour_axis(axes: Axes, edges: FloatArray) -> None:
    """Label the time axis in hours of the day."""
    first, last = float(edges[0]), float(edges[-1])
    axes.set_xlim(first, last)
    axes.set_xticks(range(int(first), int(last) + 1, 3 if last - first > 8 else 1))
    axes.set_xlabel("hour of the day", color=QUIET, fontsize=9)


def line(
    axes: Axes,
    edges: FloatArray,
    values: FloatArray,
    colour: str,
    name: str | None = None,
    width: float = 1.6,
    dashed: bool = False,
) -> None:
    """Draw a value per interval as a stepped line."""
    axes.stairs(
        values,
        edges,
        baseline=None,
        color=colour,
        linewidth=width,
        linestyle=_DASHES if dashed else "-",
        label=name,
    )


def area(
    axes: Axes,
    edges: FloatArray,
    values: FloatArray,
    colour: str,
    name: str | None = None,
    base: FloatArray | float = 0.0,
    alpha: float = 1.0,
) -> None:
    """Fill what lies between a base and a value per interval."""
    axes.stairs(
        values, edges, baseline=base, fill=True, color=colour, alpha=alpha, label=name, linewidth=0
    )


def stack(axes: Axes, edges: FloatArray, parts: Mapping[str, tuple[FloatArray, str]]) -> None:
    """Draw bars upon each other; a part that is nothing all day is left out."""
    widths = np.diff(edges)
    base = np.zeros(len(widths))
    for name, (values, colour) in parts.items():
        if values.any():
            middle = edges[:-1] + widths / 2
            axes.bar(middle, values, width=0.86 * widths, bottom=base, color=colour, label=name)
        base = base + values
    if not base.any():
        axes.set_ylim(0, 1)


def zero(axes: Axes) -> None:
    """Draw the line between more and less than nothing."""
    axes.axhline(0, color="#b9c3cc", linewidth=0.8)


def label(axes: Axes, at: tuple[float, float], text: str, colour: str, align: str = "left") -> None:
    """Write a word at a curve instead of a legend."""
    axes.annotate(
        text,
        at,
        color=colour,
        fontsize=9.5,
        fontweight="bold",
        ha=align,
        va="center",
        annotation_clip=False,
    )


def note(axes: Axes, text: str) -> None:
    """Say why a picture is empty."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, color=QUIET, fontsize=11, ha="center", va="center"
    )


def legend(axes: Axes) -> None:
    """Put the names of the coloured parts, if there are any, above the picture, in one row."""
    names = axes.get_legend_handles_labels()[1]
    if not names:
        return
    crowded = sum(len(name) + 5 for name in names) > _WIDE
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=5,
        frameon=False,
        fontsize=8 if crowded else 9,
        labelcolor=INK,
        handlelength=1.1,
        handleheight=0.9,
        columnspacing=0.8 if crowded else 1.2,
        borderaxespad=0.2,
    )


def svg(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element that stands in a page: no prolog, no metadata, no links.

    `name` salts the identifiers inside, so that several figures share a page, and makes them the
    same in every run.
    """
    text = io.StringIO()
    with mpl.rc_context({**_LOOK, "svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata=_NO_METADATA)
    drawn = text.getvalue()
    drawn = drawn[drawn.index("<svg") :].rstrip()
    drawn = re.sub(r'<g id="[^"]*"', "<g", drawn)
    return re.sub(r' (?:width|height)="[\d.]+pt"', "", drawn, count=2)
