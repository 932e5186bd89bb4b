"""Every scheme runs signed on embedded chains by its own rules, and the audit finds it whole."""

from pathlib import Path

import pytest
from tests.cycle.conftest import SCENARIOS, quietly, shortened

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers
from gridpact.model.rating import (
    Standing,
    of_zone,
    prior,
)
from gridpact.model.record import Rated
from gridpact.report.ratings import ratings, rule_name
from gridpact.reputation.rule import Known, rated
from gridpact.scenario.reader import load
from gridpact.scenario.schemes import SCHEMES

INTERVALS = 9
"""Until the sun is high enough for neighbours to sell."""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_scheme_runs_by_its_rules_and_is_audited(scheme: str, tmp_path: Path) -> None:
    scenario = shortened(load(SCENARIOS / "sce56-day.toml", scheme=scheme), INTERVALS)
    file = tmp_path / "ledger.db"
    ledgers = embedded_ledgers(scenario, file)
    day = run_day(scenario, ledgers, quietly)
    terms = scenario.rating
    assert rule_name(terms) == SCHEMES[scheme].reputation
    rows = [(one.interval, row) for one in day.intervals for row in one.rated]
    assert len(rows) > 10
    _follow(rows, scenario, {party.address for party in day.people.plants})
    shown = ratings(day)
    assert len(shown.rows) == len({row.participant for _, row in rows})
    assert len(shown.columns) == len(shown.rows[0]) == (5 if scheme == "credibility" else 2)
    heads = {end.name: end.head.hash for end in day.chains}
    assert audit_ledger(file, heads)


def _follow(rows, scenario, plants) -> None:
    """See that each rating follows by its rule from the one before it, and moves somebody."""
    last: dict[bytes, Rated] = {}
    for interval, row in rows:
        terms = of_zone(scenario.rating) if row.participant in plants else scenario.rating
        known = last.get(row.participant)
        before = known.after if known else prior(terms)
        assert row.before == before
        stands = row.standing and (
            known.standing if known else Standing(volume=row.standing.volume)
        )
        due = rated(
            *(row.participant, Known(before, stands or Standing()), row.agreed_wh, row.sent_wh),
            *(terms, interval, 60 * scenario.time.minutes),
        )
        assert row == due
        last[row.participant] = row
    assert any(row.after != row.before for row in last.values())
