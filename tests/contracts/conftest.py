"""One market per session; every test finds it as it was founded."""

import pytest
from tests.contracts.harness import World


@pytest.fixture(scope="session")
def founded() -> World:
    return World()


@pytest.fixture
def world(founded: World) -> World:
    founded.engine.undo()
    founded.time = 0
    return founded
