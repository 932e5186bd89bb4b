"""Where a run keeps its ledgers: the file, the memory or the nodes that `--ledger` names."""

from pathlib import Path
from typing import TYPE_CHECKING

from gridpact.errors import BadInput

if TYPE_CHECKING:
    from gridpact.assembly.ledgers import Ledgers
    from gridpact.assembly.nodes import Network
    from gridpact.scenario.scenario import Scenario


def network(
    url: str, confirmations: str, gas_price: str, keys: Path | None, scenario: "Scenario"
) -> "Network | None":
    """Return the nodes that a URL names; None when it names none."""
    from gridpact.assembly.urls import split_urls

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


def ledger_file(url: str, folder: Path) -> Path | None:
    """Return the ledger file that a URL names; None for ledgers in memory."""
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


def open_ledgers(scenario: "Scenario", network: "Network | None", file: Path | None) -> "Ledgers":
    """Open both chains of a scenario; `file` is None for ledgers in memory."""
    if network and file:
        from gridpact.assembly.nodes import node_ledgers

        return node_ledgers(scenario, network, file)
    from gridpact.assembly.ledgers import embedded_ledgers, memory_ledgers

    return embedded_ledgers(scenario, file) if file else memory_ledgers(scenario)
