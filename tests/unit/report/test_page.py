"""report.html: one file that needs no network, with tables that add up."""

import re
from html.parser import HTMLParser

import pytest

from gridpact.report.figures import figures
from gridpact.report.findings import Findings
from gridpact.report.page import matrix, page, totals
from gridpact.report.sensitivity import Sensitivity

ROW = Sensitivity("error 20 %", 60, 59, 1000, 930, 100_000, 80_000, 20_000, 0, 1, 0)
VOID = {"meta", "link", "br", "img", "hr", "input"}


class _Strict(HTMLParser):
    """Fails on a tag that closes another."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html(found: Findings) -> str:
    return page(found, figures(found), [ROW])


def test_page_is_well_formed_and_below_a_megabyte(html: str) -> None:
    parser = _Strict()
    parser.feed(html)
    assert parser.open == []
    assert len(html.encode()) < 1_000_000


def test_page_asks_nothing_of_a_network(html: str) -> None:
    parser = _Strict()
    parser.feed(html)
    assert not [tag for tag, _ in parser.seen if tag in ("link", "img", "iframe")]
    for _, attributes in parser.seen:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_every_participant_and_plant_has_a_row(found: Findings, html: str) -> None:
    for account in found.compared.accounts:
        assert f'<td class="t">{account.name}</td>' in html


def test_every_claim_stands_in_the_page_with_its_verdict(found: Findings, html: str) -> None:
    held = sum(claim.holds for claim in found.claims)
    assert html.count('class="t yes"') == held
    assert html.count('class="t no"') == len(found.claims) - held


def test_matrix_adds_up_both_ways(found: Findings) -> None:
    table = matrix(found.compared)
    assert sum(table.paid) == sum(table.received)
    assert sum(table.paid) == sum(flow.amount for flow in found.compared.flows)
    after = {group.name: group.after for group in found.compared.groups}
    paid = dict(zip(table.payers, table.paid, strict=True))
    received = dict(zip(table.payees, table.received, strict=True))
    for name, left in after.items():
        assert received.get(name, 0) - paid.get(name, 0) == left


def test_totals_are_the_sums_of_the_rows(found: Findings) -> None:
    sums = totals(found.compared)
    assert sums["traded"] + sums["grid"] == sums["imported"]
    assert sums["imported"] == sum(sum(one.line.bought) for one in found.compared.participants)
    assert sums["bills_after"] == sum(one.after for one in found.compared.accounts)
    gained = sum(group.change for group in found.compared.groups if group.change > 0)
    assert gained == -sum(group.change for group in sums["losers"])


def test_forecast_section_stands_only_with_its_rows(found: Findings, html: str) -> None:
    assert 'id="forecast"' in html
    assert "59 of 60" in html
    assert 'id="forecast"' not in page(found, {}, [])


def test_page_says_how_to_audit(found: Findings, html: str) -> None:
    for chain in found.day.chains:
        assert f"--head {chain.name}={chain.head.hash.hex()}" in html


def test_names_cannot_smuggle_markup_into_the_page(found: Findings) -> None:
    scenario = found.day.scenario.__class__(
        **{**found.day.scenario.__dict__, "name": "<script>alert(1)</script>"}
    )
    day = found.day.__class__(**{**found.day.__dict__, "scenario": scenario})
    other = found.__class__(**{**found.__dict__, "day": day})
    assert "<script>alert" not in page(other, {}, [])
