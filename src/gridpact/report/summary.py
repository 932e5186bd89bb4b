"""The day in one dictionary, written as summary.json: what scripts and other programs read.

Whole numbers: energy in Wh, money in micro-units of the settlement currency, scores in ppm. Power
in kW, voltages in pu and shares are decimal. Equal runs give equal summaries but for `seconds`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gridpact.assembly.day import ChainEnd, DayResult
from gridpact.model.order import Refusal, Tier
from gridpact.model.participant import Named
from gridpact.model.record import Cleared
from gridpact.report import requests
from gridpact.report.comparison import Account, Comparison
from gridpact.report.deposits import deposits
from gridpact.report.findings import Findings
from gridpact.report.levies import levies
from gridpact.report.orders import wishes
from gridpact.report.privacy import privacy
from gridpact.report.ratings import rule_name
from gridpact.report.sensor_view import sensor_view
from gridpact.settlement.account_lines import Reason

_PACKAGES = ("gridpact", "numpy", "scipy", "clarabel", "coincurve", "pyrevm", "py-evm", "msgspec")


def summary(found: Findings) -> dict[str, Any]:
    """Return the day's figures under stable keys."""
    day, compared = found.day, found.compared
    scenario = day.scenario
    return {
        "scenario": {
            "name": scenario.name,
            "scheme": scenario.scheme,
            "reputation_rule": rule_name(scenario.rating),
            "seed": scenario.seed,
            "strategy": scenario.strategy,
            "begins": scenario.time.begins.isoformat(),
            "intervals": len(day.intervals),
            "interval_minutes": scenario.time.minutes,
            "participants": len(compared.participants),
            "without_generation": len(compared.consumers),
            "plants": len(scenario.plants),
            "forecast": {
                "model": scenario.forecast.model.value,
                "sigma_share": scenario.forecast.sigma,
                "correlation_share": scenario.forecast.correlation,
            },
        },
        "state_hash": {chain.name: chain.state_hash.hex() for chain in day.chains},
        "head": {
            chain.name: {"number": chain.head.number, "hash": chain.head.hash.hex()}
            for chain in day.chains
        },
        "audit_head": heads(day),
        "chains": {chain.name: _chain(chain) for chain in day.chains},
        "energy_wh": _energy(compared),
        "trades": _trades(compared),
        "requests": requests.sums(day),
        "wishes": [one._asdict() for one in wishes(day)],
        "money": _money(compared) | {"levies": levies(day)},
        "bills": [_bill(account) for account in compared.accounts],
        "grid": _grid(found),
        "refusals": dict(sorted(Counter(one.code.value for one in refusals(day)).items())),
        "cuts": _cuts(day),
        "sensors": asdict(sensed) if (sensed := sensor_view(day)) else None,
        "reputation": reputations(day),
        "deposits": _deposits(day),
        "pseudonyms": _pseudonyms(day),
        "claims": [
            asdict(claim) | {"measured": [asdict(one) for one in claim.measured]}
            for claim in found.claims
        ],
        "versions": _versions(),
        "seconds": {phase: round(seconds, 3) for phase, seconds in day.seconds.items()},
    }


def heads(day: DayResult) -> list[str]:
    """Return every chain's head as `gridpact audit --head` takes it: CHAIN=HASH."""
    return [f"{chain.name}={chain.head.hash.hex()}" for chain in day.chains]


def refusals(day: DayResult) -> tuple[Refusal, ...]:
    """Return every refused order or part of one, on both chains; what the wires cut included."""
    return tuple(
        one
        for result in day.intervals
        for one in (
            *result.book.refusals,
            *result.plant_book.refusals,
            *result.cleared.refusals,
        )
    )


def reputations(day: DayResult) -> dict[str, int]:
    """Return the last reputation of every seller that was rated, by name. [ppm]"""
    last = {
        day.person(row.participant): row.after for result in day.intervals for row in result.rated
    }
    return {
        day.names[who]: score
        for who, score in sorted(last.items(), key=lambda row: day.names[row[0]])
    }


def _pseudonyms(day: DayResult) -> dict[str, Any] | None:
    found = privacy(day)
    if found is None:
        return None
    return {
        "rotations": found.rotations,
        "hidden_among": found.among,
        "fewest_alike": found.fewest,
        "among_too_few": found.too_few,
    }


def _deposits(day: DayResult) -> dict[str, Any] | None:
    found = deposits(day)
    if found is None:
        return None
    return {
        "put_down": found.put_down,
        "breaches": found.breaches,
        "fined": found.fined,
        "left": found.left,
        "uncovered_orders": found.uncovered,
        "suspended": list(found.suspended),
    }


def _chain(chain: ChainEnd) -> dict[str, Any]:
    totals = chain.totals
    return {
        "minted": totals.minted,
        "burned": totals.burned,
        "free": totals.free,
        "reserved": totals.reserved,
        "locked": totals.locked,
        "transit": totals.transit,
        "accounts": {
            one.value: chain.accounts[one.address].free
            for one in Named
            if one.address in chain.accounts
        },
    }


def _energy(compared: Comparison) -> dict[str, Any]:
    hours = compared.hours
    return {
        "contracted_from_grid_before": sum(hour.contracted_before for hour in hours),
        "contracted_from_grid_after": sum(hour.contracted_after for hour in hours),
        "participants_imported_before": sum(hour.grid_before for hour in hours),
        "received_local": sum(hour.local for hour in hours),
        "received_zonal": sum(hour.zonal for hour in hours),
        "received_grid": sum(hour.grid for hour in hours),
        "cleared": sum(hour.cleared for hour in hours),
        "unused": sum(hour.unused for hour in hours),
        "short": sum(hour.short for hour in hours),
        "held": sum(hour.held for hour in hours),
        "sold_to_grid": sum(account.line.sold[Tier.GRID] for account in compared.accounts),
        "loss_before": sum(hour.loss_before for hour in hours),
        "loss_after": sum(hour.loss_after for hour in hours),
    }


def _trades(compared: Comparison) -> dict[str, Any]:
    rows = compared.trades
    cases = Counter(
        "held" if row.is_held else row.settled.statement.case.name.lower() for row in rows
    )
    return {
        "fills": len(rows),
        "local": sum(1 for row in rows if row.tier is Tier.LOCAL),
        "zonal": sum(1 for row in rows if row.tier is Tier.ZONAL),
        "cases": dict(sorted(cases.items())),
    }


def _money(compared: Comparison) -> dict[str, Any]:
    rows = [row.settled.statement for row in compared.trades]
    fines = sum(flow.amount for flow in compared.flows if flow.reason is Reason.FINE)
    return {
        "groups": {
            group.name: {"before": group.before, "after": group.after, "change": group.change}
            for group in compared.groups
        },
        "paid_for_trades": sum(row.paid for row in rows),
        "charges": sum(row.charge for row in rows),
        "fees": sum(row.fee_seller + row.fee_network for row in rows),
        "rewards": sum(row.reward for row in rows),
        "claims": sum(row.claim for row in rows),
        "fines": fines,
        "held_in_dispute": compared.held_in_dispute,
        "unpaid": compared.unpaid,
        "emptied": list(compared.emptied),
        "consumers_not_worse": compared.not_worse,
        "owners_not_worse": sum(one.saving >= 0 for one in compared.owners),
        "bill_before": sum(one.before for one in compared.participants),
        "bill_after": sum(one.after for one in compared.participants),
    }


def _bill(account: Account) -> dict[str, Any]:
    line = account.line
    return {
        "name": account.name,
        "kind": account.kind,
        "bus": account.bus,
        "devices": list(account.devices),
        "before": account.before,
        "after": account.after,
        "saving": account.saving,
        "bought_wh": dict(zip(("local", "zonal", "grid"), line.bought, strict=True)),
        "sold_wh": dict(zip(("local", "zonal", "grid"), line.sold, strict=True)),
    }


def _grid(found: Findings) -> dict[str, Any]:
    day, curves, participants = found.day, found.curves, found.compared.participants
    traded = sum(sum(one.line.bought[: Tier.GRID]) for one in participants)
    bought = sum(sum(one.line.bought) for one in participants)
    return {
        "voltage_min_pu": round(float(curves.voltage.min()), 6),
        "voltage_max_pu": round(float(curves.voltage.max()), 6),
        "limits_pu": [day.scenario.grid.v_min_pu, day.scenario.grid.v_max_pu],
        "peak_import_before_kw": round(float(curves.substation_before.max()), 3),
        "peak_import_after_kw": round(float(curves.substation.max()), 3),
        "loss_kwh": round(curves.energy(curves.loss), 3),
        "curtailed_kwh": round(curves.energy(curves.curtailed), 3),
        "self_sufficiency": round(curves.self_sufficiency, 6),
        "self_consumption": round(curves.self_consumption, 6),
        "bought_in_market_share": round(traded / bought, 6) if bought else 0.0,
        "intervals_with_binding_limit": [
            result.interval for result in day.intervals if result.cleared.binding
        ],
        "solver": sorted({result.prices.solver for result in day.intervals}),
    }


def _cuts(day: DayResult) -> dict[str, dict[str, int]]:
    by_name: dict[str, Counter[str]] = {}
    for cut in cuts(result.cleared for result in day.intervals):
        row = by_name.setdefault(day.names[cut[0]], Counter())
        row.update(from_fills_wh=cut[1], from_surplus_wh=cut[2])
    return {name: dict(row) for name, row in sorted(by_name.items())}


def cuts(cleared: Iterable[Cleared]) -> Iterable[tuple[bytes, int, int]]:
    """Yield (participant, Wh cut from fills, Wh cut from surplus) of every clearing."""
    for one in cleared:
        for cut in one.cuts:
            yield cut.participant, cut.from_fills_wh, cut.from_surplus_wh


def _versions() -> Mapping[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
