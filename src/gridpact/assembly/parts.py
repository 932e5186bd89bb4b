"""The one place that names every concrete part: world, wires, rules and ledgers become a market.

Nothing is decided here; `day.run_day` runs what `assemble` puts together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gridpact.assembly.founding import found_both
from gridpact.assembly.hiding import Hiding, MergedPrices, rotating
from gridpact.assembly.keepers import authority, council, door
from gridpact.assembly.ledgers import Ledgers, operator_key
from gridpact.assembly.watching import instruments, watch
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.recovery import signed_by
from gridpact.cycle.market import Collector, Market, PlantFacts, Region, Rules
from gridpact.cycle.ports import DayAhead
from gridpact.grid.check import RadialCheck
from gridpact.grid.distance import distances
from gridpact.identity.pseudonym import in_turn, pseudonymous
from gridpact.identity.roster import Roster
from gridpact.market.talks import Device
from gridpact.market.zonal import Window
from gridpact.model.order import Order
from gridpact.model.participant import Named, Participant, Role
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.fleet import stack
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.plan import Planner
from gridpact.prosumer.pricing import Pricing, pricing
from gridpact.scenario.scenario import Scenario
from gridpact.simulation.advice import Advisor
from gridpact.simulation.clock import MarketClock
from gridpact.simulation.field import SimulatedField
from gridpact.simulation.forecast import forecast
from gridpact.simulation.instruments import Instruments
from gridpact.simulation.meters import gains
from gridpact.simulation.orders import Desk, Venue
from gridpact.simulation.people import Party, People
from gridpact.simulation.requests import Requests
from gridpact.simulation.wires import radial
from gridpact.simulation.world import World


@dataclass(frozen=True, eq=False)
class Assembled:
    """A market with its parts at hand."""

    scenario: Scenario
    market: Market
    field: SimulatedField
    people: People
    advice: Advisor
    hiding: Hiding
    instruments: Instruments | None = None

    @property
    def names(self) -> dict[bytes, str]:
        """Return the name of every account: participants, plants, the region, the named ones.

        What the operator knows, not what stands on the ledger.
        """
        known = {one.address: one.name for one in self.market.participants}
        known |= {one.address: one.name for one in self.market.zonal_participants}
        known |= {one.address: one.name for one in self.market.council.participants}
        for period in range(self.hiding.periods):
            people = self.hiding.known(period)
            parties = (*people.sites, *people.plants)
            known |= {one.address: one.participant.name for one in parties}
        known[self.people.substation.address] = "substation meter"
        return known | {account.address: account.value for account in Named}


def assemble(
    scenario: Scenario,
    ledgers: Ledgers,
    signed: bool = True,
    conduct: Mapping[str, Conduct] | None = None,
    strategy: Pricing | None = None,
) -> Assembled:
    """Put the market of a scenario together and found its chains if they are new.

    Parameters
    ----------
    signed
        Whether devices and collector sign. Studies over many seeds leave signatures out; then
        nothing is verified either.
    conduct
        Participants who depart from honest orders, by name.
    strategy
        How owners price their orders, instead of the scenario's strategy.
    """
    grid, feeder = scenario.grid, scenario.grid.file.feeder
    office = authority(scenario, signed)
    hiding = Hiding(scenario, feeder, office)
    people = hiding.people(0)
    everybody = [hiding.known(period) for period in range(hiding.periods)]
    check = RadialCheck(feeder, grid.v_min_pu, grid.v_max_pu, grid.root_voltage_pu, grid.inverter_q)
    world = _world(scenario, people, check)
    outlook = forecast(world.fleet, scenario.plants, scenario.forecast, scenario.seed)
    region, zone = name_hash(scenario.region), name_hash(scenario.zone)
    name = None if signed else plain_name
    desk = Desk(
        Venue(ledgers.local.domain, ledgers.zonal.domain, region, zone),
        people,
        scenario.tariff,
        scenario.seed,
        conduct or {},
        signed,
        name,
        strategy or pricing(scenario.pricing, scenario.mark_up),
    )
    simulated = _field(scenario, world, outlook, desk)
    begins = MarketClock(scenario.time.begins, scenario.time.minutes).seconds(0)
    measuring = instruments(scenario, simulated, feeder, people, begins)
    watching = watch(scenario, measuring, everybody, signed) if measuring else None
    band = (grid.v_min_pu, grid.v_max_pu)
    advice = Advisor(
        world, outlook, feeder, scenario.tariff, grid.root_voltage_pu, band, grid.inverter_q
    )
    region_party = office.certified(_region_party(scenario, int(feeder.ids[0])), zone)
    market = Market(
        local=ledgers.local,
        zonal=ledgers.zonal,
        field=simulated,
        day_ahead=_posted(scenario, advice, hiding),
        grid_check=check,
        region=Region(
            region, region_party.address, region_party.key.sign, people.substation.address
        ),
        zone=zone,
        collector=Collector(operator_key(scenario, "collector").sign if signed else None),
        people=Roster.of(_registered(scenario, people.sites)),
        zonal_people=Roster.of(
            (
                *_registered(scenario, people.plants),
                region_party.participant,
            )
        ),
        plants=_plants(scenario, people),
        tariff=scenario.tariff,
        rules=Rules(
            scenario.settlement,
            scenario.rating,
            scenario.incentive,
            scenario.market,
            scenario.splitting,
            scenario.sanctions.review,
        ),
        minutes=scenario.time.minutes,
        door=door(scenario, signed),
        council=council(scenario, ledgers, int(feeder.ids[0]), signed, office, watching),
        certificates=office,
        begins=begins,
        watch=watching,
        check=signed_by if signed else _trusting,
        name=name,
        told=simulated.told,
        device=_devices(everybody) if signed else None,
        rotating=rotating(scenario, hiding, simulated, ledgers),
    )
    found_both(scenario, market, people, signed)
    return Assembled(scenario, market, simulated, people, advice, hiding, measuring)


def _world(scenario: Scenario, people: People, check: RadialCheck) -> World:
    """Return the devices and wires of a scenario."""
    grid = scenario.grid
    return World(
        stack(scenario.sites),
        scenario.plants,
        tuple(party.address for party in (*people.sites, *people.plants)),
        radial(grid.file.feeder, grid.root_voltage_pu, grid.power_factor, check),
        scenario.time.hours,
    )


def _field(scenario: Scenario, world: World, outlook: Outlook, desk: Desk) -> SimulatedField:
    """Return the field; its owners plan on expected prices where the scenario says so."""
    hours = scenario.time.hours
    planner = Planner(world.fleet, outlook, scenario.tariff, hours)
    requests = None
    if scenario.requests is not None:
        away = distances(scenario.grid.file.feeder, [site.bus for site in scenario.sites])
        names = [one.address for one in desk.people.sites]
        requests = Requests(world.fleet, outlook, hours, scenario.requests, away, names)
    meters = len(scenario.sites) + len(scenario.plants) + 1
    return SimulatedField(
        world,
        outlook,
        desk,
        tuple(gains(meters, scenario.meter_error, scenario.seed)),
        planner if scenario.strategy == "market" else None,
        requests,
    )


def _plants(scenario: Scenario, people: People) -> dict[bytes, PlantFacts]:
    """Return what is known of the plants in the order in which they are registered.

    Whoever checks the readings by the ledger hears the meters in that order.
    """
    facts = {
        party.address: PlantFacts(Window(*plant.window), round(plant.peak_w))
        for party, plant in zip(people.plants, scenario.plants, strict=True)
    }
    return {one.address: facts[one.address] for one in _registered(scenario, people.plants)}


def _posted(scenario: Scenario, advice: Advisor, hiding: Hiding) -> DayAhead:
    """Return the day-ahead prices as they are posted: by zone where households hide in zones."""
    if not hiding.zones:
        return advice
    return MergedPrices(advice, tuple(site.bus for site in scenario.sites), hiding.zones)


def _devices(everybody: Iterable[People]) -> Device:
    """Return the participants' devices, which sign what they are asked to by their address."""
    keys = {party.address: party.key for people in everybody for party in people.sites}
    return lambda who, digest: keys[who].sign(digest)


def plain_name(order: Order) -> bytes:
    """Return a unique name of an order without its EIP-712 digest, for studies."""
    return keccak(
        order.participant
        + bytes((order.side, order.tier))
        + order.interval.to_bytes(8, "big")
        + order.energy_wh.to_bytes(8, "big")
        + order.salt.to_bytes(8, "big")
    )


def _trusting(_participant: bytes, _digest: bytes, _signature: bytes) -> bool:
    return True


def _region_party(scenario: Scenario, bus: int) -> Party:
    label, key = scenario.region.encode(), operator_key(scenario, "region")
    return Party(
        Participant(
            name=f"region {scenario.region}",
            address=key.address,
            bus=bus,
            roles=Role.REGION,
            certificate=keccak(b"certificate of region " + label),
            meter=keccak(b"meter of region " + label),
        ),
        key,
    )


def _registered(scenario: Scenario, parties: Iterable[Party]) -> tuple[Participant, ...]:
    """Return parties as the ledger knows them: under pseudonyms their names stay out of it.

    They stand in the order of their addresses then, not of the scenario.
    """
    known = [one.participant for one in parties]
    if scenario.identity.period is None:
        return tuple(known)
    return in_turn(map(pseudonymous, known))
