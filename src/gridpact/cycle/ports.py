"""What the trading cycle needs from outside: the people's orders and the field's meters.

`simulation` implements both for a simulated day; a pilot implements them over its own devices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gridpact.model.delivery import SignedReading
from gridpact.model.grid_check import Injector
from gridpact.model.order import SignedOrder
from gridpact.model.participant import Participant
from gridpact.model.record import BusCharge, Curtailed, Limit
from gridpact.quantities import Money, Wh


@dataclass(frozen=True)
class Submitted:
    """Orders that came in for one interval, in order of arrival, by chain."""

    local: Sequence[SignedOrder]
    zonal: Sequence[SignedOrder]


@dataclass(frozen=True)
class Allowance:
    """The most a participant may bid and offer in one interval (5-decisions, section 2). [Wh]

    Bid: forecast load plus storage headroom. Offer: forecast surplus plus what the battery can
    discharge, net of own load.
    """

    bid_wh: Wh
    offer_wh: Wh


@dataclass(frozen=True)
class Expected:
    """The operator's view of the coming interval, from forecasts.

    `load` per bus (W, var); `injectors` everyone who will generate, unranked (rank 0);
    `allowance` and expected net export of every participant; who is not in `exports` (a plant)
    exports all it generates.
    """

    load: Mapping[int, tuple[int, int]]
    injectors: Sequence[Injector]
    allowance: Mapping[bytes, Allowance]
    exports: Mapping[bytes, Wh] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivered:
    """What the meters say at the end of the interval.

    `local` readings of the region's participants with the substation's last, `zonal` of plants.
    """

    local: Sequence[SignedReading]
    zonal: Sequence[SignedReading]
    curtailed: Sequence[Curtailed]


class Field(Protocol):
    """Everything outside the market: participants, their devices and meters, the real flows.

    Called once per interval, in order, each of the three in turn. A resumed run calls them again
    for past intervals and throws away what the ledger already knows: the same scenario, seed and
    limits give the same answers.
    """

    def expected(self, interval: int) -> Expected: ...

    def orders(self, interval: int) -> Submitted: ...

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered: ...


Successors = Sequence[Sequence[tuple[bytes, bytes]]]
"""Old and new addresses, in groups of people alike in all that the ledger says of them."""


class Households(Protocol):
    """The operator's register and the people's own devices, when a period ends.

    Each verb may be called again, by a run that was cut off: what was done is not done twice.
    """

    def newcomers(self, period: int) -> Sequence[Participant]:
        """Return everybody as enrolled for a period, in the order of the new addresses."""
        ...

    def successors(self, period: int) -> Successors:
        """Return who follows whom into a period: the operator's secret."""
        ...

    def announce(self, period: int) -> None:
        """Let every new address apply, and every old one leave, on the region's chain."""
        ...

    def turn(self, period: int) -> None:
        """Let devices and meters speak under their new keys from now on, registers at zero."""
        ...

    def pay_out(self, accounts: Sequence[bytes]) -> None:
        """Let closed addresses take their free money out through the door."""
        ...


@dataclass(frozen=True)
class Rotating:
    """Households take other addresses every `period` intervals and enter with the same sum.

    Of what is known of an address at least `hidden_among` are alike. `closed`: earlier addresses.
    """

    period: int
    entering: Money
    hidden_among: int
    households: Households
    closed: frozenset[bytes] = frozenset()


class Certificates(Protocol):
    """What the operator's authority says of the registered participants."""

    def barred(self, interval: int) -> Mapping[bytes, str]:
        """Return whose certificate does not count when an interval begins, and why."""
        ...


class NoCertificates:
    """A market that asks nobody for one: the roster alone says who may order."""

    def barred(self, _interval: int) -> Mapping[bytes, str]:
        return {}


NO_CERTIFICATES = NoCertificates()


@dataclass(frozen=True)
class PriceSignal:
    """What the day-ahead power flow says of one interval.

    `buses`: the locational part; `conflicts`: limits that could not be held; `marginal_loss`: what
    one more unit injected at a bus adds to the losses [ppm].
    """

    buses: tuple[BusCharge, ...]
    solver: str
    conflicts: tuple[str, ...] = ()
    marginal_loss: Mapping[int, int] = field(default_factory=dict)


class DayAhead(Protocol):
    """The day-ahead power flow, which advises."""

    def __call__(self, interval: int) -> PriceSignal: ...
