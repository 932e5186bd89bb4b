"""The table [sensors]: which sensors watch the market, and what befalls them in this scenario.

Without the table nobody watches. Hours count from the scenario's beginning.
"""

from collections.abc import Sequence

from gridpact.prosumer.devices import Plant, Site
from gridpact.safety.scripted import (
    STORMS,
    Fault,
    Hours,
    Release,
    Section,
    SensorSettings,
    Silence,
    Storm,
    Warned,
)
from gridpact.safety.verdict import Hazard
from gridpact.scenario.scenario import Grid, Time
from gridpact.scenario.table import Table


def read_sensors(
    root: Table, grid: Grid, time: Time, sites: Sequence[Site], plants: Sequence[Plant]
) -> SensorSettings | None:
    """Return the sensors of a scenario; None where it has no table [sensors].

    Raises
    ------
    ScenarioError
        A section twice or at no bus, a sensor that is not there, hours that do not rise.
    """
    if not root.has("sensors"):
        return None
    table = root.table("sensors")
    station = table.name("station", "roof")
    sections = _sections(table, grid)
    machines = [f"{kind} {one.name}" for one in sections for kind in ("transformer", "line")]
    names = [*(one.name for one in sites), *(one.name for one in plants)]
    known = [f"station {station}", *machines, *(f"meter {name}" for name in names)]
    settings = SensorSettings(
        station=station,
        sections=sections,
        train_days=table.whole("train_days", 8, low=7, high=60),
        storms=tuple(Storm(*_sky(row, time)) for row in table.tables("storm")),
        warnings=tuple(Warned(*_sky(row, time)) for row in table.tables("warning")),
        faults=tuple(_fault(row, time, sections) for row in table.tables("fault")),
        silences=tuple(_silence(row, time, known) for row in table.tables("silence")),
        releases=tuple(_release(row, time, known) for row in table.tables("release")),
    )
    table.finish()
    return settings


def _sections(table: Table, grid: Grid) -> tuple[Section, ...]:
    feeder = grid.file.feeder
    root = int(feeder.ids[0])
    found = [Section("main", root)] if not _has_root(table, root) else []
    for row in table.tables("section"):
        bus = row.whole("bus")
        if bus not in feeder.index:
            raise row.error("bus", f"unknown bus {bus} on feeder {grid.file.name}")
        rating = row.number("rating_kva", low=0.1) if row.has("rating_kva") else None
        section = Section(row.name("name"), bus, rating)
        for other in found:
            if section.name == other.name:
                raise row.error("name", f"duplicate name {section.name!r}")
            if section.bus == other.bus:
                raise row.error("bus", f"{other.name} begins at bus {bus} already")
        found.append(section)
        row.finish()
    return tuple(found)


def _has_root(table: Table, root: int) -> bool:
    return any(row.whole("bus") == root for row in table.tables("section"))


def _hours(row: Table, time: Time) -> Hours:
    most = time.intervals * time.hours
    since = row.number("from_h", high=most)
    until = row.number("until_h", high=most)
    if until <= since:
        raise row.error("until_h", f"{until:g} does not rise above from_h {since:g}")
    return Hours(since, until)


def _sky(row: Table, time: Time) -> tuple[Hazard, Hours]:
    """Return the kind of weather that a row tells of, and when."""
    kind = Hazard(row.text("kind", choices=[one.value for one in STORMS]))
    when = _hours(row, time)
    row.finish()
    return kind, when


def _fault(row: Table, time: Time, sections: Sequence[Section]) -> Fault:
    name = row.text("transformer", choices=[one.name for one in sections])
    fault = Fault(name, _hours(row, time), row.number("extra_k", 14.0, low=0.1, high=100.0))
    row.finish()
    return fault


def _silence(row: Table, time: Time, known: Sequence[str]) -> Silence:
    silence = Silence(row.text("sensor", choices=known), _hours(row, time))
    row.finish()
    return silence


def _release(row: Table, time: Time, known: Sequence[str]) -> Release:
    target = row.text("target", choices=known)
    release = Release(target, _hours(row, time), row.name("reason"))
    row.finish()
    return release
