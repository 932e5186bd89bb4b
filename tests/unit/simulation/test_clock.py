"""Market time: deterministic, in the order of the phases."""

import datetime

from gridpact.model.interval import Key, Phase
from gridpact.simulation.clock import MarketClock

CLOCK = MarketClock(datetime.datetime(2016, 6, 9), 60)


def test_interval_begins_at_its_hour():
    assert CLOCK.time(13) == datetime.datetime(2016, 6, 9, 13)


def test_commit_closes_ten_minutes_before_delivery_begins():
    stamp = CLOCK(Key(b"\0" * 32, 13, Phase.COMMIT))
    moment = datetime.datetime.fromtimestamp(stamp, datetime.UTC)
    assert moment == datetime.datetime(2016, 6, 9, 12, 50, tzinfo=datetime.UTC)


def test_meters_are_read_after_the_interval_has_ended():
    assert CLOCK(Key(b"\0" * 32, 0, Phase.DELIVER)) == CLOCK(Key(b"\0" * 32, 1, Phase.COMMIT)) + 720


def test_phases_of_an_interval_rise_in_time_in_the_order_of_the_cycle():
    order = (
        Phase.PRICE, Phase.COLLECT, Phase.CLEAR, Phase.COMMIT, Phase.DELIVER, Phase.SETTLE,
        Phase.RATE, Phase.SEAL,
    )  # fmt: skip
    times = [CLOCK(Key(b"\0" * 32, 5, phase)) for phase in order]
    assert times == sorted(set(times))
    assert CLOCK(Key(b"\0" * 32, 0, Phase.FOUND)) < CLOCK(Key(b"\0" * 32, 0, Phase.PRICE))
