"""The ledger on a node keeps every promise of the port."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.anvil import anvil, rpc
from tests.unit.ledger.box import CHAIN_ID
from tests.unit.ledger.conformance import *  # noqa: F403
from tests.unit.ledger.conformance import Pair
from tests.unit.ledger.market_case import REGION, ZONE, founded
from tests.unit.ledger.places import OnNode

from gridpact.crypto.keys import Key as PrivateKey
from gridpact.ledger.onchain.market_ledger import MarketLedger

_runs = count()


def _pair(place: OnNode, run: str) -> Pair:
    def ledger(name: str, region: bytes) -> MarketLedger:
        operator = PrivateKey.derive(run.encode(), f"operator of {name}")
        return MarketLedger(place.open(name, operator), region)

    return Pair(ledger("local", REGION), ledger("zonal", ZONE))


class _Founding:
    """A node on which both chains are founded, and the file beside it."""

    def __init__(self, url: str, path: Path) -> None:
        self.url, self.path = url, path
        place = OnNode(path, url)
        pair = _pair(place, "founded")
        founded(pair.local, pair.zonal)
        place.close()
        self.state = rpc(url, "evm_snapshot")

    def restore(self) -> None:
        assert rpc(self.url, "evm_revert", self.state)
        self.state = rpc(self.url, "evm_snapshot")


@pytest.fixture(scope="module")
def founding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Founding]:
    with anvil(CHAIN_ID) as url:
        yield _Founding(url, tmp_path_factory.mktemp("founding") / "companion.db")


@pytest.fixture
def chains(founding: _Founding, tmp_path: Path) -> Iterator[Pair]:
    place = OnNode(Path(shutil.copy(founding.path, tmp_path / "companion.db")), founding.url)
    yield _pair(place, "founded")
    place.close()
    founding.restore()


@pytest.fixture
def fresh(founding: _Founding, tmp_path: Path) -> Iterator[Pair]:
    place = OnNode(tmp_path / "fresh.db", founding.url)
    yield _pair(place, f"fresh {next(_runs)}")
    place.close()
