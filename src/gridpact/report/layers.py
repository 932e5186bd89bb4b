"""What are the buses of a one-line diagram coloured by, and on which scale?

A voltage has one scale for all intervals, a price one for each: within an interval prices differ by
a few per cent, over the day by a multiple. Colours can be told apart by people who see few of them,
and in print: a voltage's scale goes both ways from a light middle, a price's from light to dark.
"""

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex

from gridpact.grid.feeder import Feeder, FloatArray, IntArray

SHADES = 33
_TOUCHES = 1e-6  # a limit that is reached is not broken [pu]


@dataclass(frozen=True, eq=False)
class Layer:
    """What the buses are coloured by. values: (interval, bus), NaN where there is none.

    low, high: the scale, (interval,); worst: place of the bus to point at, (interval,), -1 for
    none; room: what is left to the nearest limit, (interval, bus), below 0 where it is broken.
    """

    name: str
    unit: str
    digits: int
    values: FloatArray
    low: FloatArray
    high: FloatArray
    worst: IntArray
    said: tuple[str, ...]
    palette: tuple[str, ...]
    room: FloatArray | None = None

    def shade(self, interval: int, place: int) -> int:
        """Return which colour of the palette a bus has; -1 for none."""
        value = self.values[interval, place]
        if not np.isfinite(value):
            return -1
        low, high = self.low[interval], self.high[interval]
        return int(np.clip(np.rint((value - low) / (high - low) * (SHADES - 1)), 0, SHADES - 1))

    def is_out(self, interval: int, place: int) -> bool:
        """Say whether a bus is outside its limits."""
        return self.room is not None and bool(self.room[interval, place] < -_TOUCHES)

    @property
    def breaks(self) -> bool:
        """Say whether any bus is outside its limits in any interval."""
        return self.room is not None and bool((self.room < -_TOUCHES).any())

    @property
    def keenest(self) -> int:
        """Return the interval in which a bus has least room to a limit; of prices the dearest."""
        if self.room is not None:
            return int(self.room.min(axis=1).argmin())
        dearest = self.values.max(axis=1)
        return int(np.where(np.isfinite(dearest), dearest, -np.inf).argmax())

    def shown(self, value: float) -> str:
        return f"{value:.{self.digits}f}".replace("-", "−")


def voltage_layer(
    feeder: Feeder, v: FloatArray, v_min: float | FloatArray, v_max: float | FloatArray
) -> Layer:
    """Return voltages as colours: violet low, white nominal, orange high.

    v: (interval, bus) [pu]; v_min, v_max: one number or (interval, bus) [pu].
    """
    low, high = (np.broadcast_to(one, v.shape)[:, 1:] for one in (v_min, v_max))
    reach = max(0.01, float(np.ceil(np.abs(v - 1).max() * 200 - 1e-9) / 200))
    room = np.full(v.shape, np.inf)  # the root's voltage is given
    room[:, 1:] = np.minimum(v[:, 1:] - low, high - v[:, 1:])
    said = [
        f"lowest {row.min():.4f} at bus {feeder.ids[row.argmin()]},"
        f" highest {row.max():.4f} at bus {feeder.ids[row.argmax()]}"
        for row in v
    ]
    return Layer(
        name="Voltage",
        unit="per unit",
        digits=4,
        values=v,
        low=np.full(len(v), 1 - reach),
        high=np.full(len(v), 1 + reach),
        worst=room.argmin(axis=1),
        said=tuple(said),
        palette=_DIVERGING,
        room=room,
    )


def price_layer(feeder: Feeder, prices: FloatArray, unit: str, digits: int) -> Layer:
    """Return nodal prices as colours, light for cheap and dark for dear.

    prices: (interval, bus), an interval without prices all NaN.
    """
    known = np.asarray(np.isfinite(prices).all(axis=1))
    filled = np.where(known[:, None], prices, 0.0)
    least, most = filled.min(axis=1), filled.max(axis=1)
    # a price that is the same everywhere stands in the middle of its scale
    room = np.maximum(0.0, 4 * 10.0**-digits - (most - least)) / 2
    said = [
        f"{row.min():.{digits}f} at bus {feeder.ids[row.argmin()]}"
        f" to {row.max():.{digits}f} at bus {feeder.ids[row.argmax()]}".replace("-", "−")
        if here
        else "no price: limits conflict"
        for row, here in zip(filled, known.tolist(), strict=True)
    ]
    return Layer(
        name="Price of energy",
        unit=unit,
        digits=digits,
        values=prices,
        low=least - room,
        high=most + room,
        worst=np.where(known, filled.argmax(axis=1), -1),
        said=tuple(said),
        palette=_SEQUENTIAL,
    )


def _palette(name: str, first: float, last: float) -> tuple[str, ...]:
    colours = mpl.colormaps[name](np.linspace(first, last, SHADES))
    return tuple(to_hex(colour) for colour in colours)


def _between(*colours: str) -> tuple[str, ...]:
    made = LinearSegmentedColormap.from_list("", colours)(np.linspace(0, 1, SHADES))
    return tuple(to_hex(colour) for colour in made)


_DIVERGING = _between("#542788", "#998ec3", "#f7f7f7", "#f1a340", "#b35806")
_SEQUENTIAL = _palette("YlGnBu", 0.04, 0.96)


def is_dark(colour: str) -> bool:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 118
