"""The market day: how long it takes, and what it promises over 20 seeds."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.days import SCENARIOS, Variant, day, each
from bench.rows import Row
from gridpact.report.comparison import compare

SEEDS = 20
NOTES = (
    "A real run (`gridpact run`, embedded chains, signatures, reports) timed as a whole process; "
    "then days on memory ledgers without signatures: the same cycle and rules. 'Before' has the "
    "same devices, plants, battery control and forecasts, on retail and feed-in tariff only."
)


@dataclass(frozen=True)
class Figures:
    """What one day came to."""

    consumers: int
    not_worse: int
    participants: int
    all_not_worse: int
    most_contract_rise_wh: int
    contracted_less: float
    most_price_rise: int
    peak_ratio: float
    saving: float
    unpaid: int
    emptied: int
    traded_wh: int
    undelivered: float
    violation_pu: float


def run() -> list[Row]:
    return [*_timed(), *_promises(), *_sensitivity()]


def _timed() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gridpact", "run", str(SCENARIOS / "sce56-day.toml")]
        begun = time.perf_counter()
        subprocess.run([*command, "--out", folder], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        phases = json.loads((Path(folder) / "summary.json").read_text())["seconds"]
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "gridpact", "audit", str(Path(folder) / "ledger.db")],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        audited = time.perf_counter() - begun
    yield Row(
        "whole run, start to report", seconds, "s", "15 s", seconds / 15, "<= 15 s", seconds <= 15
    )
    yield Row("peak memory of the run", peak, "MiB", "1 GiB", peak / 1024, "<= 1 GiB", peak <= 1024)
    for phase, value in phases.items():
        yield Row(f"of which {phase}", value, "s", "whole run", value / seconds)
    yield Row("audit from genesis", audited, "s", "whole run", audited / seconds)


def figures(variant: Variant) -> Figures:
    """Return what a variant of the day came to."""
    result = day(variant)
    found = compare(result)
    hours = found.hours
    before = sum(one.before for one in found.consumers)
    peaks = [
        max(flow.substation_w for flow in flows) for flows in (result.flows, result.before.flows)
    ]
    cleared = sum(hour.cleared for hour in hours)
    grid = result.scenario.grid
    return Figures(
        consumers=len(found.consumers),
        not_worse=found.not_worse,
        participants=len(found.participants),
        all_not_worse=sum(one.saving >= 0 for one in found.participants),
        most_contract_rise_wh=max(h.contracted_after - h.contracted_before for h in hours),
        contracted_less=1
        - sum(h.contracted_after for h in hours) / sum(h.contracted_before for h in hours),
        most_price_rise=max(
            h.price_after - h.price_before for h in hours if h.price_after is not None
        ),
        peak_ratio=peaks[0] / peaks[1],
        saving=sum(one.saving for one in found.consumers) / before,
        unpaid=found.unpaid,
        emptied=len(found.emptied),
        traded_wh=cleared,
        undelivered=sum(hour.unused + hour.short for hour in hours) / cleared,
        violation_pu=max(
            max(
                float(flow.voltage_pu.max()) - grid.v_max_pu,
                grid.v_min_pu - float(flow.voltage_pu.min()),
            )
            for flow in result.flows
        ),
    )


def _promises() -> Iterator[Row]:
    own = each(figures, [Variant(seed) for seed in range(1, SEEDS + 1)])
    at = f"{SEEDS} seeds, error 20 %"
    shares = [one.not_worse / one.consumers for one in own]
    yield Row(
        f"worst share of participants without generation not worse off, {at}",
        100 * min(shares),
        "%",
        goal=">= 99 %",
        holds=min(shares) >= 0.99,
    )
    everybody = [one.all_not_worse / one.participants for one in own]
    yield Row(f"worst share of all participants not worse off, {at}", 100 * min(everybody), "%")
    yield Row(
        f"least saving of participants without generation, {at}",
        100 * min(one.saving for one in own),
        "%",
    )
    yield Row(
        f"mean saving of participants without generation, {at}",
        100 * sum(one.saving for one in own) / SEEDS,
        "%",
    )
    rise = max(one.most_contract_rise_wh for one in own)
    yield Row(
        f"largest rise in any hour of energy contracted from grid supply, {at}",
        rise,
        "Wh",
        goal="<= 0",
        holds=rise <= 0,
    )
    less = min(one.contracted_less for one in own)
    yield Row(
        f"least reduction over the day of energy contracted from grid supply, {at}",
        100 * less,
        "%",
        goal="> 0",
        holds=less > 0,
    )
    dearer = max(one.most_price_rise for one in own)
    yield Row(
        f"largest rise in any hour of the mean price, {at}",
        dearer,
        "micro-units/kWh",
        goal="<= 0",
        holds=dearer <= 0,
    )
    peak = max(abs(one.peak_ratio - 1) for one in own)
    yield Row(
        f"largest change of the peak of substation import, own schedules, {at}",
        peak,
        "share",
        goal="equal",
        holds=peak <= 1e-9,
    )
    broke = sum(one.unpaid for one in own) + sum(one.emptied for one in own)
    yield Row(
        f"unpaid claims and emptied accounts, {at}",
        broke,
        "micro-units",
        goal="0",
        holds=broke == 0,
    )
    market = each(figures, [Variant(s, strategy="market") for s in range(1, SEEDS + 1)])
    peak = max(one.peak_ratio for one in market)
    yield Row(
        "largest peak of substation import, market schedules, 20 seeds",
        peak,
        "x before",
        goal="<= 1.05",
        holds=peak <= 1.05,
    )
    over = max(one.violation_pu for one in own + market)
    yield Row(
        "largest excess of a voltage limit, 40 days", over, "pu", goal="<= 1e-4", holds=over <= 1e-4
    )


def _sensitivity() -> Iterator[Row]:
    cases: Sequence[tuple[str, Variant]] = [
        *((f"error {share} %", Variant(0, sigma=share / 100)) for share in (0, 10, 20, 40)),
        ("persistence", Variant(0, persistence=True)),
    ]
    for label, variant in cases:
        seeds = [Variant(s, variant.sigma, variant.persistence) for s in range(1, 6)]
        found = each(figures, seeds)
        count = len(found)
        at = f"{label}, mean of {count} seeds"
        yield Row(
            f"saving of participants without generation, {at}",
            100 * sum(one.saving for one in found) / count,
            "%",
        )
        yield Row(
            f"participants without generation not worse off, {at}",
            100 * sum(one.not_worse / one.consumers for one in found) / count,
            "%",
        )
        yield Row(f"energy traded, {at}", sum(one.traded_wh for one in found) / count / 1e6, "MWh")
        yield Row(
            f"cleared but unused or short, {at}",
            100 * sum(one.undelivered for one in found) / count,
            "%",
        )
