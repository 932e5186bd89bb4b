"""Where does each bus stand in a one-line diagram? A radial feeder from left to right.

Buses stand in columns by their number of lines from the root. From every bus its longest branch
goes straight on; the others leave it upwards or downwards, whichever is nearer, placed from the
far end of the feeder to the root. So a later branch passes outside of all earlier ones, which begin
further right: no two buses meet and no two lines cross. The same feeder gives the same picture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Places:
    """Column and row of each bus, in the feeder's order. Rows begin with 0 at the top."""

    column: tuple[int, ...]
    row: tuple[int, ...]

    @property
    def columns(self) -> int:
        return max(self.column) + 1

    @property
    def rows(self) -> int:
        return max(self.row) + 1


@dataclass
class _Block:
    """A straight path with the branches that leave it; rows relative to the path's own.

    top, bottom: outermost rows that are taken, one for each column from `first` on.
    """

    first: int
    path: list[int]
    top: list[int]
    bottom: list[int]
    branches: list[tuple[int, "_Block"]] = field(default_factory=list)

    def take(self, branch: "_Block") -> None:
        """Place a branch on the nearer side, outside of what is there."""
        begin = branch.first - self.first
        span = range(len(branch.path))
        down = max(self.bottom[begin + i] + 1 - branch.top[i] for i in span)
        up = min(self.top[begin + i] - 1 - branch.bottom[i] for i in span)
        shift = down if down <= -up else up
        for i in span:
            self.top[begin + i] = min(self.top[begin + i], branch.top[i] + shift)
            self.bottom[begin + i] = max(self.bottom[begin + i], branch.bottom[i] + shift)
        self.branches.append((shift, branch))


def layout(parent: Sequence[int]) -> Places:
    """Return where the buses stand.

    Parameters
    ----------
    parent
        Place of the bus above each bus, which comes earlier; -1 for the root, which comes first.
    """
    children: list[list[int]] = [[] for _ in parent]
    height, column = [0] * len(parent), [0] * len(parent)
    for bus in range(1, len(parent)):
        children[parent[bus]].append(bus)
        column[bus] = column[parent[bus]] + 1
    for bus in range(len(parent) - 1, 0, -1):
        height[parent[bus]] = max(height[parent[bus]], height[bus] + 1)
    for below in children:
        below.sort(key=lambda bus: (height[bus], -bus))
    rows = dict(_rows(_block(0, children, column), 0))
    highest = min(rows.values())
    return Places(tuple(column), tuple(rows[bus] - highest for bus in range(len(parent))))


def _block(bus: int, children: Sequence[Sequence[int]], column: Sequence[int]) -> _Block:
    path = [bus]
    while children[path[-1]]:
        path.append(children[path[-1]][-1])
    block = _Block(column[bus], path, [0] * len(path), [0] * len(path))
    for place in reversed(path):
        for branch in children[place][:-1]:
            block.take(_block(branch, children, column))
    return block


def _rows(block: _Block, row: int) -> Iterator[tuple[int, int]]:
    for bus in block.path:
        yield bus, row
    for shift, branch in block.branches:
        yield from _rows(branch, row + shift)
