"""The ledger in memory keeps every promise of the port, and is fast enough for studies."""

import pytest
from tests.unit.ledger.conformance import *  # noqa: F403
from tests.unit.ledger.conformance import Pair

from gridpact.ledger.memory.ledger import MemoryLedger


@pytest.fixture
def chains(fresh: Pair) -> Pair:
    return fresh


@pytest.fixture
def fresh() -> Pair:
    return Pair(MemoryLedger("local", 1), MemoryLedger("zonal", 2))
