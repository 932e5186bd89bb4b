"""Simulated meters: whole-Wh cumulative registers with a small error of their own.

Every meter has a constant gain, normal with the scenario's standard deviation and cut at class 1
(1 %). The region's loss is worked out from readings, so the errors must not hide it: in an
interval in which they would make the balance negative the meters read true, and rounding leans
to the side of loss. Registers count either import or export in an interval, never both.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridpact.prosumer.devices import FloatArray

CLASS = 0.01
"""The largest error of a meter of class 1, as a share."""

IntArray = NDArray[np.int64]


class Registers(NamedTuple):
    """Cumulative energy of every meter: sites, plants, the substation last. [Wh]"""

    import_wh: IntArray
    export_wh: IntArray


def gains(count: int, deviation: float, seed: int) -> FloatArray:
    """Return each meter's gain; the last is the substation's, four times as exact."""
    rng = np.random.default_rng([seed, 7])
    errors = rng.standard_normal(count) * deviation
    if count:
        errors[-1] /= 4
    return 1.0 + np.clip(errors, -CLASS, CLASS)


def fresh(count: int) -> Registers:
    return Registers(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))


def reset(before: Registers, count: int) -> Registers:
    """Return registers of which the first ones begin at zero again."""
    kept = np.arange(len(before.import_wh)) >= count
    return Registers(before.import_wh * kept, before.export_wh * kept)


def advance(before: Registers, net_wh: FloatArray, gain: FloatArray) -> Registers:
    """Return the registers after one more interval.

    Parameters
    ----------
    net_wh
        True net import of every meter; the last is the substation's import from above. [Wh]
    gain
        What each meter multiplies the truth by.
    """
    imports, exports = _rounded(net_wh * gain)
    if loss(imports, exports) < 0:
        imports, exports = _rounded(net_wh)
    if loss(imports, exports) < 0:
        imports, exports = _leaning(net_wh)
    return Registers(before.import_wh + imports, before.export_wh + exports)


def loss(imports: IntArray, exports: IntArray) -> int:
    """Return the region's loss by one interval's energies, the substation's last. [Wh]"""
    above = int(imports[-1]) - int(exports[-1])
    return above + int(exports[:-1].sum()) - int(imports[:-1].sum())


def _rounded(net_wh: FloatArray) -> tuple[IntArray, IntArray]:
    net = np.rint(net_wh).astype(np.int64)
    return np.maximum(net, 0), np.maximum(-net, 0)


def _leaning(net_wh: FloatArray) -> tuple[IntArray, IntArray]:
    """Round every meter down towards export, the substation towards import: loss stays >= 0."""
    net = np.floor(net_wh).astype(np.int64)
    net[-1] = np.ceil(net_wh[-1]).astype(np.int64)
    return np.maximum(net, 0), np.maximum(-net, 0)
