"""The three rules of reputation on a chain: chosen at the founding, each moved by deliveries."""

from typing import Any

import pytest
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    INTERVAL,
    OPERATOR,
    World,
    delivery,
    refused,
)
from tests.contracts.reading import Contract, Event
from tests.contracts.test_reputation import delivered, rate, traded

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.interval import Phase
from gridpact.model.rating import (
    ONE,
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
    Standing,
    decay,
)
from gridpact.quantities import PPM, Wh
from gridpact.reputation.rule import Known, rated
from gridpact.reputation.sanctions import exposure

V0 = 500
CREDIBLE = CredibilityTerms(reference_wh=V0)


@pytest.fixture(scope="module")
def credible() -> World:
    return World(rating=CREDIBLE)


@pytest.fixture(scope="module")
def comprehensive() -> World:
    return World(rating=ComprehensiveTerms())


@pytest.fixture
def world_c(credible: World) -> World:
    credible.engine.undo()
    credible.time = 0
    return credible


@pytest.fixture
def world_r(comprehensive: World) -> World:
    comprehensive.engine.undo()
    return comprehensive


def refer(world: World, *rows: tuple[bytes, Wh], **sent: Any) -> list[Event]:
    packed = [who.rjust(32, b"\0") + packing.words((volume,)) for who, volume in rows]
    return world.rows(Contract.REPUTATION, "refer", packed, **sent)


def standing(world: World, who: bytes) -> Standing:
    (word,) = world.view(Contract.REPUTATION, "believed", [who])
    return packing.standing(word)


def score(world: World, who: bytes) -> int:
    found: int = world.view(Contract.REPUTATION, "score", who)
    return found


def test_by_the_comprehensive_rule_a_newcomer_has_nothing_and_earns_alpha(world_r: World) -> None:
    assert score(world_r, BOB) == 0
    delivered(world_r, 1000, 750)
    (event,) = rate(world_r, BOB)
    assert (event.values["before"], event.values["now"]) == (0, 300_000)
    assert score(world_r, BOB) == 300_000
    assert standing(world_r, BOB) == Standing()


def test_by_credibility_an_interval_counts_in_reference_volumes(world_c: World) -> None:
    delivered(world_c, 1000, 1000)
    after = Standing(2 * ONE, INTERVAL, 1, 0, V0)
    due = rated(BOB, Known(0), 1000, 1000, CREDIBLE, INTERVAL, 3600)
    assert due.standing == after
    believed, event = rate(world_c, BOB, expected=packing.ratings_digest([due]))
    assert believed.name == "Believed"
    assert believed.values == {"seller": BOB, "points": 2 * ONE, "kept": 1, "broken": 0}
    assert event.values["now"] == due.after == score(world_c, BOB) == 19_607
    assert standing(world_c, BOB) == after


def test_a_registered_volume_is_what_credibility_counts_in(world_c: World) -> None:
    (event,) = refer(world_c, (BOB, 4_000))
    assert (event.name, event.values) == ("Referred", {"seller": BOB, "volume": 4_000})
    delivered(world_c, 1000, 1000)
    rate(world_c, BOB)
    assert standing(world_c, BOB) == Standing(ONE // 4, INTERVAL, 1, 0, 4_000)


def test_a_volume_is_registered_once_and_before_the_first_rating(world_c: World) -> None:
    with refused("reputation: volume"):
        refer(world_c, (BOB, 0))
    with refused("reputation: volume"):
        refer(world_c, (BOB, 2**40))
    with refused("reputation: not the operator"):
        refer(world_c, (BOB, V0), sender=BOB)
    refer(world_c, (CEM, 1))
    with refused("reputation: referred before"):
        refer(world_c, (CEM, 2**39))
    delivered(world_c, 1000, 0)
    rate(world_c, BOB)
    with refused("reputation: referred before"):
        refer(world_c, (BOB, 1_000_000))


def test_the_same_volumes_again_change_nothing(world_c: World) -> None:
    write = world_c.write(Phase.FOUND)
    assert len(refer(world_c, (BOB, V0), write=write)) == 1
    assert refer(world_c, (BOB, V0), write=write) == []


def test_a_breach_takes_five_times_what_keeping_gave(world_c: World) -> None:
    delivered(world_c, 1000, 1000)
    rate(world_c, BOB)
    second = traded(world_c, 1000)
    world_c.settle((second, delivery(second, 740)))
    rate(world_c, BOB)
    assert standing(world_c, BOB) == Standing(
        2 * ONE + 740 * ONE // V0 - -(-5 * 260 * ONE // V0), INTERVAL, 1, 1, V0
    )


def test_a_standing_that_the_record_does_not_say_is_refused(world_c: World) -> None:
    delivered(world_c, 1000, 1000)
    due = rated(BOB, Known(0), 1000, 1000, CREDIBLE, INTERVAL, 3600)
    assert due.standing is not None
    other = Standing(2 * ONE + 1, INTERVAL, 1, 0, V0)
    assert other.credit == due.after
    wrong = packing.ratings_digest([type(due)(BOB, 1000, 1000, 0, due.after, other)])
    with refused("reputation: other scores"):
        rate(world_c, BOB, expected=wrong)


def test_exposure_fades_with_the_clock(world_c: World) -> None:
    delivered(world_c, 50_000, 50_000)
    rate(world_c, BOB)
    stands = standing(world_c, BOB)
    world_c.go_to(INTERVAL)
    now = world_c.view(Contract.REPUTATION, "exposure", BOB)
    assert now == exposure(stands, V0, CREDIBLE) == 10_000
    assert world_c.view(Contract.REPUTATION, "exposure", ANN) == 0
    world_c.go_to(INTERVAL + 720)
    assert world_c.view(Contract.REPUTATION, "exposure", BOB) == pytest.approx(5_000, abs=1)


def test_by_another_rule_there_is_no_exposure(world: World) -> None:
    with refused("reputation: another rule"):
        world.view(Contract.REPUTATION, "exposure", BOB)


@pytest.mark.parametrize(
    "terms",
    [
        ComprehensiveTerms(weight=PPM + 1),
        ComprehensiveTerms(most=PPM + 1),
        CredibilityTerms(weight=0),
        CredibilityTerms(weight=2**32),
        CredibilityTerms(tolerance=PPM + 1),
        CredibilityTerms(reference_wh=0),
        CredibilityTerms(reference_wh=2**40),
    ],
)
def test_impossible_rules_are_not_founded(terms: RatingTerms) -> None:
    with refused("reputation: rules"):
        World(rating=terms)


@pytest.mark.parametrize("terms", [ComprehensiveTerms(250_000, 900_000), CREDIBLE])
def test_the_rule_is_that_of_the_founding(terms: RatingTerms) -> None:
    said = World(rating=terms).view(Contract.REPUTATION, "rules")
    fades = decay(30, 3600)
    assert said == (
        (1, (0,) * 5, (250_000, 900_000), (0,) * 4)
        if isinstance(terms, ComprehensiveTerms)
        else (2, (0,) * 5, (0, 0), (PPM, fades, 250_000, V0))
    )


@pytest.mark.parametrize("rule", [FeedbackTerms(), ComprehensiveTerms(), CREDIBLE])
def test_a_dispute_that_ends_later_counts_for_its_interval(rule: RatingTerms) -> None:
    """What is rated later counts as the same rule counts it, whoever rates."""
    world = World(rating=rule)
    delivered(world, 1000, 1000)
    late = traded(world, 600)
    world.settle((late, delivery(late, 0, disputed=True)))
    rate(world, BOB)
    first = Known(score(world, BOB), standing(world, BOB))
    world.settle((late, delivery(late, 0)))
    due = rated(BOB, first, 600, 0, rule, INTERVAL, 3600)
    rate(world, BOB, expected=packing.ratings_digest([due]))
    assert score(world, BOB) == due.after
    assert due.after < first.score


def test_who_is_not_the_operator_refers_nobody_under_a_taken_key(world_c: World) -> None:
    write = world_c.write(Phase.FOUND)
    refer(world_c, (BOB, V0), write=write)
    other = world_c.write(Phase.FOUND, number=world_c._batches, content=keccak(b"other"))
    with refused("keyed: written otherwise"):
        refer(world_c, (CEM, V0), write=other, sender=OPERATOR)
