"""Any small radial feeder with any devices, from a seed: what the answers are compared on."""

import numpy as np

from gridpact.grid.feeder import Feeder, Line, build
from gridpact.grid.flexible import Curtailable, Shiftable
from gridpact.grid.problem import DeviceSets, Ev, Generator, Problem, Pv, Storage

ZIP = ((0.0, 0.0, 1.0), (0.3, 0.4, 0.3), (1.0, 0.0, 0.0), (0.2, 0.8, 0.0))


def random_feeder(rng: np.random.Generator, size: int, rated: bool = False) -> Feeder:
    """Return a tree whose buses are numbered at random; some shunts, ratings if asked."""
    ids = rng.permutation(np.arange(1, size + 1))
    lines = []
    for place in range(1, size):
        above = int(rng.integers(max(0, place - 3), place))
        r, x = rng.uniform(0.002, 0.03, 2)
        rating = float(rng.uniform(0.6, 2.0)) if rated and rng.random() < 0.3 else None
        lines.append(Line(int(ids[above]), int(ids[place]), r, x, rating))
    shunt = {int(ids[-1]): float(rng.uniform(0, 0.1))}
    return build(int(ids[0]), lines, shunt, 1.0, 1.0, {int(ids[-1]): float(rng.uniform(0, 0.01))})


def random_problem(
    seed: int,
    size: int = 8,
    intervals: int = 3,
    sun: float = 0.5,
    v_max: float = 1.1,
    v_min: float = 0.9,
    zip_kind: int = 0,
    storage: bool = True,
    rated: bool = False,
    least_price: float = 0.0,
    reactive: bool = True,
) -> Problem:
    """Return a problem with every kind of device. sun: power of each of two plants. [MW]"""
    rng = np.random.default_rng(seed)
    feeder = random_feeder(rng, size, rated)
    T, load = intervals, rng.uniform(0, 0.15, (intervals, size))
    buses = feeder.ids

    def some(count: int) -> np.ndarray:
        return rng.choice(buses[1:], count)

    price = rng.uniform(max(least_price, 60.0), 400.0, T)
    if least_price < 0:
        price[int(rng.integers(T))] = least_price
    devices = DeviceSets(
        pv=Pv(some(2), 1.1 * sun * np.ones(2), sun * rng.uniform(0, 1, (T, 2)),
              np.array([0.0, 20.0]), reactive),
        storage=Storage(
            some(1), np.array([0.15]), np.zeros(1), np.array([0.3]), np.array([0.1]),
            rng.uniform(0.85, 1.0, 1), rng.uniform(0.85, 1.0, 1), np.array([10.0]),
        ) if storage else DeviceSets().storage,
        ev=Ev(some(1), np.array([0.1]), np.array([0.05]), np.array([0]), np.array([T]),
              np.array([0.9])),
        generator=Generator(some(1), np.zeros(1), np.array([0.2]), np.array([-0.05]),
                            np.array([0.05]), np.array([150.0]), np.array([120.0])),
        shiftable=Shiftable(
            some(1), np.array([0.06 * T]), np.full((T, 1), 0.02), np.full((T, 1), 0.12),
            np.array([0]), np.array([T]), np.array([0.3]),
        ),
        curtailable=Curtailable(some(1), np.array([0.5]), np.array([320.0])),
    )  # fmt: skip
    return Problem(
        feeder=feeder,
        dt_h=1.0,
        v_min=v_min,
        v_max=v_max,
        v_root=np.full(T, 1.0),
        load_p_mw=load,
        load_q_mvar=load * rng.uniform(0.1, 0.5, size),
        price_buy=price,
        price_sell=price - rng.uniform(0, 60, T),
        devices=devices,
        zip_p=ZIP[zip_kind],
        zip_q=ZIP[(zip_kind + 1) % 4] if zip_kind else ZIP[0],
    )
