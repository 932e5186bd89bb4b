"""Owners who plan: when should a battery charge and discharge, given expected prices?

Before every interval all owners plan the rest of the horizon in one linear programme
(block-diagonal, HiGHS): each minimises its own bill on its forecast and on what it expects to pay
and to earn; the first interval of the plan is carried out. Between owners nothing is shared but
the prices, so each gets its own best plan.

Expected prices follow from the expected balance of the neighbourhood: what share of demand the
local surplus can meet, and what share of the surplus finds a buyer.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from gridpact.errors import GridpactError
from gridpact.model.order import Tier
from gridpact.prosumer.control import Schedule, State, ev_power_w
from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.fleet import Fleet
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.tariff import Tariff, ask, bid_limit

_NOTHING_W = 0.1
"""Power that a solver's tolerance may leave behind. [W]"""
_WEAR = 0.1
"""Wear of a battery as a share of the feed-in tariff, per kWh through the cell."""


@dataclass(frozen=True, eq=False)
class ExpectedPrices:
    """What a site expects to pay (interval,) and to earn (site, interval). [micro-units per kWh]"""

    buy: FloatArray
    sell: FloatArray


def expected_prices(
    fleet: Fleet, outlook: Outlook, tariff: Tariff, need_w: FloatArray
) -> ExpectedPrices:
    """Return expected prices from the forecast balance without batteries.

    `need_w` is load and vehicles. (site, interval) [W]
    """
    net = need_w - outlook.pv_w
    demand = np.maximum(net, 0.0).sum(axis=0)
    surplus = np.maximum(-net, 0.0).sum(axis=0)
    met = np.divide(surplus, demand, out=np.ones_like(demand), where=demand > surplus)
    sold = np.divide(demand, surplus, out=np.ones_like(surplus), where=surplus > demand)
    asks = np.array(
        [
            [ask(tariff, t, Tier.LOCAL, site.ask_share) for t in range(fleet.intervals)]
            for site in fleet.sites
        ],
        dtype=float,
    )
    retail = np.array(tariff.retail, dtype=float)
    limit = np.array([bid_limit(tariff, t, Tier.LOCAL) for t in range(fleet.intervals)])
    local = np.minimum(asks.mean(axis=0), limit) + tariff.local_charge
    return ExpectedPrices(
        buy=retail - met * (retail - np.minimum(local, retail)),
        sell=tariff.feed_in + sold * (asks - tariff.feed_in),
    )


def vehicles_w(fleet: Fleet, hours: float) -> FloatArray:
    """Return what vehicles will draw over the horizon, which is known. (site, interval) [W]"""
    state = State(fleet.start_wh, fleet.ev_energy_wh.copy())
    drawn = np.zeros_like(fleet.load_w)
    for t in range(fleet.intervals):
        drawn[:, t] = ev_power_w(fleet, state, t, hours)
        state = state._replace(ev_left_wh=state.ev_left_wh - drawn[:, t] * hours)
    return drawn


@dataclass(frozen=True, eq=False)
class Planner:
    """Plans before every interval with what the cells hold by then. `hours` of an interval."""

    fleet: Fleet
    outlook: Outlook
    tariff: Tariff
    hours: float

    def __call__(self, interval: int, state: State) -> Schedule:
        """Return what every site plans for `interval`. (site,) [W]"""
        rest = slice(interval, None)
        fleet = replace(
            self.fleet,
            load_w=self.fleet.load_w[:, rest],
            pv_w=self.fleet.pv_w[:, rest],
            start_wh=state.stored_wh,
            ev_energy_wh=state.ev_left_wh,
            ev_arrives=self.fleet.ev_arrives - interval,
            ev_leaves=self.fleet.ev_leaves - interval,
        )
        outlook = Outlook(
            self.outlook.load_w[:, rest],
            self.outlook.pv_w[:, rest],
            self.outlook.plant_w[:, rest],
        )
        tariff = replace(self.tariff, retail=self.tariff.retail[rest])
        return plan(fleet, outlook, tariff, self.hours).at(0)


def plan(fleet: Fleet, outlook: Outlook, tariff: Tariff, hours: float) -> Schedule:
    """Return what every site plans for the horizon; without a battery just its forecast.

    What is left in a cell at the end is worth the feed-in tariff. A wear of a tenth of that per
    kWh keeps plans from cycling for nothing.
    """
    owners = np.flatnonzero(fleet.capacity_wh > 0)
    need = outlook.load_w + vehicles_w(fleet, hours)
    net: FloatArray = need - outlook.pv_w
    battery = np.zeros_like(net)
    if owners.size:
        prices = expected_prices(fleet, outlook, tariff, need)
        charge, discharge = _solve(fleet, owners, net[owners], prices, tariff.feed_in, hours)
        battery[owners] = charge - discharge
        battery[np.abs(battery) < _NOTHING_W] = 0.0
    return Schedule(battery, net + battery)


def _solve(
    fleet: Fleet,
    owners: np.ndarray[tuple[int], np.dtype[np.int64]],
    net_w: FloatArray,
    prices: ExpectedPrices,
    feed_in: float,
    hours: float,
) -> tuple[FloatArray, FloatArray]:
    """Solve for charge, discharge, import, export and stored energy of every owner.

    Notes
    -----
    import - export - charge + discharge = net;  E_t - E_{t-1} = h (eta_c ch - dis / eta_d).
    Power in kW, energy in kWh here: that conditions the programme well.
    """
    count, horizon = net_w.shape
    cells = count * horizon
    eye = sparse.eye_array(cells, format="csr")
    previous = sparse.kron(sparse.eye_array(count), sparse.eye_array(horizon, k=-1), format="csr")
    eta_c = np.repeat(fleet.charge_efficiency[owners], horizon)
    eta_d = np.repeat(fleet.discharge_efficiency[owners], horizon)
    nothing = sparse.csr_array((cells, cells))
    balance = sparse.hstack([-eye, eye, eye, -eye, nothing])
    store = sparse.hstack(
        [
            sparse.diags_array(-hours * eta_c),
            sparse.diags_array(hours / eta_d),
            nothing,
            nothing,
            eye - previous,
        ]
    )
    first = np.zeros((count, horizon))
    first[:, 0] = fleet.start_wh[owners] / 1000
    power = np.repeat(fleet.power_w[owners], horizon) / 1000
    capacity = np.repeat(fleet.capacity_wh[owners], horizon) / 1000
    left = np.zeros((count, horizon))
    left[:, -1] = feed_in
    high = np.concatenate([power, power, np.full(2 * cells, np.inf), capacity])
    cost = np.concatenate(
        [
            np.full(2 * cells, _WEAR * feed_in / 2),
            np.tile(prices.buy, count),
            -np.minimum(prices.sell[owners], prices.buy).ravel(),
            -left.ravel(),
        ]
    )
    answer = linprog(  # type: ignore[call-overload]  # the stubs know no sparse matrices
        cost / 1e6,
        A_eq=sparse.vstack([balance, store], format="csr"),
        b_eq=np.concatenate([net_w.ravel() / 1000, first.ravel()]),
        bounds=np.column_stack([np.zeros(5 * cells), high]),
        method="highs",
    )
    if answer.x is None:
        raise GridpactError(f"the owners' plan has no solution: {answer.message}")
    charge, discharge = answer.x[: 2 * cells].reshape(2, count, horizon) * 1000
    return charge, discharge
