"""A run's two chains on Ethereum nodes: who is asked, who signs, what is kept beside them.

Both chains stand on one network: two operators, two sets of contracts, one chain id.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridpact.assembly.covering import CoverAudit
from gridpact.assembly.ledgers import Ledgers, operator_key
from gridpact.assembly.reclearing import ClearingAudit
from gridpact.assembly.renetting import NetAudit
from gridpact.crypto.keccak import name_hash
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import BadInput, LedgerError, ScenarioError
from gridpact.ledger.audit.audit import Inspector
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.audit.node import NodeReport, audit_node
from gridpact.ledger.jsonrpc.chain import JsonRpcChain
from gridpact.ledger.jsonrpc.companion import open_companion, read_companion
from gridpact.ledger.jsonrpc.endpoints import Endpoints
from gridpact.ledger.jsonrpc.node import Node
from gridpact.ledger.jsonrpc.watch import NodeSettings
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.scenario.scenario import Scenario
from gridpact.scenario.table import read_toml


@dataclass(frozen=True)
class Network:
    """Where the nodes are and how to deal with them.

    `urls` are asked in this order; `keys` are the operators' by chain name, and those that the
    scenario's seed yields where there are none.
    """

    urls: tuple[str, ...]
    settings: NodeSettings = field(default_factory=NodeSettings)
    keys: Mapping[str, PrivateKey] = field(default_factory=dict)


def node_ledgers(scenario: Scenario, network: Network, path: Path) -> Ledgers:
    """Open or make the two chains on a network, with the companion file at `path`.

    Raises
    ------
    BadInput
        The scenario settles net: the windows of its parts are measured by the network's time, and a
        simulated day is written faster than that passes.
    Unavailable
        No node answers, or none takes what an earlier run left unfinished.
    LedgerError
        The file belongs to another network or other keys.
    """
    if scenario.net:
        raise BadInput(
            f'{scenario.file}: [settlement] payment = "net" runs on embedded chains only: the '
            "windows of its parts pass by a network's own time"
        )
    companion = open_companion(path)
    node = None
    try:
        known = next(iter(companion.chains()), None)
        expected = (known.chain_id, known.genesis) if known else None
        node = Node(Endpoints(network.urls, network.settings.timeout, expected))

        def chain(name: str) -> JsonRpcChain:
            operator = network.keys.get(name) or operator_key(scenario, f"operator of {name}")
            return JsonRpcChain(node, companion, name, operator, network.settings)

        chains = chain(scenario.region), chain(scenario.zone)
        local, zonal = (MarketLedger(one, name_hash(one.name)) for one in chains)
    except BaseException:
        if node is not None:
            node.close()
        companion.close()
        raise

    def release() -> None:
        node.close()
        companion.close()

    return Ledgers(local, zonal, release, chains[0])


def audit_nodes(
    urls: Sequence[str],
    bodies: Path,
    heads: Mapping[str, bytes],
    inspectors: Sequence[Inspector] | None = None,
) -> NodeReport:
    """Verify the chains of a companion file on a network, and what their records mean.

    `inspectors` look at the records instead of the usual ones: is it a market that can have been,
    and is every clearing what its mechanism makes of the book?

    Raises
    ------
    Corrupt, HeadMismatch, LedgerError
        See `ledger.node_audit.audit_node`.
    """
    companion = read_companion(bodies)
    try:
        known = next(iter(companion.chains()), None)
        if known is None:
            raise LedgerError(f"{bodies}: nothing was written to a node")
        expected = (known.chain_id, known.genesis)
        node = Node(Endpoints(urls, NodeSettings().timeout, expected))
        try:
            usual = (MarketAudit(), ClearingAudit(), CoverAudit(), NetAudit())
            return audit_node(node, companion, heads, inspectors or usual)
        finally:
            node.close()
    finally:
        companion.close()


def read_keys(file: Path, chains: Sequence[str]) -> Mapping[str, PrivateKey]:
    """Return the operators' keys of a TOML file: a table `operators`, chain name = "0x…".

    Raises
    ------
    BadInput
        Others than its owner may read the file, or a chain's key is missing or no key.
    """
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise BadInput(f"--keys {file}: cannot be read: {error.strerror}") from error
    if os.name == "posix" and mode & 0o077:
        raise BadInput(f"--keys {file}: may be read by others: chmod 600 {file}")
    table = read_toml(file).get("operators")
    if not isinstance(table, dict):
        raise ScenarioError(file, "operators", "expected a table of chain = key")
    return {chain: _key(file, chain, table.get(chain)) for chain in chains}


def _key(file: Path, chain: str, given: object) -> PrivateKey:
    try:
        secret = bytes.fromhex(str(given).removeprefix("0x"))
        key = PrivateKey(secret)
        if len(secret) == 32 and key.address:
            return key
    except ValueError:
        pass  # said below, without the key in the message
    raise ScenarioError(file, f"operators.{chain}", "expected a private key of 64 hex digits")
