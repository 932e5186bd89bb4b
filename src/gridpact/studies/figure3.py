"""[Wang23] figure 3 as picture, tables and words."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from gridpact.report.style import AFTER, BEFORE, INK, QUIET, canvas, label, legend, svg
from gridpact.studies.wang2023 import (
    OTHERS,
    SORTING_LETB,
    SORTING_RETB,
    FigureThree,
    Operation,
    Sorted,
)

_HALF = 0.38


def write(found: FigureThree, folder: Path) -> list[Path]:
    """Write figure3.svg, figure3.csv, figure3-sorting.csv and figure3.md; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "figure3.svg": svg(picture(found), "wang2023-figure3"),
        "figure3.csv": _csv(
            ("operation", "name", "by", "claimed", "at most", "gas", "holds"),
            [
                (o.letter, o.name, o.by, o.claimed, int(o.bound), o.gas, int(o.holds))
                for o in found.operations
            ],
        ),
        "figure3-sorting.csv": _csv(
            ("bids", "mean gas", "least", "most"),
            [(one.bids, one.mean, one.least, one.most) for one in found.sorts],
        ),
        "figure3.md": report(found),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def table(found: FigureThree) -> str:
    """Return claimed and obtained gas of each operation as a Markdown table."""
    lines = ["| | operation | by | claimed | obtained | holds? |", "|---|---|---|--:|--:|---|"]
    lines += [_row(one) for one in found.operations]
    return "\n".join(lines)


def _row(one: Operation) -> str:
    claimed = f"{'<= ' if one.bound else ''}{one.claimed:,}"
    return (
        f"| {one.letter} | {one.name} | {one.by} | {claimed} | {one.gas:,} "
        f"| {'yes' if one.holds else '**no**'} |"
    )


def report(found: FigureThree) -> str:
    """Return the study in words, with its tables."""
    letb, retb = found.bids_for(SORTING_LETB), found.bids_for(SORTING_RETB)
    sorts = "\n".join(_sorted(one) for one in found.sorts)
    return f"""# [Wang23] figure 3: gas of eight operations

Claimed is what the paper says (of c and h the number, of the others that none takes more than
{OTHERS:,}); obtained is what our contracts use, to the unit of a node's receipt.

{table(found)}

Registration is the seller's application and the operator's approval together; uploads are an own
bid or offer; feedback rates one seller by what was settled.

The paper sorts bids on chain. We sort off chain: c and h are the clearing that is posted, whose
order anybody can challenge. A naive sort of bids in storage (selection, one word a bid) comes
nearest to the paper's {SORTING_LETB:,} with {letb} bids and to its {SORTING_RETB:,} with {retb};
how many the paper sorted it does not print.

| bids | mean gas | least | most |
|--:|--:|--:|--:|
{sorts}
"""


def _sorted(one: Sorted) -> str:
    return f"| {one.bids} | {one.mean:,} | {one.least:,} | {one.most:,} |"


def picture(found: FigureThree) -> Figure:
    """Draw the paper's and our gas of each operation side by side."""
    figure, axes = canvas("gas per operation, thousand", height=3.6)
    for name, face, dashes in (("paper", BEFORE, "-"), ("paper: at most", "none", "--")):
        shown = [(i, one) for i, one in enumerate(found.operations) if one.bound == (dashes != "-")]
        axes.bar(
            [i - _HALF / 2 for i, _ in shown],
            [one.claimed / 1e3 for _, one in shown],
            width=_HALF,
            color=face,
            edgecolor=BEFORE,
            linestyle=dashes,
            label=name,
        )
    ours = [one.gas / 1e3 for one in found.operations]
    places = [i + _HALF / 2 for i in range(len(ours))]
    axes.bar(places, ours, width=_HALF, color=AFTER, label="gridpact")
    for place, one, gas in zip(places, found.operations, ours, strict=True):
        label(axes, (place, gas + 9), f"{gas:.0f}", INK, "center")
        if not one.bound:
            label(axes, (place - _HALF, one.claimed / 1e3 + 9), f"{one.claimed / 1e3:.0f}", QUIET,
                  "center")  # fmt: skip
    axes.set_ylim(0, 1.12 * max(ours + [one.claimed / 1e3 for one in found.operations]))
    names = ["\n".join((one.letter, *one.name.split())) for one in found.operations]
    axes.set_xticks(range(len(names)), names)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="x", labelsize=7.2, colors=QUIET)
    legend(axes)
    return figure


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
