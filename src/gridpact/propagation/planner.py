"""What must the zone's ledger carry for so many participants? Gas and bytes of an interval.

A region holds at most 1,000 participants and appears on the zonal ledger with one anchor and one
account, settled net in parts (5-decisions, section 17). What an operation costs is measured
(docs/bench/gas.md) and passed in.
"""

from dataclasses import dataclass

from gridpact.errors import TreeError

MOST_IN_A_REGION = 1_000


@dataclass(frozen=True)
class LedgerCosts:
    """What one operation of the zonal ledger costs.

    account_*: net settlement of one account, all its steps. part_*: what each part of at most
    `part_accounts` costs besides, its quorum among it. anchor_*: one anchor.
    """

    anchor_gas: int
    account_gas: int
    part_gas: int
    anchor_bytes: int
    account_bytes: int
    part_bytes: int
    part_accounts: int = 1_000


@dataclass(frozen=True)
class Clock:
    """How a ledger's time goes. block_gas: most gas in a block; block_s, interval_s: seconds."""

    block_s: float
    block_gas: int
    interval_s: float


@dataclass(frozen=True)
class Plan:
    """What the zonal ledger carries in an interval, and how much of its blocks that takes."""

    participants: int
    regions: int
    gas: int
    bytes: int
    blocks: int
    used: float

    @property
    def fits(self) -> bool:
        return self.used <= 1


def plan(participants: int, costs: LedgerCosts, clock: Clock, regions: int | None = None) -> Plan:
    """Return the plan of a zone; as few regions as can be unless their number is given.

    Raises
    ------
    TreeError
        No participants, or more than 1,000 of them in a region.
    """
    if participants < 1:
        raise TreeError("participants", f"{participants} is no whole number of at least 1")
    least = -(-participants // MOST_IN_A_REGION)
    count = least if regions is None else regions
    if not least <= count <= participants:
        raise TreeError(
            "regions", f"{count} do not hold {participants} participants, expected {least} or more"
        )
    parts = -(-count // costs.part_accounts)
    gas = count * (costs.anchor_gas + costs.account_gas) + parts * costs.part_gas
    size = count * (costs.anchor_bytes + costs.account_bytes) + parts * costs.part_bytes
    blocks = int(clock.interval_s // clock.block_s)
    if not blocks:
        raise TreeError("interval_s", f"{clock.interval_s} is shorter than a block")
    return Plan(participants, count, gas, size, blocks, gas / (blocks * clock.block_gas))


def most(costs: LedgerCosts, clock: Clock) -> int:
    """Return how many participants at most fit into one zone, in full regions."""
    low, high = 0, 1
    while plan(high * MOST_IN_A_REGION, costs, clock).fits:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        fits = plan(middle * MOST_IN_A_REGION, costs, clock).fits
        low, high = (middle, high) if fits else (low, middle)
    return low * MOST_IN_A_REGION
