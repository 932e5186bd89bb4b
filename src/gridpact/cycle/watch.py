"""Sensors at work in the trading cycle: what they saw up to a moment, and which trades they hold.

A `Watch` sees event time only, so whoever has the same measurements comes to the same verdicts: the
market before it lets a trade flow, a council before it signs, an audit with the log at hand. What
is decided and written in which order, `cycle.permits` says.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak
from gridpact.model.door import Sign
from gridpact.model.record import Timing
from gridpact.model.trade import Fill
from gridpact.model.watch import STALE, Hold, WatchTerms, held_wh
from gridpact.safety.gate import gate
from gridpact.safety.sensors import Row, Sensors, Tick
from gridpact.safety.terms import QUARTER
from gridpact.safety.verdict import OK, Permit, Target

SKY = 300
"""Seconds between two rows of weather."""
BOOK_CLOSES = 1800
"""Seconds before delivery at which the market decides whose orders it takes."""


class Feed(Protocol):
    """What was measured: weather every five minutes, everything else every quarter of an hour."""

    def sky(self, time: int) -> NDArray[np.float64]:
        """Return a row of every station, (field, station); NaN for what was not heard."""
        ...

    def warned(self, time: int) -> NDArray[np.bool_]:
        """Return what each station is warned of, (level, station) (`safety.warning`)."""
        ...

    def tick(self, time: int) -> Tick: ...


@dataclass(frozen=True)
class Override:
    """The operator's decision to let trades flow against what one target's sensors say.

    `target`: "station NAME", "line NAME", "transformer NAME" or "meter NAME". From, until: event
    time. [s]
    """

    target: str
    since: int
    until: int
    reason: str


class Span(NamedTuple):
    """An interval's beginning and end. [s since 1970, UTC]"""

    begins: int
    ends: int

    @classmethod
    def of(cls, timing: Timing, interval: int) -> "Span":
        begins = timing.begins + interval * timing.seconds
        return cls(begins, begins + timing.seconds)

    @property
    def quarters(self) -> range:
        """Moments within the interval at which a permit ends and is asked for again."""
        return range((self.begins // QUARTER + 1) * QUARTER, self.ends, QUARTER)


class Sealed(NamedTuple):
    """What was seen since the last seal: verdicts and measurements under salted hashes."""

    until: int
    root: bytes
    rows: int
    log: bytes


class Go(NamedTuple):
    """A trade that may flow against a verdict, and why."""

    fill: bytes
    reason: str


@dataclass(eq=False)
class Watch:
    """The sensors of a region and what they are fed with.

    `meters` are each participant's by address, numbers of the layout; `above` is the feeder that
    each of the layout's hangs on, itself for the topmost; `salt` is the operator's
    secret without which nobody guesses what a hash hides. `now` is the last moment seen.
    """

    sensors: Sensors
    feed: Feed
    meters: Mapping[bytes, tuple[int, ...]]
    terms: WatchTerms
    salt: bytes
    now: int
    above: tuple[int, ...] = ()
    overrides: tuple[Override, ...] = ()
    sign: Sign | None = None
    seen: list[Row] = field(default_factory=list)
    _pending: list[Row] = field(default_factory=list)
    _measured: list[bytes] = field(default_factory=list)
    _blocked: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def twin(self) -> "Watch":
        """Return another that stands where this one does, with a memory of its own."""
        sensors = self.sensors.restored(self.sensors.snapshot())
        return replace(self, sensors=sensors, overrides=(), sign=None, seen=[], _pending=[],
                       _measured=[], _blocked={})  # fmt: skip

    def warm_up(self, until: int) -> None:
        """Let the sensors see clean days: what was measured then stands on no ledger."""
        self.observe(until - SKY)
        self.seal()
        self.seen.clear()

    def observe(self, until: int) -> None:
        """Let the sensors see everything up to a moment, that moment included."""
        while self.now + SKY <= until:
            self.now += SKY
            sky, warned = self.feed.sky(self.now), self.feed.warned(self.now)
            rows = self.sensors.weather(self.now, sky, warned)
            self._measured += [_bytes(sky), warned.tobytes()]
            if self.now % QUARTER == 0:
                tick = self.feed.tick(self.now)
                rows += self.sensors.tick(tick)
                parts = (tick.power, tick.area, tick.current, tick.load, tick.oil, tick.extra)
                self._measured += [_bytes(one) for one in parts]
                self._note()
            self.seen += rows
            self._pending += rows

    def seal(self) -> Sealed:
        """Return the hashes of what was seen since the last call."""
        salt = keccak(self.salt + self.now.to_bytes(8, "big"))
        leaves = [keccak(salt + n.to_bytes(4, "big")) + _said(row)
                  for n, row in enumerate(self._pending)]  # fmt: skip
        sealed = Sealed(
            self.now, merkle.root(leaves), len(leaves), keccak(salt + b"".join(self._measured))
        )
        self._pending, self._measured = [], []
        return sealed

    def permit(self, fill: Fill) -> Permit:
        """Return whether a trade may flow now, by all meters of both parties."""
        parties = (*self.meters[fill.seller], *self.meters[fill.buyer])
        return gate(self.sensors, fill.hash.hex(), self.now, parties, self._along(parties))

    def _along(self, meters: Sequence[int]) -> tuple[int, ...]:
        """Return the feeders that lie between those of some meters, the one above all included."""
        own = set(self.sensors.learned.layout.meter_feeder[list(meters)].tolist())
        if len(own) < 2 or not self.above:
            return ()
        ways = [self._upwards(feeder) for feeder in sorted(own)]
        common = set.intersection(*map(set, ways))
        top = next(feeder for feeder in ways[0] if feeder in common)
        between = {feeder for way in ways for feeder in way[: way.index(top) + 1]}
        return tuple(sorted(between - own))

    def _upwards(self, feeder: int) -> list[int]:
        way = [feeder]
        while self.above[way[-1]] != way[-1]:
            way.append(self.above[way[-1]])
        return way

    def released(self, permit: Permit) -> str | None:
        """Return why the operator lets a trade flow against its permit; None if it does not."""
        why = []
        for label in labels(permit):
            known = [one.reason for one in self.overrides
                     if one.target == label and one.since <= permit.time < one.until]  # fmt: skip
            if not known:
                return None
            why.append(known[0])
        return "; ".join(dict.fromkeys(why))

    def blocked(self, by: int) -> frozenset[bytes]:
        """Return the participants whose own meters were not believed at a moment already seen."""
        known = [time for time in self._blocked if time <= by]
        bad = set(self._blocked[max(known)]) if known else set()
        return frozenset(who for who, meters in self.meters.items() if bad & set(meters))

    def _note(self) -> None:
        state, terms = self.sensors.state, self.sensors.terms
        again = (state.bouts >= terms.bouts) & (self.now <= state.until)
        bad = (state.code != OK) | (state.share != 0) | again
        self._blocked[self.now] = tuple(np.flatnonzero(bad).tolist())
        for old in [time for time in self._blocked if time < self.now - 4 * BOOK_CLOSES]:
            del self._blocked[old]


def decide(
    watch: Watch,
    fills: Sequence[Fill],
    span: Span,
    moments: Sequence[int],
    allow: Callable[[Fill, Permit], str | None],
) -> tuple[tuple[Hold, ...], tuple[Go, ...]]:
    """Return which trades stop at one of some moments, and which are let flow all the same.

    What stops, stops for the rest of its interval: nobody knows beforehand how long a hazard lasts.
    """
    flowing, holds, gone = list(fills), list[Hold](), dict[bytes, Go]()
    for moment in moments:
        watch.observe(moment)
        still = []
        for fill in flowing:
            permit = watch.permit(fill)
            reason = None if permit.allowed else allow(fill, permit)
            if permit.allowed or reason is not None:
                still.append(fill)
            if reason is not None:
                gone.setdefault(fill.hash, Go(fill.hash, reason))
            energy = held_wh(fill.energy_wh, *span, moment)
            if not permit.allowed and reason is None and energy:
                holds.append(Hold(fill.hash, energy, moment, *_cause(permit)))
        flowing = still
    return tuple(holds), tuple(gone.values())


def labels(permit: Permit) -> Iterator[str]:
    """Yield what blocks a trade: the kind of the target and its name."""
    for verdict in permit.blocking:
        yield f"{verdict.target.value} {verdict.name}"
    yield from permit.stale


def _cause(permit: Permit) -> tuple[str, str]:
    """Return the class of the first thing that blocks, and its target without a meter's name."""
    for verdict in permit.blocking:
        public = verdict.target is not Target.METER
        what = f"{verdict.target.value} {verdict.name}" if public else verdict.target.value
        return "" if verdict.hazard is None else verdict.hazard.value, what
    return STALE, permit.stale[0]


def _said(row: Row) -> bytes:
    target, hazard = row.target.value, row.hazard.value
    said = f"{row.time} {target} {row.name} {hazard} {row.score:.6g}"
    return f"{said}{' warned' if row.warned else ''}".encode()


def _bytes(values: NDArray[np.floating]) -> bytes:
    """Return numbers as bytes, the same on every machine; one form of what is missing."""
    plain = np.where(np.isfinite(values), values, np.nan) + 0.0
    return plain.astype("<f8").tobytes()
