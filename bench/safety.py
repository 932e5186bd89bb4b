"""Sensors: how quick and how small they are, and how much they find on days made up afresh.

The days come from `sense.generator` with seeds that nothing was tuned on; an event is found if any
of its readings is judged not ok, a judged episode is right if it meets an event of its target.
"""

import importlib.util
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.rows import Row
from gridpact.safety.layout import Layout
from gridpact.safety.learned import learn
from gridpact.safety.sensors import Sensors, Tick
from gridpact.safety.verdict import Hazard, Target
from gridpact.sense.generator import Days, Made, make, write
from gridpact.sense.log import read
from gridpact.sense.replay import judged

METERS, MEMBERS = 100_000, 25
SEEDS = range(101, 105)
PAUSE = 3 * 3600
NOTES = (
    f"Speed: {METERS} meters on feeders of {MEMBERS}, CPU time of one process. Findings: "
    f"{len(SEEDS)} made-up scenes (`sense.generator`, seeds {SEEDS[0]} to {SEEDS[-1]}) of 42 days, "
    "3 feeders, 81 meters, 21 clean days; area meters err by 0.3 %. Days that somebody else made "
    "may be harder. river: its HalfSpaceTrees, one per meter, where river is installed."
)


def run() -> list[Row]:
    return [*_speed(), *_found()]


def _speed() -> Iterator[Row]:
    sensors, ticks = _many()
    times = []
    for tick in ticks:
        begun = time.process_time()
        sensors.tick(tick)
        times.append(time.process_time() - begun)
    quick = float(np.median(times))
    yield Row(f"tick of {METERS} meters", 1000 * quick, "ms", goal="<= 50", holds=quick <= 0.05)
    learned = sensors.learned
    held = sum(map(_bytes, (sensors.state, learned.models, learned.feeders, learned.longest)))
    size = held / METERS
    yield Row("memory of a meter", size, "B", goal="<= 1,000", holds=size <= 1000)
    peer = _river()
    if peer is not None:
        own = 1e6 * quick / METERS
        what = "one meter and tick, river"
        yield Row(what, 1e6 * peer, "us", f"{own:.3g} us here", 1e6 * peer / own)


def _many() -> tuple[Sensors, list[Tick]]:
    """Return sensors of many meters that learned from two days of noise, and further ticks."""
    feeders, rows = METERS // MEMBERS, 192
    rng = np.random.default_rng(1)
    kind = (np.arange(METERS) % MEMBERS >= 20).astype(np.int8)
    names, one = tuple(map(str, range(feeders))), np.zeros(feeders, np.int64)
    layout = Layout(
        tuple(map(str, range(METERS))), kind, np.full(METERS, 5, np.float32),
        np.arange(METERS) // MEMBERS, np.zeros(METERS, np.int64), ("S",), names,
        names, np.arange(feeders), one, np.full(feeders, 500.0), names, np.arange(feeders), one,
    )  # fmt: skip

    def seen(at: int) -> Tick:
        power = (0.5 + rng.random(METERS)).astype(np.float32)
        net = (power * np.where(kind == 0, 1, -1)).reshape(feeders, MEMBERS).sum(axis=1)
        area = net * 1.02 * (1 + 0.003 * rng.standard_normal(feeders))
        oil = 40 + 0.3 * rng.random(feeders)
        return Tick(900 * at, power, area, np.full(feeders, 100.0), np.full(feeders, 0.5), oil)

    days = [seen(at) for at in range(rows)]
    sky = np.array([10, 60, 1013, 4, 6, 0, 0, 0.1, 50, 400.0])
    learned = learn(
        layout, 900 * np.arange(rows), np.array([day.power for day in days]),
        np.array([day.area for day in days]), np.array([day.load for day in days]),
        np.array([day.oil for day in days]), np.tile(sky[None, :, None], (rows, 1, 1)),
    )  # fmt: skip
    sensors = Sensors.of(learned)
    sensors.weather(900 * rows, sky[:, None])
    return sensors, [seen(at) for at in range(rows, rows + 15)]


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
    from river import anomaly

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
    counts = [_scene(seed) for seed in SEEDS]
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
    hit = {key: [time for time in said.get(key, []) if time in one] for key, one in meters.items()}
    episodes = [(key, one) for key in said if key[0] is Target.METER for one in _parts(said[key])]
    right = sum(_meets(one, days, key) for key, one in episodes)
    thefts = [key for key, one in meters.items() if next(iter(one.values())) is Hazard.THEFT]
    delays = [(min(hit[key]) - min(meters[key])) / 3600 for key in thefts if hit[key]]
    wrong = [(one.allowed, safe[one.trade]) for one in found.permits]
    after = days.made.days - days.made.train_days
    return Counts(
        len(meters), sum(bool(one) for one in hit.values()),
        len(others), sum(bool(set(said.get(key, [])) & set(one)) for key, one in others.items()),
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
