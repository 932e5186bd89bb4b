"""`gridpact sense`: sensors over recorded data."""

from pathlib import Path
from typing import Annotated

import typer


def sense(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the recorded data.")],
    out: Annotated[Path, typer.Option(metavar="DIR2", help="Folder for the answers.")],
) -> None:
    """Judge every reading and every trade of recorded data; docs/safety.md tells every column.

    DIR holds readings.csv (power in kW, 15 minutes), weather.csv (5 minutes; degC, hPa, m/s, mm/h,
    kV/m, W/m2), feeders.csv (kW, A), transformers.csv (per unit, degC), trades.csv and meta.json.
    The first train_days of it are learned from. Writes verdicts.csv, one row per reading that is
    not ok, gate.csv, a permit (1 or 0) per trade, and alerts.csv, whom each episode concerns.
    """
    from gridpact.commands.files import make
    from gridpact.safety.alerts import alerts
    from gridpact.sense.log import read
    from gridpact.sense.replay import judged
    from gridpact.sense.write import write, write_alerts

    log = read(folder)
    make(out)
    found = judged(log)
    told = alerts(found.rows, log.layout, int(log.readings.times[-1]))
    for path in (*write(found, out, log.style), write_alerts(told, out, log.style)):
        print(path)
    held = sum(1 for one in found.permits if not one.allowed)
    print(f"{len(found.rows)} readings not ok; {held} of {len(found.permits)} trades held")
