"""What an owner orders for one interval, given what its devices are expected to do.

A site either buys its expected net import or sells its expected net export; what a bid may say at
most (allowance) is load plus storage headroom, an offer surplus plus what the battery can give
(5-decisions, section 2). `Conduct` distorts this for studies of gaming.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridpact.prosumer.control import Operation, State, headroom_w, reserve_w
from gridpact.prosumer.devices import FloatArray
from gridpact.prosumer.fleet import Fleet

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Conduct:
    """How a participant departs from truth: factors on energy, and on the ask or bid price.

    `declared` is the factor on the forecast it declares to the operator, which its allowance
    follows; 1 everywhere is honest.
    """

    bid: float = 1.0
    offer: float = 1.0
    price: float = 1.0
    declared: float = 1.0


HONEST = Conduct()


class Wanted(NamedTuple):
    """Energy per site for one interval, whole Wh (site,): one of bid and offer is zero."""

    bid_wh: IntArray
    offer_wh: IntArray


class Allowed(NamedTuple):
    """The most each site may bid and offer, whole Wh. (site,)"""

    bid_wh: IntArray
    offer_wh: IntArray


def wanted(expected: Operation, hours: float) -> Wanted:
    """Return the orders that follow from the expected operation, rounded down."""
    net_wh = expected.net_w * hours
    return Wanted(_whole(net_wh), _whole(-net_wh))


def allowed(fleet: Fleet, state: State, expected: Operation, hours: float) -> Allowed:
    """Return the allowances; an honest order never exceeds them."""
    need = expected.load_w + expected.ev_w
    surplus = np.maximum(expected.pv_w - need, 0.0)
    most_bid = need + headroom_w(fleet, state.stored_wh, hours)
    most_offer = surplus + _discharge_beyond_load(fleet, state, expected, hours)
    return Allowed(_whole(most_bid * hours), _whole(most_offer * hours))


def _discharge_beyond_load(
    fleet: Fleet, state: State, expected: Operation, hours: float
) -> FloatArray:
    """Return what a battery can send out of the house once its own load is served. [W]"""
    uncovered = np.maximum(expected.load_w + expected.ev_w - expected.pv_w, 0.0)
    return np.maximum(reserve_w(fleet, state.stored_wh, hours) - uncovered, 0.0)


def _whole(energy_wh: FloatArray) -> IntArray:
    return np.floor(np.maximum(energy_wh, 0.0) + 1e-6).astype(np.int64)
