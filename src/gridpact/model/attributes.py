"""What an order may ask beyond energy and price: the record behind `Order.terms`.

The order is signed with the record's struct hash; the record itself travels beside it. Whoever has
no wish signs `NONE` and sends nothing.
"""

import msgspec

from gridpact.model.typed import ATTRIBUTES

NOBODY = b"\0" * 20
NO_TERMS = b"\0" * 32
MOST = 2**31 - 1
"""The largest window, source and zone: what a column of the book holds."""


class Attributes(msgspec.Struct, frozen=True):
    """Optional attributes of a local order; each neutral value says nothing.

    all_or_nothing: the whole energy or none of it. start, end: intervals in which a bid needs its
    energy or an offer stands, end exclusive; 0 and 0 for no window. A bid with a window trades only
    with offers that stand all through it. source: one bit of what feeds in; of a bid the bits that
    are welcome, 0 for all. partner: who is preferred at equal price. zone: network zone outside
    which the order does not trade, 0 for everywhere.
    """

    all_or_nothing: bool = False
    start: int = 0
    end: int = 0
    source: int = 0
    partner: bytes = NOBODY
    zone: int = 0

    @property
    def hash(self) -> bytes:
        """Return what an order says in its `terms`; `NO_TERMS` if nothing is asked."""
        if self == Attributes():
            return NO_TERMS
        return ATTRIBUTES.struct_hash(msgspec.structs.astuple(self))

    @property
    def asked(self) -> tuple[str, ...]:
        """Return what is asked, in words."""
        said = {
            "all or nothing": self.all_or_nothing,
            "window": self.end,
            "source": self.source,
            "partner": self.partner != NOBODY,
            "zone": self.zone,
        }
        return tuple(name for name, value in said.items() if value)

    @property
    def problem(self) -> str:
        """Return what is wrong with the form, "" if nothing."""
        if len(self.partner) != 20:
            return "a partner is an address of 20 bytes"
        numbers = (self.start, self.end, self.source, self.zone)
        if min(numbers) < 0 or max(numbers) > MOST:
            return f"window, source or zone is not within 0 and {MOST}"
        if self.end and self.start >= self.end:
            return f"the window ends at {self.end}, not after its start {self.start}"
        if self.start and not self.end:
            return f"the window from {self.start} has no end"
        return ""


PLAIN = Attributes()


def terms_of(attributes: Attributes | None) -> bytes:
    """Return what an order that carries these says in its `terms`."""
    return NO_TERMS if attributes is None else attributes.hash
