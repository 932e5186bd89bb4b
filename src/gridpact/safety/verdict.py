"""What sensors say: a verdict on one target at one time, and a permit for one trade.

The classes are those of 5-decisions, section 19. `docs/safety.md` says in words what each means.
"""

from enum import StrEnum

import msgspec


class Hazard(StrEnum):
    """What can be wrong. The first eight are of readings and machines, the last four of weather."""

    SPIKE = "spike"
    STUCK_AT = "stuck_at"
    DRIFT = "drift"
    BIAS = "bias"
    THEFT = "theft"
    FALSE_DATA = "false_data"
    EQUIPMENT_FAILURE = "equipment_failure"
    COMM_LOSS = "comm_loss"
    LINE_OVERLOAD = "line_overload"
    TYPHOON = "typhoon"
    HIGH_WIND = "high_wind"
    THUNDERSTORM = "thunderstorm"
    LIGHTNING = "lightning"


CLASSES = tuple(Hazard)
"""Detectors count classes from 0 in this order; `OK` is none of them."""
OK = -1


class Target(StrEnum):
    """What a verdict is about."""

    METER = "meter"
    LINE = "line"
    STATION = "station"
    TRANSFORMER = "transformer"


class Verdict(msgspec.Struct, frozen=True):
    """Sensors on one target at one time. [kW, seconds since 1970, UTC]

    `score` is how sure the sensor is: 1 at its threshold, more beyond. `expected` lies between
    `lower` and `upper`, in the unit of the reading. `evidence` is one sentence. `since` is when the
    episode began. `estimated` is the corrected value where a reading is bad.
    """

    time: int
    target: Target
    name: str
    ok: bool
    reason: str = ""
    hazard: Hazard | None = None
    score: float = 0.0
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    estimated: float | None = None
    evidence: str = ""
    since: int | None = None
    model: str = ""


class Permit(msgspec.Struct, frozen=True):
    """Whether a trade may flow: `blocking` are the verdicts that hold it.

    Good until `valid_until`, the end of the interval that was judged; a sensor that has not spoken
    for too long blocks (fail closed) and stands in `stale`.
    """

    trade: str
    time: int
    allowed: bool
    blocking: tuple[Verdict, ...] = ()
    stale: tuple[str, ...] = ()
    valid_until: int = 0


REASONS = {
    Hazard.SPIKE: "one reading far off",
    Hazard.STUCK_AT: "the reading does not move",
    Hazard.DRIFT: "the report departs more and more from the truth",
    Hazard.BIAS: "the report is off by a constant share",
    Hazard.THEFT: "less is reported than is used",
    Hazard.FALSE_DATA: "more is reported than can be generated",
    Hazard.EQUIPMENT_FAILURE: "the machine does not do what its load and the weather explain",
    Hazard.COMM_LOSS: "no packet for two hours",
    Hazard.LINE_OVERLOAD: "current at or above the rating",
    Hazard.TYPHOON: "a tropical cyclone is near",
    Hazard.HIGH_WIND: "gusts of Beaufort 8 and more",
    Hazard.THUNDERSTORM: "lightning and rain within 10 km",
    Hazard.LIGHTNING: "lightning within 10 km",
}


def reason(hazard: Hazard, warned: bool = False) -> str:
    """Say in words what is wrong; `warned`: only a warning says so."""
    return f"warned of: {REASONS[hazard]}" if warned else REASONS[hazard]
