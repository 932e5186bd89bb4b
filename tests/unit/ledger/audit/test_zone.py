"""What two chains say of one crossing: taken in or returned, never both, never neither."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import (
    COLLECTOR,
    REGION,
    ZONE,
    Round,
    found_local,
    found_zonal,
    founded,
)

from gridpact.errors import Corrupt
from gridpact.ledger.audit.seen import Seen
from gridpact.ledger.audit.zone import check_zones
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Commitment, Confirmed, Returned

SENT = Key(REGION, 0, Phase.COMMIT)
CONFIRMED = Key(REGION, 0, Phase.COMMIT, 1)
RETURNED = Key(REGION, 0, Phase.COMMIT, 2)
WORD = Key(ZONE, 0, Phase.COMMIT)
LATE = Key(ZONE, 0, Phase.COMMIT, 7)


class Told(NamedTuple):
    """One interval, and what an audit has seen of its two chains."""

    market: Round
    local: Seen
    zonal: Seen


Lie = Callable[[Told], None]


def told(refusing: bool) -> Told:
    """Run one interval of the market."""
    local, zonal = MemoryLedger("local"), MemoryLedger("zonal")
    founded(local, zonal)
    market = Round(local, zonal, refusing=refusing)
    suite = Suite(COLLECTOR.address)
    seen = {
        "local": Seen("local", suite, local.domain, found_local("local", local.currency)),
        "zonal": Seen("zonal", suite, zonal.domain, found_zonal("zonal", zonal.currency)),
    }
    for ledger, key, record in market.steps():
        there = seen[ledger.name]
        there.heads[key] = ledger.write(key, record)
        there.records[key] = record
    return Told(market, seen["local"], seen["zonal"])


def crossings(said: Told) -> None:
    """Check what the chains say of the crossing; energy is another test's question."""
    for seen in (said.local, said.zonal):
        seen.records = {key: one for key, one in seen.records.items() if key.phase <= Phase.DELIVER}
    check_zones({"local": said.local, "zonal": said.zonal})


@pytest.mark.parametrize("refusing", [False, True])
def test_either_end_passes(refusing: bool) -> None:
    crossings(told(refusing))


def _returned_too(said: Told) -> None:
    said.local.heads[RETURNED] = said.local.heads[CONFIRMED]
    said.local.records[RETURNED] = said.market.returned(said.zonal.heads[WORD].hash)


def _returned_instead(said: Told) -> None:
    _returned_too(said)
    del said.local.records[CONFIRMED]


def _refused_later(said: Told) -> None:
    said.zonal.heads[LATE] = said.zonal.heads[WORD]
    said.zonal.records[LATE] = said.market.refusal


def _never_confirmed(said: Told) -> None:
    del said.local.records[CONFIRMED]


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        (_returned_too, "taken in and returned"),
        (_returned_instead, "taken in and returned"),
        (_refused_later, "refused and taken in"),
        (_never_confirmed, "delivered before it was taken in or returned"),
    ],
)
def test_a_lie_about_money_that_was_taken_in(lie: Lie, problem: str) -> None:
    said = told(refusing=False)
    lie(said)
    with pytest.raises(Corrupt, match=problem):
        crossings(said)


def _minted_later(said: Told) -> None:
    said.zonal.heads[LATE] = said.zonal.heads[WORD]
    said.zonal.records[LATE] = said.market.taken


def _confirmed_too(said: Told) -> None:
    said.local.heads[CONFIRMED] = said.local.heads[RETURNED]
    said.local.records[CONFIRMED] = Confirmed(said.market.out, said.zonal.heads[WORD].hash)


def _never_returned(said: Told) -> None:
    del said.local.records[RETURNED]


def _returned_unrefused(said: Told) -> None:
    said.zonal.records[WORD] = Commitment(())


def _returned_more(said: Told) -> None:
    before = said.local.records[RETURNED]
    assert isinstance(before, Returned)
    more = replace(said.market.out, amount=said.market.out.amount + 1)
    said.local.records[RETURNED] = replace(before, crossing=more)


def _refused_what_never_left(said: Told) -> None:
    said.zonal.records[WORD] = replace(
        said.market.refusal, refused=replace(said.market.out, amount=1)
    )


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        (_minted_later, "taken in"),
        (_confirmed_too, "confirmed by no block"),
        (_never_returned, "delivered before it was taken in or returned"),
        (_returned_unrefused, "refused by no block"),
        (_returned_more, "refused by no block"),
        (_refused_what_never_left, "is not what left"),
    ],
)
def test_a_lie_about_money_that_was_refused(lie: Lie, problem: str) -> None:
    said = told(refusing=True)
    lie(said)
    with pytest.raises(Corrupt, match=problem):
        crossings(said)
