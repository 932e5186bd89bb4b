"""Days of sensors made by known physics, with the truth beside them: for training and tests.

Loads follow the week and the temperature with noise that lasts; PV follows a clear sky behind
clouds; wind turbines a power curve; a feeder's area meter sees what was really used and the losses;
oil follows IEC 60076-7. Then faults, thefts, storms and failures are put in, one kind at a time,
and `truth.csv` says what was put where (`ts,target_type,target,cls`), `safe.csv` whether a trade
was safe. Nothing here is used by the sensors themselves.
"""

import csv
import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridpact.safety.equipment import filtered, ultimate
from gridpact.safety.verdict import Hazard, Target
from gridpact.safety.weather import FIELDS

Floats: TypeAlias = NDArray[np.float64]
Rng: TypeAlias = np.random.Generator

_BEGIN = 1_767_225_600
"""2026-01-01, UTC."""
_QUARTERS, _FIVES = 96, 288


@dataclass(frozen=True)
class Made:
    """What to make. `events`: mean number of each kind of meter event per feeder after training."""

    seed: int
    days: int = 42
    train_days: int = 21
    feeders: int = 3
    loads: int = 20
    pv: int = 6
    wind: int = 1
    events: float = 1.0
    storms: int = 4
    trades: int = 1500
    shares: tuple[float, float] = (0.12, 0.6)
    noise: float = 0.003


@dataclass
class Days:
    """The days as arrays by quarter of an hour, reported and true, and the labels."""

    made: Made
    meters: list[dict[str, object]]
    true: Floats
    reported: Floats
    sky: dict[str, Floats]
    area: Floats
    current: Floats
    rating: Floats
    load: Floats
    oil: Floats
    label: dict[tuple[Target, str], dict[int, Hazard]] = field(default_factory=dict)

    def mark(self, target: Target, name: str, times: NDArray[np.int64], hazard: Hazard) -> None:
        """Label times; an error that is nowhere material is no event."""
        if len(times):
            self.label.setdefault((target, name), {}).update(dict.fromkeys(times.tolist(), hazard))


def make(made: Made) -> Days:
    """Return days with everything in them."""
    rng = np.random.default_rng([made.seed, 4711])
    sky = _sky(rng, made)
    storms = _storms(rng, made, sky)
    meters, true, reported, failing = _meters(rng, made, sky)
    members = [np.flatnonzero([one["feeder"] == f"F{at}" for one in meters])
               for at in range(made.feeders)]  # fmt: skip
    sign = np.array([1.0 if one["kind"] == "load" else -1.0 for one in meters])
    net = np.stack([(true[:, who] * sign[who]).sum(axis=1) for who in members], axis=1)
    loads = np.stack([np.abs(true[:, who] * sign[who]).sum(axis=1) for who in members], axis=1)
    losses = 0.01 * loads + 0.0002 * loads**2
    area = (net + losses) * (1 + made.noise * rng.standard_normal(net.shape))
    current = np.abs(area) * 1000 / (np.sqrt(3) * 400)
    peak = current[: made.train_days * _QUARTERS].max(axis=0)
    days = Days(made, meters, true, reported, sky, area, current, 1.3 * peak,
                np.zeros_like(area), np.zeros_like(area))  # fmt: skip
    for times, hazard in storms:
        days.mark(Target.STATION, "S0", times, hazard)
    for name, rows in failing:
        days.mark(Target.METER, name, _quarters(rows), Hazard.EQUIPMENT_FAILURE)
    _overloads(rng, days)
    _transformers(rng, days)
    _attacks(rng, days, members)
    return days


def _quarters(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return _BEGIN + 900 * rows


def _lasting(rng: Rng, rows: int, columns: int, keep: float) -> Floats:
    """Return noise of spread 1 that lasts: AR(1) by column."""
    out = np.empty((rows, columns))
    now = rng.standard_normal(columns)
    fresh = rng.standard_normal((rows, columns)) * np.sqrt(1 - keep**2)
    for row in range(rows):
        now = keep * now + fresh[row]
        out[row] = now
    return out


def _sky(rng: Rng, made: Made) -> dict[str, Floats]:
    """Return five-minute weather of one station, (row,)."""
    rows = made.days * _FIVES
    hour = np.arange(rows) / 12 % 24
    slow = _lasting(rng, rows, 4, 0.9995)
    quick = _lasting(rng, rows, 3, 0.97)
    temp = 8 + 5 * slow[:, 0] - 4 * np.cos((hour - 3) / 24 * 2 * np.pi) + 0.3 * quick[:, 0]
    height = np.maximum(0, np.sin((hour - 6) / 12 * np.pi)) * 0.8
    clouds = np.clip(0.65 + 0.3 * slow[:, 1] + 0.12 * quick[:, 1], 0.08, 1.0)
    wind = np.abs(4.0 + 1.6 * slow[:, 2] + 0.7 * quick[:, 2])
    gust = wind * (1.35 + 0.1 * rng.random(rows))
    return {
        "temp_c": temp,
        "rh": np.clip(70 + 10 * slow[:, 3], 20, 100),
        "press_hpa": 1013 + 4 * slow[:, 3],
        "wind_ms": wind,
        "gust_ms": gust,
        "rain_mmh": np.where(slow[:, 1] < -1.2, np.abs(quick[:, 2]), 0.0),
        "ltg_10km": np.zeros(rows),
        "efield_kvm": 0.12 + 0.02 * quick[:, 1],
        "cape_jkg": np.maximum(0, 80 + 60 * slow[:, 0]),
        "ghi_wm2": 1000 * height * clouds,
    }


def _storms(rng: Rng, made: Made, sky: dict[str, Floats]) -> list[tuple[NDArray[np.int64], Hazard]]:
    """Put storms into the weather, each kind in turn; return when each was dangerous."""
    found = []
    kinds = (Hazard.HIGH_WIND, Hazard.THUNDERSTORM, Hazard.TYPHOON, Hazard.LIGHTNING)
    free = (made.days - made.train_days) * _FIVES
    for at in range(made.storms):
        hazard = kinds[at % len(kinds)]
        length = int(rng.integers(24, 72)) * (2 if hazard is Hazard.TYPHOON else 1)
        first = made.train_days * _FIVES + int((at + 0.2 + 0.5 * rng.random()) * free / made.storms)
        rows = np.arange(first, min(first + length, made.days * _FIVES - 1))
        if hazard in (Hazard.HIGH_WIND, Hazard.TYPHOON):
            blow = 20 + 3 * rng.random(len(rows))
            if hazard is Hazard.TYPHOON:
                away = np.abs(np.arange(len(rows)) / len(rows) - 0.5)
                sky["press_hpa"][rows] -= 25 * (1 - away)
                blow += 6
                blow[away < 0.06] = 5.0
            sky["gust_ms"][rows], sky["wind_ms"][rows] = blow, blow / 1.45
        else:
            sky["ltg_10km"][rows] = rng.poisson(2.5, len(rows))
            sky["efield_kvm"][rows] = 6 + rng.random(len(rows))
            sky["cape_jkg"][rows] = 1500.0
            sky["rain_mmh"][rows] = 12.0 if hazard is Hazard.THUNDERSTORM else 0.0
            rows = np.arange(first, min(int(rows[-1]) + 7, made.days * _FIVES - 1))  # all clear
        found.append((_BEGIN + 300 * rows, hazard))
    return found


def _meters(
    rng: Rng, made: Made, sky: dict[str, Floats]
) -> tuple[list[dict[str, object]], Floats, Floats, list[tuple[str, NDArray[np.int64]]]]:
    """Return meters, what they really measured and will report, and the generators that failed."""
    rows = made.days * _QUARTERS
    temp, ghi, wind = (sky[one][::3] for one in ("temp_c", "ghi_wm2", "wind_ms"))
    hour, weekend = np.arange(rows) / 4 % 24, (np.arange(rows) // 96 + 3) % 7 >= 5
    meters: list[dict[str, object]] = []
    columns: list[Floats] = []
    failing: list[tuple[str, NDArray[np.int64]]] = []
    for feeder in range(made.feeders):
        for at in range(made.loads):
            morning, evening = 6.5 + 2 * rng.random(), 18 + 3 * rng.random()
            size = 0.4 + 2.5 * rng.random() ** 2
            shape = 0.35 + 0.5 * np.exp(-((hour - morning) ** 2) / 3)
            shape += 0.9 * np.exp(-((hour - evening) ** 2) / 6) + weekend * 0.25
            noise = np.exp(0.35 * _lasting(rng, rows, 1, 0.8)[:, 0])
            heat = rng.random() * 0.02 * np.maximum(0, 15 - temp)
            power = size * (shape * noise + heat)
            meters.append(_meter(f"F{feeder}L{at}", "load", 1.1 * float(power.max()), feeder))
            columns.append(power)
        for kind, count in (("pv", made.pv), ("wind", made.wind)):
            for at in range(count):
                rated = 4 + 6 * rng.random() if kind == "pv" else 30 + 20 * rng.random()
                power = _pv(rng, rated, ghi, temp) if kind == "pv" else _wind(rng, rated, wind)
                name = f"F{feeder}{'P' if kind == 'pv' else 'W'}{at}"
                if rng.random() < 0.15 * made.events:
                    first = (made.train_days + int(rng.integers(1, 5))) * _QUARTERS
                    length = int(rng.integers(2, 6)) * _QUARTERS
                    lost = 0.3 + 0.7 * rng.random()
                    where = np.arange(first, min(first + length, rows))
                    cut = lost * power[where]
                    power[where] -= cut
                    failing.append(
                        (name, where[cut > np.maximum(0.05 * (power[where] + cut), 0.02 * rated)])
                    )
                meters.append(_meter(name, kind, rated, feeder))
                columns.append(power)
    true: Floats = np.stack(columns, axis=1).round(4)
    return meters, true, true.copy(), failing


def _meter(name: str, kind: str, rated: float, feeder: int) -> dict[str, object]:
    return {"meter": name, "kind": kind, "rating_kw": round(rated, 3), "feeder": f"F{feeder}",
            "station": "S0"}  # fmt: skip


def _pv(rng: Rng, rated: float, ghi: Floats, temp: Floats) -> Floats:
    cell = temp + 0.03 * ghi
    yields = 0.75 + 0.15 * rng.random()
    own = 1 + 0.04 * _lasting(rng, len(ghi), 1, 0.7)[:, 0]
    return np.maximum(0, rated * yields * ghi / 1000 * (1 - 0.004 * (cell - 25)) * own)


def _wind(rng: Rng, rated: float, wind: Floats) -> Floats:
    share = np.clip((wind - 3) / 9, 0, 1) ** 2
    return np.maximum(0, rated * share * (1 + 0.05 * _lasting(rng, len(wind), 1, 0.7)[:, 0]))


def _overloads(rng: Rng, days: Days) -> None:
    """Let one line run above its rating for some hours."""
    made = days.made
    feeder = int(rng.integers(made.feeders))
    first = (made.train_days + 2) * _QUARTERS + int(rng.integers(0, 4 * _QUARTERS))
    rows = np.arange(first, min(first + 10, len(days.current)))
    days.current[rows, feeder] = days.rating[feeder] * (1.25 + 0.1 * rng.random(len(rows)))
    days.mark(Target.LINE, f"L{feeder}", _quarters(rows), Hazard.LINE_OVERLOAD)


def _transformers(rng: Rng, days: Days) -> None:
    """Run the oil of each feeder's transformer; let one lose its cooling for a day."""
    made, temp = days.made, days.sky["temp_c"][::3]
    days.load = np.abs(days.area) / np.abs(days.area).max(axis=0) * 0.9
    steady = ultimate(days.load)
    hours = 2.0 + 2 * rng.random(made.feeders)
    lag = filtered(steady, steady[0], hours, 15)
    rise = 40 + 10 * rng.random(made.feeders)
    noise = 0.4 * rng.standard_normal(days.load.shape)
    days.oil = temp[:, None] + rise * lag + noise
    feeder = int(rng.integers(made.feeders))
    first = (made.train_days + 1) * _QUARTERS + int(rng.integers(0, 3 * _QUARTERS))
    rows = np.arange(first, min(first + _QUARTERS, len(days.oil)))
    extra = np.minimum(14.0, 1.5 * np.arange(len(rows)) / 4)
    days.oil[rows, feeder] += extra
    bad = rows[extra >= 6.0]
    days.mark(Target.TRANSFORMER, f"T{feeder}", _quarters(bad), Hazard.EQUIPMENT_FAILURE)


def _attacks(rng: Rng, days: Days, members: list[NDArray[np.int64]]) -> None:
    """Falsify reports: each meter at most once, each kind about equally often."""
    made = days.made
    kinds = [Hazard.THEFT, Hazard.BIAS, Hazard.DRIFT, Hazard.STUCK_AT, Hazard.SPIKE,
             Hazard.FALSE_DATA, Hazard.COMM_LOSS]  # fmt: skip
    for who in members:
        free = [int(one) for one in rng.permutation(who)
                if (Target.METER, str(days.meters[one]["meter"])) not in days.label]  # fmt: skip
        for hazard in kinds:
            for _ in range(int(rng.poisson(made.events))):
                pick = next((one for one in free if _fits(days, one, hazard)), None)
                if pick is not None:
                    free.remove(pick)
                    _attack(rng, days, pick, hazard)


def _fits(days: Days, meter: int, hazard: Hazard) -> bool:
    load = days.meters[meter]["kind"] == "load"
    large = days.true[:, meter].mean() > 0.4
    if hazard is Hazard.FALSE_DATA:
        return not load
    return load and (large or hazard in (Hazard.COMM_LOSS, Hazard.SPIKE))


def _attack(rng: Rng, days: Days, meter: int, hazard: Hazard) -> None:
    made, name = days.made, str(days.meters[meter]["meter"])
    begin, end = made.train_days * _QUARTERS, len(days.true)
    short = {Hazard.SPIKE: (1, 2), Hazard.STUCK_AT: (24, 96), Hazard.COMM_LOSS: (12, 40)}
    length = int(rng.integers(*short.get(hazard, (4 * _QUARTERS, 10 * _QUARTERS))))
    first = int(rng.integers(begin, max(end - length, begin + 1)))
    rows = np.arange(first, min(first + length, end))
    share = float(rng.uniform(*made.shares))
    true = days.true[rows, meter]
    scale = float(days.meters[meter]["rating_kw"])  # type: ignore[arg-type]
    match hazard:
        case Hazard.THEFT:
            said = true * (1 - share)
        case Hazard.BIAS:
            said = true * (1 + share)
        case Hazard.DRIFT:
            said = true * (1 - share * np.linspace(0, 1, len(rows)))
        case Hazard.STUCK_AT:
            said = np.full(len(rows), true[0])
        case Hazard.SPIKE:
            said = true + scale * (0.6 + 0.6 * rng.random())
        case Hazard.FALSE_DATA:
            said = true * (1 + share) + 0.03 * scale
        case _:
            said = np.full(len(rows), np.nan)
    days.reported[rows, meter] = np.round(said, 4)
    wrong = np.abs(said - true) > np.maximum(0.05 * true, 0.02 * scale)
    marked = rows[8:] if hazard is Hazard.COMM_LOSS else rows[wrong]
    days.mark(Target.METER, name, _quarters(marked), hazard)


def write(days: Days, folder: Path) -> None:
    """Write the days as `gridpact sense` reads them, with truth.csv and safe.csv beside."""
    folder.mkdir(parents=True, exist_ok=True)
    made, names = days.made, [str(one["meter"]) for one in days.meters]
    quarters = [text(one) for one in range(_BEGIN, _BEGIN + len(days.true) * 900, 900)]
    fives = [text(_BEGIN + 300 * one) for one in range(made.days * _FIVES)]
    _csv(folder / "readings.csv", ("ts", "meter", "p_kw", "v_pu"),
         ((moment, name, f"{value:.4f}", "1.0")
          for moment, row in zip(quarters, days.reported, strict=True)
          for name, value in zip(names, row, strict=True) if np.isfinite(value)))  # fmt: skip
    _csv(folder / "weather.csv", ("ts", "station", *FIELDS),
         ((moment, "S0", *(f"{days.sky[one][at]:.3f}" for one in FIELDS))
          for at, moment in enumerate(fives)))  # fmt: skip
    feeders = range(made.feeders)
    _csv(folder / "feeders.csv", ("ts", "feeder", "area_p_kw", "line_i_a"),
         ((moment, f"F{f}", f"{days.area[at, f]:.4f}", f"{days.current[at, f]:.3f}")
          for at, moment in enumerate(quarters) for f in feeders))  # fmt: skip
    _csv(folder / "transformers.csv", ("ts", "transformer", "load_pu", "oil_c"),
         ((moment, f"T{f}", f"{days.load[at, f]:.4f}", f"{days.oil[at, f]:.3f}")
          for at, moment in enumerate(quarters) for f in feeders))  # fmt: skip
    trades = _trades(days)
    _csv(folder / "trades.csv", ("trade", "ts", "seller", "buyer"),
         ((f"t{at}", text(time), names[seller], names[buyer])
          for at, (time, seller, buyer, _) in enumerate(trades)))  # fmt: skip
    _csv(folder / "safe.csv", ("trade", "safe"),
         ((f"t{at}", int(safe)) for at, (*_, safe) in enumerate(trades)))  # fmt: skip
    labels = [
        (text(time), target.value, name, hazard.value)
        for (target, name), rows in days.label.items()
        for time, hazard in rows.items()
    ]
    _csv(folder / "truth.csv", ("ts", "target_type", "target", "cls"), labels)
    meta = {
        "sites": [{"station": "S0"}],
        "train_days": made.train_days,
        "meters": days.meters,
        "lines": [{"line": f"L{f}", "feeder": f"F{f}", "rating_a": round(float(days.rating[f]), 3)}
                  for f in feeders],
        "transformers": [{"transformer": f"T{f}", "feeder": f"F{f}"} for f in feeders],
    }  # fmt: skip
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")


def _trades(days: Days) -> list[tuple[int, int, int, bool]]:
    """Draw trades after the clean days; safe unless something of theirs is wrong at the time."""
    made, rng = days.made, np.random.default_rng([days.made.seed, 99])
    found = []
    rows = rng.integers(made.train_days * _QUARTERS, len(days.true), made.trades)
    for row in np.sort(rows).tolist():
        time = _BEGIN + 900 * row
        seller, buyer = (int(one) for one in rng.choice(len(days.meters), 2, replace=False))
        parties = [days.meters[one] for one in (seller, buyer)]
        targets = [(Target.STATION, "S0")]
        for one in parties:
            feeder = str(one["feeder"])[1:]
            targets += [(Target.METER, str(one["meter"])), (Target.LINE, f"L{feeder}"),
                        (Target.TRANSFORMER, f"T{feeder}")]  # fmt: skip
        safe = not any(time in days.label.get(one, {}) for one in targets)
        found.append((time, seller, buyer, safe))
    return found


def _csv(path: Path, header: tuple[str, ...], rows: object) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)  # type: ignore[arg-type]


def text(time: int) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
