"""How soon and how surely does a batch reach everybody, and its signatures the proposer?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bench.rows import Row
from gridpact.model.council import needed
from gridpact.propagation.aggregation import all_to_all, star, up_the_tree
from gridpact.propagation.backups import backups
from gridpact.propagation.course import CourseTerms, course
from gridpact.propagation.delay_trust import delay_trust
from gridpact.propagation.dissemination import Conduct, Terms, spread
from gridpact.propagation.links import Links, announced, backed, bare, flooded, mesh
from gridpact.propagation.local_search import improved
from gridpact.propagation.measures import measures
from gridpact.propagation.scenarios import MIN_TRUST, SCENARIOS, Drawn, Trusting, drawn, rule
from gridpact.propagation.tree import Tree
from gridpact.propagation.weighted import weighted
from gridpact.quantities import PPM

SEEDS = 200
SIZES = (50, 100)
TERMS = Terms(patience=20)
IN_TIME = 80.0
"""About twice as long as an undisturbed tree of 50 or 100 nodes takes."""
VERIFYING = 5.0
"""Of a batch, in units of cost: half of what the dearest link costs."""
_LABELS = {
    "correct": "trust correct",
    "sleepers": "half of the droppers trusted",
    "uninformative": "trust uninformative",
    "crashes": "trust correct, 5 % of the honest crash",
    "liars": "droppers lie, half of them trusted",
}


def rows() -> list[Row]:
    found = [*_delay()]
    for size in SIZES:
        for trusting in (*SCENARIOS, "liars"):
            found += _shares(size, trusting)  # type: ignore[arg-type]
    return [*found, *_learned(), *_signatures()]


def _time(tree: Tree, one: Drawn) -> float:
    found = measures(tree, one.nodes, one.costs)
    assert found is not None
    return found.concurrent_time


def _delay() -> Iterator[Row]:
    """Time of the last arrival: WCT over DTT, 50 nodes."""
    for euclidean, name in ((True, "Euclidean"), (False, "independent")):
        times = []
        for seed in range(SEEDS):
            one = drawn(50, seed, euclidean=euclidean)
            trees = [build(one.nodes, one.costs, rule()) for build in (weighted, delay_trust)]
            times.append([_time(tree, one) for tree in trees])
        slow, quick = np.array(times).T
        ratio = float(slow.mean() / quick.mean())
        yield Row(
            f"last arrival, {name} costs, n = 50: DTT", float(quick.mean()), "cost",
            f"WCT: {slow.mean():.4g} ± {_half(slow):.2g}", ratio,
            "WCT takes at least 1.5 times as long" if euclidean else "",
            ratio >= 1.5 if euclidean else None,
        )  # fmt: skip
    gains = []
    for seed in range(20):
        one = drawn(50, seed, euclidean=True)
        tree = delay_trust(one.nodes, one.costs, rule())
        better = improved(tree, one.nodes, one.costs, rule(), kicks=2)
        gains.append(_time(better, one) / _time(tree, one))
    yield Row(
        "the same after a local search, over DTT without (20 seeds, 2 kicks)",
        float(np.mean(gains)), "times", f"best {min(gains):.3g}, worst {max(gains):.3g}",
    )  # fmt: skip


def _kinds(one: Drawn, tree: Tree, seed: int) -> Mapping[str, Links]:
    trusted = one.nodes.trust >= MIN_TRUST * PPM
    chosen = {b: backups(tree, trusted, one.costs, b) for b in (1, 2, 3)}
    near = mesh(tree.size, 3, np.random.default_rng(seed))
    return {
        "bare tree": bare(tree),
        "b = 1": backed(tree, chosen[1]),
        "b = 2": backed(tree, chosen[2]),
        "b = 3": backed(tree, chosen[3]),
        "b = 2, down": backed(tree, chosen[2], both_ways=False),
        "mesh, told": announced(near),
        "mesh, flooded": flooded(near),
    }


def _shares(size: int, trusting: Trusting) -> Iterator[Row]:
    found: dict[str, list[tuple[float, ...]]] = {}
    every = np.arange(size)
    for seed in range(SEEDS):
        one = drawn(size, seed, trusting)
        tree = weighted(one.nodes, one.costs, rule())
        table = one.costs.between(every[:, None], every[None, :]).tolist()
        how = list(one.conduct)
        how[tree.root] = Conduct.HONEST
        for kind, links in _kinds(one, tree, seed).items():
            came = spread(links, table, how, tree.root, TERMS)
            sent = came.tells + came.pulls
            row = (came.share, came.last, came.pushes, sent, links.count, came.by(IN_TIME))
            found.setdefault(kind, []).append(row)
    for kind, drawn_rows in found.items():
        shares, last, pushes, sent, links, timely = np.array(drawn_rows).T
        goal = kind == "b = 2" and trusting != "liars"
        yield Row(
            f"n = {size}, {_LABELS[trusting]}: {kind}", float(shares.mean()), "share reached",
            f"± {_half(shares):.2g}, worst seed {shares.min():.3g}; last after {last.mean():.0f}, "
            f"{timely.mean():.4f} by {IN_TIME:.0f}; {links.mean():.0f} links, data "
            f"sent {pushes.mean():.0f} times, other messages {sent.mean():.0f}",
            goal="at least 0.99" if goal else "",
            holds=bool(shares.mean() >= 0.99) if goal else None,
        )  # fmt: skip


def _half(values: Sequence[float] | np.ndarray) -> float:
    return float(1.96 * np.std(values, ddof=1) / len(values) ** 0.5)


def _learned() -> Iterator[Row]:
    """Droppers that all begin as newcomers: trust follows conduct, trees follow trust."""
    terms = CourseTerms(weighted, rule(), TERMS)
    first, last, rebuilt, wrong = [], [], [], []
    for seed in range(20):
        one = drawn(50, seed)
        rounds = list(course(one.nodes.links, one.costs, lambda _, o=one: o.conduct, 30, terms))
        bad = np.array([how is not Conduct.HONEST for how in one.conduct])
        first.append(_alone(rounds[0].tree, one))
        last.append(_alone(rounds[-1].tree, one))
        rebuilt.append(sum(one.rebuilt for one in rounds))
        wrong.append(((np.array(rounds[-1].trust) >= MIN_TRUST * PPM) == bad).mean())
    yield Row(
        "n = 50, newcomers all, 30 batches: nodes judged wrongly at the end",
        float(np.mean(wrong)), "share", f"trees made anew: {np.mean(rebuilt):.1f} of 30; "
        f"reached by the bare tree: first {np.mean(first):.3f}, last {np.mean(last):.3f}",
    )  # fmt: skip


def _alone(tree: Tree, one: Drawn) -> float:
    every = np.arange(tree.size)
    how = list(one.conduct)
    how[tree.root] = Conduct.HONEST
    table = one.costs.between(every[:, None], every[None, :]).tolist()
    return spread(bare(tree), table, how, tree.root, replace(TERMS)).share


def _signatures() -> Iterator[Row]:
    """A quorum's signatures: up the tree, to a star's middle, all to all."""
    for size in SIZES:
        found: dict[str, list[tuple[float, ...]]] = {}
        for seed in range(SEEDS):
            one = drawn(size, seed, euclidean=True)
            tree = delay_trust(one.nodes, one.costs, rule())
            due, root = needed(size), tree.root
            for name, got in (
                ("up the tree (DTT)", up_the_tree(tree, one.costs, VERIFYING, due)),
                ("star, links at once", star(root, one.costs, VERIFYING, due,
                                             int(one.nodes.links[root]))),
                ("star, all at once", star(root, one.costs, VERIFYING, due, size)),
                ("all to all", all_to_all(root, one.costs, VERIFYING, due)),
            ):  # fmt: skip
                row = (got.at, got.messages, got.bytes, got.busiest)
                found.setdefault(name, []).append(row)
        for name, got_rows in found.items():
            at, messages, size_bytes, busiest = np.array(got_rows).mean(axis=0)
            yield Row(f"quorum of n = {size}, {name}", float(at), "cost",
                      f"{messages:.0f} messages, {size_bytes / 1000:.1f} kB of signatures, busiest "
                      f"node {busiest:.0f} messages")  # fmt: skip
