"""The example of a whole purchase runs as a reader would run it, and its payment can be read."""

import re
import subprocess
import sys
from pathlib import Path

from tests.unit.guides import ROOT

from gridpact.ledger.reading.show import show


def test_example_pays_and_the_ledger_shows_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples/purchase.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kinds = re.findall(r" -> \w+ +(\w+) +\d+ bytes", done.stdout)
    assert kinds == [
        *("Sell", "Buy", "Respond", "Choose", "Certified", "Pay"),
        *("Bill", "Confirm", "Settled", "Renewed"),
    ]
    [transaction] = re.findall(r"paid 0\.60 by transaction 0x(\w{64})", done.stdout)
    [facts] = [one.facts for one in show(tmp_path / "purchase.db", transaction)]
    assert "confirm" in str(facts)
