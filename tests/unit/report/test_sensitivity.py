"""The same day under other forecasts."""

import dataclasses

from gridpact.prosumer.outlook import Model
from gridpact.report.comparison import Comparison
from gridpact.report.findings import Findings
from gridpact.report.sensitivity import cases, run_case, sensitivity
from gridpact.scenario.scenario import Scenario


def test_cases_are_the_errors_and_persistence_and_change_the_forecast_only(
    scenario: Scenario,
) -> None:
    rows = dict(cases(scenario))
    assert list(rows) == ["error 0 %", "error 10 %", "error 20 %", "error 40 %", "persistence"]
    assert [row.forecast.sigma for row in rows.values()][:4] == [0.0, 0.1, 0.2, 0.4]
    assert rows["persistence"].forecast.model is Model.PERSISTENCE
    for row in rows.values():
        assert dataclasses.replace(row, forecast=scenario.forecast).__dict__ == scenario.__dict__


def test_persistence_needs_a_day_before(scenario: Scenario) -> None:
    first = dataclasses.replace(scenario.sites[0], load_yesterday_w=None)
    unknown = dataclasses.replace(scenario, sites=(first, *scenario.sites[1:]))
    assert "persistence" not in dict(cases(unknown))


def test_perfect_forecasts_leave_almost_no_imbalance_and_more_trade(
    scenario: Scenario, found: Findings
) -> None:
    perfect = run_case("none", dict(cases(scenario))["error 0 %"])
    compared: Comparison = found.compared
    traded = sum(hour.local + hour.zonal for hour in compared.hours)
    imbalance = sum(hour.unused + hour.short + hour.held for hour in compared.hours)
    # what is left comes from meters, which err by up to 1 %
    assert perfect.imbalance < 0.005 * perfect.cleared
    assert imbalance > 10 * perfect.imbalance
    assert perfect.traded > traded
    assert perfect.not_worse == perfect.consumers == 60


def test_all_cases_come_back_in_order_and_err_more_with_worse_forecasts(
    scenario: Scenario,
) -> None:
    few = dataclasses.replace(scenario, sites=scenario.sites[:6])
    rows = sensitivity(few)
    assert [row.forecast for row in rows] == [name for name, _ in cases(few)]
    assert rows[0].imbalance < rows[1].imbalance < rows[3].imbalance
    assert all(row.unpaid == 0 for row in rows)
