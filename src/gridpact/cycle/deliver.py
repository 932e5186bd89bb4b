"""Phase 6: energy flows within the cleared limits; what the meters signed is given to the fills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gridpact.crypto.eip712 import Domain
from gridpact.cycle.market import Market
from gridpact.cycle.past import Past
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Delivered
from gridpact.cycle.result import metered
from gridpact.errors import SettlementError
from gridpact.model.delivery import Metered, SignedReading
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.record import Cleared, Curtailed, Meters
from gridpact.settlement.allocation import Allocation, allocate


@dataclass(frozen=True)
class Flowed:
    """What an interval came to in energy.

    `local` and `zonal` are the meters' records on the two chains, `energy` every meter's share of
    the interval, `allocation` one delivery per fill in the order of the clearing.
    """

    local: Meters
    zonal: Meters
    energy: Mapping[bytes, Metered]
    allocation: Allocation


def deliver(market: Market, interval: int, cleared: Cleared, past: Past) -> Flowed:
    """Let energy flow, write what the meters signed, and give it to the fills.

    Everything but the readings themselves follows from the readings on the ledgers, so a resumed
    run settles what was measured, not what would be measured now.
    """
    reactive = {row.participant: row.reactive_var for row in cleared.reactive}
    delivered = _heard(market, market.field.deliver(interval, cleared.limits, reactive))
    local = once(
        market.local,
        Key(market.region.id, interval, Phase.DELIVER),
        Meters,
        lambda: _local(market, delivered, past),
    )
    stopped = tuple(delivered.curtailed)
    zonal = once(
        market.zonal,
        Key(market.zone, interval, Phase.DELIVER),
        Meters,
        lambda: _zonal(market, delivered, cleared, local, past, stopped),
    )
    energy = metered((*local.readings, *zonal.readings), past.readings)
    return Flowed(local, zonal, energy, _allocated(market, cleared, local, zonal.curtailed, energy))


def _heard(market: Market, delivered: Delivered) -> Delivered:
    """Leave out readings that their meters did not sign: they count as missing."""

    def signed(readings: Sequence[SignedReading], domain: Domain) -> list[SignedReading]:
        return [
            one
            for one in readings
            if market.check(one.reading.meter, one.reading.digest(domain), one.signature)
        ]

    return replace(
        delivered,
        local=signed(delivered.local, market.local.domain),
        zonal=signed(delivered.zonal, market.zonal.domain),
    )


def _local(market: Market, delivered: Delivered, past: Past) -> Meters:
    energy = metered((*delivered.local, *delivered.zonal), past.readings)
    loss_wh, imports_wh = _balance(delivered.local[-1].reading.meter, energy)
    homes = {one.address for one in market.participants}
    return Meters(
        readings=tuple(delivered.local),
        loss_wh=loss_wh,
        weighed_wh=imports_wh + loss_wh,
        curtailed=tuple(row for row in delivered.curtailed if row.participant in homes),
    )


def _zonal(
    market: Market,
    delivered: Delivered,
    cleared: Cleared,
    local: Meters,
    past: Past,
    stopped: Sequence[Curtailed],
) -> Meters:
    """Return the plants' meters; the running sum of energy sent starts where the region's ends."""
    energy = metered((*local.readings, *delivered.zonal), past.readings)
    curtailed = tuple(row for row in stopped if row.participant in market.plants)
    allocation = _allocated(market, cleared, local, curtailed, energy)
    own = sum(1 for fill in cleared.fills if fill.tier is Tier.LOCAL)
    return Meters(
        readings=tuple(delivered.zonal),
        loss_wh=local.loss_wh,
        weighed_wh=local.weighed_wh,
        before_wh=sum(delivery.sent for delivery in allocation.deliveries[:own]),
        curtailed=curtailed,
    )


def _allocated(
    market: Market,
    cleared: Cleared,
    local: Meters,
    curtailed: Sequence[Curtailed],
    energy: Mapping[bytes, Metered],
) -> Allocation:
    """Give the metered energy of participants and plants to their fills, local ones first.

    Fills of a party whose reading is missing are disputed: their locks stay until it is there.
    """
    parties = [one.address for one in market.participants] + list(market.plants)
    return allocate(
        cleared.fills,
        [energy.get(who, Metered(who, 0, 0)) for who in parties],
        local.loss_wh,
        local.weighed_wh,
        curtailed=(*local.curtailed, *curtailed),
        disputed={who for who in parties if who not in energy},
    )


def _balance(substation: bytes, energy: Mapping[bytes, Metered]) -> tuple[int, int]:
    """Return the region's loss and its imports: what came in and was not metered out. [Wh]"""
    above = energy[substation]
    meters = [row for row in energy.values() if row.participant != substation]
    imports = sum(row.import_wh for row in meters)
    loss = above.import_wh - above.export_wh + sum(row.export_wh for row in meters) - imports
    if loss < 0:
        raise SettlementError(f"the meters show {-loss} Wh more out of the region than into it")
    return loss, imports
