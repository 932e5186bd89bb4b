"""Trading cases of the size that paper D's experiment has: six suppliers, five users."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from gridpact.market.pareto_case import NO_CAP, Case


def paper_case(seed: int, suppliers: int = 6, users: int = 5, capped: bool = True) -> Case:
    """Return a random case: grid supply first, large and fossil, then renewables."""
    chance = np.random.default_rng(seed)
    price = np.concatenate([[0.45], chance.uniform(0.25, 0.6, suppliers - 1)])
    unit_cost = price[:, None] + chance.uniform(0.01, 0.12, (suppliers, users))
    least = chance.uniform(10, 30, users)
    capacity = np.concatenate([[250.0 * users / 5], chance.uniform(20, 60, suppliers - 1)])
    return Case.of(
        unit_cost,
        capacity,
        least,
        least + chance.uniform(0, 60, users),
        np.concatenate([[0.0], np.ones(suppliers - 1)]),
        0.5 if capped else NO_CAP,
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return small cases full of ties, zeros and conflicts, on any scale."""
    suppliers, users = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    scale = draw(st.sampled_from([1.0, 1e-3, 1e9]))
    some = st.integers(0, 6)
    rows = st.lists(st.lists(st.integers(-2, 9), min_size=users, max_size=users),
                    min_size=suppliers, max_size=suppliers)  # fmt: skip
    least = np.array(draw(st.lists(st.integers(0, 3), min_size=users, max_size=users)))
    more = np.array(draw(st.lists(some, min_size=users, max_size=users)))
    barred = draw(st.lists(st.integers(0, suppliers * users - 1), max_size=3, unique=True))
    case = Case.of(
        draw(rows),
        scale * np.array(draw(st.lists(some, min_size=suppliers, max_size=suppliers))),
        scale * least,
        scale * (least + more),
        draw(st.lists(st.integers(0, 2), min_size=suppliers, max_size=suppliers)),
        draw(st.sampled_from([NO_CAP, 4.0, 2.5, -3.0])),
    )
    return replace(case, barred=np.array(barred, np.int64))
