"""What the operator's desk knows of people: standing, record of payments, and the blacklist.

One update of credibility per participant and interval (5-decisions, section 9): the desk sums what
is kept and broken within an interval first, so splitting a purchase changes nothing.
"""

import msgspec

from gridpact.cycle.purchase.store import DeskStore
from gridpact.cycle.purchase.terms import PurchaseTerms
from gridpact.errors import Blacklisted, Misplaced
from gridpact.model.purchase import PurchaseRecord
from gridpact.model.rating import Standing, decay
from gridpact.quantities import Score, Wh
from gridpact.reputation import credibility, sanctions


class _Rated(msgspec.Struct, frozen=True):
    """One rating, and the standing before it."""

    interval: int
    before: Standing
    kept: Wh
    broken: Wh


class Standings:
    """Everybody's standing by address; who was never rated has none yet.

    `banned`: since which interval somebody is on the blacklist. `records`: buyers' payments.
    """

    def __init__(self, terms: PurchaseTerms, store: DeskStore) -> None:
        self.terms = terms
        self.banned = store.shelf("banned", int)
        self.records = store.shelf("record", PurchaseRecord)
        self._now = store.shelf("standing", Standing)
        self._rated = store.shelf("rated", tuple[_Rated, ...])
        self._together = store.together
        self._decay = decay(terms.credibility.half_life_days, terms.timing.seconds)

    @property
    def blacklist(self) -> frozenset[bytes]:
        """Who may not trade."""
        return frozenset(self.banned)

    def of(self, participant: bytes, interval: int) -> Standing:
        """Return a standing as the clock has left it by an interval."""
        known = self._now.get(participant, Standing())
        points = credibility.faded(known, interval, self._decay)
        return Standing(points, max(known.interval, interval), known.kept, known.broken)

    def credit(self, participant: bytes, interval: int) -> Score:
        """Return what a participant is believed. [ppm]"""
        return self.of(participant, interval).credit

    def record(self, buyer: bytes) -> PurchaseRecord:
        """Return a buyer's record of payments; an empty one before the first."""
        return self.records.get(buyer, PurchaseRecord(buyer))

    def exposure(self, participant: bytes, interval: int) -> Wh:
        """Return how much may stand open without a deposit. [Wh]"""
        return sanctions.exposure(
            self.of(participant, interval), self._volume(participant), self.terms.credibility
        )

    def require_trusted(self, participant: bytes) -> None:
        """See that somebody is not on the blacklist.

        Raises
        ------
        Blacklisted
            It is.
        """
        if participant in self.banned:
            raise Blacklisted(participant)

    def rate(self, participant: bytes, interval: int, kept: Wh, broken: Wh) -> None:
        """Count what was kept and broken in an interval; below the floor one is blacklisted.

        Once per participant and interval, in their order. [Wh]
        """
        before = self._now.get(participant, Standing())
        rated = _Rated(interval, before, kept, broken)
        oldest = interval - self.terms.appeal
        past = (one for one in self._rated.get(participant, ()) if one.interval >= oldest)
        now, suspended = self._after(participant, rated, before)
        with self._together():
            self._rated[participant] = (*past, rated)
            self._now[participant] = now
            if suspended:
                self.banned[participant] = interval

    def revise(self, participant: bytes, interval: int, kept: Wh, broken: Wh) -> None:
        """Rate an interval otherwise, after an appeal, and all later ones anew on top of it.

        Raises
        ------
        Misplaced
            It was not rated, or a review came since.
        """
        past = list(self._rated.get(participant, ()))
        at = next((n for n, one in enumerate(past) if one.interval == interval), None)
        if at is None:
            raise Misplaced(f"rating of interval {interval}: not open to 0x{participant.hex()}")
        now, banned = past[at].before, None
        past[at] = _Rated(interval, now, kept, broken)
        for number in range(at, len(past)):
            one = past[number]
            past[number] = _Rated(one.interval, now, one.kept, one.broken)
            now, suspended = self._after(participant, past[number], now)
            banned = one.interval if suspended else banned
        with self._together():
            self._rated[participant] = tuple(past)
            self._now[participant] = now
            self.banned.pop(participant, None)
            if banned is not None:
                self.banned[participant] = banned

    def _after(self, participant: bytes, rated: _Rated, before: Standing) -> tuple[Standing, bool]:
        """Return the standing after a rating, and whether it suspends."""
        after = credibility.update(
            before,
            rated.interval,
            rated.kept,
            rated.broken,
            self._volume(participant),
            self._decay,
            self.terms.credibility,
        )
        return after, sanctions.suspended(before, after, self.terms.sanctions)

    def review(self, participant: bytes, interval: int) -> Standing:
        """Take somebody off the blacklist after a new review of the same real identity.

        Raises
        ------
        Misplaced
            It is not on it, or may not ask yet.
        """
        known = self._now.get(participant, Standing())
        if participant not in self.banned:
            raise Misplaced(f"participant 0x{participant.hex()}: not on the blacklist")
        if not sanctions.may_return(known, interval, self.terms.sanctions):
            raise Misplaced(
                f"participant 0x{participant.hex()}: may ask for a review from interval "
                f"{known.interval + self.terms.sanctions.away} on, not in {interval}"
            )
        back = sanctions.returned(known, interval)
        with self._together():
            del self.banned[participant]
            self._rated.pop(participant, None)
            self._now[participant] = back
        return back

    def _volume(self, participant: bytes) -> Wh:
        return credibility.reference(self.terms.volumes.get(participant, 0), ())
