"""`gridpact audit`: does a ledger hold, from genesis to the heads kept elsewhere?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gridpact.commands.files import require_file
from gridpact.errors import BadInput, HeadMismatch


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
    sensors: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="What the run's sensors measured (the folder sensors of its output): every "
            "verdict and every held trade is judged again. Not for nodes.",
        ),
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
        if sensors is not None:
            raise BadInput("--sensors is for a ledger file, not for chains on nodes")
        from gridpact.assembly.nodes import audit_nodes

        found = audit_nodes(urls, file, heads)
        report = found.report
        print(
            f"{found.blocks} blocks of the node; storage of {found.whole} of {found.contracts} "
            "contracts whole, of the others slot by slot"
        )
    else:
        from gridpact.assembly.ledgers import audit_ledger

        if sensors is None:
            report = audit_ledger(file, heads)
        else:
            from gridpact.sense.rejudge import SensorAudit

            again = SensorAudit(sensors)
            report = audit_ledger(file, heads, [again])
            print(f"sensors: verdicts of {again.judged} intervals follow from the log")
    for chain in report.chains:
        known = "confirmed" if chain.confirmed else "not confirmed"
        print(
            f"{chain.name}: {chain.head.number} blocks, {chain.transactions} transactions, "
            f"head {known}\n"
            f"  head       {chain.head.hash.hex()}\n  state_hash {chain.state_hash.hex()}"
        )
    print("holds" if report.confirmed else "self-consistent, head not confirmed")


def _bodies(file: Path | None) -> Path:
    if file is None:
        raise BadInput("--bodies is missing: companion.db of the run, which names its records")
    require_file(file)
    return file


def _audited_file(file: Path, bodies: Path | None) -> Path:
    from gridpact.ledger.jsonrpc.companion import is_companion

    if bodies is not None:
        raise BadInput("--bodies is for nodes: gridpact audit http://NODE --bodies FILE")
    if is_companion(file):
        raise BadInput(f"{file}: its chains are on nodes: gridpact audit http://NODE --bodies FILE")
    return file


def _heads(given: Sequence[str]) -> Mapping[str, bytes]:
    """Return the heads of `--head CHAIN=HASH` options."""
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

    require_file(ledger)
    if not expected:
        return
    found = hashlib.sha256(ledger.read_bytes()).hexdigest()
    if found != expected.lower():
        raise HeadMismatch(f"{ledger}: SHA-256 is {found}, expected {expected}")
