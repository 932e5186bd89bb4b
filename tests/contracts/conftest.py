"""One market per session; every test finds it as it was founded."""

from collections.abc import Iterator

import pytest
from tests.contracts.harness import World


@pytest.fixture(scope="session")
def founded() -> World:
    return World()


@pytest.fixture
def world(founded: World) -> Iterator[World]:
    yield founded
    founded.engine.undo()
