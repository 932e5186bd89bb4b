"""The command line: `run`, `audit`. Forms that others script against are fixed.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gridpact.assembly import Ledgers
    from gridpact.scenario.scenario import Scenario

app = typer.Typer(
    name="gridpact",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A local energy market on a real distribution grid, settled on a real blockchain. "
    "Energy in Wh, power in W, prices per kWh, money in micro-units of the settlement currency.",
)

SCHEMES = ("gridpact",)


@app.callback()
def main() -> None:
    """Keep the commands apart even while there are few."""


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    ledger: Annotated[
        str,
        typer.Option(
            help="embedded:PATH (a ledger file), or memory: (nothing is kept). "
            "Default: embedded, in the output folder."
        ),
    ] = "",
    scheme: Annotated[
        str, typer.Option(help="Bundle of rules; overrides the scenario's. Known: gridpact.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Output folder. Default: out/<name of the scenario file>.")
    ] = None,
) -> None:
    """Run the market of a scenario, or what is left of it after a cut, and write its report.

    Writes summary.json, trades.parquet, prices.parquet, report.html and ledger.db into the output
    folder. Energy in Wh, prices in micro-units per kWh, money in micro-units.
    """
    from gridpact.errors import BadInput
    from gridpact.report.session import run_and_report
    from gridpact.scenario.reader import load

    chosen = load(scenario)
    named = scheme or chosen.scheme
    if named not in SCHEMES:
        raise BadInput(
            f"--scheme {named}: not a known scheme, expected one of {', '.join(SCHEMES)}"
        )
    folder = out or Path("out") / scenario.stem
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: cannot be made: {error.strerror}") from error
    run_and_report(chosen, _open(ledger, chosen, folder), folder)


def _open(url: str, scenario: "Scenario", folder: Path) -> "Ledgers":
    """Open the ledgers that a URL names."""
    from gridpact.assembly import embedded_ledgers, memory_ledgers
    from gridpact.errors import BadInput

    kind, _, place = url.partition(":")
    if kind == "memory" and url:
        return memory_ledgers(scenario)
    if kind in ("", "embedded"):
        return embedded_ledgers(scenario, Path(place) if place else folder / "ledger.db")
    raise BadInput(f"--ledger {url}: expected embedded:PATH or memory:")


@app.command()
def audit(
    ledger: Annotated[Path, typer.Argument(help="Ledger file (ledger.db).")],
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHAIN=HASH", help="Head hash kept elsewhere (hex); give it once per chain."
        ),
    ] = None,
    digest: Annotated[
        str, typer.Option(metavar="SHA256", help="SHA-256 of the file, kept elsewhere (hex).")
    ] = "",
) -> None:
    """Verify every chain of a ledger from genesis; exit 0 only if all of it holds.

    Hashes, signatures, Merkle roots, receipts, state hash, conservation of money (micro-units) and
    energy (Wh), cross-chain entries in pairs.
    """
    from gridpact.report.audit_run import audit_and_tell

    audit_and_tell(ledger, head or [], digest)
