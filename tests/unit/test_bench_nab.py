"""The benchmark script for NAB, on a made-up folder of the same form."""

import datetime
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bench.nab import FALSE_ALARM, Stream, alarms, normalised, read, score, sigmoid

from gridpact.errors import BadInput

BEGIN = datetime.datetime(2014, 4, 1)


def stamp(row: int) -> str:
    return (BEGIN + datetime.timedelta(minutes=5 * row)).strftime("%Y-%m-%d %H:%M:%S")


def made(folder: Path) -> Path:
    """Write two files of noise, one with a jump that is labelled, and their labels."""
    rng = np.random.default_rng(8)
    quiet, jump = 10 + rng.standard_normal((2, 1000))
    jump[600:640] += 12
    labels = {
        "made/quiet.csv": [],
        "made/jump.csv": [[stamp(580) + ".000000", stamp(660) + ".000000"]],
    }
    (folder / "data" / "made").mkdir(parents=True)
    (folder / "labels").mkdir()
    for name, values in zip(labels, (quiet, jump), strict=True):
        rows = [f"{stamp(at)},{value}" for at, value in enumerate(values)]
        (folder / "data" / name).write_text("\n".join(["timestamp,value", *rows]) + "\n")
    (folder / "labels" / "combined_windows.json").write_text(json.dumps(labels))
    return folder


STREAM = Stream("x", (), np.zeros(1000), ((500, 599),))


def test_an_alarm_at_the_begin_of_a_window_is_worth_all_and_at_its_end_next_to_nothing() -> None:
    assert score(STREAM, [500]) == pytest.approx(1.0)
    assert score(STREAM, [500, 510, 599]) == pytest.approx(1.0)
    assert score(STREAM, [599]) == pytest.approx(sigmoid(-0.01) / sigmoid(-1.0))
    assert sigmoid(0.0) == 0.0


def test_a_missed_window_costs_one_and_false_alarms_by_how_far_they_lie_behind() -> None:
    assert score(STREAM, []) == -1.0
    assert score(STREAM, [500, 400]) == pytest.approx(1.0 - FALSE_ALARM)
    near, far = score(STREAM, [500, 605]), score(STREAM, [500, 950])
    assert far == pytest.approx(1.0 - FALSE_ALARM)
    assert near == pytest.approx(1.0 + FALSE_ALARM * sigmoid(6 / 99))
    assert far < near < 1.0


def test_the_probation_is_not_scored() -> None:
    assert score(STREAM, [149]) == -1.0
    assert score(STREAM, [150]) == -1.0 - FALSE_ALARM


def test_silence_is_0_and_knowing_all_is_100() -> None:
    assert normalised([STREAM], score(STREAM, [])) == 0.0
    assert normalised([STREAM], score(STREAM, [500])) == pytest.approx(100.0)


def test_a_jump_is_one_alarm_and_noise_none(tmp_path: Path) -> None:
    jump, quiet = read(made(tmp_path))
    assert (jump.name, jump.windows) == ("made/jump.csv", ((580, 660),))
    (found,) = alarms(jump.values)
    assert 600 <= found <= 605
    assert alarms(quiet.values) == []


def test_the_script_prints_a_score_per_folder_and_one_of_all(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.nab", str(made(tmp_path))],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    (part, first), (*_, whole) = (line.split() for line in done.stdout.splitlines())
    assert part == "made"
    assert first == whole
    assert 80 < float(whole) <= 100


def test_what_is_no_copy_of_nab_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a local copy of NAB"):
        read(tmp_path)
    folder = made(tmp_path)
    (folder / "data" / "made" / "jump.csv").unlink()
    with pytest.raises(BadInput, match=r"jump.csv: no such file, but"):
        read(folder)
