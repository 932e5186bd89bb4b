"""What a person at the terminal sees: progress while the market runs, a short table at its end.

On a terminal a bar with the phase at work; elsewhere (a file, a CI log) a plain line every quarter
of the day.
"""

from types import TracebackType
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gridpact.model.participant import Named
from gridpact.quantities import MICRO
from gridpact.report.comparison import PLANTS, shown
from gridpact.report.findings import Findings
from gridpact.report.series import clock


class Shown:
    """A watch of the trading cycle (`cycle.cycle.Watch`) that shows itself while it is open.

    Parameters
    ----------
    intervals
        How many the run has.
    hours
        Length of an interval. [h]
    """

    def __init__(self, console: Console, intervals: int, hours: float) -> None:
        self._console, self._intervals, self._hours = console, intervals, hours
        self._told = -1
        self._bar = Progress(
            TextColumn("{task.fields[time]}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[phase]:<8}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=intervals, time=clock(0), phase="set-up")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, interval: int, phase: str) -> None:
        time = clock(interval * self._hours)
        self._bar.update(self._task, completed=interval, time=time, phase=phase)
        quarter = max(self._intervals // 4, 1)
        if not self._console.is_terminal and interval != self._told and interval % quarter == 0:
            self._console.print(f"interval {interval + 1} of {self._intervals}, {time}")
        self._told = interval


def short_table(found: Findings) -> Table:
    """Return the day's headline figures."""
    compared, curves = found.compared, found.curves
    hours, consumers = compared.hours, compared.consumers
    before, after = sum(one.before for one in consumers), sum(one.after for one in consumers)
    table = Table(title=found.day.scenario.name, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    table.add_column("")
    table.add_row(
        "ordered from grid, kWh",
        _kwh(sum(hour.contracted_before for hour in hours)),
        _kwh(sum(hour.contracted_after for hour in hours)),
    )
    table.add_row(
        "local / zonal, kWh",
        "0 / 0",
        f"{_kwh(sum(hour.local for hour in hours))} / {_kwh(sum(hour.zonal for hour in hours))}",
        f"{len(compared.trades)} trades",
    )
    table.add_row(
        "bills without generation",
        _money(before),
        _money(after),
        f"{compared.not_worse} of {len(consumers)} pay no more",
    )
    for group in compared.groups:
        if group.name in (PLANTS, shown(Named.GRID_SUPPLY), shown(Named.NETWORK_OPERATOR)):
            name = group.name.removeprefix("renewable ")
            table.add_row(f"left to {name}", _money(group.before), _money(group.after))
    table.add_row(
        "peak import, kW",
        f"{curves.substation_before.max():,.0f}",
        f"{curves.substation.max():,.0f}",
        f"{100 * curves.self_sufficiency:.0f} % self-sufficient",
    )
    table.add_row(
        "voltages, pu",
        "",
        f"{curves.voltage.min():.4f} - {curves.voltage.max():.4f}",
        f"{curves.energy(curves.curtailed):,.0f} kWh cut",
    )
    if compared.in_dispute:
        disputed = f"{len(compared.in_dispute)} trades"
        table.add_row("held in dispute", "", _money(compared.held_in_dispute), disputed)
    hold = sum(claim.holds for claim in found.claims)
    table.add_row("claims that hold", "", f"{hold} of {len(found.claims)}", "see report.html")
    return table


def _kwh(energy: int) -> str:
    return f"{energy / 1000:,.0f}"


def _money(money: int) -> str:
    return f"{money / MICRO:,.2f}"
