"""`gridpact sense` as a person runs it."""

import csv
from pathlib import Path

from typer.testing import CliRunner

from gridpact.cli import app


def test_recorded_days_give_verdicts_and_permits(folder: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["sense", str(folder), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    with (tmp_path / "out" / "verdicts.csv").open() as file:
        verdicts = list(csv.DictReader(file))
    with (tmp_path / "out" / "gate.csv").open() as file:
        gate = list(csv.DictReader(file))
    with (tmp_path / "out" / "alerts.csv").open() as file:
        told = list(csv.DictReader(file))
    episodes = {(row["target_type"], row["target"]) for row in verdicts}
    assert {(row["target_type"], row["target"]) for row in told} == episodes
    storm = next(row for row in told if row["target_type"] == "station")
    assert len(storm["meters"].split(";")) == 16
    assert storm["since"] < storm["until"]
    assert storm["reason"]
    assert list(verdicts[0]) == ["ts", "target_type", "target", "cls", "score"]
    assert {row["target_type"] for row in verdicts} >= {"meter", "station", "line", "transformer"}
    assert [row["trade"] for row in gate] == [f"t{at}" for at in range(200)]
    assert {row["permit"] for row in gate} == {"0", "1"}
    assert done.output.splitlines()[-1].endswith("of 200 trades held")
