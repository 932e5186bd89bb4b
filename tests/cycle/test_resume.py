"""A run that is cut off anywhere goes on where the ledgers stand and ends the same."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.cycle.conftest import SCENARIOS, quietly, shortened

from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import Ledgers, embedded_ledgers
from gridpact.ledger.ledger import Head
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.model.interval import Key
from gridpact.model.record import Record
from gridpact.scenario.scenario import Scenario

INTERVALS = 10


class PowerCut(Exception):
    """The machine is gone."""


@dataclass
class Countdown:
    """Cuts the power at the n-th write, before or after it is made; counts all of them."""

    left: int = -1
    after: bool = False
    written: list[Key] = field(default_factory=list)

    def before_write(self, key: Key) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise PowerCut
        self.written.append(key)

    def after_write(self) -> None:
        if self.left == 0 and self.after:
            raise PowerCut


class Cuttable(MemoryLedger):
    """A ledger on a machine whose power may fail around any write."""

    countdown = Countdown()

    def write(self, key: Key, record: Record) -> Head:
        self.countdown.before_write(key)
        head = super().write(key, record)
        self.countdown.after_write()
        return head


def cuttable(scenario: Scenario, countdown: Countdown) -> Ledgers:
    ledgers = Ledgers(Cuttable(scenario.region, 1), Cuttable(scenario.zone, 2))
    for ledger in (ledgers.local, ledgers.zonal):
        assert isinstance(ledger, Cuttable)
        ledger.countdown = countdown
    return ledgers


def ends(day: DayResult) -> list[tuple[bytes, bytes]]:
    return [(end.state_hash, end.head.hash) for end in day.chains]


@pytest.fixture(scope="module")
def short(scenario: Scenario) -> Scenario:
    return shortened(scenario, INTERVALS)


@pytest.fixture(scope="module")
def undisturbed(short: Scenario) -> tuple[DayResult, list[Key]]:
    countdown = Countdown()
    day = run_day(short, cuttable(short, countdown), quietly, signed=False)
    return day, countdown.written


WRITES_OF_AN_INTERVAL = 17


@pytest.mark.parametrize("back", range(WRITES_OF_AN_INTERVAL))
def test_run_cut_at_any_write_of_an_interval_ends_the_same(
    short: Scenario, undisturbed: tuple[DayResult, list[Key]], back: int
) -> None:
    whole, written = undisturbed
    countdown = Countdown(left=len(written) - back, after=back % 2 == 0)
    ledgers = cuttable(short, countdown)
    with pytest.raises(PowerCut):
        run_day(short, ledgers, quietly, signed=False)
    day = run_day(short, ledgers, quietly, signed=False)
    assert ends(day) == ends(whole)
    assert [one.settlement for one in day.intervals] == [one.settlement for one in whole.intervals]


def test_an_interval_with_trade_has_as_many_writes_as_are_cut(
    undisturbed: tuple[DayResult, list[Key]],
) -> None:
    _, written = undisturbed
    assert sum(key.interval == INTERVALS - 1 for key in written) == WRITES_OF_AN_INTERVAL


RUN = """
import sys
from pathlib import Path
from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import embedded_ledgers
from gridpact.scenario.reader import load
from tests.cycle.conftest import quietly, shortened
scenario = shortened(load(Path(sys.argv[1])), int(sys.argv[3]))
ledgers = embedded_ledgers(scenario, Path(sys.argv[2]))
run_day(scenario, ledgers, quietly)
ledgers.close()
"""


def test_run_killed_again_and_again_ends_with_the_same_state(
    short: Scenario, tmp_path: Path
) -> None:
    whole = embedded_ledgers(short, tmp_path / "whole.db")
    expected = ends(run_day(short, whole, quietly))
    whole.close()
    chance, file, kills = random.Random(5), tmp_path / "killed.db", 0
    while kills < 4 and _run_for(chance.uniform(0.0, 0.3), file):
        kills += 1
    assert kills >= 2
    ledgers = embedded_ledgers(short, file)
    assert ends(run_day(short, ledgers, quietly)) == expected
    ledgers.close()


def _run_for(seconds: float, file: Path) -> bool:
    """Start a run, kill it some time after it began to write; False when it finished before."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(SCENARIOS / "sce56-day.toml"), str(file), str(INTERVALS)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
    )
    log = file.with_name(f"{file.name}-wal")
    size, begun = _size(log), time.monotonic()
    while process.poll() is None and _size(log) == size and time.monotonic() - begun < 30:
        time.sleep(0.005)
    time.sleep(seconds)
    if process.poll() is not None:
        assert process.returncode == 0
        return False
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else -1
