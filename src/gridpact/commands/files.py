"""What every command asks of the files and folders it is given."""

import os
from collections.abc import Sequence
from pathlib import Path

from gridpact.errors import BadInput


def make(folder: Path) -> None:
    """Make the output folder and see that it can be written before a day is run for it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder}: cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"--out {folder}: cannot be written")


def write(file: Path, text: str) -> None:
    """Write an answer where `--out` says."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from error


def require_file(ledger: Path) -> None:
    """See that a ledger file is there."""
    if not ledger.is_file():
        raise BadInput(f"{ledger}: there is no such ledger file")


def require_form(form: str, known: Sequence[str]) -> None:
    """See that a form of output is one that we write."""
    if form not in known:
        raise BadInput(f"--format {form}: expected {' or '.join(known)}")
