"""The examples of docs/market.md run as they stand, and its table says what is claimed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gridpact.market.mechanisms import MECHANISMS

GUIDE = (Path(__file__).parents[2] / "docs/market.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_guide_runs(number: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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
