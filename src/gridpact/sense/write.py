"""What `gridpact sense` leaves: verdicts.csv, gate.csv and alerts.csv."""

import csv
import datetime
from collections.abc import Sequence
from pathlib import Path

from gridpact.safety.alerts import Alert
from gridpact.sense.replay import Judged


def write(found: Judged, folder: Path, style: str) -> tuple[Path, Path]:
    """Write one row per reading that is not ok, and one permit per trade.

    Times are written in the `style` of the log.
    """
    verdicts, gate = folder / "verdicts.csv", folder / "gate.csv"
    with verdicts.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("ts", "target_type", "target", "cls", "score"))
        writer.writerows(
            (
                text(row.time, style),
                row.target.value,
                row.name,
                row.hazard.value,
                f"{row.score:.4g}",
            )
            for row in found.rows
        )
    with gate.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("trade", "permit"))
        writer.writerows((one.trade, int(one.allowed)) for one in found.permits)
    return verdicts, gate


def write_alerts(found: Sequence[Alert], folder: Path, style: str) -> Path:
    """Write one row per alert; `until` is empty while it runs, meters are parted by `;`."""
    path = folder / "alerts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("since", "until", "target_type", "target", "cls", "reason", "meters"))
        writer.writerows(
            (
                text(one.since, style),
                "" if one.until is None else text(one.until, style),
                one.target.value,
                one.name,
                one.hazard.value,
                one.reason,
                ";".join(one.concerns),
            )
            for one in found
        )
    return path


def text(time: int, style: str) -> str:
    """Return a time in UTC as a style writes it: seconds, or a date with `T` or blank, with `Z`."""
    if style.lstrip("-").isdigit():
        return str(time)
    moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
    middle = "T" if "T" in style else " "
    minutes = style.count(":") - ("+" in style) == 1
    shown = moment.strftime(f"%Y-%m-%d{middle}%H:%M" + ("" if minutes else ":%S"))
    if style.endswith("Z"):
        return shown + "Z"
    return shown + "+00:00" if "+" in style else shown
