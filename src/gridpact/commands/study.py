"""`gridpact study`: an experiment of a paper, repeated."""

from pathlib import Path
from typing import Annotated

import typer

from gridpact.commands.files import make


def study(
    paper: Annotated[str, typer.Argument(help="Paper. Known: wang2023.")],
    figure: Annotated[
        int | None,
        typer.Option(help="Figure of the paper: 3 (gas), 4 to 7 (a market day). Default: all."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Output folder. Default: out/PAPER.")] = None,
    scenario: Annotated[Path, typer.Option(help="Of the market day (TOML), one whole day.")] = Path(
        "scenarios/sce56-day.toml"
    ),
    draws: Annotated[
        int, typer.Option(help="How many days, each with people and forecasts of its own seed.")
    ] = 20,
) -> None:
    """Repeat an experiment of a paper and write its picture, tables and CSV.

    Gas is exact, as a node's receipt has it; needs py-evm (the extra `studies`). Market days in kW
    and units of currency per kWh; about 2 s of a core a day.
    """
    from gridpact.studies.index import chosen, repeat

    chosen(paper, figure)
    folder = out or Path("out") / paper
    make(folder)
    for table, paths in repeat(paper, figure, folder, scenario, draws):
        print(table)
        for path in paths:
            print(path)
