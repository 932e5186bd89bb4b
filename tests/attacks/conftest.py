"""The town that every attack is tried on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.town import Town, opened


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Return a town on a fresh ledger; whatever was tried, its money adds up at the end."""
    town, store = opened(tmp_path)
    with store:
        minted = town.totals().minted
        yield town
        town.desk.records.store.close()
        after = town.totals()
        assert after.minted == minted
        assert after.minted - after.burned == (
            after.free + after.reserved + after.locked + after.transit
        )
