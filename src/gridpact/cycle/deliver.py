"""Phase 6: energy flows where sensors permit it, within the cleared limits; what the meters signed
is given to the fills.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gridpact.crypto.eip712 import Domain
from gridpact.cycle.market import Market
from gridpact.cycle.past import Past
from gridpact.cycle.permits import during, held, opening
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Delivered
from gridpact.cycle.result import metered
from gridpact.market.admission import Check
from gridpact.model.balance import close
from gridpact.model.delivery import Metered, Reading, SignedReading
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.record import Cleared, Curtailed, Meters, Prices, Verdicts
from gridpact.model.trade import Fill
from gridpact.quantities import MAX_ENERGY, Score, Wh
from gridpact.settlement.allocation import Allocation, allocate


@dataclass(frozen=True)
class Flowed:
    """What an interval came to in energy.

    `local` and `zonal` are the meters' records on the two chains, `energy` every meter's share of
    the interval, `allocation` one delivery per fill in the order of the clearing. `verdicts` are
    the sensors' word, before and during it.
    """

    local: Meters
    zonal: Meters
    energy: Mapping[bytes, Metered]
    allocation: Allocation
    verdicts: tuple[Verdicts, ...] = ()


def deliver(market: Market, interval: int, prices: Prices, cleared: Cleared, past: Past) -> Flowed:
    """Let energy flow, write what the meters signed, and give it to the fills.

    Everything but the readings themselves follows from the readings on the ledgers, so a resumed
    run settles what was measured, not what would be measured now.
    """
    reactive = {row.participant: row.reactive_var for row in cleared.reactive}
    opened = opening(market, interval, cleared)
    delivered = _heard(
        market, interval, past, market.field.deliver(interval, cleared.limits, reactive)
    )
    verdicts = during(market, interval, cleared, opened)
    holds = held(verdicts)
    local = once(
        market.local,
        Key(market.region.id, interval, Phase.DELIVER),
        Meters,
        lambda: balanced(parties(market), delivered, past, prices.loss_share),
    )
    stopped = tuple(delivered.curtailed)
    zonal = once(
        market.zonal,
        Key(market.zone, interval, Phase.DELIVER),
        Meters,
        lambda: _zonal(market, delivered, cleared, local, past, stopped, holds),
    )
    energy = metered((*local.readings, *zonal.readings), past.readings)
    shared = allocated(parties(market), cleared.fills, local, zonal.curtailed, energy, holds)
    return Flowed(local, zonal, energy, shared, verdicts)


def _heard(market: Market, interval: int, past: Past, delivered: Delivered) -> Delivered:
    """Leave out readings that cannot count: to the market those meters fell silent.

    A reading counts when its meter is known on the chain and signed it for this interval, when its
    registers did not run backwards and hold a possible number, and when it is the only one: a meter
    that signed two has said nothing.
    """

    region = market.region
    people = [one.address for one in market.participants]
    here = Listening(region.id, interval, market.local.domain, past.readings, market.check)
    there = Listening(market.zone, interval, market.zonal.domain, past.readings, market.check)
    return replace(
        delivered,
        local=here.heard(delivered.local, [*people, region.substation]),
        zonal=there.heard(delivered.zonal, list(market.plants)),
    )


@dataclass(frozen=True)
class Listening:
    """What a reading of an interval must be on one chain; `before` as in `Past.readings`."""

    region: bytes
    interval: int
    domain: Domain
    before: Mapping[bytes, tuple[int, int]]
    check: Check

    def heard(
        self, readings: Sequence[SignedReading], meters: Sequence[bytes]
    ) -> list[SignedReading]:
        """Return the readings that count, in the order of the meters."""
        said: dict[bytes, dict[Reading, SignedReading]] = {meter: {} for meter in meters}
        for one in readings:
            if one.reading.meter in said and self._usable(one):
                said[one.reading.meter].setdefault(one.reading, one)
        return [found for each in said.values() if len(each) == 1 for found in each.values()]

    def _usable(self, one: SignedReading) -> bool:
        reading = one.reading
        imported, exported = self.before.get(reading.meter, (0, 0))
        return (
            (reading.region, reading.interval) == (self.region, self.interval)
            and imported <= reading.import_wh <= MAX_ENERGY
            and exported <= reading.export_wh <= MAX_ENERGY
            and self.check(reading.meter, reading.digest(self.domain), one.signature)
        )


@dataclass(frozen=True)
class Parties:
    """Whose meters count: the region's homes, the zone's plants, and the substation's own."""

    homes: tuple[bytes, ...]
    plants: tuple[bytes, ...]
    substation: bytes


def parties(market: Market) -> Parties:
    """Return whose meters a market reads."""
    homes = tuple(one.address for one in market.participants)
    return Parties(homes, tuple(market.plants), market.region.substation)


def balanced(parties: Parties, delivered: Delivered, past: Past, expected: Score) -> Meters:
    """Return the region's meters with its balance: it follows from both chains' readings."""
    energy = metered((*delivered.local, *delivered.zonal), past.readings)
    homes = set(parties.homes)
    above = energy.pop(parties.substation, None)
    imports = sum(row.import_wh for row in energy.values())
    rest = sum(row.export_wh for row in energy.values()) - imports
    if above is not None:
        rest += above.import_wh - above.export_wh
    complete = above is not None and energy.keys() == homes | set(parties.plants)
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
    holds: Mapping[bytes, Wh],
) -> Meters:
    """Return the plants' meters; the running sum of energy sent starts where the region's ends."""
    energy = metered((*local.readings, *delivered.zonal), past.readings)
    curtailed = tuple(row for row in stopped if row.participant in market.plants)
    allocation = allocated(parties(market), cleared.fills, local, curtailed, energy, holds)
    own = sum(1 for fill in cleared.fills if fill.tier is Tier.LOCAL)
    return Meters(
        readings=tuple(delivered.zonal),
        loss_wh=local.loss_wh,
        weighed_wh=local.weighed_wh,
        before_wh=sum(delivery.sent for delivery in allocation.deliveries[:own]),
        curtailed=curtailed,
    )


def allocated(
    parties: Parties,
    fills: Sequence[Fill],
    local: Meters,
    curtailed: Sequence[Curtailed],
    energy: Mapping[bytes, Metered],
    holds: Mapping[bytes, Wh],
) -> Allocation:
    """Give the metered energy of participants and plants to their fills, local ones first.

    Fills of a party whose reading is missing are disputed: their locks stay until it is there.
    """
    everyone = (*parties.homes, *parties.plants)
    return allocate(
        fills,
        [energy.get(who, Metered(who, 0, 0)) for who in everyone],
        local.loss_wh,
        local.weighed_wh,
        curtailed=(*local.curtailed, *curtailed),
        disputed={who for who in everyone if who not in energy},
        stopped=holds,
    )
