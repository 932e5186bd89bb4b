"""The command line: `run`, `audit`, `solve`, `study`, `sense`, `ledger`, `identity`.

Each command stands in `commands`; this file names them. Heavy imports wait until a command needs
them, so that `--help` answers at once.
"""

import typer

from gridpact.commands.audit import audit
from gridpact.commands.identity import identity_app
from gridpact.commands.ledger import export_ledger, show_ledger
from gridpact.commands.run import run
from gridpact.commands.sense import sense
from gridpact.commands.solve import solve
from gridpact.commands.study import study

app = typer.Typer(
    name="gridpact",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ledger_app = typer.Typer(
    help="Look into a ledger file, decoded. Whether it is honest says `audit`.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(ledger_app, name="ledger")
app.add_typer(identity_app, name="identity")


@app.callback()
def main() -> None:
    """Run a local energy market on a real distribution grid, settled on a real blockchain.

    Energy in Wh, power in W, prices in units of the settlement currency per kWh in scenarios and in
    micro-units per kWh in results, money in micro-units.

    Exit codes: 0 done, 1 failed, 2 bad input.
    """


app.command(short_help="Run the market of a scenario and write its report.")(run)
app.command(short_help="Verify every chain of a ledger from genesis.")(audit)
app.command(short_help="Do one calculation: JSON in, JSON out.")(solve)
app.command(short_help="Repeat an experiment of a paper: claimed, obtained, does it hold?")(study)
app.command(short_help="Judge recorded readings and trades by the sensors.")(sense)
ledger_app.command("export", short_help="Write a ledger's tables as Parquet or JSON.")(
    export_ledger
)
ledger_app.command("show", short_help="Say what a block, transaction, account or write is.")(
    show_ledger
)
