"""A meter that falls silent puts its own trades into dispute and nobody else's.

What it leaves open of the region's balance is carried on until it is heard again, on record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest

from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.cycle import run
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.cycle.result import IntervalResult
from gridpact.model.delivery import SignedReading
from gridpact.model.record import Limit
from gridpact.model.statement import Case
from gridpact.scenario.scenario import Scenario

NOON = 12


class SilentMeter:
    """A field in which one meter's reading of one interval never comes, or comes changed."""

    def __init__(self, field: Field, meter: bytes, interval: int, more_wh: int = 0) -> None:
        self._field, self._meter, self._interval = field, meter, interval
        self._more_wh = more_wh

    def expected(self, interval: int) -> Expected:
        return self._field.expected(interval)

    def orders(self, interval: int) -> Submitted:
        return self._field.orders(interval)

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        delivered = self._field.deliver(interval, limits, reactive_var)
        if interval != self._interval:
            return delivered
        return replace(
            delivered,
            local=list(self._without(delivered.local)),
            zonal=list(self._without(delivered.zonal)),
        )

    def _without(self, readings: Sequence[SignedReading]) -> Iterator[SignedReading]:
        for one in readings:
            if one.reading.meter != self._meter:
                yield one
            elif self._more_wh:
                more = one.reading.export_wh + self._more_wh
                yield SignedReading(msgspec.structs.replace(one.reading, export_wh=more), b"")


def test_missing_reading_holds_the_locks_of_its_party_and_of_nobody_else(
    scenario: Scenario,
) -> None:
    ledgers = memory_ledgers(scenario)
    parts = assemble(scenario, ledgers, signed=False)
    honest = [result.settlement for result in run(parts.market, NOON + 1)][NOON]
    silent = honest.fills[0].seller

    ledgers = memory_ledgers(scenario)
    market = assemble(scenario, ledgers, signed=False).market
    market = replace(market, field=SilentMeter(market.field, silent, NOON))
    results = list(run(market, NOON + 2))  # the dispute's window is not over yet

    settlement = results[NOON].settlement
    disputed = {
        fill.hash
        for fill, one in zip(settlement.fills, settlement.statements, strict=True)
        if one.case is Case.DISPUTE
    }
    assert disputed == {fill.hash for fill in settlement.fills if fill.seller == silent}
    assert disputed
    held = sum(fill.lock for fill in settlement.fills if fill.hash in disputed)
    totals = ledgers.local.totals()
    assert totals.locked == held + scenario.council.pledged
    assert totals.holds
    later = results[NOON + 1].metered[silent]
    before = results[NOON - 1].metered[silent]
    assert later.export_wh > before.export_wh, "what was not read is read with the next reading"


def _open(results: Sequence[IntervalResult]) -> list[int]:
    return [result.meters.carried_wh for result in results]


def _run(scenario: Scenario, meter: str, more_wh: int = 0) -> list[IntervalResult]:
    parts = assemble(scenario, memory_ledgers(scenario), signed=False)
    addresses = {name: address for address, name in parts.names.items()}
    field = SilentMeter(parts.market.field, addresses[meter], NOON, more_wh)
    return list(run(replace(parts.market, field=field), NOON + 3))


@pytest.mark.parametrize(
    "meter", ["substation meter", "plant-53", "commerce-001", "homes-002", "homes-005"]
)
def test_what_a_silent_meter_leaves_open_closes_when_it_is_heard_again(
    scenario: Scenario, meter: str
) -> None:
    """Whether it takes or gives, the others' losses stay what they are: nobody pays for it."""
    honest = list(run(assemble(scenario, memory_ledgers(scenario), signed=False).market, NOON + 3))
    silent = _run(scenario, meter)
    assert _open(silent)[:NOON] == [0] * NOON
    assert _open(silent)[NOON] != 0
    assert _open(silent)[NOON + 1 :] == [0, 0]
    lost = [sum(one.meters.loss_wh for one in results) for results in (silent, honest)]
    assert lost[0] == lost[1]


def test_market_goes_on_when_meters_show_more_out_of_the_region_than_into_it(
    scenario: Scenario,
) -> None:
    """A meter signs too little export: no loss falls below zero, the rest stays open for all."""
    lying = _run(scenario, "plant-53", more_wh=-400_000)
    assert _open(lying)[NOON] < -100_000
    assert all(result.meters.loss_wh >= 0 for result in lying)
