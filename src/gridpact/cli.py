"""The command line: `run`, `audit`, `solve`, `study`, `ledger`, in forms that others rely on.

Heavy imports wait until a command needs them, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from gridpact.assembly.day import DayResult
    from gridpact.assembly.ledgers import Ledgers
    from gridpact.assembly.nodes import Network
    from gridpact.scenario.scenario import Scenario

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

SCHEMES = ("gridpact",)
_INTERRUPTED = 130
"""What a shell expects of a command that Ctrl-C ended: 128 and the signal's number."""
_SLOW_SECONDS_PER_INTERVAL = 6
"""Measured of py-evm on the 56-bus day (2 to 3 minutes in all); revm needs about 0.1."""


@app.callback()
def main() -> None:
    """Run a local energy market on a real distribution grid, settled on a real blockchain.

    Energy in Wh, power in W, prices in units of the settlement currency per kWh in scenarios and in
    micro-units per kWh in results, money in micro-units.

    Exit codes: 0 done, 1 failed, 2 bad input.
    """


@app.command(short_help="Run the market of a scenario and write its report.")
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
        str, typer.Option(help="Bundle of rules, instead of the scenario's. Known: gridpact.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Output folder. Default: out/NAME for NAME.toml.")
    ] = None,
) -> None:
    """Run the market of a scenario, or what is left of it after a cut, and write its report.

    Writes summary.json, trades.parquet, prices.parquet, report.html and ledger.db (companion.db for
    chains on nodes) into the output folder. Energy in Wh, prices in micro-units per kWh, money in
    micro-units.
    """
    from rich.console import Console

    from gridpact.assembly.day import run_day
    from gridpact.report.beside import Beside
    from gridpact.report.findings import examine
    from gridpact.report.progress import Shown, short_table
    from gridpact.report.sensitivity import sensitivity
    from gridpact.report.write import write_all
    from gridpact.scenario.reader import load

    chosen = load(scenario)
    _require_known(scheme or chosen.scheme)
    folder = out or Path("out") / scenario.stem
    network = _network(ledger, confirmations, gas_price, keys, chosen)
    file = folder / "companion.db" if network else _ledger_file(ledger, folder)
    _make(folder)
    console = Console()
    forecasts = Beside(sensitivity, chosen)
    ledgers = _open(chosen, network, file)
    try:
        if file:
            _say_what_awaits(console, chosen, ledgers, network)
        with Shown(console, chosen.time.intervals, chosen.time.hours) as watch:
            day = run_day(chosen, ledgers, watch)
    except KeyboardInterrupt:
        _say_stopped(file)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        ledgers.close()
    found = examine(day)
    paths = write_all(found, forecasts.result(), folder)
    console.print(short_table(found))
    _tell_end(console, day, paths)


def _require_known(scheme: str) -> None:
    from gridpact.errors import BadInput

    if scheme not in SCHEMES:
        raise BadInput(f"scheme {scheme!r} is not known, expected one of: {', '.join(SCHEMES)}")


def _make(folder: Path) -> None:
    """Make the output folder and see that it can be written before a day is run for it."""
    from gridpact.errors import BadInput

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"--out {folder}: cannot be written")


def _open(scenario: "Scenario", network: "Network | None", file: Path | None) -> "Ledgers":
    if network and file:
        from gridpact.assembly.nodes import node_ledgers

        return node_ledgers(scenario, network, file)
    from gridpact.assembly.ledgers import embedded_ledgers, memory_ledgers

    return embedded_ledgers(scenario, file) if file else memory_ledgers(scenario)


def _network(
    url: str, confirmations: str, gas_price: str, keys: Path | None, scenario: "Scenario"
) -> "Network | None":
    """Return the nodes that a URL names; None when it names none."""
    from gridpact.assembly.urls import split_urls
    from gridpact.errors import BadInput

    urls = split_urls(url)
    if not urls:
        if keys or confirmations != "1" or gas_price != "zero":
            raise BadInput("--confirmations, --gas-price and --keys are for nodes: --ledger http:…")
        return None
    from gridpact.assembly.nodes import Network, read_keys
    from gridpact.ledger.jsonrpc.watch import NodeSettings

    depth = "0" if confirmations == "finalized" else confirmations
    if not depth.isdecimal() or (depth == "0" and confirmations != "finalized"):
        raise BadInput(f"--confirmations {confirmations}: expected a whole number or finalized")
    if gas_price not in ("zero", "market"):
        raise BadInput(f"--gas-price {gas_price}: expected zero or market")
    settings = NodeSettings(confirmations=int(depth), market_price=gas_price == "market")
    given = read_keys(keys, (scenario.region, scenario.zone)) if keys else {}
    return Network(urls, settings, given)


def _ledger_file(url: str, folder: Path) -> Path | None:
    """Return the ledger file that a URL names; None for ledgers in memory."""
    from gridpact.errors import BadInput

    if not url:
        return folder / "ledger.db"
    if url == "memory:":
        return None
    kind, _, place = url.partition(":")
    if kind != "embedded" or not place:
        raise BadInput(f"--ledger {url}: expected embedded:PATH, memory: or http://NODE")
    file = Path(place)
    if file.is_dir():
        raise BadInput(f"--ledger {url}: is a folder, expected a file in it")
    if not file.parent.is_dir():
        raise BadInput(f"--ledger {url}: there is no folder {file.parent}")
    return file


def _say_what_awaits(
    console: "Console", scenario: "Scenario", ledgers: "Ledgers", network: "Network | None"
) -> None:
    """Announce a run that goes on, one that will be slow, and one whose keys are no secret."""
    from gridpact.crypto.keccak import name_hash
    from gridpact.ledger.evm.engine import has_revm
    from gridpact.model.interval import Key, Phase

    if ledgers.local.written_at(Key(name_hash(scenario.region), 0, Phase.FOUND)):
        number = ledgers.local.head().number
        console.print(f"The ledger stands at block {number}: going on from there.")
    if network:
        if not network.keys:
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


@app.command(short_help="Verify every chain of a ledger from genesis.")
def audit(
    ledger: Annotated[
        str,
        typer.Argument(help="Ledger file (ledger.db), or http://NODE[,…] together with --bodies."),
    ],
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHAIN=HASH", help="Head hash kept elsewhere (hex); once for each chain."
        ),
    ] = None,
    digest: Annotated[
        str, typer.Option(metavar="SHA256", help="SHA-256 of the file, kept elsewhere (hex).")
    ] = "",
    bodies: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Nodes: companion.db of the run, or a copy of it."),
    ] = None,
) -> None:
    """Verify every chain of a ledger from genesis; exit 0 only if all of it holds.

    Hashes, signatures, Merkle roots, receipts, state hash, conservation of money (micro-units) and
    energy (Wh), cross-chain entries in pairs. On nodes from the block in which the contracts were
    deployed: headers, transactions and receipts, all executed again, storage by proofs.
    """
    from gridpact.assembly.urls import split_urls

    heads, urls = _heads(head or []), split_urls(ledger)
    file = _bodies(bodies) if urls else _audited_file(Path(ledger), bodies)
    _require_digest(file, digest)
    if urls:
        from gridpact.assembly.nodes import audit_nodes

        found = audit_nodes(urls, file, heads)
        report = found.report
        print(
            f"{found.blocks} blocks of the node; storage of {found.whole} of {found.contracts} "
            "contracts whole, of the others slot by slot"
        )
    else:
        from gridpact.assembly.ledgers import audit_ledger

        report = audit_ledger(file, heads)
    for chain in report.chains:
        known = "confirmed" if chain.confirmed else "not confirmed"
        print(
            f"{chain.name}: {chain.head.number} blocks, {chain.transactions} transactions, "
            f"head {known}\n"
            f"  head       {chain.head.hash.hex()}\n  state_hash {chain.state_hash.hex()}"
        )
    print("holds" if report.confirmed else "self-consistent, head not confirmed")


def _bodies(file: Path | None) -> Path:
    from gridpact.errors import BadInput

    if file is None:
        raise BadInput("--bodies is missing: companion.db of the run, which names its records")
    _require_file(file)
    return file


def _audited_file(file: Path, bodies: Path | None) -> Path:
    from gridpact.errors import BadInput
    from gridpact.ledger.jsonrpc.companion import is_companion

    if bodies is not None:
        raise BadInput("--bodies is for nodes: gridpact audit http://NODE --bodies FILE")
    if is_companion(file):
        raise BadInput(f"{file}: its chains are on nodes: gridpact audit http://NODE --bodies FILE")
    return file


def _heads(given: Sequence[str]) -> Mapping[str, bytes]:
    """Return the heads of `--head CHAIN=HASH` options."""
    from gridpact.errors import BadInput

    heads = {}
    for text in given:
        chain, _, value = text.partition("=")
        try:
            digest = bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            digest = b""
        if not chain or len(digest) != 32:
            raise BadInput(f"--head {text}: expected CHAIN=HASH, the hash as 64 hex digits")
        heads[chain] = digest
    return heads


def _require_digest(ledger: Path, expected: str) -> None:
    """Compare the file's SHA-256 with the one kept elsewhere."""
    import hashlib

    from gridpact.errors import HeadMismatch

    _require_file(ledger)
    if not expected:
        return
    found = hashlib.sha256(ledger.read_bytes()).hexdigest()
    if found != expected.lower():
        raise HeadMismatch(f"{ledger}: SHA-256 is {found}, expected {expected}")


@app.command(short_help="Do one calculation: JSON in, JSON out.")
def solve(
    kind: Annotated[str, typer.Argument(help="Calculation. Known: opf (optimal power flow).")],
    file: Annotated[Path, typer.Argument(metavar="IN.json", help="What is asked.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT.json", help="Answer. Default: printed."),
    ] = None,
    diagram: Annotated[
        Path | None,
        typer.Option(metavar="OUT.svg", help="The feeder coloured by voltage and by price."),
    ] = None,
    interval: Annotated[
        int | None,
        typer.Option(help="Of the diagram, from 0. Default: where voltage is nearest to a limit."),
    ] = None,
) -> None:
    """Do one calculation, a pure function of its input; docs/solve.md explains every key.

    Power in MW and Mvar, energy in MWh, voltage in per unit, impedance in ohm, time in hours,
    prices per MWh. An infeasible problem is an answer, too: exit code 0.
    """
    import json

    from gridpact.errors import BadInput
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
        _write(out, text + "\n")
    else:
        print(text)
    if diagram:
        _write(diagram, drawn)


def _write(file: Path, text: str) -> None:
    from gridpact.errors import BadInput

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from error


@app.command(short_help="Repeat an experiment of a paper: claimed, obtained, does it hold?")
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
    _make(folder)
    for table, paths in repeat(paper, figure, folder, scenario, draws):
        print(table)
        for path in paths:
            print(path)


@ledger_app.command("export", short_help="Write a ledger's tables as Parquet or JSON.")
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

    _require_form(form, [known.value for known in Format])
    _require_file(ledger)
    _make(out)
    for path in export(ledger, out, Format(form)):
        print(path)


@ledger_app.command("show", short_help="Say what a block, transaction, account or write is.")
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

    _require_form(form, ["text", "json"])
    _require_file(ledger)
    found = show(ledger, what)
    if form == "json":
        print(json.dumps([one.facts for one in found], indent=1))
    else:
        print("\n\n".join(map(as_text, found)))


def _require_form(form: str, known: Sequence[str]) -> None:
    from gridpact.errors import BadInput

    if form not in known:
        raise BadInput(f"--format {form}: expected {' or '.join(known)}")


def _require_file(ledger: Path) -> None:
    from gridpact.errors import BadInput

    if not ledger.is_file():
        raise BadInput(f"{ledger}: there is no such ledger file")
