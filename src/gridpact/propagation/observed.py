"""What do neighbours make of each other's conduct in one batch? From who heard whom to verdicts.

A node that is in order passes the data on, tells, or asks for them: whoever has a link to it hears
of it. A node fails if most of its neighbours that have the data did not hear from it, or if two of
them asked it for what it said it had, and waited in vain: one that slanders is outvoted.
"""

from gridpact.propagation.dissemination import Spread
from gridpact.propagation.links import Links

_PROOF = 2
"""How many have to have asked in vain."""


def verdicts(links: Links, found: Spread, witnesses: frozenset[int]) -> dict[int, bool]:
    """Return of each node with witnesses whether it did its part.

    witnesses: who is heard; a node that never got the data cannot judge.
    """
    near = neighbours(links)
    heard_of, judged = found.heard - found.failed, {}
    for node, others in enumerate(near):
        asked = [one for one in others if one in witnesses]
        heard = sum((one, node) in heard_of for one in asked)
        in_vain = sum((one, node) in found.failed for one in asked)
        if asked:
            judged[node] = 2 * heard > len(asked) and in_vain < _PROOF
    return judged


def neighbours(links: Links) -> list[list[int]]:
    """Return whom each node has a link with."""
    near: list[set[int]] = [set() for _ in links.pushed]
    for kind in (links.pushed, links.announced):
        for node, others in enumerate(kind):
            for other in others:
                near[node].add(other)
                near[other].add(node)
    return [sorted(others) for others in near]
