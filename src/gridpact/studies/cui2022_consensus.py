"""[Cui22] figure 5: time to agree with shards and without, against the number of trades.

The paper gives ranges of delays but no algorithm; the default reading is 5-decisions, section 16,
and whether the claims depend on it is shown for every other reading.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from gridpact.propagation.consensus import Model, falls_to, general, sharded
from gridpact.propagation.nodes import FloatArray
from gridpact.report.style import AFTER, LOCAL, LOSS
from gridpact.studies.repeated import Claimed, Repeated, curve, exceeds

NODES, SHARDS = 12, 3
TRADES = (10, 50, 100, 150, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
_AXIS = "trades"


def figure_5(draws: int, trades: Sequence[int] = TRADES) -> Repeated:
    """Return the times of the default reading, and what every other one says to the claims."""
    whole, regional, final = times(Model(), trades, draws)
    rows = [_variant(model, (trades[0], 100, trades[-1]), draws) for model in variants()]
    slower = sum(row[-1] == "yes" for row in rows)
    grows = sum(float(row[4]) < float(row[3]) for row in rows)
    claims = (
        exceeds("general takes longer everywhere (end of the slowest shard)", whole, regional,
                _AXIS, trades, 1),
        exceeds("general takes longer everywhere (global finality)", whole, final,
                _AXIS, trades, 1),
        Claimed(
            "general grows faster, as trades wait for the next round",
            f"from {trades[0]} to {trades[-1]} trades {_growth(whole):.1f} against "
            f"{_growth(regional):.1f} (regional) and {_growth(final):.1f} (global)",
            "yes, in the mean",
        ),
        Claimed(
            "the same under other readings",
            f"sharded grows slower in {grows} of {len(rows)}; general is slower everywhere, global "
            f"finality included, in {slower} of {len(rows)}",
            _verdict(grows, slower, len(rows)),
        ),
        Claimed(
            "sharded consensus is as safe",
            f"a shard of {NODES // SHARDS} falls to {falls_to(NODES // SHARDS)} colluding nodes, a "
            f"group of {NODES} to {falls_to(NODES)}",
            "**no**: it is quicker because it is weaker",
        ),
    )  # fmt: skip
    head = ("puzzle", "route", "wave", "growth general", "growth sharded", "growth global",
            "general slower everywhere")  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return Repeated(
        paper="Cui22",
        name="figure5",
        title="time to agree, general and sharded",
        unit="time to agree",
        axis=_AXIS,
        at=tuple(map(float, trades)),
        curves=(
            curve("general", LOSS, whole),
            curve("sharded: slowest shard", LOCAL, regional),
            curve("sharded: global finality", AFTER, final, dashed=True),
        ),
        claims=claims,
        words=f"{NODES} nodes, {SHARDS} shards, {draws} draws; puzzle U[20, 40], hop U[0, 20], 100 "
        "trades a block, bands are 95 % intervals. Every reading (growth in the mean, between "
        f"{trades[0]} and {trades[-1]} trades):\n\n" + "\n".join(lines)
        + "\n\nOn gridpact's ledgers there is no proof of work: each region has its ledger, and "
        "the zonal one records, checks and corrects the regions' heads (`contracts/anchor.vy`).",
    )  # fmt: skip


def variants() -> list[Model]:
    """Return every reading of what the paper leaves open."""
    return [
        Model(puzzle, route, wave)  # type: ignore[arg-type]
        for puzzle, route, wave in product(
            ("first", "one"), ("binary", "star", "line"), ("confirm", "vote", "none")
        )
    ]


def times(
    model: Model, trades: Sequence[int], draws: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the times of general consensus, of the slowest shard, and of global finality."""
    whole = np.stack([general(n, NODES, model, draws, 1) for n in trades])
    split = [sharded(n, NODES, SHARDS, model, draws, 1) for n in trades]
    return whole, np.stack([s.regional for s in split]), np.stack([s.final for s in split])


def _variant(model: Model, trades: Sequence[int], draws: int) -> tuple[str, ...]:
    whole, regional, final = times(model, trades, draws)
    slower = (whole.mean(axis=1) > final.mean(axis=1)).all()
    growth = (f"{_growth(one):.1f}" for one in (whole, regional, final))
    return model.puzzle, model.route, model.wave, *growth, "yes" if slower else "no"


def _verdict(grows: int, slower: int, count: int) -> str:
    if grows < count:
        return "**no**"
    return "yes" if slower == count else "growth yes; slower everywhere depends on the reading"


def _growth(draws: FloatArray) -> float:
    return float(draws[-1].mean() - draws[0].mean())
