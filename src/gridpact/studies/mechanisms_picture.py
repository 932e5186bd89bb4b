"""Picture, CSV and words of the study of mechanisms."""

import csv
import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from gridpact.report import style
from gridpact.report.comparison import CONSUMERS, OWNERS, PLANTS
from gridpact.studies.mechanisms import MEASURES, Outcome, table

_GROUPS = {
    CONSUMERS: ("buyers", style.LOCAL),
    OWNERS: ("owners", style.ZONAL),
    PLANTS: ("plants", style.AFTER),
    "network operator": ("network", style.BATTERY),
    "grid supply": ("grid supply", style.GRID),
}


def picture(found: Outcome) -> Figure:
    """Draw what each group has more than without a market, variant by variant.

    Owners are the participants with PV or a battery, buyers those without generation.
    """
    figure, axes = style.canvas("gain [currency]", height=4.0)
    at, width = np.arange(len(found.variants)), 0.8 / len(_GROUPS)
    for turn, (group, (name, colour)) in enumerate(_GROUPS.items()):
        cells = np.array([found.cell(group, row) for row in range(len(found.variants))])
        places = at + (turn - (len(_GROUPS) - 1) / 2) * width
        axes.bar(places, cells[:, 0], width=0.94 * width, color=colour, label=name)
        axes.errorbar(
            places, cells[:, 0], cells[:, 1], fmt="none", ecolor=style.INK, elinewidth=0.8
        )
    style.zero(axes)
    axes.set_xticks(at, [name.replace("_", " ") for name in found.variants])
    axes.tick_params(axis="x", labelrotation=28, labelsize=7.5)
    axes.set_position((0.105, 0.24, 0.87, 0.6))
    style.legend(axes)
    return figure


def write(found: Outcome, folder: Path) -> list[Path]:
    """Write picture, CSV and table; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"mechanisms-figure{found.number}"
    units = "\n".join(f"- {measure}: {unit}" for measure, unit in MEASURES.items())
    texts = {
        f"{name}.svg": style.svg(picture(found), name),
        f"{name}.csv": _csv(found),
        f"{name}.md": f"# {found.title}\n\n{table(found)}\n\nUnits:\n\n{units}\n",
    }
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in texts]


def _csv(found: Outcome) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["variant", "seed", *MEASURES])
    for row, variant in enumerate(found.variants):
        for draw in range(found.values["welfare"].shape[1]):
            cells = (found.values[name][row, draw] for name in MEASURES)
            writer.writerow([variant, draw + 1, *(f"{value:.6g}" for value in cells)])
    return text.getvalue()
