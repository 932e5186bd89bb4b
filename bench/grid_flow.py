"""How fast is the power flow of a year, and does it agree? Against power-grid-model, pandapower.

`rows` is called by the page of its own and by whoever gathers all that is measured of the grid.
"""

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pandapower
import power_grid_model as pgm

from bench.grid_cases import SCE56, made_feeder
from bench.rows import Row
from gridpact.grid.feeder import Feeder, FloatArray
from gridpact.grid.importers.pandapower_export import to_pandapower
from gridpact.grid.meshed import _tables
from gridpact.grid.net import Net, of_feeder, radial
from gridpact.grid.power_flow import PowerFlow, ZipLoad, power_flow
from gridpact.scenario.feeder_file import read_feeder
from gridpact.scenario.grid_file import read_net
from gridpact.scenario.profiles import BUILT_IN, read

YEAR = 35_040
_ROUNDS = 7
_PANDAPOWER = 96  # intervals of the year that pandapower solves
_SIMBENCH = ("1-LV-rural1--0-sw", "1-LV-semiurb4--0-sw")

NOTES = f"""The year: 35,040 quarter hours on the published 56-bus feeder, load of a summer week of
SimBench repeated with noise drawn for every bus and interval, 3 MW of PV at bus 45. Each figure is
the best of seven runs, the programs taking turns. Ours stops at a step of 1e-12 pu and returns
voltages, powers and currents of all branches; complex voltages are a row of their own.
power-grid-model is given its input ready made and returns voltages and angles of the buses alone;
it is asked for Newton's method and for iterated currents at its default tolerance of 1e-8, on one
thread and on all, and the fastest of the four is what we compare with. pandapower (without numba)
solves 96 intervals, each from the last one's voltages, and is scaled to the year. Made feeders are
random trees (`bench/grid_cases.py`). power-grid-model {version("power-grid-model")}, pandapower
{version("pandapower")}."""


def rows() -> list[Row]:
    """Measure, and return one row per figure."""
    feeder, p, q = _year()
    return [*_speed(feeder, p, q), *_agreement(feeder, p, q), *_scaling()]


run = rows


def _year() -> tuple[Feeder, FloatArray, FloatArray]:
    file = read_feeder(SCE56)
    feeder, rng = file.feeder, np.random.default_rng(1)
    week = read(BUILT_IN["simbench-summer"])
    names = [name for name in week.columns if name.endswith("_pload")]
    peak = np.array([file.peak_load_mva[int(bus)] for bus in feeder.ids]) * file.power_factor
    p = np.zeros((YEAR, feeder.size))
    for place in range(feeder.size):
        load = week.column(names[place % len(names)], "bench")
        noise = rng.uniform(0.8, 1.2, YEAR)
        p[:, place] = -peak[place] * np.resize(load / load.max(), YEAR) * noise
    q = p * np.tan(np.arccos(file.power_factor))
    p[:, feeder.at(45)] += 3.0 * np.resize(week.column("PV4", "bench"), YEAR)
    return feeder, p, q


def _taking_turns(jobs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the best time of each job. [s]"""
    best = dict.fromkeys(jobs, np.inf)
    for _ in range(_ROUNDS):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def _speed(feeder: Feeder, p: FloatArray, q: FloatArray) -> list[Row]:
    nothing = np.zeros_like(p)
    zip_load = ZipLoad(-p, -q, (0.3, 0.3, 0.4), (0.3, 0.3, 0.4))
    jobs: dict[str, Callable[[], object]] = {
        "ours": lambda: power_flow(feeder, p, q),
        "complex": lambda: power_flow(feeder, p, q).voltage,
        "zip": lambda: power_flow(feeder, nothing, nothing, 1.0, zip_load),
    }
    peers = {
        f"{words}, {threads}": _peer(feeder, p, q, method, number)
        for words, method in (
            ("Newton", pgm.CalculationMethod.newton_raphson),
            ("iterated currents", pgm.CalculationMethod.iterative_current),
        )
        for threads, number in (("one thread", -1), ("all threads", 0))
    }
    found = _taking_turns(jobs | peers)
    fastest = min(peers, key=found.__getitem__)
    theirs, ours = found[fastest], found["ours"]
    against = f"power-grid-model {theirs:.3g} s ({fastest})"
    slow = _pandapower_seconds(feeder, p, q)
    return [
        Row(
            "year of power flow, 35,040 x 56 buses", ours, "s", goal="<= 0.6 s", holds=ours <= 0.6
        ),
        Row(
            "the same against its fastest peer", ours, "s", against, ours / theirs,
            "not slower", ours <= theirs,
        ),
        Row(
            "the same with complex voltages", found["complex"], "s", against,
            found["complex"] / theirs,
        ),
        *(
            Row(f"power-grid-model, {name}", found[name], "s", "ours", found[name] / ours)
            for name in peers
        ),
        Row(
            f"pandapower, {_PANDAPOWER} intervals scaled to the year", slow, "s", "ours",
            slow / ours,
        ),
        Row("year with ZIP loads (30 % Z, 30 % I)", found["zip"], "s", "ours", found["zip"] / ours),
    ]  # fmt: skip


def _peer(
    feeder: Feeder, p: FloatArray, q: FloatArray, method: Any, threads: int, tolerance: float = 1e-8
) -> Callable[[], FloatArray]:
    """Return power-grid-model's batch, ready to run; it answers with voltages by bus number."""
    net = of_feeder(feeder)
    data, load = _tables(pgm, net, np.sort(feeder.ids))
    order = np.argsort(feeder.ids)
    model = pgm.PowerGridModel(data)
    update = pgm.initialize_array("update", "sym_load", p.shape)
    update["id"] = load
    update["p_specified"] = -p[:, order] * feeder.s_base_mva * 1e6
    update["q_specified"] = -q[:, order] * feeder.s_base_mva * 1e6

    def run() -> FloatArray:
        answer: Any = model.calculate_power_flow(
            update_data={"sym_load": update},
            threading=threads,
            calculation_method=method,
            error_tolerance=tolerance,
            max_iterations=50,
            output_component_types={"node": ["u_pu", "u_angle"]},
        )
        voltages: FloatArray = answer["node"]["u_pu"]
        return voltages

    return run


def _pandapower(net: Net, intervals: Sequence[dict[int, complex]]) -> tuple[float, list[Any]]:
    """Return the seconds that pandapower needs, and its voltages of every interval."""
    made, found = to_pandapower(net), []
    made.load.drop(made.load.index, inplace=True)
    made.sgen.drop(made.sgen.index, inplace=True)
    buses = sorted(net.v_kv)
    for bus in buses:
        pandapower.create_load(made, bus, 0.0)
    settings = {"numba": False, "tolerance_mva": 1e-10, "max_iteration": 50}
    pandapower.runpp(made, **settings)
    began = time.perf_counter()
    for fed in intervals:
        made.load["p_mw"] = [-fed.get(bus, 0j).real for bus in buses]
        made.load["q_mvar"] = [-fed.get(bus, 0j).imag for bus in buses]
        pandapower.runpp(made, init="results", **settings)
        found.append(made.res_bus.vm_pu.copy())
    return time.perf_counter() - began, found


def _fed(feeder: Feeder, p: FloatArray, q: FloatArray) -> list[dict[int, complex]]:
    ids = feeder.ids.tolist()
    mva = (p + 1j * q) * feeder.s_base_mva
    return [dict(zip(ids, row, strict=True)) for row in mva.tolist()]


def _pandapower_seconds(feeder: Feeder, p: FloatArray, q: FloatArray) -> float:
    some = slice(0, YEAR, YEAR // _PANDAPOWER)
    chosen = _fed(feeder, p[some][:_PANDAPOWER], q[some][:_PANDAPOWER])
    return _pandapower(of_feeder(feeder), chosen)[0] * YEAR / _PANDAPOWER


def _agreement(feeder: Feeder, p: FloatArray, q: FloatArray) -> list[Row]:
    method = pgm.CalculationMethod.newton_raphson
    ours = power_flow(feeder, p, q)
    order = np.argsort(feeder.ids)
    theirs = _peer(feeder, p, q, method, 0, 1e-12)()
    gaps = {
        "56 buses, whole year, power-grid-model": np.abs(ours.v[:, order] - theirs).max(),
        "56 buses, 96 intervals, pandapower": _gap(feeder, of_feeder(feeder), p[:96], q[:96], ours),
    }
    for name in _SIMBENCH:
        net = read_net(SCE56.parent.parent / "simbench" / f"{name}.json")
        grid, day = radial(net), np.random.default_rng(2).uniform(0.1, 1.0, (96, 1))
        fed = net.injection_mva()
        mva = day * np.array([fed.get(int(bus), 0.0) for bus in grid.ids]) / grid.s_base_mva
        flow = power_flow(grid, mva.real, mva.imag, net.v_root)
        gaps[f"SimBench {name}, 96 intervals, pandapower"] = _gap(
            grid, net, mva.real, mva.imag, flow
        )
    return [
        Row(f"largest difference of voltage: {what}", float(gap), "pu", goal="<= 1e-8",
            holds=bool(gap <= 1e-8))
        for what, gap in gaps.items()
    ]  # fmt: skip


def _gap(feeder: Feeder, net: Net, p: FloatArray, q: FloatArray, flow: PowerFlow) -> float:
    _, found = _pandapower(net, _fed(feeder, p, q))
    theirs = np.array([one.loc[feeder.ids].to_numpy() for one in found])
    return float(np.abs(flow.v[: len(theirs)] - theirs).max())


def _scaling() -> list[Row]:
    sizes, rows = (500, 5_000, 50_000), []
    for intervals in (1, 24, 672):
        seconds = []
        for size in sizes:
            if size * intervals > 5_000_000:
                continue
            feeder, peak = made_feeder(size)
            load = np.outer(np.random.default_rng(3).uniform(0.3, 1.0, intervals), peak)
            power_flow(feeder, -load, -load / 3)
            best = _taking_turns({"it": lambda f=feeder, s=load: power_flow(f, -s, -s / 3)})["it"]
            seconds.append(best)
            rows.append(Row(f"power flow of {size:,} buses x {intervals}", best, "s"))
        growth = np.polyfit(np.log(sizes[: len(seconds)]), np.log(seconds), 1)[0]
        goal = {"goal": "<= 1.2", "holds": bool(growth <= 1.2)}
        rows.append(Row(f"growth with buses, x {intervals}", float(growth), "exponent", **goal))
    return rows
