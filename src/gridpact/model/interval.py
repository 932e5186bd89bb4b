"""When something happens and under which key it is written.

An interval is a whole number counted from the scenario's start; wall-clock time belongs to
`simulation`. A `Key` names one write of one region's trading cycle: written once, kept for ever.
"""

from enum import IntEnum

import msgspec

from gridpact.crypto.keccak import keccak


class Phase(IntEnum):
    """The phases of the trading cycle that write to the ledger, in order of time."""

    FOUND = 0
    COLLECT = 1
    PRICE = 2
    CLEAR = 4
    COMMIT = 5
    DELIVER = 6
    SETTLE = 7
    RATE = 8
    SEAL = 9
    PUBLIC = 10
    """No phase of the cycle: a block of transactions that anybody signed, see `public_key`."""


class Key(msgspec.Struct, frozen=True, order=True):
    """The name of one write: terminal once taken.

    `part` tells apart several writes of one phase. `region` is the 32-byte region identifier.
    """

    region: bytes
    interval: int
    phase: Phase
    part: int = 0

    @property
    def packed(self) -> bytes:
        """The 32 bytes that contracts know this key by: a hash of four words."""
        return keccak(
            self.region
            + self.interval.to_bytes(32, "big")
            + int(self.phase).to_bytes(32, "big")
            + self.part.to_bytes(32, "big")
        )

    def __str__(self) -> str:
        return (
            f"{self.phase.name.lower()}/{self.part} of interval {self.interval}"
            f" in region {self.region.hex()[:8]}"
        )


def public_key(block: int) -> Key:
    """Return the key of a block of anybody's transactions: no region, its number as interval."""
    return Key(bytes(32), block, Phase.PUBLIC)
