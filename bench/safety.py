"""Sensors: how quick and how small they are, and how much they find on days made up afresh.

The days come from `sense.generator` with seeds that nothing was tuned on; an event is found if any
of its readings is judged not ok, a judged episode is right if it meets an event of its target.
"""

import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench import safety_curve
from bench.rows import Row
from bench.safety_size import MEMBERS, ROWS, SKY, seen, taught
from gridpact.safety.sensors import Sensors
from gridpact.safety.verdict import Hazard, Target
from gridpact.sense.generator import Days, Made, make, write
from gridpact.sense.log import read
from gridpact.sense.replay import judged

METERS = 100_000
SEEDS = range(201, 213)
PAUSE = 3 * 3600
NOTES = (
    f"Speed: {METERS} meters on feeders of {MEMBERS}, CPU time of one process. Findings: "
    f"{len(SEEDS)} made-up scenes (`sense.generator`, seeds {SEEDS[0]} to {SEEDS[-1]}) of 42 days, "
    "3 feeders, 81 meters, 21 clean days; area meters err by 0.3 %. Days that somebody else made "
    "may be harder. river: its HalfSpaceTrees, one per meter, where river is installed."
)


def run() -> list[Row]:
    return [*_speed(), *_found(), *safety_curve.rows()]


def _speed() -> Iterator[Row]:
    rng = np.random.default_rng(1)
    sensors = Sensors.of(taught(rng, METERS))
    sensors.weather(900 * ROWS, SKY[:, None])
    quick, held = _ticks(sensors, rng, 0), _ticks(sensors, rng, METERS // MEMBERS // 100)
    yield Row(f"tick of {METERS} meters", 1000 * quick, "ms", goal="<= 50", holds=quick <= 0.05)
    yield Row("the same, a theft on each hundredth feeder", 1000 * held, "ms")
    learned = sensors.learned
    parts = (sensors.state, learned.models, learned.feeders, learned.longest, learned.limits)
    size = sum(map(_bytes, parts)) / METERS
    yield Row("memory of a meter", size, "B", goal="<= 1,000", holds=size <= 1000)
    done = subprocess.run(
        [sys.executable, "-m", "bench.safety_size"], capture_output=True, text=True, check=True
    )
    million = json.loads(done.stdout)
    what = f"process of {million['meters']} meters, peak"
    yield Row(what, million["mb"], "MB", goal="<= 1,000", holds=million["mb"] <= 1000)
    yield Row(f"tick of {million['meters']} meters", million["ms"], "ms")
    peer = _river()
    if peer is not None:
        own = 1e6 * quick / METERS
        what = "one meter and tick, river"
        yield Row(what, 1e6 * peer, "us", f"{own:.3g} us here", 1e6 * peer / own)


def _ticks(sensors: Sensors, rng: np.random.Generator, thieves: int) -> float:
    """Return the median CPU time of a tick while the first load of some feeders hides a half."""
    times = []
    begin = max(ROWS, sensors.state.time // 900) + 1
    for row in range(begin, begin + 24):
        tick = seen(rng, METERS, row)
        tick.power[: thieves * MEMBERS : MEMBERS] *= 0.5
        begun = time.process_time()
        sensors.tick(tick)
        times.append(time.process_time() - begun)
    return float(np.median(times))


def _bytes(held: Any) -> int:
    if isinstance(held, np.ndarray):
        return int(held.nbytes)
    if is_dataclass(held):
        return sum(_bytes(getattr(held, one.name)) for one in fields(held))
    return 0


def _river() -> float | None:
    """Return the seconds of one reading in a detector of river, if it is installed."""
    if importlib.util.find_spec("river") is None:
        return None
    anomaly = importlib.import_module("river.anomaly")

    detector = anomaly.HalfSpaceTrees(seed=1)
    values = [{"p": one} for one in np.random.default_rng(1).random(2000).tolist()]
    begun = time.process_time()
    for one in values:
        detector.score_one(one)
        detector.learn_one(one)
    return (time.process_time() - begun) / len(values)


class Counts(NamedTuple):
    """What was in the days, what was found of it, and what was said of it."""

    events: int
    found: int
    hazards: int
    hazards_found: int
    episodes: int
    right: int
    meter_years: float
    thefts: int
    thefts_found: int
    delays: list[float]
    trades: int
    wrong_permits: int
    wrong_blocks: int


def _found() -> Iterator[Row]:
    with ProcessPoolExecutor(2) as pool:
        counts = list(pool.map(_scene, SEEDS))
    total = _summed(counts)
    yield _share("hazards of weather, lines, transformers found", total.hazards_found,
                 total.hazards, 1.0)  # fmt: skip
    yield _share("meter events found", total.found, total.events, 0.95)
    yield _share("episodes of meters that are right", total.right, total.episodes, 0.85)
    alarms = (total.episodes - total.right) / total.meter_years
    yield Row("wrong alarms", alarms, "per meter-year", goal="<= 1", holds=alarms <= 1)
    yield _share("thefts of 12 to 60 % found", total.thefts_found, total.thefts, 1.0)
    delay = float(np.mean(total.delays)) if total.delays else 0.0
    yield Row("mean delay of a theft", delay, "h", goal="<= 24", holds=delay <= 24)
    for what, wrong in (("permits", total.wrong_permits), ("blocks", total.wrong_blocks)):
        share = wrong / total.trades
        yield Row(f"wrong {what}", share, f"of {total.trades} trades", goal="<= 0.02",
                  holds=share <= 0.02)  # fmt: skip


def _summed(counts: list[Counts]) -> Counts:
    """Return the scenes as one."""
    columns = zip(*counts, strict=True)
    starts: list[Any] = [[] if name == "delays" else 0 for name in Counts._fields]
    return Counts(*(sum(one, start) for one, start in zip(columns, starts, strict=True)))


def _share(what: str, part: int, whole: int, goal: float) -> Row:
    share = part / whole
    return Row(what, share, f"of {whole}", goal=f">= {goal:g}", holds=share >= goal)


def _scene(seed: int) -> Counts:
    days = make(Made(seed=seed))
    with tempfile.TemporaryDirectory() as folder:
        write(days, Path(folder))
        log = read(Path(folder))
        safe = _safe(Path(folder))
    found = judged(log)
    said: dict[tuple[Target, str], list[int]] = {}
    for row in found.rows:
        said.setdefault((row.target, row.name), []).append(row.time)
    meters = {key: one for key, one in days.label.items() if key[0] is Target.METER}
    others = {key: one for key, one in days.label.items() if key[0] is not Target.METER}
    hazards = [(key, part) for key, one in others.items() for part in _parts(sorted(one))]
    hit = {key: [time for time in said.get(key, []) if time in one] for key, one in meters.items()}
    episodes = [(key, one) for key in said if key[0] is Target.METER for one in _parts(said[key])]
    right = sum(_meets(one, days, key) for key, one in episodes)
    thefts = [key for key, one in meters.items() if next(iter(one.values())) is Hazard.THEFT]
    delays = [(min(hit[key]) - min(meters[key])) / 3600 for key in thefts if hit[key]]
    wrong = [(one.allowed, safe[one.trade]) for one in found.permits]
    after = days.made.days - days.made.train_days
    return Counts(
        len(meters), sum(bool(one) for one in hit.values()),
        len(hazards), sum(bool(set(said.get(key, [])) & set(one)) for key, one in hazards),
        len(episodes), right, len(days.meters) * after / 365, len(thefts), len(delays), delays,
        len(wrong), wrong.count((True, False)), wrong.count((False, True)),
    )  # fmt: skip


def _parts(times: list[int]) -> list[list[int]]:
    """Return the episodes of a target: rows with less than three hours between them."""
    parts = [[times[0]]]
    for one in times[1:]:
        if one - parts[-1][-1] > PAUSE:
            parts.append([])
        parts[-1].append(one)
    return parts


def _meets(episode: list[int], days: Days, key: tuple[Target, str]) -> bool:
    """Say whether an episode meets an event of its target."""
    truth = days.label.get(key, {})
    return any(one in truth for one in episode)


def _safe(folder: Path) -> dict[str, bool]:
    rows = (folder / "safe.csv").read_text().splitlines()[1:]
    return {name: value == "1" for name, value in (row.split(",") for row in rows)}
