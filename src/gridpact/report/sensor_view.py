"""What sensors did with a day's trades: episodes that they saw, trades that they held, for whom."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gridpact.assembly.day import DayResult
from gridpact.cycle.result import IntervalResult
from gridpact.cycle.watch import SKY
from gridpact.model.order import Code
from gridpact.quantities import Money, Wh
from gridpact.report.trades import of_interval
from gridpact.safety.sensors import Row
from gridpact.safety.terms import QUARTER
from gridpact.safety.verdict import Target, reason


@dataclass(frozen=True)
class Episode:
    """One target that was not ok without a gap. From, until: hours of the day."""

    target: str
    hazard: str
    means: str
    since: float
    until: float


@dataclass(frozen=True)
class Warned:
    """What the weather service warned of. From, until: hours of the day."""

    station: str
    hazard: str
    since: float
    until: float


@dataclass(frozen=True)
class Stop:
    """Trades of one interval that stopped for one cause; `since` in hours of the day."""

    interval: int
    since: float
    cause: str
    target: str
    trades: int
    held_wh: Wh
    refunded: Money


@dataclass(frozen=True)
class Go:
    """Trades of one interval that the operator let flow against a verdict."""

    interval: int
    reason: str
    trades: int


@dataclass(frozen=True)
class Alert:
    """Who is told: so many of its trades were held, or its orders refused, for these causes."""

    name: str
    trades: int
    held_wh: Wh
    refused: int
    causes: str


@dataclass(frozen=True)
class SensorView:
    """What the report shows. `records` counts the sensors' records on the local chain."""

    episodes: tuple[Episode, ...]
    warnings: tuple[Warned, ...]
    stops: tuple[Stop, ...]
    released: tuple[Go, ...]
    alerts: tuple[Alert, ...]
    records: int

    @property
    def trades(self) -> int:
        return sum(one.trades for one in self.stops)

    @property
    def held_wh(self) -> Wh:
        return sum(one.held_wh for one in self.stops)


def sensor_view(day: DayResult) -> SensorView | None:
    """Return what sensors did; None where nobody watched."""
    if day.scenario.sensors is None:
        return None
    return SensorView(
        episodes=episodes(day.sensed, day.begins),
        warnings=tuple(
            Warned(day.scenario.sensors.station, one.kind.value, one.when.since, one.when.until)
            for one in day.scenario.sensors.warnings
        ),
        stops=tuple(stop for result in day.intervals for stop in _stops(day, result)),
        released=tuple(go for result in day.intervals for go in _released(result)),
        alerts=_alerts(day),
        records=sum(len(result.verdicts) for result in day.intervals),
    )


def episodes(rows: Sequence[Row], begins: int) -> tuple[Episode, ...]:
    """Return verdicts of one target and class as episodes, in order of time."""
    found: list[list[Row]] = []
    open_: dict[tuple[Target, str, str], list[Row]] = {}
    for row in rows:
        key, step = (row.target, row.name, row.hazard.value), _step(row)
        run = open_.get(key)
        if run is None or row.time > run[-1].time + step:
            run = open_[key] = []
            found.append(run)
        run.append(row)
    return tuple(
        Episode(
            f"{run[0].target.value} {run[0].name}",
            run[0].hazard.value,
            reason(run[0].hazard, all(one.warned for one in run)),
            (run[0].time - begins) / 3600,
            (run[-1].time + _step(run[-1]) - begins) / 3600,
        )
        for run in found
    )


def _step(row: Row) -> int:
    return SKY if row.target is Target.STATION else QUARTER


def _stops(day: DayResult, result: IntervalResult) -> list[Stop]:
    own = [fill.hash for fill in result.cleared.fills]
    trades = dict(zip(own, of_interval(result), strict=True))
    sums: dict[tuple[int, str, str], Counter[str]] = {}
    for hold in (hold for one in result.verdicts for hold in one.holds):
        row = sums.setdefault((hold.since, hold.cause, hold.target), Counter())
        refund = trades[hold.fill].settled.statement.refund
        row.update(trades=1, held=hold.energy_wh, refunded=refund)
    return [
        Stop(result.interval, (since - day.begins) / 3600, cause, target, row["trades"],
             row["held"], row["refunded"])
        for (since, cause, target), row in sums.items()
    ]  # fmt: skip


def _released(result: IntervalResult) -> list[Go]:
    let = {one.fill: one.reason for said in result.verdicts for one in said.released}
    return [Go(result.interval, reason, n) for reason, n in Counter(let.values()).items()]


def _alerts(day: DayResult) -> tuple[Alert, ...]:
    """Return the users concerned, those with most held energy first."""
    trades, energy, refused = Counter[bytes](), Counter[bytes](), Counter[bytes]()
    causes: dict[bytes, dict[str, None]] = {}
    for result in day.intervals:
        fills = {fill.hash: fill for fill in result.cleared.fills}
        for hold in (hold for one in result.verdicts for hold in one.holds):
            fill = fills[hold.fill]
            for who in (fill.buyer, fill.seller):
                trades[who] += 1
                energy[who] += hold.energy_wh
                causes.setdefault(who, {})[f"{hold.cause} ({hold.target})"] = None
        for one in (*result.book.refusals, *result.plant_book.refusals):
            if one.code is Code.SENSOR:
                refused[one.participant] += 1
                causes.setdefault(one.participant, {})["its own meter"] = None
    order = sorted(causes, key=lambda who: (-energy[who], day.names[who]))
    return tuple(
        Alert(day.names[who], trades[who], energy[who], refused[who], ", ".join(causes[who]))
        for who in order
    )
