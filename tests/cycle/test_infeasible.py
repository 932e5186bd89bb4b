"""Limits that cannot hold: the record says which, grid supply serves everybody, nothing is lost."""

from dataclasses import replace

from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.model.order import Side, Tier
from gridpact.scenario.scenario import Scenario


def test_infeasible_interval_names_its_limit_and_falls_back_to_grid_supply(
    scenario: Scenario,
) -> None:
    tight = replace(scenario.grid, v_max_pu=1.012)
    short = shortened(replace(scenario, grid=tight), 13)
    day = run_day(short, memory_ledgers(short), quietly, signed=False)
    stopped = [
        result for result in day.intervals if any("v_max" in one for one in result.cleared.binding)
    ]
    assert len(stopped) >= 10
    for result in stopped:
        assert not result.cleared.fills
        wanted = sum(
            one.order.energy_wh
            for one in result.book.orders
            if (one.order.side, one.order.tier) == (Side.BID, Tier.LOCAL)
        )
        assert sum(one.energy_wh for one in result.cleared.unmet) == wanted
    assert any("v_max" in one for result in day.intervals for one in result.prices.conflicts)
    assert all(end.totals.holds for end in day.chains)
    imported = sum(row.import_wh for result in stopped for row in result.metered.values())
    assert imported > 0
