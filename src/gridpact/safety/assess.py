"""The verdict on one meter's newest reading, with what was expected and why."""

import numpy as np

from gridpact.safety.layout import NONE
from gridpact.safety.sensors import Sensors
from gridpact.safety.verdict import CLASSES, OK, REASONS, Hazard, Target, Verdict


def assess(sensors: Sensors, meter: int) -> Verdict:
    """Return the verdict on the newest reading of a meter."""
    state, layout = sensors.state, sensors.learned.layout
    code, share = int(state.code[meter]), float(state.share[meter])
    hazard = None if code == OK else CLASSES[code]
    expected = spread = power = None
    if sensors.seen is not None and sensors.power is not None:
        expected = _known(sensors.seen.expected[meter])
        spread = _known(sensors.seen.spread[meter])
        power = _known(sensors.power[meter])
    estimated = None
    if hazard is not None:
        estimated = power * (1 + share) if share and power is not None else expected
    band = None if expected is None or spread is None else 3 * spread
    return Verdict(
        time=state.time,
        target=Target.METER,
        name=layout.meters[meter],
        ok=hazard is None,
        reason="" if hazard is None else REASONS[hazard],
        hazard=hazard,
        score=round(float(state.score[meter]), 6),
        expected=expected,
        lower=None if band is None or expected is None else expected - band,
        upper=None if band is None or expected is None else expected + band,
        estimated=estimated,
        evidence=_evidence(sensors, meter, hazard, share),
        since=int(state.since[meter]) or None,
        model=sensors.learned.version,
    )


def _evidence(sensors: Sensors, meter: int, hazard: Hazard | None, share: float) -> str:
    """Return why in one sentence, with the residual and the meter's two charts."""
    return "; ".join(filter(None, (_cause(sensors, meter, hazard, share), _charts(sensors, meter))))


def _charts(sensors: Sensors, meter: int) -> str:
    state, limits = sensors.state.charts, sensors.learned.limits
    residual = 0.0 if sensors.seen is None else float(sensors.seen.residual[meter])
    return (
        f"{residual:+.1f} spreads from what was expected, EWMA {state.mean[meter]:+.2f} of "
        f"{limits.mean[meter]:.2f}, CUSUM {state.sums[meter]:.1f} of {limits.sums[meter]:.1f}"
    )


def _cause(sensors: Sensors, meter: int, hazard: Hazard | None, share: float) -> str:
    feeder = int(sensors.learned.layout.meter_feeder[meter])
    if share and feeder != NONE:
        where = sensors.learned.layout.feeders[feeder]
        more = "more" if share > 0 else "less"
        return f"feeder {where} says {abs(share):.0%} {more} than the meter reports"
    if hazard is Hazard.COMM_LOSS:
        return f"{int(sensors.state.meters.missing[meter])} rows without a packet"
    if hazard is Hazard.STUCK_AT:
        return f"{int(sensors.state.meters.run[meter]) + 1} equal readings"
    return ""


def _known(value: np.float32) -> float | None:
    return float(value) if np.isfinite(value) else None
