"""Who asked whom ([Zeng23]'s requests): every step of the day, by name, and their sums.

requests.parquet: one row per step in order of time. Energy in Wh; `request` counts the requests
from 0 and is -1 where energy is only stored or spilled; donor is empty but for donations, which are
what the rule expects of a donor: what the market sold on a request is `taken`, whoever sold it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from gridpact.assembly.day import DayResult
from gridpact.prosumer.request import What
from gridpact.report.tables import write_table

REQUESTS = pa.schema(
    [
        ("interval", pa.int32()),
        ("step", pa.string()),
        ("participant", pa.string()),
        ("donor", pa.string()),
        ("energy_wh", pa.int64()),
        ("request", pa.int64()),
    ]
)


def sums(day: DayResult) -> dict[str, Any] | None:
    """Return the rule and the energy of each kind of step, None where nobody asks. [Wh]"""
    chosen = day.scenario.requests
    if chosen is None:
        return None
    energy, last = Counter[What](), day.scenario.time.intervals - 1
    for step in day.requests:
        if step.what is not What.POOLED:
            energy[step.what] += step.energy_wh
    waiting = sum(
        step.energy_wh
        for step in day.requests
        if step.what is What.POOLED and step.interval == last
    )
    return {
        "rule": chosen.rule,
        "patience": chosen.patience,
        **{f"{what.value}_wh": energy[what] for what in What if what is not What.POOLED},
        "still_waiting_wh": waiting,
    }


def write_requests(day: DayResult, path: Path) -> Path:
    """Write one row per step."""
    names = [one.participant.name for one in day.people.sites]
    rows = [
        {
            "interval": step.interval,
            "step": step.what.value,
            "participant": names[step.participant],
            "donor": "" if step.donor < 0 else names[step.donor],
            "energy_wh": step.energy_wh,
            "request": step.request,
        }
        for step in day.requests
    ]
    return write_table(rows, REQUESTS, path)
