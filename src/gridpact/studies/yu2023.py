"""[Yu23] figures 6 to 8 and table 2: trust, time and concurrency of the trees, over many seeds.

The paper shows one draw. Here every number of nodes is drawn many times; trees of one draw are
compared with each other. What the paper leaves open is assumed as 5-decisions, section 15, has it:
symmetric costs U[1, 10], malicious trust U(0, 0.8), thresholds 0.8 and 8.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.propagation.algorithms import ALGORITHMS
from gridpact.propagation.measures import measures
from gridpact.propagation.nodes import FloatArray
from gridpact.propagation.rule import Rule
from gridpact.propagation.scenarios import drawn, rule
from gridpact.report.style import AFTER, BATTERY, LOCAL, LOSS, ZONAL
from gridpact.studies.repeated import Claimed, Repeated, curve, exceeds

SIZES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
TABLED = 50
"""The number of nodes that the paper's set-up names, for table 2."""

_TREES: Mapping[str, tuple[str, Rule]] = {
    "LFT": ("lft", rule()),
    "TFT": ("tft", rule()),
    "WCT 1:1": ("wct", rule((1, 1))),
    "WCT 3:2": ("wct", rule((3, 2))),
    "WCT 1:1 minmax": ("wct", rule((1, 1), minmax=True)),
    "WCT 3:2 minmax": ("wct", rule((3, 2), minmax=True)),
    "DTT": ("dtt", rule()),
}
_LOOK = {
    "LFT": (ZONAL, False),
    "TFT": (LOCAL, False),
    "WCT 1:1": (AFTER, False),
    "WCT 3:2 minmax": (BATTERY, True),
    "DTT": (LOSS, True),
}
_METRIC = {6: "overall_trust", 7: "concurrent_time", 8: "node_concurrency"}
_TITLE = {6: "overall trust", 7: "concurrent communication time", 8: "concurrency"}
_UNIT = {
    6: "overall trust",
    7: "last arrival [cost]",
    8: "largest level",
}
_AXIS = "nodes"


@dataclass(frozen=True, eq=False)
class Trees:
    """What every tree comes to. values: by metric and tree, (size, draw).

    same: share of the draws in which 1:1 and 3:2 give one sequence, raw and normalised, (size,).
    """

    sizes: tuple[int, ...]
    draws: int
    values: Mapping[tuple[str, str], FloatArray]
    same: Mapping[str, FloatArray]


def grown(sizes: Sequence[int], draws: int) -> Trees:
    """Return the trees of many draws, each with nodes and costs of its own seed."""
    names = (*_METRIC.values(), "serial_time", "rounds")
    values = {(name, tree): np.empty((len(sizes), draws)) for name in names for tree in _TREES}
    same = {kind: np.zeros(len(sizes)) for kind in ("raw", "minmax")}
    for place, size in enumerate(sizes):
        for seed in range(draws):
            one, order = drawn(size, seed), {}
            for tree, (algorithm, settings) in _TREES.items():
                made = ALGORITHMS[algorithm](one.nodes, one.costs, settings)
                found = measures(made, one.nodes, one.costs)
                order[tree] = made.sequence.tolist()
                for name in names:
                    values[name, tree][place, seed] = getattr(found, name)
            same["raw"][place] += order["WCT 1:1"] == order["WCT 3:2"]
            same["minmax"][place] += order["WCT 1:1 minmax"] == order["WCT 3:2 minmax"]
    return Trees(tuple(sizes), draws, values, {kind: n / draws for kind, n in same.items()})


def figure(number: int, trees: Trees) -> Repeated:
    """Return figure 6, 7 or 8."""
    metric = _METRIC[number]
    by_tree = {tree: trees.values[metric, tree] for tree in _TREES}
    return Repeated(
        paper="Yu23",
        name=f"figure{number}",
        title=_TITLE[number],
        unit=_UNIT[number],
        axis=_AXIS,
        at=tuple(map(float, trees.sizes)),
        curves=tuple(curve(t, c, by_tree[t], d) for t, (c, d) in _LOOK.items()),
        claims=_CLAIMS[number](by_tree, trees),
        words=_words(trees),
    )


def _trust(by: Mapping[str, FloatArray], trees: Trees) -> tuple[Claimed, ...]:
    at = trees.sizes
    return (
        exceeds("TFT best: above WCT", by["TFT"], by["WCT 1:1"], _AXIS, at, 4),
        exceeds("WCT clearly above LFT", by["WCT 1:1"], by["LFT"], _AXIS, at, 4),
        _weights(trees),
        _named(
            exceeds(
                "With weights 3:2 WCT moves towards TFT",
                *(by["WCT 3:2 minmax"], by["WCT 1:1 minmax"], _AXIS, at, 4),
            ),
            "normalised: ",
        ),
    )


def _time(by: Mapping[str, FloatArray], trees: Trees) -> tuple[Claimed, ...]:
    at = trees.sizes
    growth = {tree: by[tree][-1].mean() - by[tree][0].mean() for tree in ("LFT", "WCT 1:1", "TFT")}
    times = {tree: by[tree][-1].mean() / by[tree][0].mean() for tree in growth}
    said = ", ".join(f"{tree} {times[tree]:.2f} times" for tree in growth)
    flat = max(growth["LFT"], growth["WCT 1:1"]) < growth["TFT"] / 2
    place = _nearest(trees)
    faster = by["WCT 1:1"][place] / by["DTT"][place]
    return (
        exceeds("LFT best: WCT takes longer", by["WCT 1:1"], by["LFT"], _AXIS, at, 2),
        exceeds("WCT below TFT", by["TFT"], by["WCT 1:1"], _AXIS, at, 2),
        Claimed(
            "LFT and WCT stay nearly flat",
            f"from {at[0]} to {at[-1]} nodes time grows to {said}",
            "in the mean, beside TFT" if flat else "**no**",
        ),
        Claimed(
            "(ours) DTT is quicker than WCT",
            f"the time of WCT over that of DTT at {at[place]} nodes: of the means "
            f"{by['WCT 1:1'][place].mean() / by['DTT'][place].mean():.2f}, mean over draws "
            f"{faster.mean():.2f}; above 1 on {(faster > 1).mean():.0%} of the draws",
            "in the mean" if faster.mean() > 1 else "**no**",
        ),
        _weights(trees),
    )


def _concurrency(by: Mapping[str, FloatArray], trees: Trees) -> tuple[Claimed, ...]:
    at = trees.sizes
    gaps = {tree: (by[tree] - by["TFT"]).mean(axis=1) for tree in ("LFT", "WCT 1:1")}
    more = all(gap[-1] > gap[0] for gap in gaps.values())
    said = ", ".join(
        f"{tree} {gap[0]:+.1f} at {at[0]}, {gap[-1]:+.1f} at {at[-1]}" for tree, gap in gaps.items()
    )
    return (
        exceeds("LFT above TFT", by["LFT"], by["TFT"], _AXIS, at, 2),
        exceeds("WCT above TFT", by["WCT 1:1"], by["TFT"], _AXIS, at, 2),
        Claimed(
            "more so with many nodes", f"above TFT: {said}", "in the mean" if more else "**no**"
        ),
        _weights(trees),
    )


def _weights(trees: Trees) -> Claimed:
    raw, minmax = (float(trees.same[kind].mean()) for kind in ("raw", "minmax"))
    return Claimed(
        "Weights 1:1 (a) and 3:2 (b) differ",
        f"raw scores give the same sequence on {raw:.1%} of all draws (links step by 1, trust "
        f"spans 0.2: one link outweighs it either way); normalised ones on {minmax:.1%}",
        "only normalised" if raw == 1 > minmax else "yes",
    )


def _named(one: Claimed, before: str) -> Claimed:
    holds = one.holds if one.holds == "**no**" else f"only normalised; {one.holds}"
    return Claimed(one.claimed, before + one.obtained, holds)


def _nearest(trees: Trees) -> int:
    return int(np.argmin(np.abs(np.array(trees.sizes) - TABLED)))


_CLAIMS = {6: _trust, 7: _time, 8: _concurrency}


def table_2(trees: Trees) -> Repeated:
    """Return table 2: who is excellent, good and poor at what, at 50 nodes.

    Its two further rows (priority index, optimisation goal) say how the trees are made; the
    entries for LFT and TFT in the last are swapped.
    """
    place = _nearest(trees)
    rows, claims, kinds = [], list[Claimed](), ("LFT", "TFT", "WCT 1:1")
    for name, metric, best, paper in (
        ("reliability", "overall_trust", "high", ("TFT", "WCT 1:1", "LFT")),
        ("time", "concurrent_time", "low", ("LFT", "WCT 1:1", "TFT")),
        ("concurrency", "node_concurrency", "high", ("LFT", "WCT 1:1", "TFT")),
    ):
        values = {tree: trees.values[metric, tree][place] for tree in kinds}
        ranked = sorted(kinds, key=lambda t: values[t].mean() * (1 if best == "low" else -1))
        rows.append((name, *(f"{values[tree].mean():.6g}" for tree in kinds)))
        means = ", ".join(f"{tree} {values[tree].mean():.4g}" for tree in ranked)
        claims.append(
            Claimed(
                f"{name}: {paper[0]} excellent, {paper[1].split()[0]} good, {paper[2]} poor",
                f"means at {trees.sizes[place]} nodes, best first: {means}",
                "in the mean" if tuple(ranked) == paper else "**no**",
            )
        )
    bars = ("reliability", "time", "concurrency")
    curves = []
    for tree, colour in (("LFT", ZONAL), ("TFT", LOCAL), ("WCT 1:1", AFTER)):
        shares = np.stack(
            [
                trees.values[metric, tree][place] / trees.values[metric, "LFT"][place].mean()
                for metric in _METRIC.values()
            ]
        )
        curves.append(curve(tree, colour, shares))
    return Repeated(
        paper="Yu23",
        name="table2",
        title="comparison of the trees",
        unit=f"relative to the mean of LFT, {trees.sizes[place]} nodes",
        axis="",
        at=(0.0, 1.0, 2.0),
        curves=tuple(curves),
        claims=tuple(claims),
        words=_words(trees)
        + "\n\nThe table's rows on priority index and optimisation goal say how the trees are made"
        " (LFT: links, shortest time; TFT: trust, most reliability; WCT: both); the paper's last"
        " row has the entries of LFT and TFT swapped.",
        rows=(("", *kinds), *rows),
        bars=bars,
    )


def _words(trees: Trees) -> str:
    return (
        f"{trees.draws} draws for each number of nodes, with trust, links and costs of their own "
        f"seed (0 to {trees.draws - 1}); bands are 95 % intervals of the mean. Orders of the paper "
        "hold for means over draws, not for every draw, unless the table says so. Dashed curves "
        "are not the paper's: WCT with normalised scores, and the tree of least delay."
    )
