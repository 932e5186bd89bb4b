"""What is asked of devices that no grid could make possible? Named, and eased to what is.

A battery that starts or ends outside its band or cannot get to its end, a car in a hurry, a load
that does not fit into its window. Eased, a car gets what its window allows, a battery comes as near
its end as it can and may stay where it was found: the least that has to give way.
"""

from dataclasses import replace

import numpy as np

from gridpact.grid.feeder import FloatArray
from gridpact.grid.problem import Conflict, Problem, Storage

_NEAR = 1e-12
_REACHED = 1e-9  # MWh


def ease(problem: Problem) -> tuple[tuple[Conflict, ...], Problem]:
    """Return the duties that cannot be met, and the problem with those made possible."""
    conflicts, storage = _batteries(problem)
    more, cars = _cars(problem)
    moving, loads = _loads(problem)
    found = tuple(Conflict(text) for text in conflicts + more + moving)
    if not found:
        return (), problem
    devices = problem.devices
    eased = replace(
        devices,
        storage=storage,
        ev=replace(devices.ev, energy_mwh=cars),
        shiftable=replace(devices.shiftable, energy_mwh=loads),
    )
    return found, replace(problem, devices=eased)


def _batteries(problem: Problem) -> tuple[list[str], Storage]:
    found, units = [], problem.devices.storage
    for k, bus in enumerate(units.bus):
        low, high = units.e_min_mwh[k], units.e_max_mwh[k]
        for what, energy in (("start", units.e_0_mwh[k]), ("end", units.final[k])):
            if not low - _NEAR <= energy <= high + _NEAR:
                found.append(
                    f"storage {k} at bus {bus}: {what} {energy:g} MWh is not in [{low:g}, {high:g}]"
                )
    full_power = problem.intervals * problem.dt_h * units.p_max_mw
    least = units.e_0_mwh - full_power / units.eta_discharge
    most = units.e_0_mwh + full_power * units.eta_charge
    far = np.flatnonzero((units.final < least - _REACHED) | (units.final > most + _REACHED))
    found += [
        f"storage {k} at bus {units.bus[k]}: end {units.final[k]:g} MWh is out of reach of start"
        f" {units.e_0_mwh[k]:g} MWh, which full power moves to [{least[k]:g}, {most[k]:g}] MWh"
        for k in far
    ]
    e_min = np.minimum(units.e_min_mwh, units.e_0_mwh)
    e_max = np.maximum(units.e_max_mwh, units.e_0_mwh)
    inside = np.clip(units.final, e_min, e_max)
    final = np.clip(inside, least, most)
    return found, replace(units, e_min_mwh=e_min, e_max_mwh=e_max, e_final_mwh=final)


def _cars(problem: Problem) -> tuple[list[str], FloatArray]:
    cars = problem.devices.ev
    start, end = np.maximum(cars.start, 0), np.minimum(cars.end, problem.intervals)
    possible = np.maximum(end - start, 0) * problem.dt_h * cars.p_max_mw * cars.eta
    found = [
        f"ev {k} at bus {cars.bus[k]}: {cars.energy_mwh[k]:g} MWh do not fit into its window"
        f" [{cars.start[k]}, {cars.end[k]}) ({possible[k]:g} MWh)"
        for k in np.flatnonzero(cars.energy_mwh > possible * (1 + _NEAR))
    ]
    return found, np.minimum(cars.energy_mwh, possible)


def _loads(problem: Problem) -> tuple[list[str], FloatArray]:
    loads = problem.devices.shiftable
    least, most = loads.energies(problem.dt_h)
    asked = loads.energy_mwh
    found = [
        f"shiftable load {k} at bus {loads.bus[k]}: {asked[k]:g} MWh are not in the"
        f" [{least[k]:g}, {most[k]:g}] MWh that its window [{loads.start[k]},"
        f" {loads.end[k]}) allows"
        for k in np.flatnonzero((asked < least - _NEAR) | (asked > most * (1 + _NEAR)))
    ]
    return found, np.clip(asked, least, most)
