"""Net settlement: the numbers of its windows and bonds, and what a record says of a part.

A part is one number per account for the local fills of an interval (`contracts/net.vy`). Lists are
kept as the words that its calls bring.
"""

import msgspec

from gridpact.model.council import Word
from gridpact.quantities import Money


class NetTerms(msgspec.Struct, frozen=True):
    """How long each step of a part stays open, in intervals, and what a fault costs.

    window: in which a posted part can be proven wrong; answer: to answer a demand for data;
    proving: to prove something from an answer; posting: until which a part may be posted;
    per_fill: in which a cancelled part is paid fill by fill. A council's members are in office
    `delay` intervals after their appointment, a bond comes back `notice` intervals after leaving;
    `stake` is what a demand costs whoever makes it for nothing. `on`: the market's own cycle
    settles its local fills net.
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
    on: bool = False

    @property
    def wait(self) -> int:
        """How many intervals after the one in which it was posted a part is final."""
        return self.window + 1


class NetLocks(msgspec.Struct, frozen=True):
    """What a part may cost each account, before delivery, with the council's two words.

    `clearing` is the posted clearing's name; the part has all of its local fills. `rows` are words:
    account 160 | reserved 48 | lock 48, accounts rising.
    """

    clearing: bytes
    rows: bytes
    reserved: Word = Word()
    committed: Word = Word()


class NetPart(msgspec.Struct, frozen=True):
    """A part as it is posted, with the council's word: the arguments of `net.vy: post`."""

    clearing: bytes
    root: bytes
    header: bytes
    rows: bytes
    deltas: bytes
    ratings: bytes
    word: Word = Word()


class FinalPart(msgspec.Struct, frozen=True):
    """A part whose window is over; `number` is 0, or that of the part of what it held."""

    interval: int
    number: int
    net: NetPart
