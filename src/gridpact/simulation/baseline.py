"""The day "before": the same devices, plants, control and forecasts, on retail and feed-in only.

No market, no local or zonal trade: what a meter imports is bought from grid supply at retail, what
it exports is sold to it at the feed-in tariff. The wires, the meters with their errors and the
network operator are the same; its network share of retail pays for the losses, bought at the energy
part of retail.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.prosumer import control
from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import Money, amount
from gridpact.simulation import meters
from gridpact.simulation.flow import Flow
from gridpact.simulation.forecast import plant_power
from gridpact.simulation.world import World, run_interval

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Before:
    """The day without a market.

    import_wh, export_wh: what meters read, sites then plants, (party, interval) [Wh]. bill:
    (party,) what each pays over the day, negative when it earns, and the same by interval. price:
    (interval,) price of what sites buy, which is retail [micro-units per kWh]. substation_wh: net
    import from above, loss_wh: what meters show as lost, (interval,) [Wh]. grid_supply,
    network_operator: what each is left with. [micro-units]
    """

    flows: tuple[Flow, ...]
    import_wh: IntArray
    export_wh: IntArray
    bill: tuple[Money, ...]
    bill_by_interval: tuple[tuple[Money, ...], ...]
    price: tuple[int, ...]
    substation_wh: IntArray
    loss_wh: IntArray
    grid_supply: Money
    network_operator: Money


def before(world: World, tariff: Tariff, gain: FloatArray | None = None) -> Before:
    """Return the day of `world` under retail and feed-in tariff.

    `gain` is what each meter multiplies the truth by (`meters.gains`); None for meters without
    error.
    """
    flows = _flows(world)
    imports, exports, above, losses = _read(world, flows, gain)
    bills = [
        tuple(
            amount(tariff.retail[t], taken) - amount(tariff.feed_in, given)
            for t, (taken, given) in enumerate(zip(*rows, strict=True))
        )
        for rows in zip(imports.tolist(), exports.tolist(), strict=True)
    ]
    charges = sum(amount(tariff.network_share, int(energy)) for energy in imports.ravel())
    loss_cost = sum(
        amount(tariff.retail[t] - tariff.network_share, int(energy))
        for t, energy in enumerate(losses)
    )
    return Before(
        flows=flows,
        import_wh=imports,
        export_wh=exports,
        bill=tuple(sum(row) for row in bills),
        bill_by_interval=tuple(bills),
        price=tariff.retail,
        substation_wh=above,
        loss_wh=losses,
        grid_supply=sum(sum(row) for row in bills) - charges + loss_cost,
        network_operator=charges - loss_cost,
    )


def _read(
    world: World, flows: Sequence[Flow], gain: FloatArray | None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return what meters read: imports, exports (party, interval), substation, loss. [Wh]"""
    count = len(world.ids) + 1
    factors = np.ones(count) if gain is None else gain
    registers = [meters.fresh(count)]
    for flow in flows:
        net_w = np.concatenate([flow.net_w, -flow.plant_w, [flow.substation_w]])
        registers.append(meters.advance(registers[-1], net_w * world.hours, factors))
    imports, exports = (np.diff(np.array(read), axis=0) for read in zip(*registers, strict=True))
    losses = np.array([meters.loss(*row) for row in zip(imports, exports, strict=True)])
    return imports[:, :-1].T, exports[:, :-1].T, imports[:, -1] - exports[:, -1], losses


def _flows(world: World) -> tuple[Flow, ...]:
    state, fleet = control.start(world.fleet), world.fleet
    plants_w = plant_power(world.plants, fleet.intervals)
    flows = []
    for interval in range(fleet.intervals):
        flow, state = run_interval(
            world,
            state,
            interval,
            (fleet.load_w[:, interval], fleet.pv_w[:, interval], plants_w[:, interval]),
            {},
            {},
        )
        flows.append(flow)
    return tuple(flows)
