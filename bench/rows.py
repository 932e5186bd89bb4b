"""What a benchmark says: one row per figure, as a table, as JSON and as a page of docs/bench/."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One figure. `against` names what it is compared with, `ratio` is value over that.

    `goal` is the target in words, `holds` whether it is met; None for a figure without a target.
    """

    what: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None


def as_json(rows: Sequence[Row]) -> str:
    return json.dumps(msgspec.to_builtins(rows), indent=1) + "\n"


def as_table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| what | value | unit | against | ratio | goal | holds |",
        "|---|--:|---|---|--:|---|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        holds = {None: "", True: "yes", False: "**no**"}[row.holds]
        lines.append(
            f"| {row.what} | {_figure(row.value)} | {row.unit} | {row.against} | {ratio} "
            f"| {row.goal} | {holds} |"
        )
    return "\n".join(lines) + "\n"


def _figure(value: float) -> str:
    """Return whole numbers in full and others to six digits."""
    return str(int(value)) if value == int(value) else f"{value:.6g}"


def page(name: str, rows: Sequence[Row], notes: str) -> str:
    """Return a page of docs/bench/: written by the benchmark, never by hand."""
    packages = ("numpy", "scipy", "clarabel", "coincurve", "pyrevm")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"# Benchmark: {name}\n\nWritten by `python -m bench {name}`; do not edit.\n\n"
        f"Machine: {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, "
        f"{versions}.\n\n{notes}\n\n{as_table(rows)}"
    )


def write_page(name: str, rows: Sequence[Row], notes: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.md"
    path.write_text(page(name, rows, notes))
    return path
