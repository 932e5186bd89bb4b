"""Owners who ask by paper D's rule: their batteries' schedule before an interval, and after it.

A planner of the simulated field (`prosumer.neighbours` has the rule): it is asked once before each
interval, in order, and told what the orders came to. Powers in W, energies in whole Wh.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gridpact.model.trade import Fill
from gridpact.prosumer.control import Schedule, State, ev_power_w, headroom_w, reserve_w
from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.fleet import Fleet
from gridpact.prosumer.neighbours import Asked, Neighbourhood, RequestSettings
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.request import RULES, Step, Terms


class Requests:
    """All owners' requests over the horizon. `distance` between any two sites, row: who asks."""

    def __init__(
        self,
        fleet: Fleet,
        outlook: Outlook,
        hours: float,
        settings: RequestSettings,
        distance: Sequence[Sequence[int]],
        addresses: Sequence[bytes],
    ) -> None:
        self._fleet, self._outlook, self._hours = fleet, outlook, hours
        self._place = {address: place for place, address in enumerate(addresses)}
        self._addresses = addresses
        limits = tuple(int(one) for one in fleet.capacity_wh)
        rows = tuple(map(tuple, distance))
        terms = Terms(limits, rows, RULES[settings.rule], patience=settings.patience)
        self._neighbours = Neighbourhood(terms)
        self._net_w: FloatArray = np.zeros(0)
        self._asked: Asked | None = None

    def turn(self, addresses: Sequence[bytes]) -> None:
        """Know owners by other addresses from now on."""
        self._place = {address: place for place, address in enumerate(addresses)}
        self._addresses = addresses

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return every step so far; participants and donors are numbers of sites."""
        return tuple(self._neighbours.steps)

    @property
    def partners(self) -> Mapping[bytes, bytes]:
        """Return the donor whom each bidder prefers in the interval asked for last."""
        if self._asked is None:
            return {}
        names = self._addresses
        return {names[who]: names[donor] for who, donor in self._asked.partner.items()}

    def __call__(self, interval: int, state: State) -> Schedule:
        """Return what batteries are to do, given what they hold."""
        fleet, hours = self._fleet, self._hours
        load = self._outlook.load_w[:, interval] + ev_power_w(fleet, state, interval, hours)
        self._net_w = load - self._outlook.pv_w[:, interval]
        self._asked = self._neighbours.ask(
            interval,
            _whole(self._net_w * hours),
            _whole(reserve_w(fleet, state.stored_wh, hours) * hours),
            _whole(headroom_w(fleet, state.stored_wh, hours) * hours),
        )
        return self._schedule(self._asked.battery)

    def told(self, fills: Iterable[Fill]) -> Schedule:
        """Return what batteries do after the market has cleared, both tiers."""
        if self._asked is None:
            raise ValueError("told of a clearing that nobody ordered for")
        bought, sold = dict[int, int](), dict[int, int]()
        for fill in fills:
            for who, sums in ((fill.buyer, bought), (fill.seller, sold)):
                if who in self._place:
                    place = self._place[who]
                    sums[place] = sums.get(place, 0) + fill.energy_wh
        return self._schedule(self._neighbours.settled(self._asked, bought, sold))

    def _schedule(self, battery: Mapping[int, int]) -> Schedule:
        power = np.zeros(len(self._net_w))
        for who, energy in battery.items():
            power[who] = energy / self._hours
        return Schedule(power, self._net_w + power)


def _whole(energy: FloatArray) -> dict[int, int]:
    """Return whole Wh by site, towards zero."""
    return dict(enumerate(np.trunc(energy).astype(np.int64).tolist()))
