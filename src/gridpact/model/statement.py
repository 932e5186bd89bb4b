"""Statements: who is owed what once the meters have spoken."""

from enum import IntEnum

import msgspec

from gridpact.quantities import Money, Price, Score, Wh

MAX_DISPUTE_WINDOW = 14
"""Intervals; the contracts keep what a seller sold for 16 (`settlement.vy`: RING)."""


class Case(IntEnum):
    """The five settlement cases ([Cui22] eqs. 6, 7; 5-decisions, section 8)."""

    DISPUTE = 1
    FULL = 2
    HALF = 3
    LOSSY = 4
    SHORT = 5


class SettlementTerms(msgspec.Struct, frozen=True):
    """The numbers of the settlement rule, fixed per chain at founding.

    tau: further reasonable loss beyond the expected share; eps: meter tolerance, the larger of a
    share and a floor; kappa: penalty factor on a shortfall; reward: share of the price, paid from
    the `reward` account; unused_fee: what a buyer pays for cleared energy it did not use;
    dispute_window: intervals after which a disputed fill is settled by what was signed.
    """

    tau: Score = 50_000
    eps: Score = 10_000
    eps_floor_wh: Wh = 10
    kappa: Score = 1_250_000
    reward: Score = 20_000
    unused_fee: Price = 60_000
    feed_in: Price = 80_000
    loss_fund_share: Score = 200_000
    dispute_window: int = 2


class Statement(msgspec.Struct, frozen=True, gc=False):
    """The settlement of one fill, to the micro-unit. From the buyer's lock:

    lock = paid + charge + fee_seller + fee_network + refund.
    `charge` is what goes for the network (part of it to `network_loss`). `reward` comes from the
    `reward` account, `claim` (the buyer's loss beyond tau) from `network_loss`. All amounts are
    what is really paid; what an empty account could not pay of these two is not in them but
    beside them as `unpaid_reward` / `unpaid_claim`, a recorded claim.
    """

    fill: bytes
    case: Case
    paid: Money
    charge: Money
    fee_seller: Money
    fee_network: Money
    refund: Money
    reward: Money
    claim: Money
    unpaid_reward: Money = 0
    unpaid_claim: Money = 0


class Bill(msgspec.Struct, frozen=True):
    """The grid tier of one participant: energy bought from and sold to grid supply.

    `purchase` is paid to grid supply (`network_share` of it to the network operator), `sale` comes
    from grid supply at the feed-in tariff. All three are what is really paid; `unpaid_purchase` and
    `unpaid_sale` are not in them: recorded claims on an account that ran empty.
    """

    participant: bytes
    bought_wh: Wh
    sold_wh: Wh
    purchase: Money
    network_share: Money
    sale: Money
    unpaid_purchase: Money = 0
    unpaid_sale: Money = 0
