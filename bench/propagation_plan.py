"""What must the zone's ledger carry for so many participants, by the gas that was measured?"""

import re
from collections.abc import Iterator
from pathlib import Path

from bench.rows import Row
from gridpact.propagation.planner import Clock, LedgerCosts, most, plan
from gridpact.studies.wang2023 import anchoring

PARTICIPANTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
CLOCK = Clock(block_s=5, block_gas=30_000_000, interval_s=900)
PAGE = Path(__file__).parent.parent / "docs" / "bench" / "gas.md"
_WORD = 32
WORDS_OF_AN_ACCOUNT = 5.5
"""A row each in reserve, commit, post and finalise; half a word of deltas in the last two, and of
ratings in post."""
WORDS_OF_A_PART = 70
"""Arguments, members and three signatures of two words in three of the four calls."""


def rows() -> Iterator[Row]:
    costs = measured(PAGE.read_text())
    yield Row("planner: an anchor", costs.anchor_gas, "gas", f"{costs.anchor_bytes} bytes")
    yield Row("planner: net settlement of a region's account", costs.account_gas, "gas",
              f"and {costs.part_gas:,} for each part of 1,000: from two sizes")  # fmt: skip
    for participants in PARTICIPANTS:
        found = plan(participants, costs, CLOCK)
        yield Row(
            f"zone of {participants:,} participants in {found.regions:,} regions", found.gas,
            "gas an interval",
            f"{found.bytes / 1000:,.1f} kB, {found.used:.2%} of {found.blocks} blocks of 30 M gas",
            goal="fits into its blocks", holds=found.fits,
        )  # fmt: skip
    yield Row("most participants of one zone, interval 15 min, blocks of 5 s and 30 M gas",
              most(costs, CLOCK), "participants")  # fmt: skip


def measured(page: str) -> LedgerCosts:
    """Return the costs from the gas page, and from an anchor sent here."""
    few, many = (_row(page, f"net {n}: with reserve per account")
                 for n in ("80 accounts, 1000 trades", "1000 accounts, 5000 trades"))  # fmt: skip
    account = (1000 * many - 80 * few) // 920
    anchor = anchoring()
    return LedgerCosts(
        anchor_gas=anchor.gas,
        account_gas=account,
        part_gas=80 * (few - account),
        anchor_bytes=len(anchor.raw),
        account_bytes=int(WORDS_OF_AN_ACCOUNT * _WORD),
        part_bytes=WORDS_OF_A_PART * _WORD,
    )


def _row(page: str, what: str) -> int:
    found = re.search(rf"^\| {re.escape(what)} \| (\d+) ", page, re.MULTILINE)
    if not found:
        raise AssertionError(f"{PAGE} says nothing of: {what}")
    return int(found[1])
