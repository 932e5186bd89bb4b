"""Is the optimal power flow as fast as the solver inside it, and as others for the same optimum?

One file per question: `grid_speed` (beside the bare solver), `grid_peers` (beside others),
`grid_size` (many feeders, large ones, memory).
"""

from bench import grid_peers, grid_size, grid_speed
from bench.rows import Row

NOTES = """Cases (`bench/grid_cases.py`): the published 56-bus feeder with the paper's two plants,
three batteries, two cars and a generator, and made random trees of any size with sun at one bus in
ten, a battery and a car at one in twenty. *Bare Clarabel* gets the matrices of our own model and
the same tolerances (1e-9); its time is setup and solve, in the same run and alternated with ours.
Times are CPU seconds of one process unless they say wall: on a quiet machine with one BLAS thread
they are the same. *Whole call* is `gridpact.grid.opf.solve`: checks of the input, building,
solving, the AC replay that proves the answer exact, nodal prices with their four parts. Feeders of
a zone share no limit; one that they do share makes one problem of them (`grid/zone.py`)."""


def run() -> list[Row]:
    return [*grid_speed.rows(), *grid_peers.rows(), *grid_size.rows()]
