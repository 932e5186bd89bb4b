"""Further columns of transformers.csv: whatever a machine tells is a channel."""

from pathlib import Path

import numpy as np

from gridpact.safety.gate import gate
from gridpact.safety.sensors import Sensors
from gridpact.safety.verdict import Hazard, Target
from gridpact.sense.generator import Made, make, write
from gridpact.sense.log import read
from gridpact.sense.replay import learned, moments, tick, weather

MADE = Made(seed=23, days=9, train_days=8, feeders=1, loads=3, pv=0, wind=0, storms=0, trades=2,
            events=0.0)  # fmt: skip


def test_a_winding_that_leaves_its_load_is_a_failure_that_names_it(tmp_path: Path) -> None:
    write(make(MADE), tmp_path)
    file, rng = tmp_path / "transformers.csv", np.random.default_rng(1)
    header, *rows = file.read_text().splitlines()
    told = []
    for at, row in enumerate(rows):
        load, oil = map(float, row.split(",")[2:4])
        gone = 25.0 if at >= (8 * 96 + 20) else 0.0
        winding = oil + 14 * load + 0.4 * rng.standard_normal() + gone
        told.append(f"{row},{winding:.3f},quiet")
    file.write_text("\n".join([f"{header},winding_c,hum", *told]) + "\n")
    log = read(tmp_path)
    assert log.channels == ("winding_c",), "words are no channel"
    sensors, found = Sensors.of(learned(log)), []
    for moment, is_tick in moments(log):
        seen = tick(sensors, log, moment) if is_tick else weather(sensors, log, moment)
        late = moment >= log.trained
        found += [one for one in seen if one.target is Target.TRANSFORMER and late]
        if late and found:
            break
    assert (found[0].hazard, found[0].name) == (Hazard.EQUIPMENT_FAILURE, "T0")
    assert 20 * 900 <= found[0].time - log.trained <= 26 * 900
    (why,) = {one.evidence for one in gate(sensors, "t", found[0].time, (0, 1)).blocking
              if one.target is Target.TRANSFORMER}  # fmt: skip
    assert why.startswith("winding_c +")
