"""Recorded days, made once for all tests."""

from pathlib import Path

import pytest

from gridpact.sense.generator import Days, Made, make, write
from gridpact.sense.log import Log, read

MADE = Made(seed=11, days=24, train_days=14, feeders=1, loads=12, pv=3, storms=2, trades=200,
            events=0.3)  # fmt: skip


@pytest.fixture(scope="session")
def days() -> Days:
    return make(MADE)


@pytest.fixture(scope="session")
def folder(days: Days, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded")
    write(days, path)
    return path


@pytest.fixture(scope="session")
def log(folder: Path) -> Log:
    return read(folder)
