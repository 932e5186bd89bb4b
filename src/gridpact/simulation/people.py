"""Who the simulated parties are on the ledger: keys, addresses and certificates from one seed.

A device's key follows from the seed and its name, so that a resumed run signs as the first did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.identity.pseudonym import period_key
from gridpact.model.participant import Participant, Role
from gridpact.prosumer.devices import Plant, Site
from gridpact.quantities import whole


@dataclass(frozen=True)
class Party:
    """A registered party with the key of its device."""

    participant: Participant
    key: Key

    @property
    def address(self) -> bytes:
        return self.participant.address


@dataclass(frozen=True)
class People:
    """Everyone whose meter is read, in the order of the scenario; the substation's meter too."""

    sites: tuple[Party, ...]
    plants: tuple[Party, ...]
    substation: Party

    @cached_property
    def addresses(self) -> dict[str, bytes]:
        """Return the address of every site, by its name."""
        return {one.participant.name: one.address for one in self.sites}


def key_seed(seed: int) -> bytes:
    """Return the 32 bytes that all keys of a simulated scenario are derived from."""
    return keccak(b"gridpact simulation" + seed.to_bytes(32, "big"))


def enlist(
    sites: Sequence[Site],
    plants: Sequence[Plant],
    root_bus: int,
    seed: int,
    period: int | None = None,
    hours: float = 1.0,
) -> People:
    """Return the parties of a scenario; a site with PV or a battery may also sell.

    In a period, devices have keys of that period alone. What each could sell in an interval of so
    many hours, as its devices are rated, is registered.
    """
    secret = key_seed(seed)
    return People(
        sites=tuple(
            party(secret, site.name, site.bus, _roles(site), period, _rated(site) * hours)
            for site in sites
        ),
        plants=tuple(
            party(secret, plant.name, plant.bus, Role.PLANT, period, plant.peak_w * hours)
            for plant in plants
        ),
        substation=party(secret, "substation meter", root_bus, Role(0)),
    )


def party(
    secret: bytes,
    name: str,
    bus: int,
    roles: Role,
    period: int | None = None,
    sells_wh: float = 0.0,
) -> Party:
    """Return one party; `meter` is a commitment to its meter's identity with a salt."""
    key = Key.derive(secret, name)
    label = name.encode()
    if period is not None:
        key = period_key(key.secret, period)
    return Party(
        Participant(
            name=name,
            address=key.address,
            bus=bus,
            roles=roles,
            certificate=keccak(b"certificate" + secret + label),
            meter=keccak(keccak(b"meter salt" + secret + label) + label),
            reference_wh=whole(sells_wh),
        ),
        key,
    )


def _rated(site: Site) -> float:
    """Return what a site's devices can send at once. [W]"""
    pv = site.pv.peak_w if site.pv else 0.0
    return pv + (site.battery.power_w if site.battery else 0.0)


def _roles(site: Site) -> Role:
    sells = site.pv is not None or site.battery is not None
    return Role.CONSUMER | Role.PRODUCER if sells else Role.CONSUMER
