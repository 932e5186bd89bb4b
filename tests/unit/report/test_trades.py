"""Every trade stands once, under the names of those who made it."""

from gridpact.assembly.day import DayResult
from gridpact.model.order import Tier
from gridpact.report.trades import trades


def test_every_fill_of_the_day_stands_once(day: DayResult) -> None:
    rows = trades(day.intervals)
    assert len(rows) == sum(len(result.cleared.fills) for result in day.intervals)
    assert len({row.name for row in rows}) == len(rows)


def test_buyer_of_a_zonal_trade_is_the_participant_and_not_the_region(day: DayResult) -> None:
    sites = {party.address for party in day.people.sites}
    plants = {party.address for party in day.people.plants}
    zonal = [row for row in trades(day.intervals) if row.tier is Tier.ZONAL]
    assert zonal
    assert all(row.settled.fill.buyer in sites for row in zonal)
    assert all(row.settled.fill.seller in plants for row in zonal)


def test_statement_belongs_to_the_fill_that_was_settled(day: DayResult) -> None:
    for row in trades(day.intervals):
        fill, delivery, statement = row.settled
        assert statement.fill == delivery.fill == row.name
        assert (
            statement.paid
            + statement.charge
            + statement.fee_seller
            + statement.fee_network
            + statement.refund
            == fill.lock
        )
