"""The grid tier: what each participant buys from and sells to grid supply, and who pays losses.

What nobody serves comes from grid supply at retail, unsold energy goes to it at the feed-in
tariff (5-decisions, section 5). Nobody pays more than it has: the rest is a recorded claim
(section 8). `contracts/settlement.vy` pays in the same order.
"""

from collections.abc import Mapping, Sequence

from gridpact.errors import SettlementError
from gridpact.model.participant import Named
from gridpact.model.record import Prices
from gridpact.model.statement import Bill
from gridpact.quantities import Money, Price, Wh, amount
from gridpact.settlement.allocation import Balance

GRID_SUPPLY = Named.GRID_SUPPLY.address
NETWORK_OPERATOR = Named.NETWORK_OPERATOR.address


def bills(
    balances: Sequence[Balance], prices: Prices, free: Mapping[bytes, Money]
) -> tuple[Bill, ...]:
    """Return one bill per participant, in order.

    Parameters
    ----------
    free
        Free money of the participants and of `grid_supply` before the first bill.

    Notes
    -----
    Row by row: the purchase, first its energy part to grid supply, then the network share to the
    network operator; then the sale, out of what grid supply has by then. `purchase`,
    `network_share` (a part of it) and `sale` are what is paid; `unpaid_purchase` and
    `unpaid_sale` remain owed.
    """
    if prices.network_share > prices.retail:
        raise SettlementError(
            f"network share {prices.network_share} exceeds retail {prices.retail} per kWh"
        )
    supply = free.get(GRID_SUPPLY, 0)
    rows = []
    for balance in balances:
        owed = amount(prices.retail, balance.bought_wh)
        energy_part = owed - min(amount(prices.network_share, balance.bought_wh), owed)
        purchase = min(owed, free.get(balance.participant, 0))
        network_share = max(purchase - energy_part, 0)
        supply += purchase - network_share
        due = amount(prices.feed_in, balance.sold_wh)
        sale = min(due, supply)
        supply -= sale
        rows.append(
            Bill(
                participant=balance.participant,
                bought_wh=balance.bought_wh,
                sold_wh=balance.sold_wh,
                purchase=purchase,
                network_share=network_share,
                sale=sale,
                unpaid_purchase=owed - purchase,
                unpaid_sale=due - sale,
            )
        )
    return tuple(rows)


def loss_price(prices: Prices) -> Price:
    """Return what the network operator pays per kWh of loss: the energy part of retail."""
    return prices.retail - prices.network_share


def loss_purchase(loss_wh: Wh, prices: Prices, free: Money) -> Money:
    """Return what the network operator pays grid supply for losses that no fill carries.

    At most its `free` money, counted after the bills; what is missing of
    amount(loss_price, loss_wh) is a recorded claim.
    """
    return min(amount(loss_price(prices), loss_wh), free)
