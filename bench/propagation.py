"""Are trees built quickly, do they spread quickly, and does everybody hear though some keep silent?

One file per question: `propagation_speed` (beside networkx), `propagation_spread` (delay, shares of
honest nodes reached, signatures), `propagation_plan` (what the zone's ledger carries).
"""

from bench import propagation_plan, propagation_speed, propagation_spread
from bench.rows import Row

NOTES = """Set-up of paper A (`propagation/scenarios.py`): 5 / 15 / 80 % of the nodes with 3 / 2 / 1
links, 20 % of them malicious. Costs are independent and symmetric, U[1, 10], unless they are
distances. Times to build are CPU seconds of one process; *built and measured* begins with plain
arrays of trust, links and coordinates. Shares are of the honest nodes but the proposer, which is
honest: a silent one is replaced before anything spreads. ± is half of the 95 % interval of the mean
over 200 seeds. Backup parents tell both ways: whoever has the data tells all its neighbours
(*down*: only backup parents tell, only downwards). A node waits 20 for its sender, and 20 for
everybody it asks; the dearest link costs 10. The mesh has three random rings, which is as many
links as a tree with two backups has. Liars tell at once that they have the data and never deliver.
The planner's gas is that of docs/bench/gas.md and of an anchor sent here (region without a council;
naming the member in turn costs a little more); its bytes are counted from the calls' arguments."""


def run() -> list[Row]:
    return [*propagation_speed.rows(), *propagation_spread.rows(), *propagation_plan.rows()]
