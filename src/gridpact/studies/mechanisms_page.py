"""The study of mechanisms as one page: who gains and who loses, in pictures and tables.

Written after every figure, from those that there are; it asks nothing of a network. A CSV of an
earlier study can be read back, so that a page is made anew without the days.
"""

import csv
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from gridpact.errors import BadInput
from gridpact.report import style
from gridpact.studies.mechanisms import MEASURES, Outcome, against, cell
from gridpact.studies.mechanisms_picture import picture

NAME = "mechanisms.html"

_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>gridpact: who gains by which mechanism</title>
<style>
body { font: 15px/1.5 "DejaVu Sans", sans-serif; color: #24313d; margin: 2rem auto;
       max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e4e9ee; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1rem 0; max-width: 56rem; }
.scroll { overflow-x: auto; }
</style>
<h1>Who gains by which rule</h1>
"""

_WORDS = """<p>The same market days under every rule, {draws} seeds: what each group has more than
without a market [units of currency], what neighbours traded and the wires cut [kWh], and the
welfare of the local trades (bid less offer, times energy). Mean ± half of its 95&nbsp;% interval.
Orders do not change with the rule. The second table compares the same days with the first row's
rule: there the days' own differences drop out.</p>
"""


def write(made: Sequence[Outcome], folder: Path) -> Path:
    """Write the page of the figures that there are; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text(page(made), encoding="utf-8")
    return path


def page(made: Sequence[Outcome]) -> str:
    """Return the page as HTML."""
    draws = made[0].values["welfare"].shape[1]
    return _HEAD + _WORDS.format(draws=draws) + "".join(map(_section, made)) + "</html>\n"


def _section(found: Outcome) -> str:
    drawn = style.svg(picture(found), f"page-{found.number}")
    change = against(found)
    return (
        f"<h2>Figure {found.number}: {escape(found.title)}</h2>\n"
        f"<figure>{drawn}</figure>\n{_table(found)}"
        f"<h3>More than with {escape(found.variants[0])}, day by day</h3>\n{_table(change)}"
    )


def _table(found: Outcome) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in ("", *MEASURES))
    rows = ""
    for row, variant in enumerate(found.variants):
        cells = "".join(f"<td>{cell(*found.cell(name, row))}</td>" for name in MEASURES)
        rows += f"<tr><td>{escape(variant.replace('_', ' '))}</td>{cells}</tr>\n"
    return f'<div class="scroll"><table><tr>{heads}</tr>\n{rows}</table></div>\n'


def read(path: Path, number: int, title: str) -> Outcome:
    """Return the outcome that a study wrote as CSV.

    Raises
    ------
    BadInput
        The file does not hold every measure of each variant and seed.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    variants = tuple(dict.fromkeys(row.get("variant", "") for row in rows))
    if not rows or len(rows) % len(variants) or not set(MEASURES) <= set(rows[0]):
        raise BadInput(f"{path}: expected a row per variant and seed with {', '.join(MEASURES)}")
    values = {
        name: np.array([float(row[name]) for row in rows]).reshape(len(variants), -1)
        for name in MEASURES
    }
    return Outcome(number, title, variants, values)
