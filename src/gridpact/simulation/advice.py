"""The day-ahead power flow as the cycle asks for it: solved once, told interval by interval."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridpact.cycle.ports import PriceSignal
from gridpact.grid.feeder import Feeder
from gridpact.grid.opf import solve
from gridpact.grid.problem import Solution
from gridpact.model.record import BusCharge
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import MICRO, PPM, whole
from gridpact.simulation.day_ahead import problem
from gridpact.simulation.world import World


@dataclass(frozen=True, eq=False)
class Advice:
    """A `cycle.ports.DayAhead` over the expected day of a region."""

    world: World
    outlook: Outlook
    feeder: Feeder
    tariff: Tariff
    v_root: float
    band: tuple[float, float]
    inverter_q: bool

    @cached_property
    def solution(self) -> Solution:
        """The solved day; `infeasible` leaves loss and location out of the prices."""
        return solve(
            problem(
                self.world,
                self.outlook,
                self.feeder,
                self.tariff,
                self.v_root,
                self.band,
                self.inverter_q,
            )
        )

    def __call__(self, interval: int) -> PriceSignal:
        solution = self.solution
        if solution.prices is None:
            return PriceSignal(0, (), solution.solver, solution.conflicts)
        prices = solution.prices
        located = (prices.congestion + prices.voltage)[interval] * MICRO / 1000
        loads = float(self.outlook.load_w[:, interval].sum()) * self.world.hours / 1e6
        loss = max(0.0, solution.loss_mwh / self.world.fleet.intervals)
        return PriceSignal(
            loss_share=whole(PPM * loss / (loads + loss)),
            buses=tuple(
                BusCharge(int(bus), whole(value))
                for bus, value in zip(self.feeder.ids, located, strict=True)
                if whole(value)
            ),
            solver=solution.solver,
            conflicts=solution.conflicts,
            marginal_loss={
                int(bus): whole(share)
                for bus, share in zip(
                    self.feeder.ids,
                    -PPM * prices.loss[interval] / np.maximum(prices.energy[interval], 1e-9),
                    strict=True,
                )
            },
        )
