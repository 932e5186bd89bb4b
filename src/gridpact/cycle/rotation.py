"""How a period ends: households stand under other addresses from then on (5-decisions, section 18).

Before the period's first interval the new addresses apply and the old ones leave, each by its own
transaction. Then one record lets all newcomers in, with the same sum and with what is dealt out
among those alike of the reputations that were yielded, and the old addresses pay themselves out.
Who is whose successor knows the operator alone; no record and no transaction names both.

All of it happens on the region's chain: plants are known by their size and keep their names.
"""

from collections.abc import Sequence
from dataclasses import replace

from msgspec.structs import replace as with_

from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Successors
from gridpact.identity.hiding import classes
from gridpact.identity.roster import Roster
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.participant import Participant
from gridpact.model.rating import prior
from gridpact.model.record import Emptied, Heir, Inheritance, Rotation, entrance
from gridpact.quantities import Score

EMPTIED = 1
"""The part of `FOUND` that says what closed addresses paid out."""
MOST = 128
"""Addresses that one call of the reputation contract takes."""


def turned(market: Market, interval: int) -> Market:
    """Return the market as it stands in an interval: with other people where a period begins."""
    rotating = market.rotating
    if rotating is None or not interval or interval % rotating.period:
        return market
    period, households = interval // rotating.period, rotating.households
    newcomers, successors = households.newcomers(period), households.successors(period)
    key = Key(market.region.id, interval, Phase.FOUND)
    record = once(
        market.local, key, Rotation, lambda: _rotation(market, key, newcomers, successors)
    )
    households.turn(period)
    closed = rotating.closed | market.people.participants.keys()

    def emptied() -> Emptied:
        households.pay_out(sorted(closed))
        return Emptied(tuple(sorted(closed)))

    once(market.local, with_(key, part=EMPTIED), Emptied, emptied)
    banned = market.people.suspended
    heirs = (new for group in successors for old, new in group if old in banned)
    people = Roster.of(record.participants, heirs)
    return replace(market, people=people, rotating=replace(rotating, closed=closed))


def announce(market: Market, interval: int) -> None:
    """Let new addresses apply and old ones leave, when a period begins with this interval."""
    rotating = market.rotating
    if rotating is None or interval % rotating.period:
        return
    if market.local.written_at(Key(market.region.id, interval, Phase.FOUND)) is None:
        rotating.households.announce(interval // rotating.period)


def _rotation(
    market: Market, key: Key, newcomers: Sequence[Participant], successors: Successors
) -> Rotation:
    rotating, day = market.rotating, market.timing.day(key.interval)
    assert rotating is not None
    sum_ = rotating.entering
    return Rotation(
        participants=tuple(newcomers),
        entering=sum_,
        warrants=tuple(
            market.door.warrant(
                market.local, one.address, sum_, entrance(key.region, one.address), day
            )
            for one in newcomers
        ),
        inheritances=inheritances(
            successors, market.local, prior(market.rules.rating), rotating.hidden_among
        ),
    )


def inheritances(
    successors: Successors, ledger: Ledger, unrated: Score, least: int
) -> tuple[Inheritance, ...]:
    """Return how reputations are dealt out: each of a class of `least` begins with its mean.

    Nobody's own score appears again, and none is made. A class in which nobody was rated needs no
    word: its newcomers begin as everybody does.
    """
    dealt: list[tuple[list[bytes], list[Heir]]] = []
    for group in successors:
        scores = {old: ledger.score(old) for old, _ in group}
        heirs = dict(group)
        for members in classes(scores, least):
            if all(scores[one] == unrated for one in members):
                continue
            if not dealt or len(dealt[-1][0]) + len(members) > MOST:
                dealt.append(([], []))
            mean = sum(scores[one] for one in members) // len(members)
            dealt[-1][0].extend(members)
            dealt[-1][1].extend(Heir(heirs[one], mean) for one in members)
    return tuple(
        Inheritance(tuple(sorted(leaving)), tuple(sorted(heirs, key=lambda heir: heir.participant)))
        for leaving, heirs in dealt
    )
