"""Parties of a simulated scenario: keys from the seed, roles from the devices."""

from tests.unit.prosumer.fleets import site
from tests.unit.simulation.days import shipped

from gridpact.model.participant import Role
from gridpact.prosumer.devices import Battery
from gridpact.simulation.people import enlist, key_seed


def test_only_those_with_pv_or_battery_may_sell():
    sites = [site("a"), site("b", pv_w=100.0), site("c", battery=Battery(1.0, 1.0))]
    roles = [party.participant.roles for party in enlist(sites, (), 1, 7).sites]
    assert roles == [Role.CONSUMER] + 2 * [Role.CONSUMER | Role.PRODUCER]


def test_seed_and_name_make_the_key_and_nothing_else_does():
    one, other = site("a", bus=3), site("a", bus=5)
    first, second = (enlist([each], (), 1, 7).sites[0] for each in (one, other))
    assert first.key == second.key
    assert enlist([one], (), 1, 8).sites[0].key != first.key
    assert key_seed(7) != key_seed(8)


def test_all_addresses_certificates_and_meters_differ():
    day = shipped("day")
    people = enlist(day.sites, day.plants, 1, day.seed)
    everyone = [*people.sites, *people.plants, people.substation]
    assert len(everyone) == 123
    for column in ("address", "certificate", "meter"):
        assert len({getattr(party.participant, column) for party in everyone}) == 123
    assert {party.participant.roles for party in people.plants} == {Role.PLANT}
