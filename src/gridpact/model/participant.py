"""Who takes part, and the accounts that belong to nobody's house."""

from enum import IntFlag, StrEnum
from functools import cache

import msgspec
from msgspec.structs import replace

from gridpact.crypto.keccak import name_hash
from gridpact.quantities import PPM, Money, Price, Score, Wh, amount


class Role(IntFlag):
    CONSUMER = 1
    PRODUCER = 2
    PLANT = 4
    REGION = 8
    AGGREGATOR = 16


class Participant(msgspec.Struct, frozen=True):
    """A registered party: its account is its device's address.

    `bus` is its connection point (feeder numbering), `certificate` a fingerprint, `meter` the
    salted commitment to the meter's identity. `meter_key` is the address that signs its readings,
    the device's own unless given. `reference_wh` is what it can sell in an interval as its devices
    are rated: V0 of the credibility rule, 0 where nothing is registered.
    """

    name: str
    address: bytes
    bus: int
    roles: Role
    certificate: bytes
    meter: bytes
    meter_key: bytes = b""
    reference_wh: Wh = 0

    @property
    def is_metered(self) -> bool:
        """Say whether it takes or gives energy itself: a region and an aggregator do not."""
        return bool(self.roles & (Role.CONSUMER | Role.PRODUCER | Role.PLANT))


class ReviewTerms(msgspec.Struct, frozen=True):
    """What membership means: changes take effect `delay` intervals after they are announced.

    Who sends less than it agreed by more than `tolerance` owes `fine` for each missing kWh, from
    its deposit and never beyond; without a deposit nothing. 5-decisions, section 9. Plants have a
    tolerance of their own, that of the zonal chain.
    """

    delay: int = 24
    fine: Price = 0
    tolerance: Score = 250_000
    plant_tolerance: Score = 100_000

    @property
    def of_zone(self) -> "ReviewTerms":
        """Return the terms of the zonal chain, where plants sell."""
        return replace(self, tolerance=self.plant_tolerance)

    def broken(self, promised: Wh, kept: Wh) -> Wh:
        """Return what of the promised energy was broken; within the tolerance nothing. [Wh]"""
        return 0 if kept * PPM >= promised * (PPM - self.tolerance) else promised - kept

    def owed(self, promised: Wh, kept: Wh) -> Money:
        """Return what a breach costs, of fills of the book and of purchases by voucher alike.

        The same rule as `contracts/breach.vy`; a deposit pays as far as it reaches.
        """
        return amount(self.fine, self.broken(promised, kept))


class Named(StrEnum):
    """Accounts of the market itself, on every chain (5-decisions, section 8).

    `operator` runs the market; `network_operator` runs the wires and gets the network charges;
    `network_loss` makes good losses beyond what is reasonable; `grid_supply` sells at retail and
    buys at the feed-in tariff. Transit is no account but a map of the vault.
    """

    OPERATOR = "operator"
    NETWORK_OPERATOR = "network_operator"
    GRID_SUPPLY = "grid_supply"
    NETWORK_LOSS = "network_loss"
    REWARD = "reward"
    INCENTIVE = "incentive"
    FINES = "fines"

    @property
    def address(self) -> bytes:
        """An address nobody has a key for: the account is moved by rules alone."""
        return _named_address(self.value)


@cache
def _named_address(name: str) -> bytes:
    return name_hash(f"gridpact account {name}")[12:]


class Account(msgspec.Struct, frozen=True):
    """Money of one account, micro-units."""

    free: Money = 0
    reserved: Money = 0
    locked: Money = 0
