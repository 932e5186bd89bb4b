"""What is one more kWh worth at each bus, and why? Nodal prices and their four parts.

DLMP_j = dF*/d(constant load at j) = multiplier of the balance row / (dt S_base), 5-decisions,
section 13. By the envelope theorem it is also the price of what one more unit of load at j does to
the AC power flow with all devices held: energy (the root's price), loss (the root's price times
the losses it causes), congestion and voltage (multipliers of the binding limits times how the
limits move). These parts come from one adjoint solve of the branch flow equations per interval.
"""

import numpy as np
from scipy import sparse

from gridpact.grid.branch_flow import injection_gradient, layout, state
from gridpact.grid.cone_programme import Answer
from gridpact.grid.feeder import FloatArray
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
    parts = np.array([_parts(problem, flow, t, _pushes(model, answer, flow, t)) for t in range(T)])
    return Prices(
        active=active,
        reactive=reactive,
        energy=np.repeat(active[:, :1], n, axis=1),
        loss=-active[:, :1] * parts[:, 0],
        congestion=parts[:, 1],
        voltage=parts[:, 2],
        marginal_loss=parts[:, 0],
    )


def _pushes(model: Model, answer: Answer, flow: PowerFlow, t: int) -> tuple[FloatArray, FloatArray]:
    """Return the gradients of (line limits, voltage limits) weighted by their multipliers."""
    feeder = flow.feeder
    at, m = layout(feeder), feeder.size - 1
    congestion, voltage = np.zeros(4 * m), np.zeros(4 * m)
    high, low = (answer.multipliers[name].reshape(-1, m)[t] for name in ("v_max", "v_min"))
    voltage[at.v] = model.unit * (high - low)
    rated = np.flatnonzero(np.isfinite(feeder.s_max[1:]))
    if len(rated) == 0:
        return congestion, voltage
    r, x = feeder.r[1:][rated], feeder.x[1:][rated]
    for name, lost in (("line sent", 0.0), ("line arrived", 1.0)):
        z = model.unit * answer.multipliers[name].reshape(-1, len(rated), 3)[t]
        congestion[at.P[rated]] -= z[:, 1]
        congestion[at.Q[rated]] -= z[:, 2]
        congestion[at.l[rated]] += lost * (r * z[:, 1] + x * z[:, 2])
    return congestion, voltage


def _parts(
    problem: Problem,
    flow: PowerFlow,
    t: int,
    pushes: tuple[FloatArray, FloatArray],
) -> FloatArray:
    """Return marginal loss, congestion and voltage part of one interval's prices, (3, bus)."""
    feeder = flow.feeder
    at, m = layout(feeder), feeder.size - 1
    supply = np.zeros(4 * m)
    supply[at.P[feeder.parent[1:] == 0]] = 1.0
    v = flow.v[t, 1:]
    slopes = [
        -load[t, 1:] / feeder.s_base_mva * (a + b / (2 * v))
        for load, (a, b, _) in (
            (problem.load_p_mw, problem.zip_p),
            (problem.load_q_mvar, problem.zip_q),
        )
    ]
    gradients = sparse.csr_array(np.array([supply, *pushes]))
    by_p, _ = injection_gradient(feeder, state(flow, t), gradients, slopes[0], slopes[1])
    # a load is a negative injection; injecting one unit saves that unit of supply and some losses
    parts = -by_p
    parts[0, 1:] = 1 + by_p[0, 1:]
    return parts
