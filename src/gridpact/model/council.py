"""A council: a region's aggregators, of whom a quorum stands behind every settlement.

The operator alone pays nobody: what is settled and billed is executed only in batches that
floor(2n/3) + 1 of the members signed (`contracts/council.vy: attest`, 5-decisions, section 17).
"""

import msgspec

MOST_MEMBERS = 64


class Council(msgspec.Struct, frozen=True):
    """The first epoch of a chain: who is in office, and each member's signed pledge of its bond.

    Addresses rise. Nobody signs in studies: there `pledges` is empty.
    """

    members: tuple[bytes, ...] = ()
    pledges: tuple[bytes, ...] = ()


class Word(msgspec.Struct, frozen=True):
    """What a quorum of an epoch's members signed: compact signatures, signers rising.

    Empty where no council holds office, and in studies.
    """

    epoch: int = 0
    members: tuple[bytes, ...] = ()
    signatures: tuple[bytes, ...] = ()


def needed(members: int) -> int:
    """Return how many of so many members decide."""
    return members * 2 // 3 + 1
