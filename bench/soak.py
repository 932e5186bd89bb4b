"""Whatever the input, is anything lost, does anything appear? Hundreds of small random markets.

Every market is drawn from its seed (`bench.random_markets`); two in five have meters that fall
silent or lie. A row counts markets that broke a promise and names their seeds.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.promises import require_promises
from bench.random_markets import Case, draw
from bench.random_runs import play, require_chains
from bench.rows import Row
from gridpact.assembly.day import DayResult
from gridpact.errors import GridpactError, PowerFlowDiverged
from gridpact.model.statement import Case as Verdict

IN_MEMORY = range(300)
ON_CHAINS = range(1_000, 1_050)
NOTES = (
    "Small complete markets drawn from a seed, at the edges of what a scenario may say. After "
    "each: sold = bought per tier, no over-fill, deliveries and bills = meters, every lock "
    "shared out by the rule to the micro-unit, nobody above retail, money on both chains, "
    "crossings in pairs, accounts = deposits and flows. On the chains also: the same records "
    "as in memory, the audit passes, and a run whose power fails around a random write ends "
    "with the same state. A market whose load no voltage can carry stops with its interval "
    "and bus named; it is counted apart."
)


@dataclass(frozen=True)
class Found:
    """What a market came to. `broken` says which promise it broke, "" for none."""

    seed: int
    broken: str = ""
    beyond: bool = False
    fills: int = 0
    refused: int = 0
    disputed: int = 0
    carried: int = 0
    cut: int = 0
    unpaid: int = 0


def run() -> list[Row]:
    return [
        *_campaign("in memory", in_memory, IN_MEMORY),
        *_campaign("on both chains", on_chains, ON_CHAINS),
    ]


def in_memory(seed: int) -> Found:
    """Play one market in memory, with signatures."""
    return _judged(draw(seed), _in_memory)


def on_chains(seed: int) -> Found:
    """Play one market on the embedded chains: whole, in memory, and cut off and resumed."""
    return _judged(draw(seed), _on_chains)


def _in_memory(case: Case) -> DayResult:
    day = play(case, signed=True)
    require_promises(day)
    return day


def _on_chains(case: Case) -> DayResult:
    with tempfile.TemporaryDirectory() as folder:
        return require_chains(case, Path(folder))


def _judged(case: Case, play_it: Callable[[Case], DayResult]) -> Found:
    try:
        day = play_it(case)
    except PowerFlowDiverged:
        return Found(case.seed, beyond=True)
    except (AssertionError, GridpactError) as error:
        return Found(case.seed, broken=f"{type(error).__name__}: {error}")
    settlements = [
        each for result in day.intervals for each in (result.settlement, result.zonal_settlement)
    ]
    statements = [one for each in settlements for one in each.statements]
    return Found(
        case.seed,
        fills=len(statements),
        refused=sum(
            len(book.refusals)
            for result in day.intervals
            for book in (result.book, result.plant_book)
        ),
        disputed=sum(one.case is Verdict.DISPUTE for one in statements),
        carried=sum(result.meters.carried_wh != 0 for result in day.intervals),
        cut=sum(len(result.cleared.cuts) for result in day.intervals),
        unpaid=sum(
            bool(bill.unpaid_purchase or bill.unpaid_sale)
            for each in settlements
            for bill in each.bills
        ),
    )


def _campaign(where: str, judge: Callable[[int], Found], seeds: range) -> list[Row]:
    begun = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(judge, seeds, chunksize=4))
    seconds = time.perf_counter() - begun
    broken = [one for one in found if one.broken]
    named = f"seeds {seeds.start} to {seeds.stop - 1}"
    if broken:
        named += f"; seed {broken[0].seed}: {broken[0].broken}"
    return [
        Row(
            f"{where}: markets that broke a promise, {named}",
            len(broken),
            "markets",
            goal="0",
            holds=not broken,
        ),
        Row(f"{where}: markets", len(found), "markets"),
        Row(f"{where}: of these with trade", sum(one.fills > 0 for one in found), "markets"),
        Row(
            f"{where}: stopped, load beyond the wires", sum(one.beyond for one in found), "markets"
        ),
        *_sums(where, found),
        Row(f"{where}: wall time", seconds, "s"),
    ]


def _sums(where: str, found: Sequence[Found]) -> list[Row]:
    return [
        Row(f"{where}: {what}", sum(getattr(one, field) for one in found), unit)
        for field, what, unit in (
            ("fills", "fills settled or in dispute", "fills"),
            ("disputed", "of these in dispute", "fills"),
            ("refused", "orders refused", "orders"),
            ("cut", "cuts by the grid check", "cuts"),
            ("carried", "balances carried on because of meters", "intervals"),
            ("unpaid", "bills that empty accounts left as claims", "bills"),
        )
    ]
