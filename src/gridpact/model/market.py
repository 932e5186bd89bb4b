"""By which mechanism a region's local tier is cleared: fixed on its chain at the founding."""

from typing import TypeAlias

import msgspec

MERIT_ORDER = "merit_order"

Setting: TypeAlias = bool | int | float | str


class MarketTerms(msgspec.Struct, frozen=True):
    """A mechanism by name, with the settings in which it differs from its own defaults.

    The settings stand in order of their names. Merit order is the one rule that the chain judges
    fill by fill: who came first, and that each fill is priced at its offer. Of any other the chain
    checks that a price lies between offer and bid; the audit computes the clearing again.
    """

    mechanism: str = MERIT_ORDER
    settings: tuple[tuple[str, Setting], ...] = ()

    @property
    def by_merit(self) -> bool:
        return self.mechanism == MERIT_ORDER
