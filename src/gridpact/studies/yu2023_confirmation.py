"""[Yu23] figure 5: the average time until a transaction is confirmed, and that of a real run.

The paper prints minutes but not what gives them; the parameters here are fitted to them. Beside
them stands what gridpact takes from an order to its settlement: the market's own waiting, which is
a choice of its clock, and the computing, measured on a run of the scenario.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import embedded_ledgers
from gridpact.crypto.keccak import name_hash
from gridpact.cycle.cycle import unwatched
from gridpact.model.interval import Key, Phase
from gridpact.propagation.confirmation import FITTED, Confirming, simulated
from gridpact.report.style import AFTER, BEFORE
from gridpact.scenario.reader import load
from gridpact.simulation.clock import MarketClock
from gridpact.studies.repeated import Claimed, Curve, Repeated

TRANSACTIONS = 2_000
CLAIMED = {
    "public chain": "about 60 min",
    "scheme [8]": "10 min",
    "scheme [17]": "6 to 7 min",
    "WCT": "about 6 min",
}
_PHASES = ("collect", "clear", "commit", "deliver", "settle")


@dataclass(frozen=True)
class Measured:
    """A real run. delivery_min: of that the interval itself; computing_s: wall, per interval."""

    scenario: str
    order_to_settled_min: float
    delivery_min: float
    computing_s: float
    intervals: int


def measured(scenario: Path) -> Measured:
    """Run a scenario on embedded ledgers and return what passes from an order to its settlement."""
    chosen = load(scenario)
    with TemporaryDirectory() as folder:
        ledgers = embedded_ledgers(chosen, Path(folder) / "ledger.db")
        try:
            seconds = run_day(chosen, ledgers, unwatched).seconds
        finally:
            ledgers.close()
    clock, region = MarketClock(chosen.time.begins, chosen.time.minutes), name_hash(chosen.region)
    minutes = (clock(Key(region, 0, Phase.SETTLE)) - clock(Key(region, 0, Phase.COLLECT))) / 60
    spent = sum(seconds[phase] for phase in _PHASES) / chosen.time.intervals
    return Measured(chosen.name, minutes, chosen.time.minutes, spent, chosen.time.intervals)


def figure_5(draws: int, run: Measured) -> Repeated:
    """Return the fitted times with their simulation, and the run's beside them."""
    claims, means, halves = list[Claimed](), list[float](), list[float]()
    for chain in FITTED:
        found = [simulated(chain, TRANSACTIONS, seed).mean() for seed in range(draws)]
        mean, half = float(np.mean(found)), float(1.96 * np.std(found, ddof=min(1, draws - 1)))
        half /= draws**0.5
        means.append(mean)
        halves.append(half)
        claims.append(
            Claimed(
                f"{chain.name}: {CLAIMED[chain.name]}",
                f"{_formula(chain)} = {chain.mean:g} min; simulated {mean:.2f} ± {half:.2f} min",
                "yes, by the fitted parameters",
            )
        )
    waits = run.order_to_settled_min - run.delivery_min
    claims.append(
        Claimed(
            "(ours) from an order to its settlement",
            f"{run.order_to_settled_min:g} min by the market's clock: {run.delivery_min:g} of "
            f"delivery, {waits:g} of gates (commit 10 min before delivery, readings 2 min after); "
            f"computing {run.computing_s:.2f} s an interval, collect to settle, signatures and "
            f"disk included (mean of {run.intervals})",
            "measured",
        )
    )
    return Repeated(
        paper="Yu23",
        name="figure5",
        title="average transaction confirmation time",
        unit="minutes",
        axis="",
        at=tuple(map(float, range(len(FITTED) + 1))),
        curves=(
            Curve(
                "fitted, simulated", BEFORE,
                np.array([*means, np.nan]), np.array([*halves, np.nan]),
            ),
            Curve(
                "gridpact, order to settled", AFTER,
                np.array([np.nan] * len(FITTED) + [run.order_to_settled_min]),
                np.full(len(FITTED) + 1, np.nan),
            ),
        ),
        claims=tuple(claims),
        words=f"{draws} draws of {TRANSACTIONS:,} transactions. k, tau and D are fitted to the "
        "paper's minutes: it does not print them, and a tree cannot make a block interval shorter. "
        "With fixed intervals a transaction waits (k - 1/2) tau + D. The run is "
        f"{run.scenario}: its time is not comparable with the others, for it holds the delivery of "
        "the energy; what the ledger itself adds is the computing.",
        bars=(*(chain.name for chain in FITTED), "gridpact"),
    )  # fmt: skip


def _formula(chain: Confirming) -> str:
    blocks = f"{chain.blocks} x " if chain.blocks > 1 else ""
    return f"{blocks}{chain.interval:g}" + (f" + {chain.spreading:g}" if chain.spreading else "")
