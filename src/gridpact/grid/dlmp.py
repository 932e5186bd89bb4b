"""What is one more kWh worth at each bus, and why? Nodal prices and their four parts.

DLMP_j = dF*/d(constant load at j) = multiplier of the balance row / (dt S_base), 5-decisions,
section 13. By the envelope theorem it is also the price of what one more unit of load at j does to
the AC power flow with all devices held: energy (the root's price, scarcity of the substation
included), loss (the root's price times
the losses it causes), congestion and voltage (multipliers of the binding limits times how the
limits move). These parts come from one adjoint solve of the branch flow equations per interval.
"""

import numpy as np

from gridpact.grid.adjoint import Pushes, injection_gradients
from gridpact.grid.cone_solver import Answer
from gridpact.grid.net_limits import net_limits
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import Prices, Problem
from gridpact.grid.socp import Model


def nodal_prices(problem: Problem, model: Model, answer: Answer, flow: PowerFlow) -> Prices:
    """Return the prices in an answer, decomposed at its AC power flow. [per MWh]"""
    T, n = problem.intervals, problem.feeder.size
    active, reactive = np.zeros((T, n)), np.zeros((T, n))
    network = -model.unit * answer.multipliers["network"].reshape(T, 3, n - 1)
    active[:, 0] = -model.unit * answer.multipliers["root"]
    active[:, 1:], reactive[:, 1:] = network[:, 0], network[:, 1]
    v = flow.v[:, 1:]
    slope_p, slope_q = (
        -load[:, 1:] / flow.feeder.s_base_mva * (a + b / (2 * v))
        for load, (a, b, _) in (
            (problem.load_p_mw, problem.zip_p),
            (problem.load_q_mvar, problem.zip_q),
        )
    )
    by_p, _ = injection_gradients(flow, _pushes(problem, model, answer, flow), slope_p, slope_q)
    # a load is a negative injection; injecting one unit saves that unit of supply and some losses
    lost = np.zeros((T, n))
    lost[:, 1:] = 1 + by_p[0, :, 1:]
    return Prices(
        active=active,
        reactive=reactive,
        energy=np.repeat(active[:, :1], n, axis=1),
        loss=-active[:, :1] * lost,
        congestion=-by_p[1],
        voltage=-by_p[2],
        marginal_loss=lost,
    )


def _pushes(problem: Problem, model: Model, answer: Answer, flow: PowerFlow) -> Pushes:
    """Return the gradients of supply, and of line and voltage limits times their multipliers."""
    feeder = flow.feeder
    T, m = len(flow.v), feeder.size - 1
    P, Q, l, v = np.zeros((4, 3, T, m))  # noqa: E741
    P[0][:, feeder.parent[1:] == 0] = 1.0
    high, low = (answer.multipliers[name].reshape(T, m) for name in ("v_max", "v_min"))
    v[2] = model.unit * (high - low)
    t, branch = net_limits(problem, feeder).rated
    r, x = feeder.r[1:][branch], feeder.x[1:][branch]
    for name, lost in (("line sent", 0.0), ("line arrived", 1.0)):
        if len(branch) == 0:
            break
        z = model.unit * answer.multipliers[name].reshape(-1, 3)
        P[1][t, branch] -= z[:, 1]
        Q[1][t, branch] -= z[:, 2]
        l[1][t, branch] += lost * (r * z[:, 1] + x * z[:, 2])
    return Pushes(P, Q, l, v)
