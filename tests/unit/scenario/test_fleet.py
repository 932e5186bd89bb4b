"""The drawn fleet adds up to the table whatever the seed."""

import datetime
from collections import Counter

import numpy as np
import pytest

from gridpact.errors import ScenarioError
from gridpact.scenario.fleet import Day, draw, read_settings
from gridpact.scenario.profiles import BUILT_IN, read
from gridpact.scenario.table import Table

PEAK_W = {bus: 1000.0 * (bus + 20) for bus in range(2, 44)} | {1: 0.0}
TABLE = {
    "home_groups": 84,
    "homes_per_group": 8,
    "commerce": 36,
    "home_shift_h": [-2.0, 1.0],
    "pv_owners": 60,
    "batteries": 40,
    "evs": 18,
    "ask_share": [0.2, 0.8],
    "min_reputation_share": [0.0, 0.3],
}


@pytest.fixture(scope="module")
def day() -> Day:
    profiles = read(BUILT_IN["simbench-summer"])
    return Day(profiles, datetime.datetime(2016, 6, 9), 24, 60)


def fleet(day: Day, seed: int = 1, **changes: object):
    table = Table("day.toml", "fleet", {**TABLE, **changes})
    return draw(read_settings(table, seed), table, PEAK_W, day)


@pytest.mark.parametrize("seed", [1, 2, 58])
def test_fleet_adds_up_to_the_table(day, seed):
    sites = fleet(day, seed)
    per_bus = Counter(site.bus for site in sites)
    assert set(per_bus) == set(PEAK_W) - {1}
    assert set(per_bus.values()) <= {2, 3, 4}
    assert sum(site.kind == "homes" for site in sites) == 84
    owners = [site for site in sites if site.pv]
    assert len(owners) == 60
    assert sum(site.battery is not None for site in owners) == 40
    assert all(site.pv for site in sites if site.battery)
    assert sum(site.ev is not None for site in sites) == 18
    assert all(site.kind == "homes" for site in sites if site.ev)
    assert {site.ev.arrives for site in sites if site.ev} <= {17, 18, 19}
    assert all(0.2 <= site.ask_share <= 0.8 for site in sites)
    assert all(site.min_reputation <= 300_000 for site in sites)


def test_mean_load_is_its_share_of_every_bus_peak(day):
    sites = fleet(day)
    for bus in set(PEAK_W) - {1}:
        mean = sum(float(site.load_w.mean()) for site in sites if site.bus == bus)
        assert mean == pytest.approx(0.45 * PEAK_W[bus])


def test_pv_and_batteries_are_sized_by_the_owners_load(day):
    for site in fleet(day):
        if site.pv:
            assert site.pv.peak_w == pytest.approx(5 * site.load_w.mean())
        if site.battery and site.pv:
            assert site.battery.capacity_wh == pytest.approx(site.pv.peak_w)
            assert site.battery.power_w == pytest.approx(0.5 * site.battery.capacity_wh)
            assert site.battery.charge_efficiency == 0.95


def test_same_seed_draws_the_same_fleet_and_another_seed_another(day):
    first, again, other = fleet(day, 5), fleet(day, 5), fleet(day, 6)
    assert all((a.load_w == b.load_w).all() for a, b in zip(first, again, strict=True))
    assert [a.ask_share for a in first] == [b.ask_share for b in again]
    assert [a.ask_share for a in first] != [b.ask_share for b in other]


def test_group_of_homes_is_smoother_than_a_home(day):
    groups = [s for s in fleet(day, homes_per_group=8) if s.kind == "homes"]
    homes = [s for s in fleet(day, homes_per_group=1) if s.kind == "homes"]
    peaks = [np.mean([s.load_w.max() / s.load_w.mean() for s in some]) for some in (groups, homes)]
    assert peaks[0] < 0.75 * peaks[1]


def test_yesterday_is_the_day_before_in_the_same_scale(day):
    sites = [site for site in fleet(day) if site.pv]
    errors = [np.abs(s.load_yesterday_w - s.load_w).mean() / s.load_w.mean() for s in sites]
    assert 0.05 < np.mean(errors) < 0.6
    assert all(s.pv_yesterday_w.max() <= s.pv.peak_w for s in sites)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"pv_owners": 121}, "fleet.pv_owners: 121 of only 120 participants"),
        ({"batteries": 61}, "fleet.batteries: 61 of only 60 PV owners"),
        ({"evs": 85}, "fleet.evs: 85 of only 84 groups of homes"),
        ({"per_bus": [3, 4]}, "fleet.per_bus: 120 participants do not fit 3 to 4 on 42 load buses"),
        ({"per_bus": [1, 2]}, "fleet.per_bus: 120 participants do not fit 1 to 2"),
        ({"per_bus": [2.5, 4]}, "fleet.per_bus: expected two whole numbers, not [2.5, 4]"),
        ({"load_share": 1.5}, "fleet.load_share: expected a number between 0 and 1, not 1.5"),
        ({"battery_wh_per_kw": 1}, "battery_wh_per_kw: wrong unit: expected battery_kwh_per_kw"),
    ],
)
def test_impossible_fleet_is_refused_with_its_key(day, changes, told):
    with pytest.raises(ScenarioError) as caught:
        fleet(day, **changes)
    assert told in str(caught.value)
