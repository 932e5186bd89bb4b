"""Which experiments can be repeated? One function a figure, found here by paper and number."""

from collections.abc import Iterator
from pathlib import Path

from gridpact.errors import BadInput

FIGURES = {"wang2023": (3, 4, 5, 6, 7)}


def chosen(paper: str, figure: int | None) -> tuple[int, ...]:
    """Return the figures that are asked for: one, or all of the paper."""
    if paper not in FIGURES:
        raise BadInput(f"study {paper}: is not known, expected {', '.join(FIGURES)}")
    known = FIGURES[paper]
    if figure is not None and figure not in known:
        numbers = ", ".join(map(str, known))
        raise BadInput(f"--figure {figure}: is not known of {paper}, expected one of {numbers}")
    return known if figure is None else (figure,)


def repeat(
    paper: str, figure: int | None, folder: Path, scenario: Path, draws: int
) -> Iterator[tuple[str, list[Path]]]:
    """Repeat figures of a paper and write them; yield the table and the files of each.

    Raises
    ------
    BadInput
        The paper or the figure is not known, or the scenario cannot be used.
    """
    numbers = chosen(paper, figure)
    if draws < 1:
        raise BadInput(f"--draws {draws}: expected at least one day")
    if 3 in numbers:
        from gridpact.studies import figure3
        from gridpact.studies.wang2023 import figure_3

        gas = figure_3()
        yield figure3.table(gas), figure3.write(gas, folder)
    by_day = [number for number in numbers if number != 3]
    if by_day:
        from gridpact.studies import figures_day
        from gridpact.studies.days import draw_days
        from gridpact.studies.wang2023_days import day_figure

        days = draw_days(scenario, draws)
        for number in by_day:
            found = day_figure(number, days)
            yield figures_day.table(found), figures_day.write(found, folder)
