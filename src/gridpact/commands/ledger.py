"""`gridpact ledger`: what a ledger file holds, decoded. Whether it is honest says `audit`."""

from pathlib import Path
from typing import Annotated

import typer

from gridpact.commands.files import make, require_file, require_form


def export_ledger(
    ledger: Annotated[Path, typer.Argument(help="Ledger file (ledger.db).")],
    out: Annotated[Path, typer.Option(help="Output folder; made if it is not there.")],
    form: Annotated[
        str, typer.Option("--format", metavar="parquet|json", help="Form of the tables.")
    ] = "parquet",
) -> None:
    """Write blocks, records, transactions, receipts, events and accounts of all chains as tables.

    Arguments and events decoded by name; money in micro-units, energy in Wh, times in seconds
    since 1970 (UTC).
    """
    from gridpact.ledger.reading.export import Format, export

    require_form(form, [known.value for known in Format])
    require_file(ledger)
    make(out)
    for path in export(ledger, out, Format(form)):
        print(path)


def show_ledger(
    ledger: Annotated[Path, typer.Argument(help="Ledger file (ledger.db).")],
    what: Annotated[
        str,
        typer.Argument(
            metavar="BLOCK|TX|ADDRESS|KEY",
            help="A block (12, CHAIN/12), a hash or an address in hex, a name, or a write "
            "(settle/9, CHAIN/settle/9/PART).",
        ),
    ],
    form: Annotated[
        str, typer.Option("--format", metavar="text|json", help="Form of the answer.")
    ] = "text",
) -> None:
    """Say in words what a ledger file holds of one thing.

    Calls and events by name, balances in micro-units, energy in Wh. A hash that is neither block
    nor transaction (an order, a fill) is looked for in all calls and events.
    """
    import json

    from gridpact.ledger.reading.show import as_text, show

    require_form(form, ["text", "json"])
    require_file(ledger)
    found = show(ledger, what)
    if form == "json":
        print(json.dumps([one.facts for one in found], indent=1))
    else:
        print("\n\n".join(map(as_text, found)))
