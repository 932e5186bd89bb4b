"""Which experiments can be repeated? One function a figure, found here by paper and number."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gridpact.errors import BadInput

if TYPE_CHECKING:
    from gridpact.studies.repeated import Repeated

FIGURES = {
    "wang2023": (3, 4, 5, 6, 7),
    "yu2023": (5, 6, 7, 8),
    "cui2022": (4, 5),
    "zeng2023": (6, 7, 8, 9),
    "mechanisms": (1, 2),
}
TABLES = {"yu2023": (2,)}
DAYS, SEEDS = 20, 200
FEW_DAYS = 5
"""How often an experiment is drawn unless it is said: market days, draws that take no time, and
market days under every mechanism."""


def chosen_table(paper: str, figure: int | None, table: int | None) -> tuple[int, ...]:
    """Return the tables that are asked for: one, or all of the paper where no figure is."""
    known = TABLES.get(paper, ())
    if table is None:
        return () if figure else known
    if figure is not None:
        raise BadInput(f"--figure {figure}, --table {table}: expected one of them")
    if table not in known:
        numbers = ", ".join(map(str, known)) or "no table"
        raise BadInput(f"--table {table}: is not known of {paper}, expected {numbers}")
    return (table,)


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
    paper: str,
    figure: int | None,
    folder: Path,
    scenario: Path,
    draws: int | None = None,
    table: int | None = None,
) -> Iterator[tuple[str, list[Path]]]:
    """Repeat figures and tables of a paper and write them; yield the claims and files of each.

    Raises
    ------
    BadInput
        The paper or the figure is not known, or the scenario cannot be used.
    """
    numbers = chosen(paper, figure)
    tables = chosen_table(paper, figure, table)
    if draws is not None and draws < 1:
        raise BadInput(f"--draws {draws}: expected at least one draw")
    if paper == "mechanisms":
        from gridpact.studies import mechanisms, mechanisms_page, mechanisms_picture

        made = list[mechanisms.Outcome]()
        for number in numbers:
            made.append(mechanisms.figure(number, scenario, draws or FEW_DAYS))
            files = mechanisms_picture.write(made[-1], folder)
            yield mechanisms.table(made[-1]), [*files, mechanisms_page.write(made, folder)]
        return
    if paper == "wang2023":
        yield from _wang2023(numbers, folder, scenario, draws or DAYS)
        return
    from gridpact.studies import repeated

    make = {"yu2023": _yu2023, "cui2022": _cui2022, "zeng2023": _zeng2023}[paper]
    for found in make(() if table else numbers, tables, scenario, draws or SEEDS):
        yield repeated.table(found), repeated.write(found, folder)


def _yu2023(
    figures: tuple[int, ...], tables: tuple[int, ...], scenario: Path, draws: int
) -> "Iterator[Repeated]":
    from gridpact.studies import yu2023, yu2023_confirmation

    if 5 in figures:
        yield yu2023_confirmation.figure_5(draws, yu2023_confirmation.measured(scenario))
    by_tree = [number for number in figures if number != 5]
    if by_tree or tables:
        trees = yu2023.grown(yu2023.SIZES if by_tree else (yu2023.TABLED,), draws)
        yield from (yu2023.figure(number, trees) for number in by_tree)
        yield from (yu2023.table_2(trees) for _ in tables)


def _cui2022(
    figures: tuple[int, ...], _tables: tuple[int, ...], _scenario: Path, draws: int
) -> "Iterator[Repeated]":
    from gridpact.studies.cui2022_consensus import figure_5
    from gridpact.studies.cui2022_reputation import figure_4

    if 4 in figures:
        yield figure_4(draws)
    if 5 in figures:
        yield figure_5(draws)


def _zeng2023(
    figures: tuple[int, ...], _tables: tuple[int, ...], _scenario: Path, draws: int
) -> "Iterator[Repeated]":
    from gridpact.studies import zeng2023, zeng2023_delay, zeng2023_requests

    for number in figures:
        if number == 6:
            yield zeng2023.figure_6(draws)
        elif number == 7:
            yield zeng2023_requests.figure_7(draws)
        elif number == 8:
            yield zeng2023_delay.figure_8(max(1, draws // 10))
        else:
            yield zeng2023.figure_9(draws)


def _wang2023(
    numbers: tuple[int, ...], folder: Path, scenario: Path, draws: int
) -> Iterator[tuple[str, list[Path]]]:
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
