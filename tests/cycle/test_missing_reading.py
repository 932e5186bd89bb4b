"""A meter that falls silent puts its own trades into dispute and nobody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.cycle import run
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.model.record import Limit
from gridpact.model.statement import Case
from gridpact.scenario.scenario import Scenario

NOON = 12


class SilentMeter:
    """A field in which one meter's reading of one interval never comes."""

    def __init__(self, field: Field, meter: bytes, interval: int) -> None:
        self._field, self._meter, self._interval = field, meter, interval

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
        kept = [one for one in delivered.local if one.reading.meter != self._meter]
        return replace(delivered, local=kept)


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
    results = list(run(market, NOON + 3))

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
    assert totals.locked == held
    assert totals.holds
    later = results[NOON + 1].metered[silent]
    before = results[NOON - 1].metered[silent]
    assert later.export_wh > before.export_wh, "what was not read is read with the next reading"
