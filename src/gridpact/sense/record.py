"""What the sensors of a run measured, as `gridpact sense` reads it: the log that stays off chain.

Beside the files of `sense.log` meta.json names whose meters are whose and the salt of the hashes on
the ledger: whoever has the folder can come to the same verdicts (`sense.rejudge`), and nobody else.
"""

import csv as plain
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from gridpact.safety.alerts import alerts
from gridpact.safety.expected import LOAD
from gridpact.safety.layout import Layout
from gridpact.safety.sensors import Row
from gridpact.safety.warning import Notice
from gridpact.safety.weather import FIELDS
from gridpact.sense.write import write_alerts
from gridpact.simulation.instruments import Instruments

_STYLE = "2026-01-31T12:15:00Z"
"""How alerts.csv writes times."""
Floats: TypeAlias = NDArray[np.float64]


def record(
    measuring: Instruments, meters: Mapping[bytes, tuple[int, ...]], salt: bytes, folder: Path
) -> Path:
    """Write everything measured so far; `meters` are each participant's, by address."""
    m, layout, clock = measuring.measured, measuring.layout, measuring.clock
    rows = measuring.carried
    times, sky = m.times[:rows], m.sky_times <= m.times[rows - 1]
    _write(folder / "readings.csv", times, "meter", layout.meters, {"p_kw": m.power[:rows]})
    weather = {name: m.sky[sky, n : n + 1] for n, name in enumerate(FIELDS)}
    _write(folder / "weather.csv", m.sky_times[sky], "station", layout.stations, weather)
    lines = m.current[:rows][:, np.argsort(layout.line_feeder)]
    feeders = {"area_p_kw": m.area[:rows], "line_i_a": lines}
    _write(folder / "feeders.csv", times, "feeder", layout.feeders, feeders)
    machines = {"load_pu": m.load[:rows], "oil_c": m.oil[:rows]}
    _write(folder / "transformers.csv", times, "transformer", layout.transformers, machines)
    heard = [one for one in measuring.notices if one.since <= m.times[rows - 1]]
    _warnings(heard, folder / "warnings.csv")
    (folder / "trades.csv").write_text("trade,ts,seller,buyer\n", encoding="utf-8")
    first = min(int(m.times[0]), int(m.sky_times[0]))
    meta = {
        "sites": [{"station": one} for one in layout.stations],
        "train_days": (clock.begins - first) / 86_400,
        "salt": salt.hex(),
        "first": clock.first,
        "participants": {
            who.hex(): [layout.meters[one] for one in own] for who, own in meters.items()
        },
        "feeders": [
            {"feeder": name, "above": layout.feeders[above]}
            for name, above in zip(layout.feeders, measuring.above, strict=True)
        ],
        **_places(layout),
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf-8")
    return folder


def record_alerts(measuring: Instruments, rows: Sequence[Row], folder: Path) -> Path:
    """Write alerts.csv: one row per episode of a run, with the meters whose users it concerns."""
    now = int(measuring.measured.times[measuring.carried - 1])
    return write_alerts(alerts(rows, measuring.layout, now), folder, _STYLE)


def _warnings(notices: Sequence[Notice], path: Path) -> None:
    """Write what the weather service warned of; no file where it was silent."""
    if not notices:
        path.unlink(missing_ok=True)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = plain.writer(file, lineterminator="\n")
        writer.writerow(("station", "from", "until", "cls"))
        writer.writerows((one.station, one.since, one.until, one.hazard.value) for one in notices)


def _places(layout: Layout) -> dict[str, object]:
    station = layout.stations[0]
    return {
        "meters": [
            {
                "meter": name,
                "kind": "load" if kind == LOAD else "pv",
                "rating_kw": float(scale),
                "feeder": layout.feeders[feeder],
                "station": station,
            }
            for name, kind, scale, feeder in zip(
                layout.meters, layout.meter_kind, layout.meter_scale, layout.meter_feeder,
                strict=True,
            )
        ],
        "lines": [
            {"line": name, "feeder": layout.feeders[feeder], "station": station,
             "rating_a": float(rating)}
            for name, feeder, rating in zip(
                layout.lines, layout.line_feeder, layout.line_rating, strict=True
            )
        ],
        "transformers": [
            {"transformer": name, "feeder": layout.feeders[feeder], "station": station}
            for name, feeder in zip(
                layout.transformers, layout.transformer_feeder, strict=True
            )
        ],
    }  # fmt: skip


def _write(
    path: Path,
    times: NDArray[np.int64],
    key: str,
    names: Sequence[str],
    columns: Mapping[str, Floats],
) -> None:
    """Write one row per time and name of which anything was heard."""
    count = len(names)
    heard = np.isfinite(np.stack(list(columns.values()))).any(axis=0).ravel()
    table = {
        "ts": np.repeat(times, count)[heard],
        key: np.tile(np.array(names, dtype=object), len(times))[heard],
        **{name: np.asarray(values, float).ravel()[heard] for name, values in columns.items()},
    }
    arrays = {name: pa.array(values, from_pandas=True) for name, values in table.items()}
    csv.write_csv(pa.table(arrays), path)
