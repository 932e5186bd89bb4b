"""The incentive: steady plants earn more, nobody earns from trading with itself."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.harness import (
    ANN,
    BOB,
    INTERVAL,
    MICRO,
    PLANT,
    World,
    delivery,
    fill,
    refused,
)
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.order import NONE, Side
from gridpact.model.participant import Named
from gridpact.model.record import Incentive, IncentiveTerms
from gridpact.settlement.incentive import Supply, bonus_rate, grant

POT = Named.INCENTIVE.address
REFERENCE = 100_000


def supplied(world: World, *energies: int, charge: int = 30_000) -> list[Supply]:
    """Settle fills of the plant; return what it supplied, at steadiness 3."""
    world.mint(ANN, 10 * MICRO)
    fills = []
    for index, energy in enumerate(energies):
        bid = world.order("ann", Side.BID, energy=energy)
        offer = world.order("plant", Side.OFFER, energy=energy, price=100_000)
        world.collect(bid, offer)
        fills.append(fill(bid, offer, energy, 100_000, charge, index))
    world.commit(*fills)
    world.price(0)
    world.deliver(0, sum(energies))
    logs = world.settle(*((one, delivery(one, one.energy_wh)) for one in fills))
    return [
        Supply(PLANT, one.energy_wh, log.values["charge"], 3_000_000)
        for one, log in zip(fills, logs, strict=True)
    ]


def granted(world: World, *supplies: Supply, **options: Any) -> list[Event]:
    rows = [
        packing.supply(Incentive(s.plant, s.energy_wh, s.steadiness, 0, 0, 0, s.charge))
        for s in supplies
    ]
    reference = packing.words((options.pop("reference", REFERENCE),))
    after = options.pop("expected", NONE)
    return world.rows(Contract.INCENTIVE, "grant", rows, before=reference, after=after, **options)


def test_steady_plant_is_paid_by_the_logarithm(world: World) -> None:
    world.mint(POT, MICRO)
    supplies = supplied(world, 1000, 400)
    expected = grant(supplies, REFERENCE, world.incentive.difficulty, MICRO)
    plant = world.free(PLANT)
    logs = granted(world, *supplies, expected=packing.grants_digest(expected))
    paid = [row.paid for row in expected]
    assert [log.values["paid"] for log in logs] == paid
    assert logs[0].values == {
        "plant": PLANT,
        "energy": 1000,
        "charge": 30_000,
        "steadiness": 3_000_000,
        "reference": REFERENCE,
        "rate": bonus_rate(REFERENCE, 3_000_000, 10_000),
        "paid": paid[0],
    }
    assert world.free(PLANT) == plant + sum(paid)
    assert world.view(Contract.INCENTIVE, "spent", 0) == sum(paid)
    assert world.holds()


def test_incentive_is_at_most_the_network_charge_paid(world: World) -> None:
    world.mint(POT, MICRO)
    (supply,) = supplied(world, 1000, charge=1_000)
    (log,) = granted(world, supply)
    assert (log.values["paid"], supply.charge) == (1_000, 1_000)


@pytest.mark.parametrize(
    ("energy", "charge", "reason"),
    [
        (1001, 0, "incentive: more energy than settled"),
        (1000, 30_001, "incentive: more charge than paid"),
        (2**40, 0, "incentive: supply"),
        (0, 2**96, "incentive: supply"),
    ],
)
def test_only_settled_energy_and_paid_charges_count(
    world: World, energy: int, charge: int, reason: str
) -> None:
    world.mint(POT, MICRO)
    supplied(world, 1000)
    with refused(reason):
        granted(world, Supply(PLANT, energy, charge, 1))


def test_no_energy_counts_twice(world: World) -> None:
    world.mint(POT, MICRO)
    (supply,) = supplied(world, 1000)
    granted(world, supply)
    with refused("incentive: more energy than settled"):
        granted(world, supply)
    with refused("incentive: more energy than settled"):
        granted(world, Supply(BOB, 1, 0, 1))


def test_short_budget_is_shared_pro_rata() -> None:
    world = World(incentive=IncentiveTerms(daily_budget=10_000, day=24))
    world.mint(POT, MICRO)
    supplies = supplied(world, 1000, 400)
    expected = grant(supplies, REFERENCE, 10_000, 10_000)
    assert 9_998 <= sum(row.paid for row in expected) <= 10_000
    granted(world, *supplies, expected=packing.grants_digest(expected))
    assert world.view(Contract.INCENTIVE, "spent", INTERVAL // 24) == sum(
        row.paid for row in expected
    )


def test_short_account_is_shared_pro_rata(world: World) -> None:
    world.mint(POT, 9_999)
    supplies = supplied(world, 1000, 400)
    expected = grant(supplies, REFERENCE, 10_000, 9_999)
    granted(world, *supplies, expected=packing.grants_digest(expected))
    assert world.free(POT) == 9_999 - sum(row.paid for row in expected)


def test_other_amounts_than_the_records_are_refused(world: World) -> None:
    with refused("incentive: other amounts"):
        granted(world, expected=keccak(b"other"))


def test_price_beyond_its_word_is_refused(world: World) -> None:
    with refused("incentive: price"):
        granted(world, reference=2**48)


def test_only_the_operator_grants(world: World) -> None:
    with refused("incentive: not the operator"):
        granted(world, sender=PLANT)


def test_the_same_grant_again_pays_nothing(world: World) -> None:
    world.mint(POT, MICRO)
    (supply,) = supplied(world, 1000)
    write = world.write()
    assert len(granted(world, supply, write=write)) == 1
    assert granted(world, supply, write=write) == []


def test_whole_interval_of_a_large_region_is_granted_in_one_call(world: World) -> None:
    world.mint(POT, MICRO)
    supplied(world, 1000)
    rows = [Supply(PLANT, 1, 0, 1_000_000 + place % 2) for place in range(1000)]
    assert len(granted(world, *rows)) == 1000


@pytest.mark.parametrize(
    "terms",
    [
        IncentiveTerms(difficulty=1),
        IncentiveTerms(difficulty=2**64),
        IncentiveTerms(daily_budget=2**80),
        IncentiveTerms(day=0),
    ],
)
def test_impossible_rules_are_not_founded(terms: IncentiveTerms) -> None:
    with refused("incentive: rules"):
        World(incentive=terms)


def test_the_rules_are_those_of_the_founding(world: World) -> None:
    t = world.incentive
    assert world.view(Contract.INCENTIVE, "rules") == (t.difficulty, t.daily_budget, t.day)


def test_steadiness_beyond_bounds_is_refused(world: World) -> None:
    with refused("logarithm: too large"):
        world.view(Contract.INCENTIVE, "bonus_rate", REFERENCE, 2**120)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**48 - 1),
    st.one_of(st.integers(0, 10**9), st.integers(0, 2**120 - 1)),
)
def test_chain_and_rule_agree_on_every_rate(founded: World, reference: int, x: int) -> None:
    rate = founded.view(Contract.INCENTIVE, "bonus_rate", reference, x)
    assert rate == bonus_rate(reference, x, founded.incentive.difficulty)
    assert rate <= reference
