"""What an owner's local orders ask beyond energy and price: wishes, and how an order carries them.

A wish is stated once for the whole horizon; each order takes from it what concerns its side and
its interval. What the attributes mean and who honours them is `model.attributes`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gridpact.model.attributes import NOBODY, PLAIN, Attributes
from gridpact.model.order import Side

Window = tuple[int, int]
"""Intervals [start, end); (0, 0) for none."""


@dataclass(frozen=True)
class Wish:
    """Both sides: partner (a participant's name, "" for nobody) and zone (0 for everywhere).

    Bids: all_or_nothing; needs: the intervals in which the energy is needed, of sellers who stand
    all through them; accepts: source bits, 0 for all. Offers: offer_all_or_nothing; stands: the
    intervals in which the seller stands; source: one bit of what feeds in, 0 for not said.
    """

    all_or_nothing: bool = False
    needs: Window = (0, 0)
    accepts: int = 0
    offer_all_or_nothing: bool = False
    stands: Window = (0, 0)
    source: int = 0
    partner: str = ""
    zone: int = 0

    def attributes(self, side: Side, interval: int, addresses: Mapping[str, bytes]) -> Attributes:
        """Return what a local order for an interval asks. A need counts within its window alone."""
        partner = addresses[self.partner] if self.partner else NOBODY
        if side is Side.OFFER:
            whole, window, source = self.offer_all_or_nothing, self.stands, self.source
        else:
            now = self.needs[0] <= interval < self.needs[1]
            whole, source = self.all_or_nothing, self.accepts
            window = self.needs if now else (0, 0)
        return Attributes(whole, *window, source, partner, self.zone)


NO_WISH = Wish()


def carried(attributes: Attributes) -> Attributes | None:
    """Return what travels beside an order: nothing where nothing is asked."""
    return None if attributes == PLAIN else attributes
