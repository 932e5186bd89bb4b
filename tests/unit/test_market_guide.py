"""The examples of docs/market.md run as they stand, and its table says what is claimed."""

import re
from pathlib import Path

import pytest
from tests.unit.guides import ROOT, examples, ran

from gridpact.market.mechanisms import MECHANISMS

GUIDE = (ROOT / "docs/market.md").read_text()
EXAMPLES = examples("docs/market.md")


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_guide_runs(number: int, tmp_path: Path) -> None:
    ran(EXAMPLES[number], tmp_path)


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_table_of_the_guide_says_what_each_mechanism_claims(name: str) -> None:
    claims = MECHANISMS[name].claims
    [row] = re.findall(rf"^\| `{name}` \|(.*)\|$", GUIDE, re.MULTILINE)
    _, budget, rational, welfare, truthful, fair = (cell.strip() for cell in row.split("|"))
    assert budget == {"any": "deficit"}.get(claims.budget, claims.budget)
    assert (rational == "yes", truthful == "yes", fair == "yes") == (
        claims.rational,
        claims.truthful,
        claims.fair,
    )
    assert welfare == (f"{claims.welfare / 10_000:g} %" if claims.welfare else "-")
