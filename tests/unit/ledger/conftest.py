"""Fixtures of the ledger's tests: a file, and a chain in it whose box is deployed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.ledger.box import Box, found, open_chain, the_box

from gridpact.ledger.embedded import EmbeddedChain
from gridpact.ledger.store import Store, open_store


@pytest.fixture
def box() -> Box:
    return the_box()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def chain(store: Store) -> EmbeddedChain:
    return found(open_chain(store))
