"""Whom does it concern, what is wrong, since when and until when? One alert per episode.

Verdicts come every few minutes; a user wants to hear once. Rows of one target with less than a
pause between them are one episode, whatever class they had: the last one is what is known best. A
meter's episode concerns its own user, that of a line, a transformer or a station everybody behind.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gridpact.safety.layout import Layout
from gridpact.safety.sensors import Row
from gridpact.safety.verdict import Hazard, Target, reason

PAUSE = 3 * 3600
"""Seconds without a bad reading that end an episode."""


@dataclass(frozen=True)
class Alert:
    """One episode of a target. `until`: its last bad reading; None while it runs. [s]

    `concerns` names the meters whose users must hear of it. `warned`: no instrument ever said so.
    """

    target: Target
    name: str
    hazard: Hazard
    since: int
    until: int | None
    score: float
    concerns: tuple[str, ...]
    warned: bool = False

    @property
    def reason(self) -> str:
        """Say in words what is wrong."""
        return reason(self.hazard, self.warned)


def alerts(rows: Iterable[Row], layout: Layout, now: int, pause: int = PAUSE) -> tuple[Alert, ...]:
    """Return the alerts that rows, in order of time, make up to `now`, by their beginning."""
    episodes: dict[tuple[Target, str], list[list[Row]]] = {}
    for row in rows:
        mine = episodes.setdefault((row.target, row.name), [])
        if not mine or row.time - mine[-1][-1].time > pause:
            mine.append([])
        mine[-1].append(row)
    found = [_alert(one, layout, now - pause) for mine in episodes.values() for one in mine]
    return tuple(sorted(found, key=lambda one: (one.since, one.target, one.name)))


def _alert(episode: list[Row], layout: Layout, running: int) -> Alert:
    first, last = episode[0], episode[-1]
    seen = [one for one in episode if not one.warned]
    return Alert(
        target=first.target,
        name=first.name,
        hazard=(seen or episode)[-1].hazard,
        since=first.time,
        until=None if last.time >= running else last.time,
        score=max(one.score for one in episode),
        concerns=concerned(layout, first.target, first.name),
        warned=not seen,
    )


def concerned(layout: Layout, target: Target, name: str) -> tuple[str, ...]:
    """Return the meters that a target's trouble concerns: its own, or all that hang on it."""
    match target:
        case Target.METER:
            return (name,)
        case Target.STATION:
            behind = layout.meter_station == layout.stations.index(name)
        case Target.LINE:
            behind = layout.meter_feeder == layout.line_feeder[layout.lines.index(name)]
        case Target.TRANSFORMER:
            place = layout.transformers.index(name)
            behind = layout.meter_feeder == layout.transformer_feeder[place]
    return tuple(layout.meters[at] for at in np.flatnonzero(behind).tolist())
