"""`gridpact solve`: one calculation, JSON in, JSON out."""

from pathlib import Path
from typing import Annotated

import typer

from gridpact.commands.files import write
from gridpact.errors import BadInput
from gridpact.solve.kinds import KINDS


def solve(
    kind: Annotated[str, typer.Argument(help=f"Calculation: {', '.join(KINDS)}.")],
    file: Annotated[Path, typer.Argument(metavar="IN.json", help="What is asked.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT.json", help="Answer. Default: printed."),
    ] = None,
    diagram: Annotated[
        Path | None,
        typer.Option(metavar="OUT.svg", help="What was asked about, drawn: a feeder, a tree."),
    ] = None,
    interval: Annotated[
        int | None,
        typer.Option(
            help="opf: of the diagram, from 0. Default: where voltage is nearest to a limit."
        ),
    ] = None,
) -> None:
    """Do one calculation, a pure function of its input; docs/solve.md explains every key.

    Power in MW and Mvar, energy in MWh, voltage in per unit, impedance in ohm, time in hours,
    prices per MWh; trust in [0, 1], costs of links in any unit; of an auction, prices and
    quantities in whole numbers of any unit. An infeasible problem is an answer, too: exit code 0.
    """
    import json

    from gridpact.solve.kinds import kind as known
    from gridpact.solve.read import read_json

    calculation = known(kind)
    if diagram and calculation.picture is None:
        raise BadInput(f"--diagram: solve {kind} draws none")
    try:
        done = calculation.solve(read_json(file))
        drawn = calculation.picture(done, interval) if diagram and calculation.picture else ""
    except BadInput as error:
        raise BadInput(f"{file}: {error}") from error
    text = json.dumps(calculation.answer(done), allow_nan=False)
    if out:
        write(out, text + "\n")
    else:
        print(text)
    if diagram:
        write(diagram, drawn)
