"""The report as one self-contained page: pictures, tables that add up, plain words.

The page holds everything itself (SVG, style, a few lines of script to sort a table); it asks
nothing of a network. This module turns findings into rows; `templates/report.html.j2` arranges
them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from textwrap import shorten
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gridpact.model.order import Tier
from gridpact.model.statement import Case
from gridpact.quantities import MICRO, PPM, Money, Wh
from gridpact.report.comparison import Comparison
from gridpact.report.council_view import council_view
from gridpact.report.deposits import deposits
from gridpact.report.feeder_view import feeder_view
from gridpact.report.findings import Findings
from gridpact.report.levies import levies
from gridpact.report.money import between
from gridpact.report.orders import wishes
from gridpact.report.privacy import privacy
from gridpact.report.ratings import ratings
from gridpact.report.requests import sums as sums_of_requests
from gridpact.report.sensitivity import Sensitivity
from gridpact.report.sensor_view import sensor_view
from gridpact.report.series import clock
from gridpact.report.summary import heads, refusals
from gridpact.report.words import CASES, CODES, FIGURES, PHASES, REASONS


@dataclass(frozen=True)
class Matrix:
    """Who paid whom: `rows[i][j]` is what payer i paid to payee j."""

    payers: tuple[str, ...]
    payees: tuple[str, ...]
    rows: tuple[tuple[Money, ...], ...]

    @property
    def paid(self) -> tuple[Money, ...]:
        return tuple(sum(row) for row in self.rows)

    @property
    def received(self) -> tuple[Money, ...]:
        return tuple(sum(column) for column in zip(*self.rows, strict=True))


def page(found: Findings, figures: Mapping[str, str], sensitivity: Sequence[Sensitivity]) -> str:
    """Return the report of a day as HTML.

    Parameters
    ----------
    figures
        SVG by name, of `report.figures`.
    sensitivity
        The same day at other forecast errors; empty leaves the section out.
    """
    environment = Environment(
        loader=PackageLoader("gridpact.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    day, compared, curves = found.day, found.compared, found.curves
    sums = totals(compared)
    kwh = partial(_kwh, digits=_digits(sums["imported"]))
    environment.filters.update(
        money=_money, signed=_signed, kwh=kwh, price=_price, percent=_percent, score=_score
    )
    return environment.get_template("report.html.j2").render(
        day=day,
        scenario=day.scenario,
        compared=compared,
        curves=curves,
        claims=found.claims,
        figures={name: (Markup(svg), *FIGURES[name]) for name, svg in figures.items()},
        feeder=feeder_view(found),
        totals=sums,
        matrix=matrix(compared),
        reasons=_reasons(compared),
        cases=_cases(compared),
        refused=_refused(found),
        levies=levies(day),
        wishes=wishes(day),
        requests=sums_of_requests(day),
        cuts=_cuts(found),
        unheld=unheld(found),
        ratings=ratings(day),
        deposits=deposits(day),
        council=council_view(found),
        privacy=privacy(day),
        sensors=sensor_view(found.day),
        sensitivity=sensitivity,
        heads=heads(day),
        seconds=_seconds(day.seconds),
        clock=lambda interval: clock(float(curves.begins[interval])),
        hm=_hours_minutes,
        Tier=Tier,
    )


def totals(compared: Comparison) -> dict[str, Any]:
    """Return the sums that headlines and totals rows show."""
    hours, consumers = compared.hours, compared.consumers
    names = ("contracted_before", "contracted_after", "grid_before", "local", "zonal", "grid",
             "cleared", "unused", "short", "held", "loss_before", "loss_after")  # fmt: skip
    sums: dict[str, Any] = {name: sum(getattr(hour, name) for hour in hours) for name in names}
    sums["traded"] = sums["local"] + sums["zonal"]
    sums["imported"] = sums["traded"] + sums["grid"]
    sums["before"] = sum(one.before for one in consumers)
    sums["after"] = sum(one.after for one in consumers)
    sums["bills_before"] = sum(one.before for one in compared.accounts)
    sums["bills_after"] = sum(one.after for one in compared.accounts)
    sums["gain"] = sum(group.change for group in compared.groups if group.change > 0)
    sums["losers"] = sorted((one for one in compared.groups if one.change < 0),
                            key=lambda group: group.change)  # fmt: skip
    return sums


def matrix(compared: Comparison) -> Matrix:
    """Return who paid whom over the day, by group; groups that paid or got nothing left out."""
    paid = between(compared.flows, compared.group_of)
    groups = [group.name for group in compared.groups]
    payers = tuple(one for one in groups if any(paid[one, other] for other in groups))
    payees = tuple(one for one in groups if any(paid[other, one] for other in groups))
    return Matrix(
        payers, payees, tuple(tuple(paid[payer, payee] for payee in payees) for payer in payers)
    )


def _reasons(compared: Comparison) -> list[tuple[str, str, Money]]:
    sums: Counter[str] = Counter()
    for flow in compared.flows:
        sums[flow.reason.value] += flow.amount
    return [(reason, REASONS[reason], money) for reason, money in sums.most_common()]


def _cases(compared: Comparison) -> list[dict[str, Any]]:
    rows = []
    for case in Case:
        settled = [
            row.settled
            for row in compared.trades
            if row.settled.statement.case is case and not row.is_held
        ]
        if settled:
            rows.append(
                {
                    "name": case.name.lower(),
                    "means": CASES[case],
                    "fills": len(settled),
                    "agreed": sum(row.delivery.agreed for row in settled),
                    "sent": sum(row.delivery.sent for row in settled),
                    "received": sum(row.delivery.received for row in settled),
                    "paid": sum(row.statement.paid for row in settled),
                    "reward": sum(row.statement.reward for row in settled),
                    "claim": sum(row.statement.claim for row in settled),
                }
            )
    return rows


def _refused(found: Findings) -> list[tuple[str, str, int, str]]:
    """Return (code, meaning, count, one example) of refused orders."""
    refused = refusals(found.day)
    counts = Counter(one.code for one in refused)
    first = {one.code: one for one in reversed(refused)}
    rows = []
    for code, count in counts.most_common():
        one = first[code]
        who = found.day.names.get(one.participant, "unknown")
        example = shorten(f"{who}: {one.detail}", 160, placeholder=" …")
        rows.append((code.value, CODES[code], count, example))
    return rows


def _cuts(found: Findings) -> list[dict[str, Any]]:
    rows: dict[tuple[bytes, str], Counter[str]] = {}
    for result in found.day.intervals:
        for cut in result.cleared.cuts:
            row = rows.setdefault((cut.participant, cut.limit), Counter())
            row.update(intervals=1, fills=cut.from_fills_wh, surplus=cut.from_surplus_wh)
    return [
        {"name": found.day.names[who], "limit": limit, **row} for (who, limit), row in rows.items()
    ]


def unheld(found: Findings) -> list[tuple[int, tuple[str, ...]]]:
    """Return the intervals in which limits bound and no cut could hold them, with the limits."""
    cleared = [(result.interval, result.cleared) for result in found.day.intervals]
    return [
        (interval, tuple(dict.fromkeys(one.binding)))
        for interval, one in cleared
        if one.binding and not one.fills and not one.cuts
    ]


def _seconds(seconds: Mapping[str, float]) -> list[tuple[str, str, float]]:
    return [(phase, PHASES.get(phase, ""), spent) for phase, spent in seconds.items()]


def _money(money: Money) -> str:
    return f"{money / MICRO:,.2f}".replace("-", "−")


def _signed(money: Money) -> str:
    return f"{money / MICRO:+,.2f}".replace("-", "−")


def _digits(energy: Wh) -> int:
    """Return how many digits of a kWh a day of that much energy shows: three figures at least."""
    return 0 if energy >= 1_000_000 else 1 if energy >= 100_000 else 2


def _kwh(energy: Wh | float, digits: int = 0) -> str:
    return f"{energy / 1000:,.{digits}f}"


def _price(price: int | None) -> str:
    return "" if price is None else f"{price / MICRO:.3f}"


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %".replace("-", "−")


def _hours_minutes(hours: float) -> str:
    minutes = round(60 * hours)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _score(score: int) -> str:
    return f"{score / PPM:.3f}"
