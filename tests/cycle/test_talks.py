"""Devices negotiate in the cycle: every word signed, in the clearing, and audited."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from tests.cycle.conftest import quietly, shortened

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers
from gridpact.assembly.parts import assemble
from gridpact.errors import InvalidClearing
from gridpact.market.recleared import recleared
from gridpact.model.market import MarketTerms
from gridpact.model.order import Tier
from gridpact.scenario.scenario import Scenario


def test_every_local_fill_of_a_signed_run_was_talked_over(
    scenario: Scenario, tmp_path: Path
) -> None:
    chosen = replace(shortened(scenario, 8), market=MarketTerms("negotiation"))
    ledgers = embedded_ledgers(chosen, tmp_path / "ledger.db")
    results = run_day(chosen, ledgers, quietly).intervals
    market = assemble(chosen, ledgers).market
    for one in results:
        local = [fill for fill in one.cleared.fills if fill.tier is Tier.LOCAL]
        pairs = [(talk.bid, talk.offer) for talk in one.cleared.talks]
        assert pairs == [(fill.bid, fill.offer) for fill in local]
        assert [talk.said[-1].price for talk in one.cleared.talks] == [one.price for one in local]
    last = results[-1]
    domain, silent = ledgers.local.domain, changed(last.cleared, talks=())
    with pytest.raises(InvalidClearing, match="0 talks for"):
        recleared(chosen.market, last.book, last.prices, silent, market.buses, domain)
    terms = MarketTerms("nash_bargaining")
    with pytest.raises(InvalidClearing, match="talks, and nobody negotiates"):
        recleared(terms, last.book, last.prices, last.cleared, market.buses, domain)
    ledgers.close()
    audit_ledger(tmp_path / "ledger.db", {})
