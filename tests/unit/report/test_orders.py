"""Orders and their wishes in the exports."""

from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.model.market import MarketTerms
from gridpact.prosumer.wishes import Wish
from gridpact.report.findings import Findings, examine
from gridpact.report.orders import ORDERS, wishes, write_orders
from gridpact.report.write import write_all
from gridpact.scenario.scenario import Scenario


def test_orders_hold_one_row_per_accepted_order(
    day: DayResult, found: Findings, tmp_path: Path
) -> None:
    table = pq.read_table(write_orders(day, tmp_path / "orders.parquet"))
    assert table.schema.equals(ORDERS)
    books = [book for one in day.intervals for book in (one.book, one.plant_book)]
    assert table.num_rows == sum(len(book.orders) for book in books)
    bids = table.filter(pc.equal(table["side"], "bid"))
    cleared = sum(row.settled.fill.energy_wh for row in found.compared.trades)
    assert pc.sum(bids["filled_wh"]).as_py() == cleared
    assert {row.wish for row in wishes(day)} == {"least reputation"}


def test_wishes_of_a_scenario_reach_the_orders_and_the_report(
    scenario: Scenario, tmp_path: Path
) -> None:
    def wishing(place: int) -> Wish:
        sources = Wish(source=1 + place % 2)
        return sources if place % 3 else replace(sources, accepts=1, all_or_nothing=True)

    sites = tuple(
        replace(site, wish=wishing(place), min_reputation=0)
        for place, site in enumerate(scenario.sites)
    )
    short = replace(scenario.time, intervals=11)
    asked = replace(scenario, sites=sites, time=short, market=MarketTerms("uniform_price"))
    day = run_day(asked, memory_ledgers(asked), unwatched, signed=False)
    rows = {(row.side, row.wish): row for row in wishes(day)}
    assert set(rows) == {("bid", "all or nothing"), ("bid", "source"), ("offer", "source")}
    green = rows["bid", "source"]
    assert green == rows["bid", "all or nothing"]._replace(wish="source")
    assert 0 < green.filled_wh < green.asked_wh
    write_all(examine(day), (), tmp_path)
    table = pq.read_table(tmp_path / "orders.parquet")
    local = table.filter(pc.equal(table["tier"], "local"))
    whole = local.filter(local["all_or_nothing"])
    part = zip(whole["filled_wh"].to_pylist(), whole["energy_wh"].to_pylist(), strict=True)
    assert {filled / energy for filled, energy in part} == {0.0, 1.0}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "asked for more than energy and price" in page
    assert "all or nothing" in page
