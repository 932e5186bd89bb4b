"""Paper D's energy requests in a running market: who asks which neighbour, and what batteries do.

`request.advance` is the rule; here it meets devices and the market ([Zeng23] section 3;
5-decisions, section 12). Before each interval it runs on forecasts: who expects a surplus stores
it, who expects a need takes it from its own battery and asks donors for the rest. What follows is
each battery's plan, from which the orders follow, and the donor that a bid prefers. The market then
decides who sells; `settled` corrects the plan: a donor keeps what it did not sell.

Nobody is in the dark: what no neighbour and no plant sold, grid supply delivers. Such a rest waits
in the pool of those who have a battery, is asked again while there is room, now to be stored, and
is stored only if somebody sold it. It expires after the rule's patience.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gridpact.prosumer.request import Pending, State, Step, Terms, What, advance
from gridpact.quantities import Wh


@dataclass(frozen=True)
class RequestSettings:
    """rule: a name of `prosumer.request.RULES`; patience: intervals for which a rest waits."""

    rule: str
    patience: int = 3


@dataclass(frozen=True)
class Asked:
    """One interval as the rule plans it, by site. [Wh]

    need: what fresh requests leave after the own battery; restock: what is asked again to be
    stored; donated: what donors give; battery: net charge; partner: the donor that gives most.
    """

    interval: int
    need: Mapping[int, Wh]
    restock: Mapping[int, Wh]
    donated: Mapping[int, Wh]
    spilled: Mapping[int, Wh]
    battery: Mapping[int, Wh]
    partner: Mapping[int, int]
    fresh: Mapping[int, int] = field(default_factory=dict)


@dataclass
class Neighbourhood:
    """The pool over the intervals, and every step on record. `terms.limit_wh`: of the batteries."""

    terms: Terms
    pool: tuple[Pending, ...] = ()
    asked: int = 0
    steps: list[Step] = field(default_factory=list)

    def ask(
        self,
        interval: int,
        net: Mapping[int, Wh],
        reserve: Mapping[int, Wh],
        room: Mapping[int, Wh],
    ) -> Asked:
        """Return who asks whom in an interval.

        Parameters
        ----------
        net
            Each site's expected need, below 0 a surplus. [Wh]
        reserve, room
            What each battery can give, and take, within the interval. [Wh]
        """
        given = {who: -energy for who, energy in net.items() if energy < 0}
        wanted = {who: energy for who, energy in net.items() if energy > 0}
        left = {who: max(0, room[who] - given.get(who, 0)) for who in net}
        tried = list[Pending]()
        for one in self.pool:
            energy = min(one.energy_wh, left[one.participant])
            left[one.participant] -= energy
            tried += [one._replace(energy_wh=energy)] if energy else []
        sites = range(len(self.terms.limit_wh))
        terms = replace(
            self.terms,
            limit_wh=tuple(reserve[who] + room[who] for who in sites),
            again_from_own=False,
        )
        state = State(tuple(reserve[who] for who in sites), tuple(tried), self.asked)
        after, steps = advance(state, interval, given, wanted, terms)
        self.asked = after.asked
        self.steps += [step for step in steps if step.what not in (What.POOLED, What.EXPIRED)]
        return _asked(interval, wanted, tried, steps)

    def settled(
        self, asked: Asked, bought: Mapping[int, Wh], sold: Mapping[int, Wh]
    ) -> dict[int, Wh]:
        """Return each battery's net charge after the market, and let what is left wait. [Wh]

        `bought` and `sold` are what each site's orders came to. What is bought serves the need
        first, then what waits, in order of arrival.
        """
        battery = dict(asked.battery)
        spare = {who: max(0, energy - asked.need.get(who, 0)) for who, energy in bought.items()}
        for who, energy in asked.restock.items():
            battery[who] -= energy - min(energy, spare.get(who, 0))
        for who, energy in asked.donated.items():
            unsold = energy + asked.spilled.get(who, 0) - sold.get(who, 0)
            battery[who] += min(energy, max(0, unsold))
        self.pool = (*self._waiting(asked, spare), *self._fresh(asked, bought))
        return battery

    def _waiting(self, asked: Asked, spare: dict[int, Wh]) -> list[Pending]:
        """Return what of the pool still waits."""
        kept = list[Pending]()
        for one in self.pool:
            taken = min(one.energy_wh, spare.get(one.participant, 0))
            if taken:
                spare[one.participant] -= taken
                self._note(asked.interval, What.TAKEN, one, taken)
            kept += self._pooled(asked.interval, one, one.energy_wh - taken)
        return kept

    def _fresh(self, asked: Asked, bought: Mapping[int, Wh]) -> list[Pending]:
        """Return what fresh requests leave to the pool; without a battery nothing can wait."""
        kept = list[Pending]()
        for who, energy in asked.need.items():
            taken = min(energy, bought.get(who, 0))
            one = Pending(asked.fresh[who], who, energy - taken, asked.interval)
            if taken:
                self._note(asked.interval, What.TAKEN, one, taken)
            kept += self._pooled(asked.interval, one, one.energy_wh)
        return kept

    def _pooled(self, interval: int, one: Pending, rest: Wh) -> list[Pending]:
        if not rest:
            return []
        patient = interval - one.since < self.terms.patience
        waits = patient and self.terms.limit_wh[one.participant] > 0
        self._note(interval, What.POOLED if waits else What.EXPIRED, one, rest)
        return [one._replace(energy_wh=rest)] if waits else []

    def _note(self, interval: int, what: What, one: Pending, energy: Wh) -> None:
        self.steps.append(Step(interval, what, one.participant, energy, one.request))


def _asked(
    interval: int, wanted: Mapping[int, Wh], tried: list[Pending], steps: tuple[Step, ...]
) -> Asked:
    sums = {what: Counter[int]() for what in What}
    gives, fresh = dict[int, Counter[int]](), dict[int, int]()
    for step in steps:
        sums[step.what][step.participant] += step.energy_wh
        if step.what is What.ASKED:
            fresh[step.participant] = step.request
        if step.what is What.DONATED:
            gives.setdefault(step.participant, Counter())[step.donor] += step.energy_wh
    donated, restock = Counter[int](), Counter[int]()
    for by_donor in gives.values():
        donated.update(by_donor)
    for one in tried:
        restock[one.participant] += one.energy_wh
    battery = Counter(sums[What.STORED])
    battery.update(restock)
    battery.subtract(donated)
    battery.subtract(sums[What.OWN])
    need = {who: energy - sums[What.OWN][who] for who, energy in wanted.items()}
    partner = {
        who: min(by_donor, key=lambda donor: (-by_donor[donor], donor))
        for who, by_donor in gives.items()
    }
    return Asked(interval, need, restock, donated, sums[What.SPILLED], battery, partner, fresh)
