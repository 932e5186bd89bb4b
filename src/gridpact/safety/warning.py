"""What a weather service warns of: notices for a station, from a moment on until another.

A notice can only raise the level of what the station's own instruments say (`weather.step`). It
counts from its first moment on, whenever it was written.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.safety.verdict import Hazard

LEVELS = (Hazard.LIGHTNING, Hazard.HIGH_WIND, Hazard.THUNDERSTORM, Hazard.TYPHOON)
"""What can be warned of, by rising level."""


@dataclass(frozen=True)
class Notice:
    """A warning for one station. Since, until (exclusive): event time. [s]"""

    station: str
    hazard: Hazard
    since: int
    until: int


def warned(notices: Sequence[Notice], stations: Sequence[str], time: int) -> NDArray[np.bool_]:
    """Return what each station is warned of at a moment, (level, station)."""
    return np.array(
        [
            [any(one.station == name and one.hazard is level and one.since <= time < one.until
                 for one in notices) for name in stations]
            for level in LEVELS
        ],
        bool,
    ).reshape(len(LEVELS), len(stations))  # fmt: skip
