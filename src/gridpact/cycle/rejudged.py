"""What somebody with the same measurements finds out about holds: did the sensors say so?

A council asks before it signs a hold, an audit with the log at hand asks of every interval. The
sensors see time once and in order, so what they decided of an interval is kept until it is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from gridpact.crypto.recovery import signed_by
from gridpact.cycle.permits import (
    DURING,
    OPENING,
    Decided,
    committed,
    decided,
    flowing,
    held,
    recorded,
    zonal_names,
)
from gridpact.cycle.result import Reads, read
from gridpact.cycle.watch import Span, Watch
from gridpact.errors import SettlementError
from gridpact.model.council import Word
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Found, Verdicts
from gridpact.model.trade import Fill
from gridpact.quantities import Wh
from gridpact.safety.verdict import Permit


class _Place(NamedTuple):
    ledger: Reads
    region: bytes


class _Made(NamedTuple):
    """A decision, and for which releases it was made."""

    reasons: Mapping[bytes, str]
    decided: Decided


@dataclass
class Rejudged:
    """The sensors' decisions once more, on a region's chain and its zone's."""

    watch: Watch
    local: _Place
    zonal: _Place
    _made: dict[tuple[int, int], _Made] = field(default_factory=dict)

    @classmethod
    def of(
        cls, watch: Watch, local: Reads, zonal: Reads, places: tuple[bytes, bytes]
    ) -> "Rejudged":
        """Return one that has decided nothing yet; `places` are region and zone."""
        return cls(watch, _Place(local, places[0]), _Place(zonal, places[1]))

    def held(self, interval: int) -> dict[bytes, Wh]:
        """Return what is held in an interval, once the same measurements gave the same verdicts.

        Raises
        ------
        SettlementError
            A ledger says otherwise, or the operator signed no release that it names.
        """
        said = []
        for part in (OPENING, DURING):
            said.append(self._stated(self.local, interval, part))
            for place, stated in (
                (self.local, said[-1]),
                (self.zonal, self._stated(self.zonal, interval, part)),
            ):
                self.require(Key(place.region, interval, Phase.DELIVER, part), stated)
        return held(said)

    def require(self, key: Key, stated: Verdicts) -> None:
        """Refuse a record of the sensors' word that is not theirs; its council's word is not read.

        Raises
        ------
        SettlementError
            They say otherwise, or the operator signed no release that it names.
        """
        place = self.local if key.region == self.local.region else self.zonal
        for one in stated.released:
            digest = one.digest(place.ledger.domain, key.region, key.interval)
            if not signed_by(self.watch.terms.operator, digest, one.signature):
                raise SettlementError(f"release of {one.fill.hex()}: not the operator's word")
        here = stated
        if place is self.zonal:
            here = self._stated(self.local, key.interval, key.part)
        made = self._decided(key.interval, key.part, here)
        known = {one.fill: one.signature for one in stated.released}
        due = recorded(made, self._names(place, key.interval), lambda fill, _: known.get(fill, b""))
        if replace(stated, word=Word()) != due:
            raise SettlementError(f"interval {key.interval}: sensors say {due}, {stated} is stated")

    def _decided(self, interval: int, part: int, here: Verdicts) -> Decided:
        """Return what comes of one part, given what the region's record of it releases."""
        reasons = {one.fill: one.reason for one in here.released}
        first = self._made.get((interval, part))
        if first is None:
            before = self._opened(interval) if part == DURING else ()
            fills = flowing(self._fills(interval), before)
            span = self._span(interval)
            moments = [span.begins] if part == OPENING else list(span.quarters)
            made = decided(self.watch, span, fills, moments, partial(_as_recorded, reasons))
            self._made = {at: one for at, one in self._made.items() if at[0] == interval}
            first = self._made[interval, part] = _Made(reasons, made)
        if first.reasons != reasons:
            raise SettlementError(f"interval {interval}: other trades were let flow before")
        return first.decided

    def _opened(self, interval: int) -> tuple[Verdicts, ...]:
        """Return what was held before delivery began."""
        stated = self._stated(self.local, interval, OPENING)
        self.require(Key(self.local.region, interval, Phase.DELIVER, OPENING), stated)
        return (stated,)

    def _stated(self, place: _Place, interval: int, part: int) -> Verdicts:
        return read(place.ledger, place.region, interval, Phase.DELIVER, Verdicts, part)

    def _span(self, interval: int) -> Span:
        found = read(self.local.ledger, self.local.region, 0, Phase.FOUND, Found)
        return Span.of(found.timing, interval)

    def _fills(self, interval: int) -> tuple[Fill, ...]:
        (local, region), (zonal, zone) = self.local, self.zonal
        return committed(local, zonal, region, zone, interval)

    def _names(self, place: _Place, interval: int) -> dict[bytes, bytes]:
        """Return the names on a chain of the participants' own fills."""
        fills = self._fills(interval)
        if place is self.local:
            return {fill.hash: fill.hash for fill in fills}
        return zonal_names(place.ledger, place.region, interval, fills)


def _as_recorded(reasons: Mapping[bytes, str], fill: Fill, _permit: Permit) -> str | None:
    return reasons.get(fill.hash)
