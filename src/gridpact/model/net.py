"""Net settlement: the numbers of its windows and bonds, fixed per chain at founding."""

import msgspec

from gridpact.quantities import Money


class NetTerms(msgspec.Struct, frozen=True):
    """How long each step of a part stays open, in intervals, and what a fault costs.

    window: in which a posted part can be proven wrong; answer: to answer a demand for data;
    proving: to prove something from an answer; posting: until which a part may be posted;
    per_fill: in which a cancelled part is paid fill by fill. A council's members are in office
    `delay` intervals after their appointment, a bond comes back `notice` intervals after leaving;
    `stake` is what a demand costs whoever makes it for nothing.
    """

    window: int = 2
    answer: int = 1
    proving: int = 1
    posting: int = 4
    per_fill: int = 4
    bond: Money = 50_000_000
    stake: Money = 1_000_000
    delay: int = 2
    notice: int = 24
