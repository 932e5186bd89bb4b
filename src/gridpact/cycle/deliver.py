"""Phase 6: energy flows within the cleared limits; what the meters signed is given to the fills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gridpact.crypto.eip712 import Domain
from gridpact.cycle.market import Market
from gridpact.cycle.past import Past
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Delivered
from gridpact.cycle.result import metered
from gridpact.model.balance import close
from gridpact.model.delivery import Metered, Reading, SignedReading
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.record import Cleared, Curtailed, Meters, Prices
from gridpact.quantities import MAX_ENERGY, Score
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


def deliver(market: Market, interval: int, prices: Prices, cleared: Cleared, past: Past) -> Flowed:
    """Let energy flow, write what the meters signed, and give it to the fills.

    Everything but the readings themselves follows from the readings on the ledgers, so a resumed
    run settles what was measured, not what would be measured now.
    """
    reactive = {row.participant: row.reactive_var for row in cleared.reactive}
    delivered = _heard(
        market, interval, past, market.field.deliver(interval, cleared.limits, reactive)
    )
    local = once(
        market.local,
        Key(market.region.id, interval, Phase.DELIVER),
        Meters,
        lambda: _local(market, delivered, past, prices.loss_share),
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


def _heard(market: Market, interval: int, past: Past, delivered: Delivered) -> Delivered:
    """Leave out readings that cannot count: to the market those meters fell silent.

    A reading counts when its meter is known on the chain and signed it for this interval, when its
    registers did not run backwards and hold a possible number, and when it is the only one: a meter
    that signed two has said nothing.
    """

    def usable(one: SignedReading, region: bytes, domain: Domain) -> bool:
        reading = one.reading
        imported, exported = past.readings.get(reading.meter, (0, 0))
        return (
            (reading.region, reading.interval) == (region, interval)
            and imported <= reading.import_wh <= MAX_ENERGY
            and exported <= reading.export_wh <= MAX_ENERGY
            and market.check(reading.meter, reading.digest(domain), one.signature)
        )

    def heard(
        readings: Sequence[SignedReading], region: bytes, domain: Domain, meters: Sequence[bytes]
    ) -> list[SignedReading]:
        said: dict[bytes, dict[Reading, SignedReading]] = {meter: {} for meter in meters}
        for one in readings:
            if one.reading.meter in said and usable(one, region, domain):
                said[one.reading.meter].setdefault(one.reading, one)
        return [found for each in said.values() if len(each) == 1 for found in each.values()]

    region = market.region
    people = [one.address for one in market.participants]
    return replace(
        delivered,
        local=heard(delivered.local, region.id, market.local.domain, [*people, region.substation]),
        zonal=heard(delivered.zonal, market.zone, market.zonal.domain, list(market.plants)),
    )


def _local(market: Market, delivered: Delivered, past: Past, expected: Score) -> Meters:
    energy = metered((*delivered.local, *delivered.zonal), past.readings)
    homes = {one.address for one in market.participants}
    above = energy.pop(market.region.substation, None)
    imports = sum(row.import_wh for row in energy.values())
    rest = sum(row.export_wh for row in energy.values()) - imports
    if above is not None:
        rest += above.import_wh - above.export_wh
    complete = above is not None and energy.keys() == homes | set(market.plants)
    closed = close(rest + past.carried_wh, imports, expected, complete)
    return Meters(
        readings=tuple(delivered.local),
        loss_wh=closed.loss_wh,
        weighed_wh=imports + closed.loss_wh,
        curtailed=tuple(row for row in delivered.curtailed if row.participant in homes),
        carried_wh=closed.carried_wh,
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
