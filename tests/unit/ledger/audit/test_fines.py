"""Fines that a record states otherwise than the contracts took them: written past the ledger."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import (
    COLLECTOR,
    REGION,
    SUE,
    ZONE,
    Round,
    found_local,
    found_zonal,
)

from gridpact.errors import Corrupt
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.audit.market import MarketAudit
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.ledger.onchain.attest import security_digest
from gridpact.ledger.onchain.calls import Calls
from gridpact.ledger.onchain.market_ledger import MarketLedger
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import ReviewTerms
from gridpact.model.record import Fine, Rating, Security, content_hash, encode

PUT_DOWN, DUE = 150_000, 100_000
"""Sue agreed on 1,900 Wh and sends 900: a kilowatt-hour is missing."""


def _clock(key: Key) -> int:
    return 1_000 + 3_600 * key.interval + 60 * int(key.phase)


def _rated(path: Path, fines: tuple[Fine, ...]) -> None:
    """Run the market up to Sue's rating, and write that with the fines that are given."""
    with open_store(path) as store:
        chain = EmbeddedChain(store, "local", 1, COLLECTOR, _clock)
        local = MarketLedger(chain, REGION)
        zonal = MarketLedger(EmbeddedChain(store, "zonal", 2, COLLECTOR, _clock), ZONE)
        word = SUE.sign(security_digest(local.domain, SUE.address, PUT_DOWN))
        strict = replace(
            found_local("local", local.currency),
            review=ReviewTerms(fine=DUE),
            securities=(Security(SUE.address, PUT_DOWN, word),),
        )
        local.write(Key(REGION, 0, Phase.FOUND), strict)
        zonal.write(Key(ZONE, 0, Phase.FOUND), found_zonal("zonal", zonal.currency))
        for ledger, key, record in Round(local, zonal, sue_wh=900).steps():
            if isinstance(record, Rating):
                body = encode(replace(record, fines=fines))
                calls = Calls(Suite(COLLECTOR.address), lambda _key: ())
                chain.execute(key, body, calls.of(key, record, content_hash(body)))
                break
            ledger.write(key, record)
        local.close()
        zonal.close()


def test_a_true_fine_passes(tmp_path: Path) -> None:
    _rated(tmp_path / "ledger.db", (Fine(SUE.address, DUE, PUT_DOWN - DUE),))
    audit(tmp_path / "ledger.db", inspectors=[MarketAudit()])


@pytest.mark.parametrize(
    ("fines", "problem"),
    [
        ((), "Fined 0"),
        ((Fine(SUE.address, DUE - 1, PUT_DOWN - DUE + 1),), "fines: not what"),
        ((Fine(SUE.address, DUE, PUT_DOWN),), "Fined 0"),
        ((Fine(SUE.address, DUE, PUT_DOWN - DUE),) * 2, "fines: not what"),
    ],
    ids=["none", "less", "more left", "twice"],
)
def test_a_fine_that_is_told_otherwise_is_found(
    tmp_path: Path, fines: tuple[Fine, ...], problem: str
) -> None:
    _rated(tmp_path / "ledger.db", fines)
    with pytest.raises(Corrupt, match=problem):
        audit(tmp_path / "ledger.db", inspectors=[MarketAudit()])
