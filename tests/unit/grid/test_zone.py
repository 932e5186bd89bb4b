"""Feeders of a zone are solved one by one, by processes or by a cluster, to the same answers."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from bench.grid_cases import day_of_sce56, made_day

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem
from gridpact.grid.workers import Workers
from gridpact.grid.zone import Zone, solve_zone, split


def _zone() -> list[Problem]:
    return [day_of_sce56(2), *(made_day(size, 2, seed=size) for size in (5, 12, 20))]


def _feeders(problems: Sequence[Problem]) -> list[Feeder]:
    return [problem.feeder for problem in problems]


def _same(one: Zone, other: Zone) -> None:
    assert one.objective == other.objective
    np.testing.assert_array_equal(one.import_mw, other.import_mw)
    for a, b in zip(one.solutions, other.solutions, strict=True):
        assert a.status == b.status == "optimal"
        assert a.schedule is not None
        assert b.schedule is not None
        np.testing.assert_array_equal(a.schedule.prices.active, b.schedule.prices.active)


def test_processes_answer_as_one_by_one() -> None:
    problems = _zone()
    alone = solve_zone(problems)
    assert alone.objective == pytest.approx(sum(solve(one).objective for one in problems))
    # the feeders are sent once; another day, in another order, about the same ones
    tomorrow = [replace(one, load_p_mw=0.9 * one.load_p_mw) for one in problems[::-1]]
    with Workers(_feeders(problems), processes=2) as workers:
        _same(solve_zone(problems, workers), alone)
        _same(solve_zone(tomorrow, workers), solve_zone(tomorrow))
        with pytest.raises(FeederError, match="problem 0: is about a feeder"):
            solve_zone([made_day(5, 2)], workers)
        with pytest.raises(FeederError, match="v_min"):
            solve_zone([replace(problems[0], v_min=2.0)], workers)


_ON_A_CLUSTER = """
from bench.grid_cases import made_day
from gridpact.grid.cluster import Cluster
from gridpact.grid.zone import solve_zone

problems = [made_day(size, 2, seed=size) for size in (5, 12, 20, 6, 7)]
more = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 100 * 2**20}
with Cluster([problem.feeder for problem in problems], **more) as cluster:
    print("objectives", *(one.objective for one in solve_zone(problems, cluster).solutions))
"""


def test_a_local_cluster_answers_as_one_by_one() -> None:
    # a process of its own, as Ray leaves threads behind; patient, as its start is slow under load
    patience = {"RAY_raylet_start_wait_time_s": "150", "RAY_agent_register_timeout_ms": "150000"}
    paths = os.pathsep.join(path for path in sys.path if path)
    ran = subprocess.run(
        [sys.executable, "-c", _ON_A_CLUSTER],
        env=os.environ | patience | {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    said = next(line for line in ran.stdout.splitlines() if line.startswith("objectives"))
    problems = [made_day(size, 2, seed=size) for size in (5, 12, 20, 6, 7)]
    assert [float(value) for value in said.split()[1:]] == [
        solve(one).objective for one in problems
    ]


def test_feeders_without_a_common_time_are_refused() -> None:
    with pytest.raises(FeederError, match="no feeder"):
        solve_zone([])
    with pytest.raises(FeederError, match="different"):
        solve_zone([day_of_sce56(2), day_of_sce56(3)])


def _net() -> Problem:
    """Three branches at the root of a made net, prices of import and export equal."""
    left, right, top = (made_day(size, 3, seed=size) for size in (8, 6, 5))
    lines, loads = [], {1: np.zeros(3)}
    for number, part in enumerate((left, right, top)):
        feeder = part.feeder
        ids = [1, *(100 * (number + 1) + np.arange(1, feeder.size))]
        for place in range(1, feeder.size):
            above = ids[feeder.parent[place]]
            z = 144.0
            lines.append(Line(above, ids[place], z * feeder.r[place], z * feeder.x[place]))
            loads[ids[place]] = part.load_p_mw[:, place]
    feeder = build(1, lines, {}, 1.0, 12.0)
    load = np.array([loads[int(bus)] for bus in feeder.ids]).T
    load[:, 0] = 0.2
    sun = replace(left.devices.pv, bus=np.array([105]), s_mva=np.array([1.0]),
                  available_mw=np.full((3, 1), 0.8), offer=np.array([5.0]))  # fmt: skip
    return replace(
        left,
        feeder=feeder,
        load_p_mw=load,
        load_q_mvar=load / 3,
        price_sell=left.price_buy,
        v_min=np.full(load.shape, 0.94),
        devices=replace(day_of_sce56(3).devices, pv=sun,
                        ev=replace(day_of_sce56(3).devices.ev, bus=np.array([202, 302])),
                        storage=replace(day_of_sce56(3).devices.storage,
                                        bus=np.array([1, 103, 204])),
                        generator=replace(day_of_sce56(3).devices.generator,
                                          bus=np.array([303]))),
    )  # fmt: skip


def test_parts_of_a_net_cost_what_the_whole_costs() -> None:
    whole = _net()
    parts = split(whole)
    assert len(parts) == int((whole.feeder.parent == 0).sum())
    assert sum(part.feeder.size - 1 for part in parts) == whole.feeder.size - 1
    zone, one = solve_zone(parts), solve(whole)
    assert one.status == "optimal"
    assert one.schedule is not None
    assert zone.objective == pytest.approx(one.objective, rel=1e-7)
    np.testing.assert_allclose(zone.import_mw, one.schedule.import_mw, atol=1e-5)
    for part, answer in zip(parts, zone.solutions, strict=True):
        places = [whole.feeder.at(int(bus)) for bus in part.feeder.ids]
        assert answer.schedule is not None
        np.testing.assert_allclose(
            answer.schedule.prices.active, one.schedule.prices.active[:, places], rtol=1e-5
        )


def test_coupled_feeders_are_not_split() -> None:
    whole = _net()
    with pytest.raises(FeederError, match="import_max_mw: is shared"):
        split(replace(whole, import_max_mw=np.array([np.inf, 3.0, np.inf])))
    with pytest.raises(FeederError, match="net at the substation"):
        split(replace(whole, price_sell=whole.price_buy - 1))
