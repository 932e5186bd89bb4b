"""The report shows the council's tree and what each member did; none where nobody signs."""

import re

from tests.cycle.conftest import SCENARIOS, quietly, shortened

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.report.council_view import council_view
from gridpact.report.findings import examine
from gridpact.report.page import page
from gridpact.scenario.reader import load


def test_signatures_trust_and_proposers_add_up() -> None:
    short = shortened(load(SCENARIOS / "sce56-day.toml"), 6)
    found = examine(run_day(short, memory_ledgers(short), quietly))
    view = council_view(found)
    assert view is not None
    assert (len(view.members), view.needed) == (4, 3)
    assert sum(one.proposed for one in view.members) == 6
    assert sum(one.signed for one in view.members) == 6 * 3
    assert [one.refused for one in view.members] == [0] * 4
    assert sorted(one.spared for one in view.members) == [0, 0, 0, 6]
    for one in view.members:
        assert one.trust == (500_000 if one.spared else max(m.trust for m in view.members))
    text = page(found, {}, ())
    assert 'class="tree"' in text
    for one in view.members:
        assert re.search(rf"<td class=\"t\">{one.name}</td><td>{one.trust / 1e6:.3f}</td>", text)


def test_studies_without_signatures_have_no_such_section() -> None:
    short = shortened(load(SCENARIOS / "sce56-day.toml"), 2)
    found = examine(run_day(short, memory_ledgers(short), quietly, signed=False))
    assert council_view(found) is None
    assert "Aggregators</h2>" not in page(found, {}, ())
