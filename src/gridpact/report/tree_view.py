"""A tree of nodes as a picture: the proposer at the left, every node coloured by its trust.

Trusted nodes go from pale to deep green, those below the threshold are red and outlined; whoever
sees few colours has the outline and the words in each node's title.
"""

from collections.abc import Sequence
from html import escape

from gridpact.quantities import PPM, Score
from gridpact.report.style import INK, LOSS, QUIET
from gridpact.report.tree_layout import layout

_LEFT, _TOP, _ROW, _RADIUS = 24.0, 46.0, 22.0, 8.0
_WIDTH, _WIDEST = 520.0, 80.0
_PALE, _DEEP = (0xD5, 0xEE, 0xE2), (0x0B, 0x5D, 0x48)
_NUMBERED = 1000


def tree_view(
    parent: Sequence[int],
    trust: Sequence[int],
    min_trust: Score,
    names: Sequence[str] | None = None,
) -> str:
    """Return a tree as an SVG element.

    Parameters
    ----------
    parent
        Who sends to each node; -1 for the root.
    trust
        Of each node. [ppm]
    min_trust
        From which trust on a node counts as trusted. [ppm]
    names
        What each node is called in its title; its number unless given.
    """
    walk = _downwards(parent)
    rank = {node: place for place, node in enumerate(walk)}
    places = layout([rank[parent[node]] if parent[node] >= 0 else -1 for node in walk])
    step = min(_WIDEST, (_WIDTH - 2 * _LEFT) / max(1, places.columns - 1))
    at = {
        node: (_LEFT + places.column[place] * step, _TOP + places.row[place] * _ROW)
        for place, node in enumerate(walk)
    }
    width = max(_WIDTH, 2 * _LEFT + step * (places.columns - 1))
    height = _TOP + _ROW * places.rows
    called = names or [f"node {node}" for node in range(len(parent))]
    below = sum(one < min_trust for one in trust)
    words = f"{len(parent)} nodes, {below} of them below trust {min_trust / PPM:g}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="tree" role="img"'
            f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans, sans-serif"'
            f' font-size="8" aria-label="{escape(words)}">',
            f'<text x="16" y="20" font-size="11" fill="{QUIET}">{escape(words)}</text>',
            *(_edge(at[sender], at[node]) for node, sender in enumerate(parent) if sender >= 0),
            *(
                _node(node, at[node], trust[node], trust[node] < min_trust, called[node])
                for node in walk
            ),
            "</svg>",
        ]
    )


def _downwards(parent: Sequence[int]) -> list[int]:
    """Return the nodes so that everyone comes after its sender."""
    below: list[list[int]] = [[] for _ in parent]
    for node, sender in enumerate(parent):
        if sender >= 0:
            below[sender].append(node)
    walk = [parent.index(-1)]
    for node in walk:
        walk += below[node]
    return walk


def _edge(sender: tuple[float, float], node: tuple[float, float]) -> str:
    (x, y), (to_x, to_y) = sender, node
    bend = (x + to_x) / 2
    return (
        f'<path d="M{x:.1f} {y:.1f}H{bend:.1f}V{to_y:.1f}H{to_x:.1f}" fill="none"'
        f' stroke="{QUIET}" stroke-width="0.8"/>'
    )


def _node(node: int, at: tuple[float, float], trust: int, distrusted: bool, name: str) -> str:
    (x, y), share = at, trust / PPM
    mixed = "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_PALE, _DEEP, strict=True))
    fill, line = (LOSS, INK) if distrusted else (f"#{mixed}", "none")
    dot = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}" fill="{fill}" stroke="{line}"'
        f' stroke-width="1.4"><title>{escape(name)}: trust {share:.6g}</title></circle>'
    )
    if node >= _NUMBERED:
        return dot
    ink = "#ffffff" if distrusted or share > 0.4 else INK
    return dot + (
        f'<text x="{x:.1f}" y="{y + 2.8:.1f}" text-anchor="middle" fill="{ink}">{node}</text>'
    )
