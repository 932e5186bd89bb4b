"""What would another optimiser say? The exact AC optimal power flow by IPOPT, written separately.

Bus injections in rectangular voltages (no branch flow model, no relaxation, no second-order cone):
I = Y V, with every device of a `Problem`. Not convex, so it is started from several points and
the best answer counts. A battery runs one way at a time; which way is tried out or given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import casadi
import numpy as np

from gridpact.grid.columns import Directions
from gridpact.grid.problem import Problem

_OPTIONS = {
    "print_time": False,
    "ipopt.print_level": 0,
    "ipopt.sb": "yes",
    "ipopt.tol": 1e-9,
    "ipopt.constr_viol_tol": 1e-9,
    "ipopt.bound_relax_factor": 0.0,
    "ipopt.max_iter": 500,
    "ipopt.mumps_mem_percent": 200,
}


@dataclass(frozen=True, eq=False)
class AcOptimum:
    """A locally optimal AC operating point, the best of several starts.

    cost [currency]; excess: sum of what limits gave way (squared voltages, apparent and active
    power) [pu]; v, price_p, price_q (interval, bus) [pu, per MWh, per Mvarh]; controls by name,
    (interval, device) [MW, Mvar].
    """

    cost: float
    excess: float
    v: np.ndarray
    price_p: np.ndarray
    price_q: np.ndarray
    controls: dict[str, np.ndarray]


@dataclass(eq=False)
class _Programme:
    """Variables with bounds, constraints with bounds, a cost: what IPOPT is given."""

    variables: list[casadi.SX] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    rows: list[casadi.SX] = field(default_factory=list)
    rows_low: list[float] = field(default_factory=list)
    rows_high: list[float] = field(default_factory=list)
    cost: casadi.SX = field(default_factory=lambda: casadi.SX(0))
    excess: casadi.SX = field(default_factory=lambda: casadi.SX(0))
    soft: bool = False

    def variable(self, low: float, high: float, start: float | None = None) -> casadi.SX:
        """Add a variable; without a start it is drawn between its bounds."""
        new = casadi.SX.sym(f"x{len(self.variables)}")
        self.variables.append(new)
        self.low.append(low)
        self.high.append(high)
        self.start.append(np.nan if start is None else start)
        return new

    def row(self, expression: casadi.SX, low: float, high: float) -> int:
        """Add low <= expression <= high and return its number."""
        self.rows.append(expression)
        self.rows_low.append(low)
        self.rows_high.append(high)
        return len(self.rows) - 1

    def limit(self, expression: casadi.SX, low: float = -np.inf, high: float = np.inf) -> None:
        """Add a limit of the net, which gives way where the programme is soft."""
        for sign, bound in ((1, high), (-1, -low)):
            if np.isfinite(bound):
                slack = casadi.SX(0)
                if self.soft:
                    slack = self.variable(0.0, np.inf, 0.0)
                    self.excess += slack
                self.row(sign * expression - slack, -np.inf, bound)


def ac_optimum(
    problem: Problem,
    starts: int = 2,
    seed: int = 0,
    directions: Directions | None = None,
    excess_price: float | None = None,
) -> AcOptimum:
    """Return the best AC operating point found.

    Parameters
    ----------
    directions
        Which way batteries may run; without it they may do both at once, as in the relaxation.
    excess_price
        What breaking the net's limits costs in total cost per pu; limits hold when absent, and
        nothing else counts when it is infinite.

    Raises
    ------
    RuntimeError
        No start led to a point that IPOPT calls optimal.
    """
    built = _Built(problem, directions, soft=excess_price is not None)
    programme = built.programme
    objective = programme.cost
    if excess_price is not None:
        only = np.isinf(excess_price)
        objective = programme.excess if only else objective + excess_price * programme.excess
    functions = casadi.Function(
        "found", [casadi.vertcat(*programme.variables)], [programme.cost, programme.excess]
    )
    solver = casadi.nlpsol(
        "exact",
        "ipopt",
        {
            "x": casadi.vertcat(*programme.variables),
            "f": objective,
            "g": casadi.vertcat(*programme.rows),
        },
        _OPTIONS,
    )
    rng = np.random.default_rng(seed)
    best = None
    for turn in range(starts):
        answer = solver(
            x0=_drawn(programme, rng, 0.05 * turn),
            lbx=programme.low,
            ubx=programme.high,
            lbg=programme.rows_low,
            ubg=programme.rows_high,
        )
        if solver.stats()["return_status"] not in ("Solve_Succeeded", "Solved_To_Acceptable_Level"):
            continue
        if best is None or float(answer["f"]) < float(best["f"]):
            best = answer
    if best is None:
        raise RuntimeError(f"IPOPT found no optimum: {solver.stats()['return_status']}")
    cost, excess = (float(value) for value in functions(best["x"]))
    return built.read(best, cost, excess)


def best_directions(
    problem: Problem, starts: int = 1, excess_price: float | None = None
) -> AcOptimum:
    """Return the best optimum over all directions of all batteries: for very small cases."""
    shape = (problem.intervals, len(problem.devices.storage.bus))
    found = []
    for choice in product((False, True), repeat=shape[0] * shape[1]):
        charge = np.array(choice, dtype=bool).reshape(shape)
        directions = Directions(charge, ~charge)
        try:
            found.append(ac_optimum(problem, starts, 0, directions, excess_price))
        except RuntimeError:
            continue  # some directions have no feasible point
    only = excess_price is not None and np.isinf(excess_price)
    return min(found, key=lambda one: one.excess if only else one.cost)


def _drawn(programme: _Programme, rng: np.random.Generator, spread: float) -> np.ndarray:
    """Return a start: voltages about flat, controls anywhere between their bounds."""
    low, high = np.array(programme.low), np.array(programme.high)
    start = np.array(programme.start)
    free = np.isnan(start)
    least, most = np.where(np.isfinite(low), low, -1.0), np.where(np.isfinite(high), high, 1.0)
    drawn = least + rng.uniform(0.25, 0.75, len(low)) * (most - least)
    return np.where(free, drawn, start + spread * rng.uniform(-1, 1, len(low)) * (start == 1.0))


class _Built:
    """The programme of a problem and how to read its answer."""

    def __init__(self, problem: Problem, directions: Directions | None, soft: bool) -> None:
        self.problem, self.directions = problem, directions
        self.programme = _Programme(soft=soft)
        feeder = problem.feeder
        T, n = problem.intervals, feeder.size
        self.places = {int(bus): place for place, bus in enumerate(feeder.ids)}
        self.mw: dict[str, dict[tuple[int, int], casadi.SX]] = {}
        # injections of devices in pu, by interval and bus
        self.p = [[casadi.SX(0) for _ in range(n)] for _ in range(T)]
        self.q = [[casadi.SX(0) for _ in range(n)] for _ in range(T)]
        self._sun()
        self._batteries()
        self._cars()
        self._units()
        self._flexible()
        self.v: list[list[casadi.SX]] = []
        self.rows_p, self.rows_q = np.zeros((T, n), int), np.zeros((T, n), int)
        for t in range(T):
            self._net(t)

    def read(self, answer: dict[str, casadi.DM], cost: float, excess: float) -> AcOptimum:
        problem, base = self.problem, self.problem.feeder.s_base_mva
        T, n = problem.intervals, problem.feeder.size
        outputs = [value for row in self.v for value in row]
        names = list(self.mw)
        for name in names:
            outputs += list(self.mw[name].values())
        values = casadi.Function(
            "read", [casadi.vertcat(*self.programme.variables)], [casadi.vertcat(*outputs)]
        )
        flat = np.array(values(answer["x"])).ravel()
        worth = np.array(answer["lam_g"]).ravel() / (problem.dt_h * base)
        controls, next_one = {}, T * n
        for name in names:
            count = 1 + max((k for _, k in self.mw[name]), default=-1)
            controls[name] = np.zeros((T, count))
            for t, k in self.mw[name]:
                controls[name][t, k] = flat[next_one]
                next_one += 1
        return AcOptimum(
            cost=cost,
            excess=excess,
            v=flat[: T * n].reshape(T, n),
            price_p=-worth[self.rows_p],
            price_q=-worth[self.rows_q],
            controls=controls,
        )

    def _inject(
        self, name: str, t: int, k: int, bus: int, mw: casadi.SX, mvar: casadi.SX | float = 0.0
    ) -> None:
        place, base = self.places[int(bus)], self.problem.feeder.s_base_mva
        self.p[t][place] += mw / base
        self.q[t][place] += mvar / base
        self.mw.setdefault(name, {})[t, k] = mw
        if not isinstance(mvar, float):
            self.mw.setdefault(name + " q", {})[t, k] = mvar

    def _pay(self, per_hour: casadi.SX) -> None:
        self.programme.cost += self.problem.dt_h * per_hour

    def _sun(self) -> None:
        pv, new = self.problem.devices.pv, self.programme
        for t, (k, bus) in product(range(self.problem.intervals), enumerate(pv.bus)):
            size = float(pv.s_mva[k])
            p = new.variable(0.0, min(float(pv.available_mw[t, k]), size))
            q = new.variable(-size, size) if pv.reactive else casadi.SX(0)
            if pv.reactive:
                new.row(p**2 + q**2, -np.inf, size**2)
            self._inject("pv", t, k, bus, p, q)
            self._pay(float(pv.offer[k]) * p)

    def _batteries(self) -> None:
        units, new, T = self.problem.devices.storage, self.programme, self.problem.intervals
        final = units.e_0_mwh if units.e_final_mwh is None else units.e_final_mwh
        for k, bus in enumerate(units.bus):
            energy = casadi.SX(float(units.e_0_mwh[k]))
            for t in range(T):
                most = [float(units.p_max_mw[k])] * 2
                if self.directions is not None:
                    most[0] *= float(self.directions.charge[t, k])
                    most[1] *= float(self.directions.discharge[t, k])
                charge, discharge = (new.variable(0.0, power) for power in most)
                self._inject("charge", t, k, bus, charge)
                self._inject("discharge", t, k, bus, discharge)
                # _inject counts what is fed in; a charge is drawn
                self.p[t][self.places[int(bus)]] -= 2 * charge / self.problem.feeder.s_base_mva
                self._pay(float(units.wear_per_mwh[k]) / 2 * (charge + discharge))
                energy += self.problem.dt_h * (
                    float(units.eta_charge[k]) * charge - discharge / float(units.eta_discharge[k])
                )
                ends = float(units.e_min_mwh[k]), float(units.e_max_mwh[k])
                if t == T - 1:
                    ends = float(final[k]), float(final[k])
                state = new.variable(*ends)
                new.row(state - energy, 0.0, 0.0)
                energy = state

    def _cars(self) -> None:
        cars, new = self.problem.devices.ev, self.programme
        for k, bus in enumerate(cars.bus):
            got = casadi.SX(0)
            for t in range(
                max(int(cars.start[k]), 0), min(int(cars.end[k]), self.problem.intervals)
            ):
                p = new.variable(0.0, float(cars.p_max_mw[k]))
                self._inject("ev", t, k, bus, -p)
                got += float(cars.eta[k]) * self.problem.dt_h * p
            new.row(got, float(cars.energy_mwh[k]), float(cars.energy_mwh[k]))

    def _units(self) -> None:
        units, new = self.problem.devices.generator, self.programme
        for t, (k, bus) in product(range(self.problem.intervals), enumerate(units.bus)):
            p = new.variable(float(units.p_min_mw[k]), float(units.p_max_mw[k]))
            q = new.variable(float(units.q_min_mvar[k]), float(units.q_max_mvar[k]))
            self._inject("generator", t, k, bus, p, q)
            self._pay(float(units.c2[k]) * p**2 + float(units.c1[k]) * p)

    def _flexible(self) -> None:
        problem, new = self.problem, self.programme
        moving, shed = problem.devices.shiftable, problem.devices.curtailable
        for k, bus in enumerate(moving.bus):
            got = casadi.SX(0)
            for t in range(
                max(int(moving.start[k]), 0), min(int(moving.end[k]), problem.intervals)
            ):
                p = new.variable(float(moving.p_min_mw[t, k]), float(moving.p_max_mw[t, k]))
                self._inject("shift", t, k, bus, -p, -p * float(moving.mvar_per_mw[k]))
                got += problem.dt_h * p
            new.row(got, float(moving.energy_mwh[k]), float(moving.energy_mwh[k]))
        for t, (k, bus) in product(range(problem.intervals), enumerate(shed.bus)):
            active, reactive = (
                float(load[t, self.places[int(bus)]])
                for load in (problem.load_p_mw, problem.load_q_mvar)
            )
            p = new.variable(0.0, max(active, 0.0) * float(shed.share[k]))
            ratio = reactive / active if active > 0 else 0.0
            self._inject("shed", t, k, bus, p, p * ratio)
            self._pay(float(shed.price[k]) * p)

    def _net(self, t: int) -> None:
        """Kirchhoff's laws and the limits of one interval, in rectangular voltages."""
        problem, new, feeder = self.problem, self.programme, self.problem.feeder
        n, base = feeder.size, feeder.s_base_mva
        root = float(problem.v_root[t])
        e = [casadi.SX(root)] + [new.variable(-2.0, 2.0, 1.0) for _ in range(n - 1)]
        f = [casadi.SX(0)] + [new.variable(-2.0, 2.0, 0.0) for _ in range(n - 1)]
        self.v.append([casadi.sqrt(a**2 + b**2) for a, b in zip(e, f, strict=True)])
        into_p, into_q = [casadi.SX(0)] * n, [casadi.SX(0)] * n
        v_min, v_max, ratings, bought, sold = _limits(problem, t)
        for j in range(1, n):
            i = int(feeder.parent[j])
            y = 1 / complex(feeder.r[j], feeder.x[j])
            for one, other in ((i, j), (j, i)):
                de, df = e[one] - e[other], f[one] - f[other]
                current = y.real * de - y.imag * df, y.real * df + y.imag * de
                sent_p = e[one] * current[0] + f[one] * current[1]
                sent_q = f[one] * current[0] - e[one] * current[1]
                into_p[one] = into_p[one] + sent_p
                into_q[one] = into_q[one] + sent_q
                if np.isfinite(ratings[j]):
                    size = sent_p**2 + sent_q**2
                    # soft limits give way in power, hard ones are smoother in its square
                    if new.soft:
                        new.limit(casadi.sqrt(size + 1e-16), high=float(ratings[j]))
                    else:
                        new.row(size, -np.inf, float(ratings[j]) ** 2)
        buy, sell = new.variable(0.0, np.inf, 1.0), new.variable(0.0, np.inf, 1.0)
        self._pay(base * (float(problem.price_buy[t]) * buy - float(problem.price_sell[t]) * sell))
        new.limit(buy - sell, -sold, bought)
        free = new.variable(-np.inf, np.inf, 0.0)
        for j in range(n):
            squared = e[j] ** 2 + f[j] ** 2
            load_p, load_q = (
                float(load[t, j]) / base * (a * squared + b * self.v[t][j] + c)
                for load, (a, b, c) in (
                    (problem.load_p_mw, problem.zip_p),
                    (problem.load_q_mvar, problem.zip_q),
                )
            )
            p = self.p[t][j] - load_p - float(feeder.conductance[j]) * squared
            q = self.q[t][j] - load_q + float(feeder.shunt[j]) * squared
            if j == 0:
                p, q = p + buy - sell, q + free
            else:
                new.limit(squared, float(v_min[j]) ** 2, float(v_max[j]) ** 2)
            self.rows_p[t, j] = new.row(p - into_p[j], 0.0, 0.0)
            self.rows_q[t, j] = new.row(q - into_q[j], 0.0, 0.0)


def _limits(problem: Problem, t: int) -> Sequence[np.ndarray | float]:
    """Return one interval's v_min, v_max, ratings (bus,), import and export limit. [pu]"""
    n, base = problem.feeder.size, problem.feeder.s_base_mva
    band = []
    for given in (problem.v_min, problem.v_max):
        values = np.asarray(given, dtype=float)
        band.append(np.broadcast_to(values[t] if values.ndim else values, (n,)))
    ratings = problem.feeder.s_max if problem.s_max_mva is None else problem.s_max_mva[t] / base
    passed = [
        float(np.broadcast_to(given, (problem.intervals,))[t]) / base
        for given in (problem.import_max_mw, problem.export_max_mw)
    ]
    return *band, ratings, *passed
