"""Which calculations does `gridpact solve` know? One file a kind, found here by its name.

A kind turns plain JSON data into an answer of the same sort, and is nothing but a function of it:
no clock, no file, no setting. Its file is imported when it is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gridpact.errors import BadInput

Answer = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """How a kind calculates, how it answers, and how it draws, if it does."""

    solve: Callable[[object], Any]
    answer: Callable[[Any], Answer]
    picture: Callable[[Any, int | None], str] | None = None


def _opf() -> Kind:
    from gridpact.solve import opf

    return Kind(lambda data: opf.solved(opf.request(data)), opf.answer, _opf_picture)


def _opf_picture(done: Any, interval: int | None) -> str:
    from gridpact.solve.opf_picture import picture

    return picture(done, interval)


def _match() -> Kind:
    from gridpact.solve import match

    return Kind(lambda data: match.matched(match.request(data)), match.answer)


def _tree() -> Kind:
    from gridpact.solve import tree

    return Kind(
        lambda data: tree.solved(tree.request(data)),
        tree.answer,
        lambda done, _interval: tree.picture(done),
    )


def _auction() -> Kind:
    from gridpact.solve import auction

    return Kind(lambda data: auction.solved(auction.request(data)), auction.answer)


def _pareto() -> Kind:
    from gridpact.solve import pareto

    return Kind(lambda data: pareto.solved(pareto.request(data)), pareto.answer)


KINDS: Mapping[str, Callable[[], Kind]] = {
    "auction": _auction,
    "match": _match,
    "opf": _opf,
    "pareto": _pareto,
    "tree": _tree,
}


def kind(name: str) -> Kind:
    """Return a kind by its name."""
    if name not in KINDS:
        raise BadInput(f"solve {name}: is no kind that is known, expected {', '.join(KINDS)}")
    return KINDS[name]()
