"""What does one optimal power flow leave for the next? The solver's matrices, the last voltages.

The next day, or another price, of the same feeder and devices: `solve(problem, kept)` renews the
numbers only. Nothing in here changes an answer beyond the solver's tolerance.
"""

from dataclasses import dataclass, field

from gridpact.grid.cone_solver import ConeSolver
from gridpact.grid.feeder import FloatArray


@dataclass(eq=False)
class Kept:
    """v: voltage at every bus but the root in the last answer, (interval, m) [pu]."""

    relaxation: ConeSolver = field(default_factory=ConeSolver)
    v: FloatArray | None = None
