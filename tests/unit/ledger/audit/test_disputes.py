"""A dispute ends once, in its time, by what was signed: every other end is found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import (
    COLLECTOR,
    PRICES,
    REGION,
    SUE,
    TERMS,
    ZONE,
    Round,
    bill,
    founded,
)

from gridpact.errors import Corrupt
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Settlement
from gridpact.quantities import part

Lie = Callable[[Key, Settlement], tuple[Key, Settlement]]
EXPECTED = part(Round.ann_wh + Round.ben_wh, PRICES.loss_share)
"""The loss while a meter is silent. [Wh]"""
END = Key(REGION, 0, Phase.SETTLE, 2)


def _clock(key: Key) -> int:
    return 1_000 + 60 * int(key.phase)


def _audited(path: Path, lie: Lie | None = None, after: int = TERMS.dispute_window) -> None:
    """Run three intervals, Sue silent in the first; her dispute ends `after` some; audit them."""
    with open_store(path) as store:
        local = MarketLedger(EmbeddedChain(store, "local", 1, COLLECTOR, _clock), REGION)
        zonal = MarketLedger(EmbeddedChain(store, "zonal", 2, COLLECTOR, _clock), ZONE)
        founded(local, zonal)
        silent = Round(local, zonal, sue_wh=0, loss_wh=EXPECTED, silent=True)
        taken = silent.substation_wh
        for interval in range(3):
            market = silent
            if interval:
                market = Round(local, zonal, interval, sue_wh=1_900)
                market.said = (1_900 * (interval - 1), taken)
                taken += market.substation_wh
                market.ends = silent if interval == after else None
            for ledger, key, record in market.steps():
                if lie and key == END and isinstance(record, Settlement):
                    ledger.write(*lie(key, record))
                    break  # the rest would rate what was not settled so
                ledger.write(key, record)
            else:
                continue
            break
        local.close()
        zonal.close()
    audit(path, inspectors=[MarketAudit()])


def test_a_dispute_that_ends_after_its_window_passes(tmp_path: Path) -> None:
    _audited(tmp_path / "ledger.db")


@pytest.mark.parametrize(
    ("after", "problem"),
    [(1, "settled within 2 intervals"), (99, "disputes of interval 0: not settled")],
)
def test_a_dispute_ends_in_its_time(tmp_path: Path, after: int, problem: str) -> None:
    with pytest.raises(Corrupt, match=problem):
        _audited(tmp_path / "ledger.db", after=after)


def _in_another_part(key: Key, end: Settlement) -> tuple[Key, Settlement]:
    return replace(key, part=4), end


def _of_one_fill_only(key: Key, end: Settlement) -> tuple[Key, Settlement]:
    first = replace(
        end, fills=end.fills[:1], deliveries=end.deliveries[:1], statements=end.statements[:1]
    )
    return key, first


def _with_a_bill(key: Key, end: Settlement) -> tuple[Key, Settlement]:
    return key, replace(end, bills=(bill(SUE, 0, 100),))


def _still_in_dispute(key: Key, end: Settlement) -> tuple[Key, Settlement]:
    made = tuple(replace(one, disputed=True) for one in end.deliveries)
    said = tuple(
        replace(one, case=type(one.case)(1), refund=0, fee_network=0) for one in end.statements
    )
    return key, replace(end, deliveries=made, statements=said)


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        (_in_another_part, "of no dispute"),
        (_of_one_fill_only, "not the disputed ones"),
        (_with_a_bill, "moves no energy"),
        (_still_in_dispute, "not the disputed ones"),
    ],
)
def test_another_end_than_what_was_signed_is_found(tmp_path: Path, lie: Lie, problem: str) -> None:
    with pytest.raises(Corrupt, match=problem):
        _audited(tmp_path / "ledger.db", lie)
