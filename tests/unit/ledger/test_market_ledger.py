"""The ledger on a chain keeps every promise of the port, on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.ledger.conformance import *  # noqa: F403
from tests.unit.ledger.conformance import Pair
from tests.unit.ledger.market_case import COLLECTOR, REGION, ZONE

from gridpact.ledger import pyevm, revm
from gridpact.ledger.embedded import EmbeddedChain
from gridpact.ledger.market_ledger import MarketLedger
from gridpact.ledger.store import open_store
from gridpact.model.interval import Key


def _clock(key: Key) -> int:
    return 1_000 + 3_600 * key.interval + 60 * int(key.phase)


@pytest.fixture(params=[revm, pyevm], ids=["revm", "py-evm"])
def chains(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    engine = request.param.open_engine
    with open_store(tmp_path / "ledger.db") as store:
        local = EmbeddedChain(store, "local", 101, COLLECTOR, _clock, engine)
        zonal = EmbeddedChain(store, "zonal", 102, COLLECTOR, _clock, engine)
        yield Pair(MarketLedger(local, REGION), MarketLedger(zonal, ZONE))
