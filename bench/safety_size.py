"""Memory of a million meters, in a process of its own: `python -m bench.safety_size`.

The models of ten thousand meters, learned from two days of noise, stand for a hundred times as
many; then the sensors take ticks. Prints meters, peak resident set [MB] and CPU time of a tick [ms]
as JSON. Of the resident set the interpreter and its libraries are part.
"""

import json
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from gridpact.safety.charts import Limits
from gridpact.safety.layout import Layout
from gridpact.safety.learned import Learned, learn
from gridpact.safety.sensors import Sensors, Tick

MEMBERS, PART, TIMES, ROWS = 25, 10_000, 100, 192
SKY = np.array([10, 60, 1013, 4, 6, 0, 0, 0.1, 50, 400.0])


def many(meters: int) -> Layout:
    """Return feeders of 20 loads and 5 PV plants, each with a line and a transformer."""
    feeders = meters // MEMBERS
    names, place = tuple(map(str, range(feeders))), np.zeros(feeders, np.int64)
    kind = (np.arange(meters) % MEMBERS >= 20).astype(np.int8)
    return Layout(
        tuple(map(str, range(meters))), kind, np.full(meters, 5, np.float32),
        np.arange(meters) // MEMBERS, np.zeros(meters, np.int64), ("S",), names, names,
        np.arange(feeders), place, np.full(feeders, 500.0), names, np.arange(feeders), place,
    )  # fmt: skip


def seen(rng: np.random.Generator, meters: int, row: int) -> Tick:
    """Return a tick of honest meters; the area meter sees 2 % of losses and errs by 0.3 %."""
    feeders = meters // MEMBERS
    power = (0.5 + rng.random(meters, np.float32)).astype(np.float32)
    sign = np.where(np.arange(MEMBERS) < 20, np.float32(1), np.float32(-1))
    net = (power.reshape(feeders, MEMBERS) @ sign).astype(float)
    area = net * 1.02 * (1 + 0.003 * rng.standard_normal(feeders))
    oil = 40 + 0.3 * rng.random(feeders)
    return Tick(900 * row, power, area, np.full(feeders, 100.0), np.full(feeders, 0.5), oil)


def taught(rng: np.random.Generator, meters: int) -> Learned:
    """Return what two days of ticks teach."""
    days = [seen(rng, meters, row) for row in range(ROWS)]
    return learn(
        many(meters), 900 * np.arange(ROWS), np.array([day.power for day in days]),
        np.array([day.area for day in days]), np.array([day.load for day in days]),
        np.array([day.oil for day in days]), np.tile(SKY[None, :, None], (ROWS, 1, 1)),
    )  # fmt: skip


def repeated(learned: Learned, times: int) -> Learned:
    """Return the same models for so many times the meters."""
    models, feeders, meters = learned.models, learned.feeders, len(learned.layout.meters)
    block = np.repeat(np.arange(times), meters)
    wide = {one.name: _along(getattr(models, one.name), -1, times) for one in fields(models)}
    wide["usual"] = models.usual
    wide["of_pv"] = (wide["of_pv"] + block * models.by_hour.shape[1]).astype(np.int32)
    long = {one.name: _along(getattr(feeders, one.name), 0, times) for one in fields(feeders)}
    long["members"] = long["members"] + np.repeat(np.arange(times), len(feeders.members))[
        :, None] * meters  # fmt: skip
    oil = {one.name: _along(getattr(learned.oil, one.name), 0, times)
           for one in fields(learned.oil)}  # fmt: skip
    parted = {one.name: _along(getattr(learned.principal, one.name), 0, times)
              for one in fields(learned.principal) if one.name != "names"}  # fmt: skip
    return replace(
        learned,
        principal=replace(learned.principal, **parted),
        layout=many(meters * times), models=replace(models, **wide),
        longest=np.tile(learned.longest, times),
        limits=Limits(*(np.tile(getattr(learned.limits, one.name), times)
                        for one in fields(Limits))), feeders=replace(feeders, **long),
        oil=replace(learned.oil, **oil),
    )  # fmt: skip


def _along(values: Any, axis: int, times: int) -> Any:
    repeats = [1] * values.ndim
    repeats[axis] = times
    return np.tile(values, repeats)


def main() -> None:
    rng = np.random.default_rng(1)
    sensors = Sensors.of(repeated(taught(rng, PART), TIMES))
    sensors.weather(900 * ROWS, SKY[:, None])
    spent = []
    for row in range(ROWS, ROWS + 4):
        now = seen(rng, PART * TIMES, row)
        begun = time.process_time()
        sensors.tick(now)
        spent.append(time.process_time() - begun)
    # not ru_maxrss, which a child inherits from who started it
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"meters": PART * TIMES, "mb": peak, "ms": 1000 * float(np.median(spent))}))


if __name__ == "__main__":
    main()
