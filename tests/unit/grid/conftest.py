"""The published feeder, and small random ones."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

import gridpact
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.scenario.feeder_file import FeederFile, read_feeder

SCE56 = Path(gridpact.__file__).parent / "data" / "feeders" / "sce56.toml"


@pytest.fixture(scope="session")
def sce56() -> FeederFile:
    return read_feeder(SCE56)


@pytest.fixture(scope="session")
def peak(sce56: FeederFile) -> np.ndarray:
    """Complex peak load by bus, (bus,) [pu of 1 MVA]."""
    apparent = np.array([sce56.peak_load_mva[int(bus)] for bus in sce56.feeder.ids])
    factor = sce56.power_factor
    return apparent * (factor + 1j * np.sqrt(1 - factor**2))


def two_bus(r: float = 0.01, x: float = 0.02, s_max: float | None = None) -> Feeder:
    """Return a single line of r + jx pu on 1 MVA, 1 kV."""
    return build(1, [Line(1, 2, r, x, s_max)], {}, 1.0, 1.0)


@st.composite
def radial_feeders(draw: st.DrawFn, least: int = 2, most: int = 14) -> Feeder:
    """Any tree with lightly loaded lines; numbers of buses in no particular order."""
    size = draw(st.integers(least, most))
    numbers = draw(st.permutations(range(1, size + 1)))
    impedance = st.floats(1e-3, 0.03)
    lines = []
    for place in range(1, size):
        above = draw(st.integers(0, place - 1))
        ends = (numbers[above], numbers[place])
        ends = ends if draw(st.booleans()) else ends[::-1]
        lines.append(Line(*ends, draw(impedance), draw(impedance)))
    shunt = {numbers[-1]: draw(st.floats(0, 0.2))}
    return build(numbers[0], draw(st.permutations(lines)), shunt, 1.0, 1.0)
