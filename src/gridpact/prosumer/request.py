"""Energy requests between neighbours with storage: paper D's node model ([Zeng23] section 3).

In each interval a participant (the paper's node) either generates into its storage or requests
energy. A request is served from the participant's own storage first, then by donors: those that
generate in this interval and have energy stored. `cost_aware` drains the nearest donors one after
the other; `storage_aware` takes the nearest donor that has all that is missing, or nobody. What is
left waits in a pool, is tried again in the order of arrival, and expires. Every step is on record.

Where the paper compares a request with the storage's limit, what counts here is the energy stored
(5-decisions, section 12).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from gridpact.errors import FieldError
from gridpact.quantities import MAX_ENERGY, Money, Price, Wh, amount


class What(StrEnum):
    """What a step was. In a running market a request is TAKEN by whoever sells to it."""

    STORED = "stored"
    SPILLED = "spilled"
    ASKED = "asked"
    OWN = "own"
    DONATED = "donated"
    TAKEN = "taken"
    POOLED = "pooled"
    EXPIRED = "expired"


class Step(NamedTuple):
    """One step, on record. `request` is -1 and `donor` is -1 where there is none."""

    interval: int
    what: What
    participant: int
    energy_wh: Wh
    request: int = -1
    donor: int = -1
    cost: Money = 0


class Pending(NamedTuple):
    """A request that is not served yet, or the rest of one."""

    request: int
    participant: int
    energy_wh: Wh
    since: int


@dataclass(frozen=True)
class State:
    """What lasts from interval to interval: stored energy, the pool, and how many asked so far."""

    stored_wh: tuple[Wh, ...]
    pool: tuple[Pending, ...] = ()
    asked: int = 0


Donors: TypeAlias = Sequence[tuple[int, Wh]]
"""Possible donors with what they have stored, the nearest first."""
Rule: TypeAlias = Callable[[Wh, Donors], list[tuple[int, Wh]]]
"""Of what is missing and who could give: (donor, energy) of each that gives."""


def cost_aware(missing: Wh, donors: Donors) -> list[tuple[int, Wh]]:
    """Return what the nearest donors give, each all it has until nothing is missing."""
    given = list[tuple[int, Wh]]()
    for donor, stored in donors:
        if missing <= 0:
            break
        energy = min(missing, stored)
        given.append((donor, energy))
        missing -= energy
    return given


def storage_aware(missing: Wh, donors: Donors) -> list[tuple[int, Wh]]:
    """Return the nearest donor that can give all that is missing; nobody gives a part."""
    for donor, stored in donors:
        if stored >= missing:
            return [(donor, missing)]
    return []


RULES: Mapping[str, Rule] = {"cost_aware": cost_aware, "storage_aware": storage_aware}


@dataclass(frozen=True)
class Terms:
    """The neighbourhood and its rules.

    limit_wh: how much each storage holds. [Wh]
    distance: between any two, whole units of length; row: who asks, column: who gives.
    base, transport: C_b [micro-units per kWh] and C_t [micro-units per unit of length]: what a
    donation costs is C_b times its energy plus C_t times its distance.
    patience: intervals after its own in which a request is tried again.
    again_from_own: a request that waited is served from its own storage, too; off where grid supply
    has served it meanwhile and it is asked again only to be stored.
    """

    limit_wh: tuple[Wh, ...]
    distance: tuple[tuple[int, ...], ...]
    rule: Rule = cost_aware
    base: Price = 0
    transport: Money = 0
    patience: int = 3
    again_from_own: bool = True

    def __post_init__(self) -> None:
        size = len(self.limit_wh)
        if len(self.distance) != size or any(len(row) != size for row in self.distance):
            raise FieldError("distance", f"expected {size} rows of {size}: one a participant")
        _amounts("limit_wh", self.limit_wh)
        for number, row in enumerate(self.distance):
            _amounts(f"distance[{number}]", row)
        _amounts("base, transport, patience", (self.base, self.transport, self.patience))


def _amounts(name: str, values: Sequence[int]) -> None:
    for place, value in enumerate(values):
        if not 0 <= value <= MAX_ENERGY:
            raise FieldError(f"{name}[{place}]", f"is {value}, not within 0 and {MAX_ENERGY}")


def advance(
    state: State,
    interval: int,
    generated: Mapping[int, Wh],
    wanted: Mapping[int, Wh],
    terms: Terms,
) -> tuple[State, tuple[Step, ...]]:
    """Return the state after an interval, and every step of it in order.

    Generators store first; then the pool is tried in the order of arrival, then the new requests in
    the order of participants.

    Parameters
    ----------
    generated, wanted
        Energy by participant: who is in `generated` does not request (the paper's D = 0), who is in
        `wanted` does (D = 1). [Wh]

    Raises
    ------
    FieldError
        Somebody does both, is not known, or an energy is no amount.
    """
    _check(state, generated, wanted)
    now = _Now(list(state.stored_wh), frozenset(generated), interval, terms)
    for who, energy in sorted(generated.items()):
        now.store(who, energy)
    fresh = list[Pending]()
    for who, energy in sorted(one for one in wanted.items() if one[1]):
        fresh.append(Pending(state.asked + len(fresh), who, energy, interval))
    pool = list[Pending]()
    for one in (*state.pool, *fresh):
        if one.since == interval:
            now.steps.append(
                Step(interval, What.ASKED, one.participant, one.energy_wh, one.request)
            )
        if rest := now.serve(one):
            waits = interval - one.since < terms.patience
            what = What.POOLED if waits else What.EXPIRED
            now.steps.append(Step(interval, what, one.participant, rest, one.request))
            if waits:
                pool.append(one._replace(energy_wh=rest))
    after = State(tuple(now.stored), tuple(pool), state.asked + len(fresh))
    return after, tuple(now.steps)


@dataclass
class _Now:
    """An interval under way."""

    stored: list[Wh]
    generators: frozenset[int]
    interval: int
    terms: Terms
    steps: list[Step] = field(default_factory=list)

    def store(self, who: int, energy: Wh) -> None:
        """E_s = min(E_s + G, E_limit)."""
        kept = min(energy, self.terms.limit_wh[who] - self.stored[who])
        self.stored[who] += kept
        for what, much in ((What.STORED, kept), (What.SPILLED, energy - kept)):
            if much:
                self.steps.append(Step(self.interval, what, who, much))

    def serve(self, one: Pending) -> Wh:
        """Serve what can be served; return the rest. [Wh]"""
        who = one.participant
        own = min(one.energy_wh, self.stored[who])
        if one.since != self.interval and not self.terms.again_from_own:
            own = 0
        if own:
            self.stored[who] -= own
            self.steps.append(Step(self.interval, What.OWN, who, own, one.request))
        rest = one.energy_wh - own
        if not rest:
            return 0
        for donor, energy in self.terms.rule(rest, self.donors(who)):
            self.stored[donor] -= energy
            rest -= energy
            cost = amount(self.terms.base, energy)
            cost += self.terms.transport * self.terms.distance[who][donor]
            step = Step(self.interval, What.DONATED, who, energy, one.request, donor, cost)
            self.steps.append(step)
        return rest

    def donors(self, who: int) -> Donors:
        """Return who could give, by distance, then the fuller storage, then number."""
        able = (one for one in self.generators if one != who and self.stored[one] > 0)
        distance = self.terms.distance[who]
        ranked = sorted(able, key=lambda one: (distance[one], -self.stored[one], one))
        return [(one, self.stored[one]) for one in ranked]


def _check(state: State, generated: Mapping[int, Wh], wanted: Mapping[int, Wh]) -> None:
    for name, given in (("generated", generated), ("wanted", wanted)):
        for who, energy in given.items():
            if not 0 <= who < len(state.stored_wh):
                raise FieldError(f"{name}[{who}]", "is no participant")
            _amounts(f"{name}[{who}]", (energy,))
    if both := set(generated) & set(wanted):
        raise FieldError(f"wanted[{min(both)}]", "generates in this interval and cannot request")
