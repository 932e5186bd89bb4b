"""May this trade flow now?"""

from collections.abc import Iterator, Sequence

import numpy as np

from gridpact.safety.assess import assess
from gridpact.safety.layout import NONE
from gridpact.safety.sensors import Sensors
from gridpact.safety.terms import QUARTER
from gridpact.safety.verdict import CLASSES, OK, REASONS, Permit, Target, Verdict, reason


def gate(
    sensors: Sensors, trade: str, time: int, parties: Sequence[int], along: Sequence[int] = ()
) -> Permit:
    """Return whether a trade between meters may flow now.

    Held while a hazard or fault of its meters, their stations, lines or transformers runs, and
    while one of them, or all sensors together, have not spoken for too long. `along` are further
    feeders on its way.
    """
    blocking = [verdict for meter in parties for verdict in _against(sensors, meter)]
    blocking += [verdict for feeder in along for verdict in _machines(sensors, feeder)]
    stale = [name for meter in parties for name in _stale(sensors, meter)]
    stale += [name for feeder in along for name in _silent(sensors, feeder)]
    if time - sensors.state.time > sensors.terms.late:
        stale.append(f"all sensors since {sensors.state.time}")
    return Permit(
        trade,
        time,
        not blocking and not stale,
        tuple(dict.fromkeys(blocking)),
        tuple(dict.fromkeys(stale)),
        (time // QUARTER + 1) * QUARTER,
    )


def _against(sensors: Sensors, meter: int) -> Iterator[Verdict]:
    state, layout = sensors.state, sensors.learned.layout
    again = state.bouts[meter] >= sensors.terms.bouts and state.time <= state.until[meter]
    if state.code[meter] != OK or state.share[meter] != 0:
        yield assess(sensors, meter)
    elif again:
        hazard = CLASSES[int(state.lasting[meter])]
        yield Verdict(state.time, Target.METER, layout.meters[meter], False,
                      "false again and again, not cleared yet", hazard)  # fmt: skip
    station, feeder = int(layout.meter_station[meter]), int(layout.meter_feeder[meter])
    if station != NONE and state.sky[station] != OK:
        hazard = CLASSES[int(state.sky[station])]
        yield Verdict(
            state.time, Target.STATION, layout.stations[station], False,
            reason(hazard, bool(state.sky_told[station])),
            hazard, round(float(state.sky_score[station]), 6),
            since=int(state.sky_since[station]) or None,
        )  # fmt: skip
    if feeder != NONE:
        yield from _machines(sensors, feeder)


def _machines(sensors: Sensors, feeder: int) -> Iterator[Verdict]:
    """Yield what is wrong with the transformers and lines of a feeder."""
    state, layout = sensors.state, sensors.learned.layout
    for kind, names, places, codes, since in (
        (Target.TRANSFORMER, layout.transformers, layout.transformer_feeder, state.machine,
         state.machine_since),
        (Target.LINE, layout.lines, layout.line_feeder, state.line, state.line_since),
    ):  # fmt: skip
        for at in np.flatnonzero((places == feeder) & (codes != OK)):
            hazard = CLASSES[int(codes[at])]
            why = _parted(sensors, int(at)) if kind is Target.TRANSFORMER else ""
            yield Verdict(state.time, kind, names[at], False, REASONS[hazard], hazard,
                          evidence=why, since=int(since[at]) or None)  # fmt: skip


def _parted(sensors: Sensors, machine: int) -> str:
    """Say which channel of a transformer departs from the others; nothing where none does."""
    channel = int(sensors.state.machine_channel[machine])
    if channel == NONE:
        return ""
    name, off = sensors.learned.principal.names[channel], sensors.state.machine_off[machine]
    return f"{name} {off:+.1f} spreads beside what the other channels say"


def _stale(sensors: Sensors, meter: int) -> Iterator[str]:
    """Name the sensors of a trade that were not heard: the gate fails closed."""
    state, layout = sensors.state, sensors.learned.layout
    station, feeder = int(layout.meter_station[meter]), int(layout.meter_feeder[meter])
    if station != NONE and state.weather.silent[station] >= sensors.terms.weather.silent:
        yield f"station {layout.stations[station]}"
    if feeder != NONE:
        yield from _silent(sensors, feeder)


def _silent(sensors: Sensors, feeder: int) -> Iterator[str]:
    state, layout = sensors.state, sensors.learned.layout
    for kind, names, places, silent in (
        ("transformer", layout.transformers, layout.transformer_feeder, state.equipment.silent),
        ("line", layout.lines, layout.line_feeder, state.equipment.line_silent),
    ):
        for at in np.flatnonzero((places == feeder) & (silent >= sensors.terms.equipment.silent)):
            yield f"{kind} {names[at]}"
