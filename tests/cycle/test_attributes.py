"""Orders with wishes go through a whole day; nobody is served against its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from msgspec.structs import replace as changed
from tests.cycle import test_cycle as laws
from tests.cycle.conftest import quietly

from gridpact.assembly.day import DayResult, Stopwatch, run_parts
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.parts import assemble
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.market.choice import levies
from gridpact.model.attributes import Attributes
from gridpact.model.market import MarketTerms
from gridpact.model.order import Side, SignedOrder, Tier
from gridpact.model.record import Limit
from gridpact.scenario.scenario import Scenario

SUN, WIND = 1, 2


@dataclass
class Wishing:
    """A field in which every second seller has wind, and some buyers want sun or all or nothing."""

    inner: Field

    def expected(self, interval: int) -> Expected:
        return self.inner.expected(interval)

    def orders(self, interval: int) -> Submitted:
        honest = self.inner.orders(interval)
        return replace(honest, local=[wishing(one) for one in honest.local])

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        return self.inner.deliver(interval, limits, reactive_var)


def wishing(one: SignedOrder) -> SignedOrder:
    """Return an order with attributes drawn from its owner's address."""
    order, draw = one.order, one.order.participant[-1] % 4
    if order.tier is not Tier.LOCAL:
        return one
    wish = {
        Side.OFFER: Attributes(source=WIND if draw % 2 else SUN),
        Side.BID: Attributes(source=SUN, all_or_nothing=draw == 0) if draw < 2 else Attributes(),
    }[order.side]
    return SignedOrder(changed(order, terms=wish.hash), one.signature, wish)


@pytest.fixture(scope="module", params=["merit_order", "uniform_price", "seller_choice", "pareto"])
def wished_day(request: pytest.FixtureRequest, scenario: Scenario) -> DayResult:
    chosen = replace(scenario, market=MarketTerms(request.param))
    assert not levies(chosen.market)
    ledgers = memory_ledgers(chosen)
    parts = assemble(chosen, ledgers, signed=False)
    market = replace(parts.market, field=Wishing(parts.market.field))
    return run_parts(replace(parts, market=market), ledgers, Stopwatch(quietly))


def test_nobody_is_served_against_its_wishes(wished_day: DayResult) -> None:
    green, whole = 0, 0
    for result in wished_day.intervals:
        asked = {one.hash: one.attributes or Attributes() for one in result.book.orders}
        energy = {one.hash: one.order.energy_wh for one in result.book.orders}
        bought: dict[bytes, int] = {}
        for fill in result.cleared.fills:
            if fill.tier is not Tier.LOCAL:
                continue
            if asked[fill.bid].source:
                assert asked[fill.bid].source & asked[fill.offer].source
                green += 1
            bought[fill.bid] = bought.get(fill.bid, 0) + fill.energy_wh
        for bid, much in bought.items():
            if asked[bid].all_or_nothing:
                assert much == energy[bid]
                whole += 1
    assert green > 50
    assert whole > 10


def test_nothing_is_lost(wished_day: DayResult) -> None:
    for law in (
        laws.test_energy_sold_equals_energy_bought_per_interval_and_tier,
        laws.test_no_fill_exceeds_its_order,
        laws.test_bought_and_unmet_energy_add_up_to_the_bids,
        laws.test_deliveries_and_imbalances_equal_the_meters,
        laws.test_every_lock_is_shared_out_to_the_micro_unit,
        laws.test_money_of_both_chains_holds_and_crossings_meet,
    ):
        law(wished_day)
