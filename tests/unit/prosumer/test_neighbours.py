"""Paper D's requests between sites whose batteries and market answer."""

from collections import Counter

import numpy as np
import pytest

from gridpact.prosumer.neighbours import Neighbourhood
from gridpact.prosumer.request import RULES, Terms, What

LINE = ((0, 1, 3), (1, 0, 2), (3, 2, 0))
NEAR, ASKS, FAR = 0, 1, 2
NONE = dict.fromkeys(range(3), 0)


def neighbourhood(rule: str = "cost_aware", asker: int = 0, patience: int = 2) -> Neighbourhood:
    return Neighbourhood(Terms((100, asker, 100), LINE, RULES[rule], patience=patience))


def energies(of: Neighbourhood) -> list[tuple[int, str, int, int]]:
    return [(step.interval, step.what.value, step.participant, step.energy_wh) for step in of.steps]


def test_donors_discharge_what_they_are_asked_for_and_no_more() -> None:
    made = neighbourhood()
    net = {NEAR: -10, ASKS: 70, FAR: -5}
    asked = made.ask(0, net, {NEAR: 30, ASKS: 0, FAR: 60}, {NEAR: 70, ASKS: 0, FAR: 0})
    # the nearest gives all it has, 30 and the 10 just stored; the full one spills its surplus
    assert dict(asked.donated) == {NEAR: 40, FAR: 30}
    assert asked.battery[NEAR] == 10 - 40
    assert asked.battery[FAR] == -30
    assert asked.spilled[FAR] == 5
    assert dict(asked.need) == {ASKS: 70}
    assert dict(asked.partner) == {ASKS: NEAR}


def test_storage_aware_asks_the_one_that_has_all() -> None:
    made = neighbourhood("storage_aware")
    net, room = {NEAR: -10, ASKS: 50, FAR: -5}, {NEAR: 70, ASKS: 0, FAR: 40}
    asked = made.ask(0, net, {NEAR: 30, ASKS: 0, FAR: 60}, room)
    assert dict(asked.donated) == {FAR: 50}
    assert dict(asked.partner) == {ASKS: FAR}


def test_a_donor_keeps_what_it_did_not_sell_and_spills_first() -> None:
    made = neighbourhood()
    asked = made.ask(0, {NEAR: -10, ASKS: 35, FAR: -5}, {NEAR: 30, ASKS: 0, FAR: 60}, NONE)
    assert (dict(asked.donated), asked.spilled[NEAR]) == ({NEAR: 30, FAR: 5}, 10)
    battery = made.settled(asked, {ASKS: 25}, {NEAR: 25})
    assert battery[NEAR] == -15, "10 of the 25 were surplus"
    assert battery[FAR] == 0


def test_without_a_battery_a_rest_expires_at_once() -> None:
    made = neighbourhood(asker=0)
    asked = made.ask(0, {NEAR: 0, ASKS: 70, FAR: 0}, NONE, NONE)
    made.settled(asked, {ASKS: 20}, {})
    assert energies(made)[-2:] == [(0, "taken", ASKS, 20), (0, "expired", ASKS, 50)]
    assert made.pool == ()


def test_a_rest_waits_is_stored_when_somebody_sells_it_and_expires() -> None:
    made = neighbourhood(asker=60, patience=2)
    none, full = NONE, {NEAR: 0, ASKS: 40, FAR: 0}
    asked = made.ask(0, {NEAR: 0, ASKS: 70, FAR: 0}, none, full)
    made.settled(asked, {}, {})
    assert [one.energy_wh for one in made.pool] == [70]
    # an hour later it needs 10 and asks for 40 more, as much as it can store; 30 are sold
    again = made.ask(1, {NEAR: 0, ASKS: 10, FAR: 0}, none, full)
    assert (dict(again.need), dict(again.restock), again.battery[ASKS]) == (
        {ASKS: 10},
        {ASKS: 40},
        40,
    )
    battery = made.settled(again, {ASKS: 30}, {})
    assert battery[ASKS] == 20, "the need comes first"
    assert [one.energy_wh for one in made.pool] == [50]
    last = made.ask(2, {NEAR: 0, ASKS: 0, FAR: 0}, none, full)
    made.settled(last, {}, {})
    assert energies(made)[-1] == (2, "expired", ASKS, 50)
    assert made.pool == ()


def test_what_waits_does_not_empty_the_own_battery() -> None:
    made = neighbourhood(asker=60)
    made.settled(made.ask(0, {NEAR: 0, ASKS: 70, FAR: 0}, NONE, NONE), {}, {})
    reserve, room = {NEAR: 0, ASKS: 30, FAR: 0}, {NEAR: 0, ASKS: 30, FAR: 0}
    asked = made.ask(1, {NEAR: 0, ASKS: 25, FAR: 0}, reserve, room)
    assert dict(asked.need) == {ASKS: 0}, "its load has the battery"
    assert asked.battery[ASKS] == 30 - 25


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(20))
def test_every_wh_asked_for_is_served_waits_or_expires(rule: str, seed: int) -> None:
    chance = np.random.default_rng(seed)
    made = neighbourhood(rule, asker=80)
    for interval in range(12):
        net = dict(enumerate(chance.integers(-90, 90, 3).tolist()))
        stored = chance.integers(0, 80, 3).tolist()
        reserve = dict(enumerate(stored))
        room = {who: 80 - stored[who] for who in range(3)}
        asked = made.ask(interval, net, reserve, room)
        battery = {who: asked.battery.get(who, 0) for who in range(3)}
        assert all(-reserve[who] <= battery[who] <= room[who] for who in range(3))
        want = {who: max(0, net[who] + battery[who]) for who in range(3)}
        have = {who: max(0, -net[who] - battery[who]) for who in range(3)}
        bought = {who: int(chance.integers(0, want[who] + 1)) for who in range(3)}
        sold = {who: int(chance.integers(0, have[who] + 1)) for who in range(3)}
        after = made.settled(asked, bought, sold)
        assert all(-reserve[who] <= after.get(who, 0) <= room[who] for who in range(3))
    sums = Counter[What]()
    for step in made.steps:
        sums[step.what] += step.energy_wh if step.what is not What.POOLED else 0
    waiting = sum(one.energy_wh for one in made.pool)
    assert sums[What.ASKED] == sum(sums[w] for w in (What.OWN, What.TAKEN, What.EXPIRED)) + waiting
