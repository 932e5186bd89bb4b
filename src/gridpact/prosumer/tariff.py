"""The prices everybody knows beforehand: retail, feed-in, network charges, margin.

All whole micro-units per kWh. From them follow what a bid may truthfully offer and where an
offer's ask lies (5-decisions, sections 4 and 5; spec scenario-sce56).
"""

from dataclasses import dataclass

from gridpact.model.order import Tier
from gridpact.quantities import PPM, Price, Score, divide_half_even


@dataclass(frozen=True)
class Tariff:
    """Prices of a scenario; `retail` has one price per interval and includes `network_share`.

    `tax` is the rate on net amounts that all prices and charges include. [ppm]
    """

    retail: tuple[Price, ...]
    network_share: Price
    feed_in: Price
    margin: Price
    local_charge: Price
    zonal_charge: Price
    tax: Score = 0

    def charge(self, tier: Tier) -> Price:
        """Return the network charge of a tier, without its locational part."""
        return {Tier.LOCAL: self.local_charge, Tier.ZONAL: self.zonal_charge, Tier.GRID: 0}[tier]


def bid_limit(tariff: Tariff, interval: int, tier: Tier) -> Price:
    """Return the truthful limit of a bid: retail less the tier's charge and the margin, >= 0."""
    return max(0, tariff.retail[interval] - tariff.charge(tier) - tariff.margin)


def ask(tariff: Tariff, interval: int, tier: Tier, share: float) -> Price:
    """Return an offer's price at `share` (0 to 1) of the spread from feed-in tariff to cap."""
    spread = max(0, bid_limit(tariff, interval, tier) - tariff.feed_in)
    return tariff.feed_in + divide_half_even(spread * round(share * PPM), PPM)
