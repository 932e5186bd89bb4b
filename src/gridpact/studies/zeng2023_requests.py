"""[Zeng23] figure 7: what each node gains by asking by cost, and by storage.

The node model of section 3 as `prosumer.request` states it: in each cycle a node generates or
requests, each with U(0, 200). The paper does not say what a node's benefit is; here it is the grid
price of what the node did not have to buy, less what it paid its donors, plus what donors were paid
(C_b; transport goes to nobody).
"""

import numpy as np

from gridpact.market.pareto_case import Floats
from gridpact.prosumer.request import RULES, State, Step, Terms, What, advance
from gridpact.quantities import amount
from gridpact.report.style import AFTER, ZONAL
from gridpact.studies.repeated import Claimed, Repeated, curve, half_width

NODES, CYCLES, MOST_WH, RICH = 5, 48, 200, 2
"""`RICH`, the paper's node 3, starts with a full storage, the others with none."""
LIMIT, STORED = 400, 400
BASE, TRANSPORT, GRID = 300_000, 2, 600_000
"""C_b and the grid's price [micro-units per kWh], C_t [micro-units per unit of length]."""


def benefit(rule: str, seed: int, stored: int = STORED) -> Floats:
    """Return what each node gained over all cycles. [micro-units]"""
    chance = np.random.default_rng(seed)
    place = chance.uniform(0, 10, (NODES, 2))
    away = np.rint(np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))).astype(int)
    rows = tuple(tuple(int(one) for one in row) for row in away)
    terms = Terms((LIMIT,) * NODES, rows, RULES[rule], BASE, TRANSPORT)
    state = State(tuple(stored if node == RICH else 0 for node in range(NODES)))
    gained = np.zeros(NODES)
    for cycle in range(CYCLES):
        gives = chance.random(NODES) < 0.5
        much = chance.integers(0, MOST_WH, NODES)
        generated = {n: int(much[n]) for n in range(NODES) if gives[n]}
        wanted = {n: int(much[n]) for n in range(NODES) if not gives[n]}
        state, steps = advance(state, cycle, generated, wanted, terms)
        for step in steps:
            _count(gained, step)
    return gained


def _count(gained: Floats, step: Step) -> None:
    if step.what in (What.OWN, What.DONATED):
        gained[step.participant] += amount(GRID, step.energy_wh) - step.cost
    if step.what is What.DONATED:
        gained[step.donor] += amount(BASE, step.energy_wh)


def _leads(lead: Floats, more: bool) -> str:
    """Say whether a node leads the others, and more so than under the other rule."""
    if lead.mean() <= half_width(lead):
        return "**no**"
    return "yes, in the mean" if more else "it leads, but no more than under cost perception"


def figure_7(draws: int) -> Repeated:
    """Return the benefit of each node under both rules, (node, draw)."""
    found = {
        rule: np.array([benefit(rule, seed) for seed in range(draws)]).T / 1000 for rule in RULES
    }
    empty = {rule: np.array([benefit(rule, s, 0) for s in range(draws)]).T / 1000 for rule in RULES}
    gain = {rule: found[rule][RICH] - empty[rule][RICH] for rule in RULES}
    lead = {
        rule: found[rule][RICH] - np.delete(found[rule], RICH, 0).mean(axis=0) for rule in RULES
    }
    cost, storage = "cost_aware", "storage_aware"
    ahead = lead[storage] - lead[cost]
    total = {rule: found[rule].sum(axis=0).mean() for rule in RULES}
    even = abs(lead[cost].mean()) < 0.05 * found[cost].mean()
    clear = bool(ahead.mean() > half_width(ahead))
    return Repeated(
        paper="Zeng23",
        name="figure7",
        title="benefit of each node under cost and storage perception",
        unit="thousandths of a unit of currency",
        axis="node",
        at=tuple(float(node) for node in range(NODES)),
        bars=tuple(f"{node + 1}" for node in range(NODES)),
        curves=(
            curve("cost perception", AFTER, found[cost]),
            curve("storage perception", ZONAL, found[storage]),
        ),
        claims=(
            Claimed(
                "cost perception: benefits are even, whoever has storage at first",
                f"node 3 is {lead[cost].mean():+.1f} ± {half_width(lead[cost]):.1f} from the mean "
                f"of the others ({found[cost].mean():.1f}); its first storage brings it "
                f"{gain[cost].mean():.1f} of {STORED * GRID / 1e6:.0f} that it is worth at most",
                "yes, within 5 %" if even else "**no**",
            ),
            Claimed(
                "storage perception: node 3, which has storage, gains more",
                f"node 3 is {lead[storage].mean():+.1f} ± {half_width(lead[storage]):.1f} from the "
                f"mean of the others; its lead grows by {ahead.mean():.1f} ± "
                f"{half_width(ahead):.1f} against cost perception",
                _leads(lead[storage], clear),
            ),
            Claimed(
                "which perception serves the nodes better in all (not claimed)",
                f"sum of benefits {total[cost]:.1f} by cost, {total[storage]:.1f} by storage",
                "cost" if total[cost] > total[storage] else "storage",
            ),
        ),
        words=f"{draws} draws of {CYCLES} cycles: in each a node generates or requests with even "
        f"chance, U(0, {MOST_WH}) Wh; storages of {LIMIT} Wh, node 3 starts with {STORED} Wh, the "
        "others empty; nodes lie at random in a square of 10 x 10. A donated kWh costs C_b = 0.3 "
        "and transport C_t x distance, the grid's 0.6. What a node's benefit is the paper does not "
        "say; here: the grid price of what it did not have to buy, less what it paid, plus what it "
        "was paid.",
    )
