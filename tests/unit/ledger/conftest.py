"""Fixtures of the ledger's tests: a file, a chain in it whose box is deployed, a node."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.anvil import anvil
from tests.unit.ledger.box import CHAIN_ID, Box, found, open_chain, the_box
from tests.unit.ledger.places import restored

from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import Store, open_store


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


@pytest.fixture(scope="session")
def shared_node() -> Iterator[str]:
    """Return the address of an anvil that runs for the session; use `node_url`."""
    with anvil(CHAIN_ID) as url:
        yield url


@pytest.fixture
def node_url(shared_node: str) -> Iterator[str]:
    """Return the address of a node on which nothing has happened yet."""
    with restored(shared_node) as url:
        yield url
