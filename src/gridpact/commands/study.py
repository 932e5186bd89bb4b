"""`gridpact study`: an experiment of a paper, repeated."""

from pathlib import Path
from typing import Annotated

import typer

from gridpact.commands.files import make


def study(
    paper: Annotated[
        str, typer.Argument(help="Known: wang2023, yu2023, cui2022, zeng2023, mechanisms.")
    ],
    figure: Annotated[
        int | None,
        typer.Option(
            help="Figure: wang2023 3 (gas), 4 to 7 (a market day); yu2023 5 (confirmation), "
            "6 to 8 (trees); cui2022 4 (reputation), 5 (shards); zeng2023 6 and 9 (a day), "
            "7 (requests), 8 (delay); mechanisms 1 (all), 2 (the scheme rule by rule). "
            "Default: all."
        ),
    ] = None,
    table: Annotated[
        int | None, typer.Option(help="Table: yu2023 2 (trees compared). Default: all.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Output folder. Default: out/PAPER.")] = None,
    scenario: Annotated[Path, typer.Option(help="Of the market day (TOML), one whole day.")] = Path(
        "scenarios/sce56-day.toml"
    ),
    draws: Annotated[
        int | None,
        typer.Option(help="How many seeds: wang2023 (default 20), others (200; delays a tenth)."),
    ] = None,
) -> None:
    """Repeat an experiment of a paper and write its picture, tables and CSV.

    Gas is exact, as a node's receipt has it; needs py-evm (the extra `studies`). Market days in kW
    and units of currency per kWh; about 2 s of a core a day. Trees: costs in any unit of time;
    confirmation in minutes.
    """
    from gridpact.studies.index import chosen, chosen_table, repeat

    chosen(paper, figure)
    chosen_table(paper, figure, table)
    folder = out or Path("out") / paper
    make(folder)
    for claims, paths in repeat(paper, figure, folder, scenario, draws, table):
        print(claims)
        for path in paths:
            print(path)
