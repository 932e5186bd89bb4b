"""`gridpact identity`: the guide's example runs, and what cannot be is said in one sentence."""

import os
import re
import shlex
import stat
import sys
from pathlib import Path

import pytest
from tests.unit.guides import ROOT, examples, ran

from gridpact.__main__ import main

PAGE = (ROOT / "docs/identity.md").read_text()
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> tuple[int, str, str]:
    """Run one line of a shell; return exit code, output and error output."""
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out, said.err


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide")
    (folder / "office.pw").write_text("open sesame\n")
    (folder / "ada.pw").write_text("ada's own\n")
    return folder


def test_example_of_the_guide_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    said = []
    for line in LINES:
        code, out, err = command(monkeypatch, capsys, line)
        assert (code, err) == (0, ""), line
        said.append(out)
    assert "roles       consumer, producer" in said[6]
    assert said[9].count("participant 1: approved") == 1
    assert said[9].count("  0x") == 2
    assert said[11].startswith("list 2: 1 revoked")
    assert said[-1].splitlines()[-1] == "2026-08-01 00:00:00 UTC  clerk  erased  participant 1"
    for secret in ("ada.json", "office/authority.key", "office/register.db"):
        assert stat.S_IMODE(os.stat(secret).st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("init office --name x", 2, "office: there is an authority already"),
        ("list nowhere", 2, "nowhere: there is no authority"),
        ("person office 9", 2, "participant 9: is not in the register"),
        ("review office 1 --document passport", 1, "participant 1: its record was erased"),
        ("revoke office zz --reason keyCompromise", 2, "zz, keyCompromise: expected a hex number"),
        ("revoke office 1f --reason bored", 2, "1f, bored: expected a hex number and one of"),
        ("revoke office 1f --reason superseded", 2, "certificate 1f: was not issued here"),
        ("show ada.pem --root office/root.pem --crl list.pem", 1, "expired"),
        ("show july.pem --root office/root.pem --crl list.pem --at 2026-07-02", 1, "revoked at"),
        ("show july.pem --root office/root.pem --crl list.pem --at 2026-07-09", 1, "fresh one"),
        ("show ada.csr --root office/root.pem --crl list.pem", 1, "in PEM form"),
        ("show ada.pem --root ada.pem --crl list.pem", 1, "no root certificate"),
        ("show ada.pem --root none.pem --crl list.pem", 2, "none.pem: cannot be read"),
        ("crl office --out l.pem --at soon --password-file office.pw", 2, "--at soon: expected"),
        ("crl office --out l.pem --password-file ada.pw", 2, "the password does not open it"),
        ("key --out k.json --request a.csr --region north --role king", 2, "--role king"),
        ("apply office --kind cat --country CH --number 1 --name Tom --meter 1", 2, "--kind cat"),
        (
            "renew office 1 --request ada.csr --out x.pem --password-file office.pw",
            1,
            "was revoked",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(folder)
    if "init office" in line:
        line += " --password-file office.pw"
    done, _, err = command(monkeypatch, capsys, f"gridpact identity {line}")
    assert (done, len(err.splitlines())) == (code, 1)
    assert sentence in err


def test_key_file_is_never_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    before = (folder / "ada.json").read_bytes()
    made = "gridpact identity key --out ada.json --request a.csr --region north --role plant"
    code, _, err = command(monkeypatch, capsys, f"{made} --password-file ada.pw")
    assert (code, err) == (2, "gridpact: ada.json: is there already\n")
    assert (folder / "ada.json").read_bytes() == before


@pytest.mark.parametrize("number", range(len(examples("docs/identity.md"))))
def test_python_example_of_the_guide_runs(number: int) -> None:
    ran(examples("docs/identity.md")[number])
