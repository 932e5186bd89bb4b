"""What an audit wants of the sensors' records by the ledger alone: each fault by its name."""

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import REGION, found_local

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import Corrupt
from gridpact.ledger.audit.seen import Seen
from gridpact.ledger.audit.verdicts import check_held, check_verdicts, require_watched
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.record import Commitment, Curtailed, Meters, Record, Settlement, Verdicts
from gridpact.model.trade import Fill
from gridpact.model.watch import Hold, Released, WatchTerms, release_digest

DUTY, STRANGER = (PrivateKey.derive(bytes(32), name) for name in ("duty", "stranger"))
BEGINS, HOUR, AT = 36_000, 3600, 3
OPENS = BEGINS + AT * HOUR
BUYER, SELLER, OTHER = (bytes([n]) * 20 for n in (1, 2, 3))
FILL, SECOND = (
    Fill(REGION, AT, Tier.LOCAL, n, bytes([n]) * 32, bytes([9]) * 32, BUYER, SELLER, 801, 1, 1)
    for n in (0, 1)
)


def key(phase: Phase, part: int = 0) -> Key:
    return Key(REGION, AT, phase, part)


def chain(*records: tuple[Key, Record], watch: bool = True) -> Seen:
    """Return a chain with two committed fills, and further records."""
    found = found_local("local", Domain(5, bytes(20)))
    terms = WatchTerms("sensors", DUTY.address) if watch else WatchTerms()
    timing = replace(found.timing, begins=BEGINS, seconds=HOUR)
    founded = replace(found, watch=terms, timing=timing)
    seen = Seen("local", Suite(bytes(20)), Domain(5, bytes(20)), founded)
    seen.records[key(Phase.COMMIT)] = Commitment(fills=(FILL, SECOND))
    seen.records |= dict(records)
    return seen


def hold(fill: Fill = FILL, energy: int = 801, since: int = OPENS) -> Hold:
    return Hold(fill.hash, energy, since, "lightning", "station roof")


def said(*holds: Hold, until: int = OPENS, released: tuple[Released, ...] = ()) -> Verdicts:
    return Verdicts(until, bytes(32), 0, bytes(32), holds, released)


def judge(record: Verdicts, part: int = 1, seen: Seen | None = None) -> None:
    check_verdicts("here", key(Phase.DELIVER, part), record, seen or chain())


def test_a_hold_before_delivery_and_one_during_it_stand() -> None:
    judge(said(hold()))
    later = OPENS + 2700
    earlier = chain((key(Phase.DELIVER, 1), said(hold(SECOND))))
    judge(said(hold(energy=200, since=later), until=later), 2, earlier)


@pytest.mark.parametrize(
    ("record", "part", "words"),
    [
        (said(hold(energy=800)), 1, "not the energy that was left"),
        (said(hold(energy=600, since=OPENS + 900), until=OPENS + 900), 1, "another moment"),
        (said(hold(), until=OPENS + 900), 2, "another moment"),
        (said(hold(energy=600, since=OPENS + 900)), 2, "another moment"),
        (said(hold(replace(FILL, index=7))), 1, "no committed fill that flows"),
        (said(), 3, "part 3 of nothing"),
    ],
)
def test_a_hold_that_cannot_be_is_named(record: Verdicts, part: int, words: str) -> None:
    with pytest.raises(Corrupt, match=words):
        judge(record, part)


def test_what_is_held_is_not_held_again() -> None:
    later = OPENS + 900
    seen = chain((key(Phase.DELIVER, 1), said(hold())))
    with pytest.raises(Corrupt, match="no committed fill that flows"):
        judge(said(hold(energy=600, since=later), until=later), 2, seen)


def test_nothing_is_held_after_the_meters_nor_without_sensors() -> None:
    with pytest.raises(Corrupt, match="after the meters were read"):
        judge(said(hold()), seen=chain((key(Phase.DELIVER), Meters((), 0, 0))))
    with pytest.raises(Corrupt, match="founded without sensors"):
        judge(said(), seen=chain(watch=False))


@pytest.mark.parametrize(("signer", "good"), [(DUTY, True), (STRANGER, False)])
def test_a_release_is_the_operator_s_own_word(signer: PrivateKey, good: bool) -> None:
    digest = release_digest(Domain(5, bytes(20)), REGION, AT, FILL.hash, "crew on site")
    record = said(released=(Released(FILL.hash, "crew on site", signer.sign(digest)),))
    if good:
        judge(record)
        record = said(released=(replace(record.released[0], reason="no reason"),))
    with pytest.raises(Corrupt, match="not signed by the operator"):
        judge(record)


def test_nothing_is_delivered_without_the_sensors_word() -> None:
    both = [(key(Phase.DELIVER, n), said()) for n in (1, 2)]
    require_watched("here", key(Phase.DELIVER), chain(*both))
    require_watched("here", key(Phase.DELIVER), chain(watch=False))
    with pytest.raises(Corrupt, match="delivered without the sensors' word"):
        require_watched("here", key(Phase.DELIVER), chain(both[0]))


def settle(first: int, second: int, cut: int = 0) -> None:
    """Settle two fills with so much left out, the first of which is held by 200 Wh."""
    cuts = (Curtailed(SELLER, cut), Curtailed(OTHER, 1000))
    seen = chain(
        (key(Phase.DELIVER, 1), said(hold(energy=200))),
        (key(Phase.DELIVER), Meters((), 0, 0, curtailed=cuts)),
    )
    made = tuple(
        Delivery(fill.hash, 801 - held, 0, 0, 0, 0, held)
        for fill, held in ((FILL, first), (SECOND, second))
    )
    check_held("here", key(Phase.SETTLE), Settlement((FILL, SECOND), made, (), ()), seen)


def test_what_is_held_or_curtailed_is_left_out_and_nothing_else() -> None:
    settle(200, 0)
    settle(230, 50, cut=80)
    with pytest.raises(Corrupt, match="200 Wh are held, 199 left out"):
        settle(199, 0)
    with pytest.raises(Corrupt, match="more left out than was held or curtailed"):
        settle(200, 1)
    with pytest.raises(Corrupt, match="more left out than was held or curtailed"):
        settle(230, 51, cut=80)
