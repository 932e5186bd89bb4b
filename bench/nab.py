"""The Numenta Anomaly Benchmark with our charts: `python -m bench.nab DIR`, a local copy of NAB.

DIR holds `data/**/*.csv` (timestamp, value) and `labels/combined_windows.json`, as NAB is
published; it is not part of this repository. One configuration judges every file. A reading is
compared with the mean and spread of what came before, learned slowly while something is wrong, and
goes through the two-sided CUSUM of `safety.charts`; one alarm per episode. The score follows NAB's
rules for the standard profile [Lavin & Ahmad 2015]: written anew here, nothing of NAB is used.
"""

import argparse
import csv
import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridpact.errors import BadInput
from gridpact.safety import charts as both
from gridpact.safety.charts import ChartTerms, Limits

HIT, FALSE_ALARM, MISS = 1.0, 0.11, 1.0
"""Weights of the standard profile."""
PROBATION, LONGEST = 0.15, 5000
"""Share of a file that is not scored, of at most so many rows."""


@dataclass(frozen=True)
class Charts:
    """One configuration for all files. memory: rows of the running mean and spread; wait: rows of
    quiet after which a new alarm may come.
    """

    memory: int = 400
    wait: int = 200
    terms: ChartTerms = field(
        default_factory=lambda: ChartTerms(slack=1.5, limit=20.0, most=1.0, clip=8.0)
    )


@dataclass(frozen=True)
class Stream:
    """One file: times, values, and the windows in which an anomaly lies, as rows [first, last]."""

    name: str
    times: tuple[str, ...]
    values: NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]


def alarms(values: NDArray[np.float64], charts: Charts | None = None) -> list[int]:
    """Return the rows at which an alarm is raised, each from the rows before it alone."""
    charts = charts or Charts()
    terms = charts.terms
    state, one = both.fresh(1), np.ones(1, bool)
    limits = Limits(np.full(1, terms.limit, np.float32), np.full(1, np.inf, np.float32))
    mean, square, count, quiet = 0.0, 0.0, 0, charts.wait
    found = []
    for row, value in enumerate(values.tolist()):
        if not np.isfinite(value):
            continue
        spread = float(np.sqrt(max(square, 1e-12))) + 1e-9 * abs(mean)
        z = (value - mean) / spread if count > 20 else 0.0
        both.move(state, np.array([z], np.float32), one, limits, terms)
        wrong = float(state.sums[0]) >= terms.limit
        if wrong and quiet >= charts.wait:
            found.append(row)
        quiet = 0 if wrong else quiet + 1
        # while something is wrong the usual is learned slowly: a new usual ends the episode
        gain = max(1 / charts.memory, 1 / (count + 1)) * (0.2 if wrong else 1.0)
        square += gain * (min((value - mean) ** 2, 100 * square + 1e-12 if count > 20 else np.inf)
                          - square)  # fmt: skip
        mean += gain * (value - mean)
        count += 1
    return found


def sigmoid(position: float) -> float:
    """Return what an alarm is worth at a place: -1 is a window's begin, 0 its end, 3 far behind."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + float(np.exp(5.0 * position))) - 1.0


def score(stream: Stream, found: Iterable[int]) -> float:
    """Return the raw score of one file.

    The first alarm in a window counts by its place; each alarm outside costs by how far it lies
    behind the last window; a window without an alarm costs a miss.
    """
    rows = len(stream.values)
    begin = int(PROBATION * min(rows, LONGEST))
    counted = [one for one in found if one >= begin]
    total = 0.0
    for first, last in stream.windows:
        inside = [one for one in counted if first <= one <= last]
        if inside:
            width = last - first + 1
            total += HIT * sigmoid(-(last - inside[0] + 1) / width) / sigmoid(-1.0)
        else:
            total -= MISS
    for one in counted:
        if any(first <= one <= last for first, last in stream.windows):
            continue
        before = [window for window in stream.windows if window[1] < one]
        place = np.inf
        if before:
            first, last = max(before)
            place = (one - last) / max(last - first, 1)
        total += FALSE_ALARM * sigmoid(place)
    return total


def normalised(streams: Sequence[Stream], raw: float) -> float:
    """Return a raw score between 0, of who says nothing, and 100, of who knows all."""
    windows = sum(len(one.windows) for one in streams)
    return 100.0 * (raw + MISS * windows) / ((HIT + MISS) * windows)


def read(folder: Path) -> list[Stream]:
    """Return the files of a local copy.

    Raises
    ------
    BadInput
        No labels, a labelled file that is missing, or a window beyond its file.
    """
    labels = folder / "labels" / "combined_windows.json"
    if not labels.is_file():
        raise BadInput(f"{labels}: no such file; expected a local copy of NAB")
    windows = json.loads(labels.read_text(encoding="utf-8"))
    return [_stream(folder, name, spans) for name, spans in sorted(windows.items())]


def _stream(folder: Path, name: str, spans: list[list[str]]) -> Stream:
    path = folder / "data" / name
    if not path.is_file():
        raise BadInput(f"{path}: no such file, but combined_windows.json labels it")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    times = tuple(row["timestamp"] for row in rows)
    moments = [datetime.datetime.fromisoformat(one) for one in times]
    values = np.array([float(row["value"] or "nan") for row in rows])
    found = []
    for span in spans:
        first, last = (datetime.datetime.fromisoformat(one) for one in span)
        inside = [at for at, one in enumerate(moments) if first <= one <= last]
        if not inside:
            raise BadInput(f"{path}: holds no row between {span[0]} and {span[1]}")
        found.append((inside[0], inside[-1]))
    return Stream(name, times, values, tuple(found))


def main() -> None:
    """Print the score of every folder of NAB's data, and of all of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.nab", description=__doc__)
    parser.add_argument("folder", type=Path, help="a local copy of NAB")
    streams = read(parser.parse_args().folder)
    raw = [score(one, alarms(one.values)) for one in streams]
    for part in sorted({one.name.split("/")[0] for one in streams}):
        mine = [at for at, one in enumerate(streams) if one.name.startswith(f"{part}/")]
        if any(streams[at].windows for at in mine):
            value = normalised([streams[at] for at in mine], sum(raw[at] for at in mine))
            print(f"{part:28} {value:7.2f}")
    print(f"{'all, standard profile':28} {normalised(streams, sum(raw)):7.2f}")


if __name__ == "__main__":
    main()
