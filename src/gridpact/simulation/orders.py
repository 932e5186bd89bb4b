"""Devices sign: from wanted energy to the signed orders of one interval.

What price they carry decides the owner's strategy (`prosumer.pricing`); a zonal bid names its local
parent and stands for what that leaves. They arrive in an order drawn from the seed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key
from gridpact.model.attributes import NOBODY, PLAIN, Attributes
from gridpact.model.order import NONE, Order, Side, SignedOrder, Tier
from gridpact.prosumer.bidding import HONEST, Conduct, Wanted
from gridpact.prosumer.devices import FloatArray, Plant, Site
from gridpact.prosumer.pricing import Pricing, Situation, spread
from gridpact.prosumer.tariff import Tariff
from gridpact.prosumer.wishes import carried
from gridpact.quantities import PPM, Price
from gridpact.simulation.people import Party, People

Name = Callable[[Order], bytes]
NO_DONORS: Mapping[bytes, bytes] = {}


@dataclass(frozen=True)
class Venue:
    """Where orders go: the two chains' domains and the identifiers of region and zone."""

    local: Domain
    zonal: Domain
    region: bytes
    zone: bytes


@dataclass(frozen=True)
class Desk:
    """What every order of a scenario shares.

    `signed` off leaves signatures empty and `name` may replace the EIP-712 digest: studies over
    many seeds need neither. `conduct` by participant's name; `pricing` is all owners' strategy.
    """

    venue: Venue
    people: People
    tariff: Tariff
    seed: int
    conduct: Mapping[str, Conduct]
    signed: bool = True
    name: Name | None = None
    pricing: Pricing = spread


def local_orders(
    desk: Desk,
    sites: tuple[Site, ...],
    wanted: Wanted,
    interval: int,
    plants_run: bool,
    donors: Mapping[bytes, bytes] = NO_DONORS,
) -> list[SignedOrder]:
    """Return the region's orders in order of arrival; zonal bids only when plants announced it.

    `donors`: whom a bidder prefers, by address, unless it wishes another partner.
    """
    arrival = np.random.default_rng([desk.seed, 11, interval]).permutation(len(sites))
    orders: list[SignedOrder] = []
    for i in arrival.tolist():
        orders.extend(
            _site_orders(
                desk,
                i,
                sites[i],
                (int(wanted.bid_wh[i]), int(wanted.offer_wh[i])),
                interval,
                plants_run,
                donors.get(desk.people.sites[i].address, NOBODY),
            )
        )
    return orders


def _site_orders(
    desk: Desk,
    owner: int,
    site: Site,
    energy: tuple[int, int],
    interval: int,
    plants_run: bool,
    donor: bytes,
) -> Iterator[SignedOrder]:
    conduct, party = desk.conduct.get(site.name, HONEST), desk.people.sites[owner]
    bid, offer = int(energy[0] * conduct.bid), int(energy[1] * conduct.offer)

    def priced(side: Side, tier: Tier) -> Price:
        share, seed = site.ask_share, desk.seed
        now = Situation(desk.tariff, interval, side, tier, share, owner, seed)
        return _scaled(desk.pricing(now), conduct)

    def wish(side: Side) -> Attributes:
        asked = site.wish.attributes(side, interval, desk.people.addresses)
        prefers = side is Side.BID and asked.partner == NOBODY
        return replace(asked, partner=donor) if prefers else asked

    if offer:
        price, asked = priced(Side.OFFER, Tier.LOCAL), wish(Side.OFFER)
        yield _local(desk, party, Side.OFFER, Tier.LOCAL, interval, offer, price, asked)[1]
    if not bid:
        return
    tiers = (Tier.LOCAL, Tier.ZONAL) if plants_run else (Tier.LOCAL,)
    parent = NONE
    for tier in tiers:
        price = priced(Side.BID, tier)
        if price:
            asked = wish(Side.BID) if tier is Tier.LOCAL else PLAIN
            least = site.min_reputation
            parent, order = _local(
                desk, party, Side.BID, tier, interval, bid, price, asked, least, parent
            )
            yield order


def plant_orders(
    desk: Desk, plants: tuple[Plant, ...], expected_w: FloatArray, interval: int, hours: float
) -> list[SignedOrder]:
    """Return the offers of the plants within their announced windows."""
    orders = []
    rows = zip(plants, desk.people.plants, expected_w, strict=True)
    for owner, (plant, party, power) in enumerate(rows, len(desk.people.sites)):
        conduct = desk.conduct.get(plant.name, HONEST)
        energy = int(power * hours * conduct.offer)
        if energy and plant.window[0] <= interval < plant.window[1]:
            share, seed = plant.ask_share, desk.seed
            now = Situation(desk.tariff, interval, Side.OFFER, Tier.ZONAL, share, owner, seed)
            price = _scaled(desk.pricing(now), conduct)
            order = Order(
                participant=party.address,
                side=Side.OFFER,
                tier=Tier.ZONAL,
                region=desk.venue.zone,
                interval=interval,
                energy_wh=energy,
                price=price,
                expires=interval + 1,
                salt=interval,
            )
            orders.append(_sign(desk, order, desk.venue.zonal, party.key)[1])
    return orders


def _scaled(price: Price, conduct: Conduct) -> Price:
    return price if conduct.price == 1.0 else price * round(conduct.price * PPM) // PPM


def _local(
    desk: Desk,
    party: Party,
    side: Side,
    tier: Tier,
    interval: int,
    energy_wh: int,
    price: Price,
    attributes: Attributes,
    min_reputation: int = 0,
    parent: bytes = NONE,
) -> tuple[bytes, SignedOrder]:
    order = Order(
        participant=party.address,
        side=side,
        tier=tier,
        region=desk.venue.region,
        interval=interval,
        energy_wh=energy_wh,
        price=price,
        min_reputation=min_reputation,
        terms=attributes.hash,
        parent=parent,
        expires=interval + 1,
        salt=interval,
    )
    return _sign(desk, order, desk.venue.local, party.key, carried(attributes))


def _sign(
    desk: Desk, order: Order, domain: Domain, key: Key, attributes: Attributes | None = None
) -> tuple[bytes, SignedOrder]:
    """Return an order's hash and the order, signed."""
    name = order.digest(domain) if desk.name is None else desk.name(order)
    return name, SignedOrder(order, key.sign(name) if desk.signed else b"", attributes)
