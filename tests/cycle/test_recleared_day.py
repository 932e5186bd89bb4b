"""The audit computes every clearing of a day again, also where the wires cut."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.ledgers import Ledgers, memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.assembly.reclearing import ClearingAudit
from gridpact.cycle.cycle import run
from gridpact.cycle.market import Market
from gridpact.errors import Corrupt
from gridpact.ledger.audit.audit import AuditedBlock, AuditedChain
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.market import MarketTerms
from gridpact.model.order import Tier
from gridpact.model.record import Book, Cleared, Found, Prices, Record, encode
from gridpact.scenario.scenario import Scenario


def seen(_call: object) -> bytes:
    raise AssertionError("the inspector reads records alone")


def block(chain: str, key: Key, record: Record) -> AuditedBlock:
    audited = AuditedChain(chain, 1, b"")
    return AuditedBlock(audited, 1, b"", 0, key, encode(record), (), (), (), ())


def records(ledger: Ledger, region: bytes, intervals: range) -> Iterator[tuple[Key, Record]]:
    kinds = ((Phase.PRICE, Prices), (Phase.COLLECT, Book), (Phase.CLEAR, Cleared))
    founding = Key(region, 0, Phase.FOUND)
    found = ledger.read(founding, Found)
    assert found is not None
    yield founding, found
    for interval in intervals:
        for phase, kind in kinds:
            key = Key(region, interval, phase)
            record = ledger.read(key, kind)  # type: ignore[type-var]
            assert record is not None
            yield key, record


def told(scenario: Scenario) -> tuple[Market, Ledgers]:
    """Return a market that ran, with its ledgers."""
    ledgers = memory_ledgers(scenario)
    market = assemble(scenario, ledgers, signed=False).market
    for _ in run(market, scenario.time.intervals, quietly):
        pass
    return market, ledgers


@pytest.mark.parametrize("name", ["merit_order", "uniform_price", "mcafee", "grid_optimal"])
def test_every_clearing_follows_from_its_book(voltage: Scenario, name: str) -> None:
    scenario = replace(shortened(voltage, 13), market=MarketTerms(name))
    market, _ = told(scenario)
    audit, cuts = ClearingAudit(), 0
    for ledger, region in ((market.local, market.region.id), (market.zonal, market.zone)):
        for key, record in records(ledger, region, range(13)):
            audit.block(block(ledger.name, key, record), seen)
            cuts += len(record.cuts) if isinstance(record, Cleared) else 0
    audit.finish()
    assert cuts > 0


def test_a_dearer_fill_a_dropped_one_and_another_mechanism_are_found(scenario: Scenario) -> None:
    market, _ = told(replace(shortened(scenario, 9), market=MarketTerms("uniform_price")))
    told_of = list(records(market.local, market.region.id, range(9)))
    key, last = told_of.pop()
    assert isinstance(last, Cleared)
    local = [fill for fill in last.fills if fill.tier is Tier.LOCAL]
    assert local
    audit = ClearingAudit()
    for one in told_of:
        audit.block(block("region", *one), seen)
    audit.block(block("region", key, last), seen)
    dearer = changed(local[0], price=local[0].price + 1)
    for fills in ((dearer, *last.fills[1:]), last.fills[1:]):
        with pytest.raises(Corrupt, match=r"fills: .*\(uniform_price\)"):
            audit.block(block("region", key, changed(last, fills=fills)), seen)
    found = told_of[0][1]
    assert isinstance(found, Found)
    for name, says in (("merit_order", "not the one that"), ("lottery", "is not known")):
        other = ClearingAudit()
        terms = changed(found, market=MarketTerms(name))
        for one in ((told_of[0][0], terms), *told_of[-2:]):
            other.block(block("region", *one), seen)
        with pytest.raises(Corrupt, match=says):
            other.block(block("region", key, last), seen)
