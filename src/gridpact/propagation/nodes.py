"""Who takes part in a tree: each node's trust and how many others it can serve.

Trust is kept as whole parts per million, so that equal trust is equal and a score is exact
(5-decisions, section 15). A decimal with more than six places is refused rather than rounded.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gridpact.errors import TreeError
from gridpact.quantities import PPM

IntArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float64]

MOST_LINKS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Nodes:
    """Trust and links of the nodes 0..n-1, in input order, both (node,).

    trust: parts per million. links: most nodes it can serve; its own sender does not count.
    """

    trust: IntArray
    links: IntArray

    @property
    def size(self) -> int:
        return len(self.trust)


def nodes(trust: npt.ArrayLike, links: npt.ArrayLike) -> Nodes:
    """Return the nodes of a tree from decimals and whole numbers.

    Raises
    ------
    TreeError
        No node, lists of other lengths, trust outside of [0, 1] or with more than six places,
        links that are no whole number of at least 1.
    """
    shares, counts = _row("trust", trust), _row("links", links)
    if not len(shares):
        raise TreeError("trust", "is empty, expected at least one node")
    if len(counts) != len(shares):
        raise TreeError("links", f"has {len(counts)} entries, expected {len(shares)}: one a node")
    return Nodes(_ppm(shares), _links(counts))


def _row(place: str, values: npt.ArrayLike) -> FloatArray:
    try:
        row = np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise TreeError(place, "is no list of numbers") from None
    if row.ndim != 1:
        raise TreeError(place, f"has {row.ndim} dimensions, expected a list of numbers")
    return row


def _ppm(shares: FloatArray) -> IntArray:
    """Return shares as parts per million: exact, for k / 10⁶ is the float of each such decimal."""
    _require("trust", shares, (shares >= 0) & (shares <= 1), "is not between 0 and 1")
    ppm = np.rint(shares * PPM)
    _require("trust", shares, ppm / PPM == shares, "has more than 6 decimal places")
    return ppm.astype(np.int64)


def _links(counts: FloatArray) -> IntArray:
    sound = (counts >= 1) & (counts <= MOST_LINKS) & (counts == np.floor(counts))
    _require("links", counts, sound, f"is no whole number from 1 to {MOST_LINKS}")
    return counts.astype(np.int64)


def _require(place: str, values: FloatArray, sound: npt.NDArray[np.bool_], problem: str) -> None:
    if not sound.all():
        first = int(np.argmin(sound))
        raise TreeError(f"{place}[{first}]", f"{values[first]:.15g} {problem}")
