"""Real load profiles with the usual attacks put in: `python -m bench.safety_simbench DIR`.

DIR holds SimBench profiles cut to a week, `profiles-summer.csv` and `profiles-winter.csv` (time,
per-unit load `*_pload` and generation `PV*`, every 15 minutes); they are under the Open Database
License and not part of this repository. A feeder has every household, trade and farm once and the
PV plants; its area meter sees 2 % of losses and errs by 0.3 %. Monday to Thursday are learned from,
from Friday on one household or trade of each feeder lies. No weather is known.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.rows import Row, as_table, write_page
from gridpact.errors import BadInput
from gridpact.safety.layout import NONE, Layout
from gridpact.safety.learned import Learned, learn
from gridpact.safety.sensors import Sensors, Tick
from gridpact.safety.weather import FIELDS

Floats: TypeAlias = NDArray[np.float64]
Attack: TypeAlias = Callable[[np.random.Generator, Floats], Floats]
DAY, CLEAN, MONDAY = 96, 4 * 96, 4 * 86_400
VICTIMS = ("H0-A", "H0-C", "H0-L", "G1-A", "H0-G", "G0-A", "G1-B", "G3-A", "G4-A", "G6-A", "L0-A",
           "L2-A")  # fmt: skip
NOTES = (
    "SimBench profiles of a summer and a winter week (Universität Kassel, Fraunhofer IEE, RWTH "
    f"Aachen, TU Dortmund; ODbL), not committed. {len(VICTIMS)} feeders, on each one household or "
    "trade lies from Friday to Sunday; Monday to Thursday were learned from; no weather. A liar is "
    "found if any of its readings is judged not ok. The attacks are the usual ones of the "
    "literature on theft from smart meters. The loads are real, what is put in and the area meter "
    "are made up. The settings were chosen with other liars (H0-B, H0-H, G2-A, G5-A, L1-A) on "
    "feeders with other sizes, members and noise, of the same two weeks. "
    "Others blamed: honest neighbours of a liar with any reading judged not ok."
)


def _by_row(rng: np.random.Generator, true: Floats) -> Floats:
    return np.asarray(true * rng.uniform(0.1, 0.8, len(true)))


def _off(rng: np.random.Generator, true: Floats) -> Floats:
    """Report nothing for six hours or more of each day."""
    said = true.copy()
    for day in range(0, len(true), DAY):
        begin = day + int(rng.integers(0, 48))
        said[begin : begin + int(rng.integers(24, 48))] = 0.0
    return said


def _reversed(_: np.random.Generator, true: Floats) -> Floats:
    return np.asarray(true.reshape(-1, DAY)[:, ::-1].ravel())


ATTACKS: dict[str, Attack] = {
    "a constant share (0.2 to 0.9 kept)": lambda rng, true: true * rng.uniform(0.2, 0.9),
    "nothing for hours": _off,
    "a random share of each reading": _by_row,
    "the mean times a random share":
        lambda rng, true: true.mean() * rng.uniform(0.1, 0.8, len(true)),
    "the mean": lambda _, true: np.full(len(true), true.mean()),
    "the day reversed": _reversed,
    "peaks cut at the median": lambda _, true: np.minimum(true, np.median(true)),
}  # fmt: skip


def rows(folder: Path) -> Iterator[Row]:
    """Yield what is found by attack, and the wrong alarms on honest days."""
    weeks = [_week(folder / f"profiles-{season}.csv") for season in ("summer", "winter")]
    for name, attack in ATTACKS.items():
        judged = [one for at, week in enumerate(weeks) for one in _attacked(week, attack, at)]
        delays = [delay for delay, _, _ in judged if delay is not None]
        hidden = 100 * float(np.mean([part for _, part, _ in judged]))
        late = f"{np.mean(delays):.0f} h later; " if delays else ""
        others = sum(wrong for *_, wrong in judged)
        yield Row(name, len(delays) / len(judged), f"of {len(judged)} found",
                  f"{late}{hidden:.0f} % hidden; {others} others blamed")  # fmt: skip
    honest = [_attacked(week, lambda _, true: true, at) for at, week in enumerate(weeks)]
    wrong = sum(delay is not None for week in honest for delay, *_ in week)
    wrong += sum(others for week in honest for *_, others in week)
    meters = sum(week.shape[1] for week in weeks) * len(VICTIMS)
    yield Row("meters judged wrong on honest days", wrong, f"of {meters}, 3 days each")


def _week(path: Path) -> Floats:
    """Return the week of every profile that we take, in kW, victims first. (row, meter)"""
    if not path.is_file():
        raise BadInput(f"{path}: no such file; expected SimBench profiles of a week")
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    loads = [one for one in table[0] if one[:2] in ("H0", "G0", "G1", "G2", "G3", "G4", "G5", "G6",
             "L0", "L1", "L2") and one.endswith("_pload")]  # fmt: skip
    first = [f"{one}_pload" for one in VICTIMS]
    chosen = [*first, *(one for one in loads if one not in first)]
    plants = [one for one in table[0] if one.startswith("PV")]
    size = [6.0 if one[0] == "H" else 12.0 for one in chosen] + [8.0] * len(plants)
    values = [[float(row[one]) for one in (*chosen, *plants)] for row in table]
    return np.asarray(np.array(values) * size)


def _attacked(week: Floats, attack: Attack, at: int) -> list[tuple[float | None, float, int]]:
    """Return of each feeder: hours until its liar is found, share hidden, how many others are."""
    rng = np.random.default_rng([7, at])
    count, size = len(VICTIMS), week.shape[1]
    plants = np.arange(size) >= size - 8
    net = week @ np.where(plants, -1.0, 1.0)
    gross = week.sum(axis=1)
    noise = 1 + 0.003 * rng.standard_normal((len(week), count))
    area = (net + 0.02 * gross)[:, None] * noise
    said = np.tile(week, (1, count))
    for one in range(count):
        column = one * size + one
        said[CLEAN:, column] = attack(rng, said[CLEAN:, column])
    said = said.round(4)
    sensors = Sensors.of(_taught(said[:CLEAN], area[:CLEAN], count, plants))
    first: dict[str, int] = {}
    for row in range(CLEAN, len(week)):
        nothing = np.zeros(0)
        power = said[row].astype(np.float32)
        for found in sensors.tick(
            Tick(MONDAY + 900 * row, power, area[row], nothing, nothing, nothing)
        ):
            first.setdefault(found.name, row)
    answers = []
    for one in range(count):
        liar = f"{one}.{one}"
        seen = (first[liar] - CLEAN) / 4 if liar in first else None
        true = week[CLEAN:, one]
        hidden = 1 - float(said[CLEAN:, one * size + one].sum() / true.sum())
        others = sum(name.startswith(f"{one}.") and name != liar for name in first)
        answers.append((seen, hidden, others))
    return answers


def _taught(power: Floats, area: Floats, count: int, plants: NDArray[np.bool_]) -> Learned:
    size, none = len(plants), np.zeros(0, np.int64)
    scale = 1.1 * np.maximum(power.max(axis=0), 0.1)
    layout = Layout(
        tuple(f"{one}.{at}" for one in range(count) for at in range(size)),
        np.tile(plants, count).astype(np.int8), (2 * scale).astype(np.float32),
        np.repeat(np.arange(count), size), np.full(count * size, NONE), (),
        tuple(map(str, range(count))), (), none, none, np.zeros(0), (), none, none,
    )  # fmt: skip
    nothing = np.zeros((len(power), 0))
    sky = np.zeros((len(power), len(FIELDS), 0))
    times = MONDAY + 900 * np.arange(len(power))
    return learn(layout, times, power.astype(np.float32), area, nothing, nothing, sky)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.safety_simbench", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the two weeks of profiles")
    found = list(rows(parser.parse_args().folder))
    print(as_table(found))
    pages = Path(__file__).parent.parent / "docs" / "bench"
    print(write_page("safety_simbench", found, NOTES, pages))


if __name__ == "__main__":
    main()
