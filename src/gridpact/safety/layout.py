"""What hangs where: meters, feeders, stations, lines and transformers by number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.safety.expected import Small

NONE = -1
"""Of a place: it hangs on nothing that is watched."""
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """Names, and for each meter, line and transformer its place, `NONE` for none.

    meter_kind: `expected.LOAD`, `PV` or `WIND`; meter_scale: rated power [kW]; line_rating: at the
    reference temperature [A].
    """

    meters: tuple[str, ...]
    meter_kind: NDArray[np.int8]
    meter_scale: Small
    meter_feeder: Rows
    meter_station: Rows
    stations: tuple[str, ...]
    feeders: tuple[str, ...]
    lines: tuple[str, ...]
    line_feeder: Rows
    line_station: Rows
    line_rating: NDArray[np.float64]
    transformers: tuple[str, ...]
    transformer_feeder: Rows
    transformer_station: Rows


def members(layout: Layout, feeder: int) -> Rows:
    """Return the meters of a feeder."""
    return np.flatnonzero(layout.meter_feeder == feeder)
