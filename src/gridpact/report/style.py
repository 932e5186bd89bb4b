"""How every picture of the report looks: one palette, one hour axis, one way to become SVG.

A tier has the same colour everywhere. Pictures are matplotlib figures drawn without any global
state and rendered with text as text, so that they stay small and can be searched and scaled.
"""

import io
import re

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

LOCAL, ZONAL, GRID = "#1f8a70", "#e8a33d", "#8593a1"
BEFORE, AFTER = "#9aa7b4", "#1d5fa6"
BATTERY, LOSS, INK, FAINT = "#7b5ea7", "#c8453b", "#24313d", "#e4e9ee"

_LOOK = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "svg.fonttype": "none",
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def canvas(y_label: str, height: float = 3.0, left: float = 0.105) -> tuple[Figure, Axes]:
    """Return an empty figure with one axis and calm lines."""
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(6.4, height), facecolor="none")
        FigureCanvasSVG(figure)
        axes = figure.add_axes((left, 0.62 / height, 0.985 - left, 1 - 0.95 / height))
        axes.set_facecolor("none")
        axes.set_title(y_label, loc="left", fontsize=9, color="#5b6875", pad=9)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color("#b9c3cc")
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, colors="#5b6875", labelsize=9)
    return figure, axes


def hour_axis(axes: Axes, begins: float, ends: float) -> None:
    """Label the time axis in hours of the day."""
    axes.set_xlim(begins, ends)
    step = 3 if ends - begins > 8 else 1
    axes.set_xticks(range(int(begins), int(ends) + 1, step))
    axes.set_xlabel("hour of the day", color="#5b6875", fontsize=9)


def label(axes: Axes, at: tuple[float, float], text: str, colour: str, align: str = "left") -> None:
    """Write a word at a curve instead of a legend; a pale edge keeps it readable."""
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


def legend(axes: Axes, columns: int = 4) -> None:
    """Put the names of the coloured parts above the picture, in one row."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.1,
        handleheight=0.9,
        columnspacing=1.2,
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
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r'<g id="[^"]*"', "<g", drawn)
    drawn = re.sub(r'(<svg[^>]*?) width="[^"]*pt"', r"\1", drawn)
    return re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r"\1", drawn)
