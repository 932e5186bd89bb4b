"""How everybody who traded in an interval is rated by the meters, and appeals against it."""

from collections.abc import Mapping

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.recovery import signed_by
from gridpact.cycle.purchase.standing import Standings
from gridpact.cycle.purchase.store import DeskStore, Shelf
from gridpact.cycle.purchase.tally import Tally, judged
from gridpact.errors import ForgedSignature, Misplaced, Misstated
from gridpact.model.delivery import Metered, Profile


class Ratings:
    """What is to be rated, by interval, and what was rated and may be appealed against."""

    def __init__(self, standings: Standings, store: DeskStore) -> None:
        self.standings = standings
        self._open = store.shelf("open tally", Tally)
        self._rated = store.shelf("rated tally", Tally)
        self._together = store.together

    def note(self, participant: bytes, interval: int, more: Tally) -> None:
        """Add to what a participant did in an interval."""
        key = _key(interval, participant)
        self._open[key] = self._open.get(key, Tally()).plus(more)

    def traders(self, interval: int) -> list[bytes]:
        """Return who traded in an interval, rated or not yet, in order of address."""
        return sorted({*_of(self._open, interval), *_of(self._rated, interval)})

    def rate(self, interval: int, readings: Mapping[bytes, Metered]) -> None:
        """Rate everybody who traded in an interval, once.

        Raises
        ------
        Misplaced
            A meter of somebody who traded is missing.
        """
        terms, tallies = self.standings.terms, _of(self._open, interval)
        for participant in tallies:
            if participant not in readings:
                name = participant.hex()
                raise Misplaced(f"rating of interval {interval}: no reading of 0x{name}")
        with self._together():
            for participant, tally in tallies.items():
                key = _key(interval, participant)
                del self._open[key]
                self._rated[key] = tally
                kept, broken = judged(tally, readings[participant], terms.credibility)
                self.standings.rate(participant, interval, kept, broken)
            self._rated.drop_below(_key(max(0, interval - terms.appeal), b""))

    def appeal(
        self,
        sender: bytes,
        profile: Profile,
        signature: bytes,
        meter_key: bytes,
        domain: Domain,
        now: int,
    ) -> None:
        """Rate one interval of a participant anew, by what its meter signed of it.

        Raises
        ------
        Misplaced
            Nothing was rated in that interval, too long ago, or a review came since.
        Misstated, ForgedSignature
            The word is of another meter, region or interval, or its key did not sign.
        """
        terms, interval = self.standings.terms, profile.interval
        tally = self._rated.get(_key(interval, sender))
        if tally is None or terms.interval(now) > interval + terms.appeal:
            raise Misplaced(
                f"appeal: no rating of interval {interval} is open to 0x{sender.hex()}; "
                f"expected one of the last {terms.appeal} intervals"
            )
        for what, said, known in (
            ("meter of the appeal", profile.meter, sender),
            ("region of the appeal", profile.region, terms.region),
        ):
            if said != known:
                raise Misstated(what, said, known)
        if not signed_by(meter_key, profile.digest(domain), signature):
            raise ForgedSignature(meter_key, None, "reading of the appeal")
        taken = profile.import_wh - profile.import_before
        sent = profile.export_wh - profile.export_before
        if taken < 0 or sent < 0:
            raise Misstated("registers of the appeal", (taken, sent), "none that ran backwards")
        kept, broken = judged(tally, Metered(sender, taken, sent), terms.credibility)
        self.standings.revise(sender, interval, kept, broken)


def _key(interval: int, participant: bytes) -> bytes:
    return interval.to_bytes(8, "big") + participant


def _of(shelf: Shelf[Tally], interval: int) -> dict[bytes, Tally]:
    """Return an interval's tallies by participant, in order of address."""
    prefix = _key(interval, b"")
    return {key[8:]: shelf[key] for key in shelf if key.startswith(prefix)}
