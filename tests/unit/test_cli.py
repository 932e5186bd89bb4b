"""The command line: what it writes, what it says, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridpact.__main__ import main

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def run_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    """Run the command line and return exit code, output and error output."""
    monkeypatch.setattr(sys, "argv", ["gridpact", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    code = end.value.code or 0
    said = capsys.readouterr()
    assert isinstance(code, int)
    return code, said.out, said.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one real run."""
    out = tmp_path_factory.mktemp("run")
    arguments = ["gridpact", "run", str(SCENARIOS / "sce56-day.toml"), "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            main()
    assert not end.value.code
    return out


def test_run_writes_all_it_promises(folder: Path) -> None:
    written = {path.name for path in folder.iterdir()}
    assert written >= {
        "summary.json",
        "trades.parquet",
        "prices.parquet",
        "orders.parquet",
        "bills.csv",
        "report.html",
        "ledger.db",
    }


def test_audit_confirms_the_heads_that_the_summary_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chains = json.loads((folder / "summary.json").read_text())["head"]
    heads = [f"--head={name}={chain['hash']}" for name, chain in chains.items()]
    ledger = str(folder / "ledger.db")
    code, out, _ = run_command(monkeypatch, capsys, "audit", ledger, *heads)
    assert code == 0
    assert out.endswith("holds\n")
    code, out, _ = run_command(monkeypatch, capsys, "audit", ledger)
    assert code == 0
    assert out.endswith("self-consistent, head not confirmed\n")


def test_ledger_is_shown_and_exported(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    ledger = str(folder / "ledger.db")
    code, out, _ = run_command(monkeypatch, capsys, "ledger", "show", ledger, "sce56/settle/9")
    assert code == 0
    assert "settlement.settle" in out
    code, out, _ = run_command(
        monkeypatch, capsys, "ledger", "show", ledger, "zone/1", "--format", "json"
    )
    assert (code, json.loads(out)[0]["block"]) == (0, "zone/1")
    code, out, _ = run_command(
        monkeypatch, capsys, "ledger", "export", ledger, "--out", str(tmp_path / "tables")
    )
    assert code == 0
    assert [Path(line).name for line in out.split()] == [
        f"{table}.parquet"
        for table in ("blocks", "records", "transactions", "receipts", "events", "accounts")
    ]
    code, _, error = run_command(monkeypatch, capsys, "ledger", "show", ledger, "nobody")
    assert (code, len(error.splitlines())) == (2, 1)


def test_audit_of_another_head_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run_command(
        monkeypatch, capsys, "audit", str(folder / "ledger.db"), f"--head=sce56={'ab' * 32}"
    )
    assert code == 1
    assert "sce56" in error


def test_audit_of_another_digest_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run_command(
        monkeypatch, capsys, "audit", str(folder / "ledger.db"), f"--digest={'ab' * 32}"
    )
    assert code == 1
    assert "SHA-256" in error


def test_second_run_in_the_same_folder_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = json.loads((folder / "summary.json").read_text())
    code, out, _ = run_command(
        monkeypatch, capsys, "run", str(SCENARIOS / "sce56-day.toml"), "--out", str(folder)
    )
    assert code == 0
    assert "going on from there" in out
    second = json.loads((folder / "summary.json").read_text())
    assert {**first, "seconds": None} == {**second, "seconds": None}


def test_another_scenario_in_the_same_folder_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = run_command(
        monkeypatch, capsys, "run", str(SCENARIOS / "sce56-cloudy.toml"), "--out", str(folder)
    )
    assert code == 2
    assert "another scenario" in error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run", "nowhere.toml"), "nowhere.toml"),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--scheme", "best"), "gridpact"),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--ledger", "ftp:x"), "embedded:PATH"),
        (
            ("run", str(SCENARIOS / "sce56-day.toml"), "--ledger", "http://a,b"),
            "no address of a node",
        ),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--keys", "a"), "are for nodes"),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--ledger", "embedded:"), "embedded:PATH"),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--ledger", "embedded:."), "is a folder"),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--ledger", "embedded:a/b.db"), "no folder a"),
        (("run", str(SCENARIOS / "sce56-day.toml"), "--out", __file__), "cannot be made"),
        (("audit", "nowhere.db"), "nowhere.db"),
        (("audit", "http://nowhere"), "--bodies is missing"),
        (("audit", "http://nowhere", "--bodies", "nowhere.db"), "nowhere.db"),
        (("audit", "nowhere.db", "--bodies", "x"), "--bodies is for nodes"),
        (("audit", __file__, "--head", "sce56=12"), "64 hex digits"),
        (("study", "wang2023", "--figure", "9"), "expected one of 3, 4, 5, 6, 7"),
        (("study", "smith2020", "--figure", "3"), "expected wang2023"),
        (("study", "yu2023", "--figure", "4"), "expected one of 5, 6, 7, 8"),
        (("study", "yu2023", "--table", "1"), "expected 2"),
        (("study", "cui2022", "--table", "2"), "expected no table"),
        (("study", "yu2023", "--figure", "6", "--table", "2"), "expected one of them"),
        (("ledger", "show", "nowhere.db", "1"), "nowhere.db"),
        (("ledger", "export", "nowhere.db", "--out", "tables"), "nowhere.db"),
        (("ledger", "export", __file__, "--out", "tables", "--format", "csv"), "parquet or json"),
        (("ledger", "show", __file__, "1", "--format", "yaml"), "text or json"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_two(
    arguments: tuple[str, ...],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, error = run_command(monkeypatch, capsys, *arguments)
    assert code == 2
    assert expected in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command", [(), ("run",), ("audit",), ("ledger", "export"), ("ledger", "show")]
)
def test_help_says_the_units(
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run_command(monkeypatch, capsys, *command, "--help")
    assert code == 0
    assert re.search(r"micro-units", out)
    assert "Wh" in out


def test_a_file_that_is_no_ledger_fails_with_a_fact(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "ledger.db"
    file.write_text("not a ledger")
    code, _, error = run_command(monkeypatch, capsys, "audit", str(file))
    assert code == 1
    assert "ledger.db" in error


def test_interrupted_run_says_that_it_goes_on_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gridpact", "run", str(SCENARIOS / "sce56-day.toml")]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("interval 1 of 24")
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == (
        f"gridpact: stopped: {tmp_path / 'ledger.db'} keeps what is done; "
        "the same command goes on from there\n"
    )


def test_what_asks_nodes_is_imported_only_when_there_are_some(folder: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "gridpact"]
    for arguments in (
        ["audit", str(folder / "ledger.db")],
        ["run", str(SCENARIOS / "sce56-day.toml"), "--out", str(folder)],
    ):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        assert "gridpact.ledger.embedded.replay" in done.stderr
        assert "gridpact.ledger.jsonrpc.chain" not in done.stderr
        assert "gridpact.assembly.nodes" not in done.stderr
