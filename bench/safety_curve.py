"""Thefts by size: how many are found, and how soon, on made-up days with nothing else in them.

One household of each feeder understates its use by one share for a week. How far a theft stands out
of the feeder's balance is its mean missing power over the noise of a day's mean gap (the noise of
one reading over the square root of 96).
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.rows import Row
from gridpact.safety.verdict import Hazard, Target
from gridpact.sense.generator import Days, Made, make, write
from gridpact.sense.log import read
from gridpact.sense.replay import judged

SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
SEED, FEEDERS, DAY = 301, 4, 96


class Theft(NamedTuple):
    """One theft: how far it stands out of a day's balance, and after how many hours it was found,
    None if never.
    """

    sigmas: float
    delay: float | None


def rows() -> Iterator[Row]:
    """Yield what is found by size, and of all that stand out by 3 sigma."""
    every = []
    with ProcessPoolExecutor(2) as pool:
        scenes = pool.map(_thefts, range(SEED, SEED + len(SHARES)), SHARES)
    for share, thefts in zip(SHARES, scenes, strict=True):
        every += [one for one in thefts if share >= 0.1]
        delays = [one.delay for one in thefts if one.delay is not None]
        late = f"{np.mean(delays):.0f} h later" if delays else ""
        clear = float(np.median([one.sigmas for one in thefts]))
        what = f"thefts of {share:.0%} of a household found, median {clear:.1f} sigma"
        yield Row(what, len(delays) / len(thefts), f"of {len(thefts)}", late)
    clear_ones = [one for one in every if one.sigmas >= 3]
    found = [one.delay for one in clear_ones if one.delay is not None]
    share = len(found) / len(clear_ones)
    what = "thefts of 10 % and more, 3 sigma out of a day's balance, found"
    yield Row(what, share, f"of {len(clear_ones)}", goal=">= 1", holds=share >= 1)
    mean = float(np.mean(found))
    yield Row("their mean delay", mean, "h", goal="<= 24", holds=mean <= 24)


def _thefts(seed: int, share: float) -> list[Theft]:
    """Return the thefts of one scene."""
    made = Made(seed=seed, days=24, train_days=14, feeders=FEEDERS, events=0, storms=0, trades=1)
    days = make(made)
    rng = np.random.default_rng([seed, 5])
    begun = {}
    for feeder in range(FEEDERS):
        loads = [at for at, one in enumerate(days.meters)
                 if one["kind"] == "load" and one["feeder"] == f"F{feeder}"]  # fmt: skip
        meter = int(rng.choice(loads))
        first = int(rng.integers(made.train_days * DAY, (made.train_days + 2) * DAY))
        span = slice(first, first + 7 * DAY)
        days.reported[span, meter] = np.round(days.true[span, meter] * (1 - share), 4)
        begun[meter] = (first, _sigmas(days, meter, feeder, span, share))
    with tempfile.TemporaryDirectory() as folder:
        write(days, Path(folder))
        log = read(Path(folder))
    said = [one for one in judged(log).rows if one.target is Target.METER]
    found = []
    for meter, (first, sigmas) in begun.items():
        start = int(log.readings.times[first])
        late = [(one.time - start) / 3600 for one in said if one.name == days.meters[meter]["meter"]
                and start <= one.time <= start + 7 * 86_400
                and one.hazard in (Hazard.THEFT, Hazard.DRIFT)]  # fmt: skip
        found.append(Theft(sigmas, min(late, default=None)))
    return found


def _sigmas(days: Days, meter: int, feeder: int, span: slice, share: float) -> float:
    missing = share * float(days.true[span, meter].mean())
    noise = days.made.noise * float(np.sqrt((days.area[span, feeder] ** 2).mean()))
    return missing / noise * float(np.sqrt(DAY))
