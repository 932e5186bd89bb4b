"""Which ledgers a run writes to: two chains in memory, or two embedded ones in one file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridpact.assembly.covering import CoverAudit
from gridpact.assembly.reclearing import ClearingAudit
from gridpact.assembly.renetting import NetAudit
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.ledger.audit.audit import Inspector, Report, audit
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.chain import OpenChain
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.clock import MarketClock
from gridpact.simulation.people import key_seed


@dataclass(frozen=True)
class Ledgers:
    """The two chains of a region and its zone.

    `doorstep`: where the region's chain takes anybody's transactions; one in memory takes none.
    """

    local: Ledger
    zonal: Ledger
    release: Callable[[], None] = lambda: None
    doorstep: OpenChain | None = None

    def close(self) -> None:
        """Close both chains, then release what holds them."""
        self.local.close()
        self.zonal.close()
        self.release()


def memory_ledgers(scenario: Scenario) -> Ledgers:
    """Return two ledgers in memory: for studies and tests."""
    return Ledgers(
        MemoryLedger(scenario.region, chain_id(scenario, scenario.region)),
        MemoryLedger(scenario.zone, chain_id(scenario, scenario.zone)),
    )


def embedded_ledgers(scenario: Scenario, path: Path) -> Ledgers:
    """Open or make the two embedded chains of one ledger file."""
    store = open_store(path)
    clock = MarketClock(scenario.time.begins, scenario.time.minutes)

    def chain(name: str) -> EmbeddedChain:
        operator = operator_key(scenario, f"operator of {name}")
        return EmbeddedChain(store, name, chain_id(scenario, name), operator, clock)

    try:
        local, zonal = chain(scenario.region), chain(scenario.zone)
        here, there = (MarketLedger(one, name_hash(one.name)) for one in (local, zonal))
        return Ledgers(here, there, store.close, local)
    except BaseException:
        store.close()
        raise


def audit_ledger(
    path: Path, heads: Mapping[str, bytes], further: Sequence[Inspector] = ()
) -> Report:
    """Verify every chain of a ledger file from genesis, and what its records mean to the market.

    `further` inspectors look at it with something beside the ledger at hand.

    Raises
    ------
    Corrupt, HeadMismatch, LedgerError
        See `ledger.audit.audit`.
    """
    return audit(path, heads, (MarketAudit(), ClearingAudit(), CoverAudit(), NetAudit(), *further))


def chain_id(scenario: Scenario, chain: str) -> int:
    """Return the chain id that the scenario's seed draws for a chain, below 2^53."""
    digest = keccak(key_seed(scenario.seed) + b"chain id of " + chain.encode())
    return 1 + int.from_bytes(digest[:8], "big") % (2**53 - 2)


def operator_key(scenario: Scenario, role: str) -> PrivateKey:
    """Return a key of the market's own: its operator, its collector, the region on the zone."""
    return PrivateKey.derive(key_seed(scenario.seed), f"market {role}")
