"""`grid_optimal` asks the wires while it clears; the record tells what they answered."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from tests.cycle.conftest import quietly
from tests.cycle.test_recleared_day import block, records, seen, told

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.reclearing import ClearingAudit
from gridpact.errors import Corrupt
from gridpact.model.interval import Key
from gridpact.model.market import MarketTerms
from gridpact.model.order import Tier
from gridpact.model.record import Cleared, Found, Record
from gridpact.quantities import Wh
from gridpact.scenario.scenario import Scenario


@pytest.fixture(scope="module")
def noon(voltage: Scenario) -> Scenario:
    """One sunny hour with little load: more is offered than bought, and two buses are full."""
    hour = slice(12, 13)
    sites = tuple(
        replace(one, load_w=0.6 * one.load_w[hour], pv_w=one.pv_w[hour], battery=None, ev=None)
        for one in voltage.sites
    )
    tariff = replace(voltage.tariff, retail=voltage.tariff.retail[hour])
    time = replace(voltage.time, intervals=1)
    return replace(voltage, sites=sites, plants=(), tariff=tariff, time=time)


def traded(cleared: Cleared) -> Wh:
    return sum(fill.energy_wh for fill in cleared.fills if fill.tier is Tier.LOCAL)


def test_buyers_who_lose_a_seller_to_the_wires_find_another(noon: Scenario) -> None:
    found = {}
    for name in ("nash_bargaining", "grid_optimal"):
        chosen = replace(noon, market=MarketTerms(name))
        [result] = run_day(chosen, memory_ledgers(chosen), quietly, signed=False).intervals
        found[name] = result.cleared
    after, asked = found["nash_bargaining"], found["grid_optimal"]
    lost = sum(cut.from_fills_wh for cut in after.cuts)
    assert lost > 50_000
    assert not sum(cut.from_fills_wh for cut in asked.cuts)
    assert traded(asked) == traded(after) + lost
    assert not after.wires
    assert len(asked.wires) > 1
    assert asked.wires[-1] == ()
    assert all(one.limit.startswith("v_max at bus") for one in asked.wires[0])


@pytest.fixture(scope="module")
def posted(noon: Scenario) -> list[tuple[Key, Record]]:
    market, _ = told(replace(noon, market=MarketTerms("grid_optimal")))
    return list(records(market.local, market.region.id, range(1)))


def judge(rows: list[tuple[Key, Record]]) -> None:
    audit = ClearingAudit()
    for one in rows:
        audit.block(block("region", *one), seen)
    audit.finish()


def test_the_clearing_follows_from_the_recorded_answers(posted: list[tuple[Key, Record]]) -> None:
    judge(posted)


def test_answers_that_were_not_given_are_found(posted: list[tuple[Key, Record]]) -> None:
    key, last = posted[-1]
    assert isinstance(last, Cleared)
    first, *later = last.wires
    stranger = changed(first[0], offer=b"\7" * 32)
    more = changed(first[0], energy_wh=10**9)
    *before, some, end = last.wires
    looser = (changed(some[0], energy_wh=some[0].energy_wh + 1), *some[1:])
    for wires, says in (
        ((), "answered 0 times on record, they are asked more"),
        (last.wires[:-1], "they are asked more"),
        ((*last.wires, ()), "the mechanism asks"),
        (((stranger,), *later), "which did not sell more"),
        (((more, *first[1:]), *later), "which did not sell more"),
        ((*before, looser, end), r"fills: .*\(grid_optimal\)"),
    ):
        with pytest.raises(Corrupt, match=says):
            judge([*posted[:-1], (key, changed(last, wires=wires))])


def test_no_other_mechanism_has_answers(posted: list[tuple[Key, Record]]) -> None:
    (key, found), *rest = posted
    assert isinstance(found, Found)
    with pytest.raises(Corrupt, match="the mechanism asks 0 times"):
        judge([(key, changed(found, market=MarketTerms("nash_bargaining"))), *rest])
