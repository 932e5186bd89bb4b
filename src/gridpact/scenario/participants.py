"""Participants and plants that a scenario lists one by one: [[participant]] and [[plant]].

A participant brings a column of the scenario's profiles, or of a CSV file of its own, times
`rated_kw` (1 for a column in kW); PV, a battery and vehicles follow by their keys.
"""

from collections.abc import Callable

import numpy as np

from gridpact.errors import ScenarioError
from gridpact.prosumer.devices import Battery, Ev, FloatArray, Plant, Pv, Site
from gridpact.quantities import PPM
from gridpact.scenario.fleet import Day
from gridpact.scenario.table import Table

_MOST_KW = 1e6
"""A gigawatt, or a gigawatt-hour: far beyond any feeder, far below where numbers overflow."""


def _kilo(row: Table, key: str, default: float = 0.0) -> float:
    """Return a power or an energy that is given in thousands. [W, VA or Wh]"""
    return 1000 * row.number(key, default, high=_MOST_KW)


def _profile(day: Day, column: str, rated_w: float) -> tuple[FloatArray, FloatArray | None]:
    """Return a column's power today and yesterday. [W]"""
    today, before = day.mean(column), day.yesterday(column)
    for shares in (today, before):
        if shares is not None and float(np.abs(shares).max()) * rated_w > 1000 * _MOST_KW:
            raise ScenarioError(
                day.profiles.file,
                f"column {column}",
                f"expected at most {_MOST_KW:.0f} kW; it holds {np.abs(shares).max():g},"
                f" times {rated_w / 1000:g} kW",
            )
    return today * rated_w, None if before is None else before * rated_w


def read_participant(row: Table, bus: Callable[[Table], int], day: Day) -> Site:
    """Return one row's site. `bus` reads and judges the row's bus, `day` holds its profiles."""
    name, at = row.name("name"), bus(row)
    row.text("file", "")
    load, load_before = _profile(day, row.text("profile"), _kilo(row, "rated_kw", 1.0))
    pv_w = _kilo(row, "pv_kw")
    inverter_va = _kilo(row, "inverter_kva", pv_w / 1000)
    column = row.text("pv_profile") if pv_w else row.text("pv_profile", "")
    pv, pv_before = _profile(day, column, pv_w) if pv_w else (load * 0.0, load * 0.0)
    site = Site(
        name=name,
        bus=at,
        kind=row.text("kind", "homes"),
        load_w=load,
        pv_w=pv,
        load_yesterday_w=load_before,
        pv_yesterday_w=pv_before,
        ask_share=row.number("ask_share", 0.5, high=1.0),
        min_reputation=round(PPM * row.number("min_reputation_share", 0.0, high=1.0)),
        pv=Pv(pv_w, inverter_va) if pv_w else None,
        battery=_battery(row),
        ev=_ev(row, day),
    )
    row.finish()
    return site


def _battery(row: Table) -> Battery | None:
    capacity = _kilo(row, "battery_kwh")
    power = _kilo(row, "battery_kw", capacity / 2000)
    start = row.number("battery_start_share", 0.0, high=1.0)
    charge = row.number("charge_efficiency_share", 0.95, low=0.01, high=1.0)
    discharge = row.number("discharge_efficiency_share", 0.95, low=0.01, high=1.0)
    return Battery(capacity, power, charge, discharge, start * capacity) if capacity else None


def _ev(row: Table, day: Day) -> Ev | None:
    """Return the vehicles of a row; None when they need nothing or come after the horizon."""
    energy, power = _kilo(row, "ev_kwh"), _kilo(row, "ev_kw", 11.0)
    first, last = row.pair("ev_h", (18.0, 24.0), high=24.0)
    if energy > power * (last - first):
        raise row.error(
            "ev_kwh", f"{energy / 1000:g} kWh cannot be charged at {power / 1000:g} kW in ev_h"
        )
    begin, end = hours_of(day, first, last)
    return Ev(energy, power, begin, end) if energy and begin < end else None


def hours_of(day: Day, first_h: float, last_h: float) -> tuple[int, int]:
    """Return hours of the day as intervals [begin, end) of the horizon."""
    end = min(round(last_h * 60 / day.minutes), day.intervals)
    return min(round(first_h * 60 / day.minutes), end), end


def read_plant(row: Table, bus: Callable[[Table], int], day: Day) -> Plant:
    """Return one row's plant; `window_h` is the steady window it announces."""
    name, at = row.name("name"), bus(row)
    row.text("file", "")
    peak_w = 1000 * row.number("peak_kw", high=_MOST_KW)
    inverter_va = _kilo(row, "inverter_kva", peak_w / 1000)
    power, before = _profile(day, row.text("profile"), peak_w)
    plant = Plant(
        name=name,
        bus=at,
        peak_w=peak_w,
        inverter_va=inverter_va,
        power_w=power,
        power_yesterday_w=before,
        ask_share=row.number("ask_share", 0.45, high=1.0),
        window=hours_of(day, *row.pair("window_h", (0.0, 24.0), high=24.0)),
    )
    row.finish()
    return plant
