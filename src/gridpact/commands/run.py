"""`gridpact run`: the market of a scenario, from its file to its report."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridpact.commands.files import make
from gridpact.commands.place import ledger_file, network, open_ledgers

if TYPE_CHECKING:
    from rich.console import Console

    from gridpact.assembly.day import DayResult
    from gridpact.assembly.ledgers import Ledgers
    from gridpact.assembly.nodes import Network
    from gridpact.scenario.scenario import Scenario

_INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended: 128 and the signal's number."""
_SLOW_SECONDS_PER_INTERVAL = 6
"""Measured of py-evm on the 56-bus day (2 to 3 minutes in all); revm needs about 0.1."""


def run(
    scenario: Annotated[Path, typer.Argument(help="Scenario file (TOML).")],
    ledger: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="embedded:PATH (a ledger file), memory: (nothing is kept), or nodes of one "
            "Ethereum network: http://A[,http://B…], also https, ws, wss. "
            "Default: embedded, ledger.db in the output folder.",
        ),
    ] = "",
    confirmations: Annotated[
        str,
        typer.Option(
            metavar="N|finalized",
            help="Nodes: how many blocks make a write count, its own included.",
        ),
    ] = "1",
    gas_price: Annotated[
        str, typer.Option(metavar="zero|market", help="Nodes: what is paid for gas.")
    ] = "zero",
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Nodes: TOML file with the operators' private keys. "
            "Default: keys that the scenario's seed yields, which everybody can know.",
        ),
    ] = None,
    scheme: Annotated[
        str,
        typer.Option(
            help="Bundle of rules, instead of the scenario's: gridpact, dual-chain, "
            "matching-degree, pareto, credibility."
        ),
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Output folder. Default: out/NAME for NAME.toml.")
    ] = None,
) -> None:
    """Run the market of a scenario, or what is left of it after a cut, and write its report.

    Writes summary.json, trades.parquet, prices.parquet, orders.parquet, bills.csv, report.html and
    ledger.db (companion.db for chains on nodes) into the output folder; where sensors watch, also
    alerts.csv, whom each of their episodes concerns, and the folder sensors, their log.
    Energy in Wh, prices in micro-units per kWh, money in micro-units.
    """
    from rich.console import Console

    from gridpact.assembly.day import run_day
    from gridpact.report.beside import Beside
    from gridpact.report.findings import examine
    from gridpact.report.progress import Shown, short_table
    from gridpact.report.sensitivity import sensitivity
    from gridpact.report.write import write_all
    from gridpact.scenario.reader import load

    chosen = load(scenario, scheme=scheme)
    folder = out or Path("out") / scenario.stem
    nodes = network(ledger, confirmations, gas_price, keys, chosen)
    file = folder / "companion.db" if nodes else ledger_file(ledger, folder)
    make(folder)
    console = Console()
    forecasts = Beside(sensitivity, chosen)
    ledgers = open_ledgers(chosen, nodes, file)
    try:
        if file:
            _say_what_awaits(console, chosen, ledgers, nodes)
        with Shown(console, chosen.time.intervals, chosen.time.hours) as watch:
            day = run_day(chosen, ledgers, watch)
    except KeyboardInterrupt:
        _say_stopped(file)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        ledgers.close()
    found = examine(day)
    paths = write_all(found, forecasts.result(), folder)
    if day.measured is not None:
        from gridpact.sense.record import record, record_alerts

        make(folder / "sensors")
        told = record_alerts(day.measured[0], day.sensed, folder)
        paths = (*paths, told, record(*day.measured, folder / "sensors"))
    console.print(short_table(found))
    _tell_end(console, day, paths)


def _say_what_awaits(
    console: "Console", scenario: "Scenario", ledgers: "Ledgers", nodes: "Network | None"
) -> None:
    """Announce a run that goes on, one that will be slow, and one whose keys are no secret."""
    from gridpact.crypto.keccak import name_hash
    from gridpact.ledger.evm.engine import has_revm
    from gridpact.model.interval import Key, Phase

    if ledgers.local.written_at(Key(name_hash(scenario.region), 0, Phase.FOUND)):
        number = ledgers.local.head().number
        console.print(f"The ledger stands at block {number}: going on from there.")
    if nodes:
        if not nodes.keys:
            console.print(
                "The operators' keys come from the scenario's seed: whoever has the scenario can "
                "sign for them. On a network that others reach, give --keys."
            )
    elif not has_revm():
        minutes = scenario.time.intervals * _SLOW_SECONDS_PER_INTERVAL / 60
        console.print(
            "No fast EVM (pyrevm) for this Python and platform: using py-evm, exact but slow. "
            f"Expect about {minutes:.0f} minutes."
        )


def _say_stopped(file: Path | None) -> None:
    left = f"{file} keeps what is done; the same command goes on from there"
    print(f"gridpact: stopped: {left if file else 'nothing is kept'}", file=sys.stderr)


def _tell_end(console: "Console", day: "DayResult", paths: Sequence[Path]) -> None:
    """Print where the time went, the heads to keep elsewhere, and where the report is."""
    total = sum(day.seconds.values())
    split = ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in day.seconds.items())
    console.print(f"{total:.1f} s in all: {split}", highlight=False)
    console.print("Keep these heads elsewhere; `gridpact audit --head` checks them:")
    for end in day.chains:
        console.print(f"  --head {end.name}={end.head.hash.hex()}", highlight=False, soft_wrap=True)
    for path in paths:
        console.print(str(path), highlight=False, soft_wrap=True)
