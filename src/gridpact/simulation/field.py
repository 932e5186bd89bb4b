"""The simulated field: participants that order by forecast, meters that read what happened.

Implements `cycle.ports.Field`. Everything random is drawn before the first interval, so a field
made anew from the same scenario answers a resumed run as it answered the first. What really
flowed is kept in `flows`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from gridpact.crypto.eip712 import Domain
from gridpact.cycle.ports import Allowance, Delivered, Expected, Submitted
from gridpact.model.delivery import Reading, SignedReading
from gridpact.model.record import Curtailed, Limit
from gridpact.model.trade import Fill
from gridpact.prosumer import control
from gridpact.prosumer.bidding import HONEST, allowed, wanted
from gridpact.prosumer.control import Operation, Schedule, State
from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.outlook import Outlook
from gridpact.simulation import meters, world
from gridpact.simulation.flow import Flow
from gridpact.simulation.forecast import plant_power
from gridpact.simulation.orders import Desk, local_orders, plant_orders
from gridpact.simulation.people import Party, People
from gridpact.simulation.requests import Requests
from gridpact.simulation.world import World


@dataclass(frozen=True)
class _Now:
    """The coming interval: what owners plan for it and what is expected of it."""

    interval: int
    planned: Schedule | None
    operation: Operation


Plans = Callable[[int, State], Schedule]
"""What owners plan for an interval, given what their devices hold."""


class SimulatedField:
    """Participants, devices and meters of one region and its plants.

    Parameters
    ----------
    physics
        Devices, plants and wires with what will really happen.
    outlook
        What participants expect.
    desk
        How orders and readings are signed, and where they go.
    meter_gain
        One per site, per plant, and the substation's (`meters.gains`).
    planner
        How owners plan their batteries; None leaves them to self-consumption control.
    requests
        Owners who ask their neighbours instead, and plan by that.
    """

    def __init__(
        self,
        physics: World,
        outlook: Outlook,
        desk: Desk,
        meter_gain: Sequence[float],
        planner: Plans | None = None,
        requests: Requests | None = None,
    ) -> None:
        self.planner, self.requests = requests or planner, requests
        self.world, self.outlook, self.desk = physics, outlook, desk
        self.flows: list[Flow] = []
        self._plants_w = plant_power(physics.plants, physics.fleet.intervals)
        self._gain = np.array(meter_gain)
        self._registers = meters.fresh(len(self._gain))
        self._state: State = control.start(physics.fleet)
        self._now: _Now | None = None

    @property
    def meter_gain(self) -> FloatArray:
        """What each meter multiplies the truth by: sites, plants, the substation."""
        return self._gain

    def turn(self, people: People) -> None:
        """Let devices speak under other keys from now on; a household's registers begin at zero.

        Registers that went on counting would tell whose meter it is.
        """
        self.desk = replace(self.desk, people=people)
        parties = (*people.sites, *people.plants)
        self.world = replace(self.world, ids=tuple(one.address for one in parties))
        self._registers = meters.reset(self._registers, len(people.sites))
        if self.requests is not None:
            self.requests.turn([one.address for one in people.sites])

    def expected(self, interval: int) -> Expected:
        """Return the operator's view of the coming interval, from forecasts."""
        now = self._expect(interval)
        at = world.position(now.operation, self.outlook.plant_w[:, interval])
        rows = world.injectors(self.world, at, ranked=False)
        return Expected(
            load=world.bus_load(self.world, at),
            injectors=rows,
            allowance=self._allowances(now),
            exports={row.participant: int(row.generation_w * self.world.hours) for row in rows},
        )

    def orders(self, interval: int) -> Submitted:
        """Return what participants and plants order."""
        now, plants = self._expect(interval), self.world.plants
        run = any(plant.window[0] <= interval < plant.window[1] for plant in plants)
        want = wanted(now.operation, self.world.hours)
        near = {} if self.requests is None else self.requests.partners
        return Submitted(
            local=local_orders(self.desk, self.world.fleet.sites, want, interval, run, near),
            zonal=plant_orders(
                self.desk, plants, self.outlook.plant_w[:, interval], interval, self.world.hours
            ),
        )

    def told(self, interval: int, fills: Sequence[Fill]) -> None:
        """Let owners who ask their neighbours know what their orders came to."""
        if self.requests is not None:
            now = self._expect(interval)
            self._now = replace(now, planned=self.requests.told(fills))

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        """Let the interval happen within its limits and read the meters."""
        planned = self._expect(interval).planned
        fleet = self.world.fleet
        flow, self._state = world.run_interval(
            self.world,
            self._state,
            interval,
            (fleet.load_w[:, interval], fleet.pv_w[:, interval], self._plants_w[:, interval]),
            {limit.participant: limit.power_w for limit in limits},
            reactive_var,
            planned,
        )
        self.flows.append(flow)
        return self._read(flow)

    def _expect(self, interval: int) -> _Now:
        """Return the expected operation of the coming interval; worked out once."""
        self._require_next(interval)
        if self._now is None or self._now.interval != interval:
            load, pv = self.outlook.load_w[:, interval], self.outlook.pv_w[:, interval]
            planned = None if self.planner is None else self.planner(interval, self._state)
            operation, _ = world.operate(self.world, self._state, interval, load, pv, planned)
            self._now = _Now(interval, planned, operation)
        return self._now

    def _require_next(self, interval: int) -> None:
        if interval != len(self.flows):
            raise ValueError(
                f"interval {interval} asked for, the field stands at {len(self.flows)}"
            )

    def _allowances(self, now: _Now) -> dict[bytes, Allowance]:
        hours = self.world.hours
        limits = allowed(self.world.fleet, self._state, now.operation, hours)
        power = self.outlook.plant_w[:, now.interval]
        rows = [
            (party, bid, offer)
            for party, bid, offer in zip(
                self.desk.people.sites,
                limits.bid_wh.tolist(),
                limits.offer_wh.tolist(),
                strict=True,
            )
        ]
        rows += [
            (party, 0, int(watt * hours))
            for party, watt in zip(self.desk.people.plants, power, strict=True)
        ]
        return {party.address: self._declared(party, bid, offer) for party, bid, offer in rows}

    def _declared(self, party: Party, bid_wh: int, offer_wh: int) -> Allowance:
        factor = self.desk.conduct.get(party.participant.name, HONEST).declared
        if factor == 1.0:
            return Allowance(bid_wh, offer_wh)
        return Allowance(int(bid_wh * factor), int(offer_wh * factor))

    def _read(self, flow: Flow) -> Delivered:
        hours, people, venue = self.world.hours, self.desk.people, self.desk.venue
        net_w = np.concatenate([flow.net_w, -flow.plant_w, [flow.substation_w]])
        self._registers = meters.advance(self._registers, net_w * hours, self._gain)
        imports, exports = (column.tolist() for column in self._registers)
        parties = (*people.sites, *people.plants, people.substation)
        first, last = len(people.sites), len(parties) - 1
        readings = [
            self._signed(
                party,
                venue.zone if first <= i < last else venue.region,
                venue.zonal if first <= i < last else venue.local,
                (flow.interval, imports[i], exports[i]),
            )
            for i, party in enumerate(parties)
        ]
        cut = zip(chain(people.sites, people.plants), flow.curtailed_wh, strict=True)
        return Delivered(
            local=[*readings[:first], readings[last]],
            zonal=readings[first:last],
            curtailed=[
                Curtailed(party.address, round(float(energy)))
                for party, energy in cut
                if energy >= 0.5
            ],
        )

    def _signed(
        self, party: Party, region: bytes, domain: Domain, values: tuple[int, int, int]
    ) -> SignedReading:
        interval, imported, exported = values
        reading = Reading(party.address, region, interval, imported, exported)
        signature = party.key.sign(reading.digest(domain)) if self.desk.signed else b""
        return SignedReading(reading, signature)
