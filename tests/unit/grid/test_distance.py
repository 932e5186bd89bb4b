"""How far two buses are apart, along the lines."""

from gridpact.grid.distance import distances
from gridpact.grid.feeder import Line, build


def test_the_path_between_two_buses_is_what_counts() -> None:
    lines = [Line(1, 2, 3.0, 4.0), Line(2, 3, 0.6, 0.8), Line(2, 4, 0.0, 2.0)]
    feeder = build(1, lines, {}, 1.0, 12.0)
    assert distances(feeder, [3, 4, 1, 3]) == (
        (0, 3000, 6000, 0),
        (3000, 0, 7000, 3000),
        (6000, 7000, 0, 6000),
        (0, 3000, 6000, 0),
    )
