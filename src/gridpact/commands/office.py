"""The operator's folder: root certificate, the authority's key, the register; and what is typed."""

import datetime
import getpass
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridpact.commands.files import make
from gridpact.errors import BadInput
from gridpact.identity.authority import MAX_SERIAL, Authority, found
from gridpact.identity.enrolment import Clerk
from gridpact.identity.keystore import open_authority, seal_authority
from gridpact.identity.register import Register, new_register, open_register
from gridpact.identity.request import Request, read_request
from gridpact.identity.root import Root, read_root_pem

ROOT, KEY, REGISTER = "root.pem", "authority.key", "register.db"


@dataclass(frozen=True)
class Office:
    """An open folder of the operator's."""

    folder: Path
    root: Root
    register: Register

    def authority(self, password: str) -> Authority:
        """Return the authority with its key."""
        return Authority(self.root, open_authority(text(self.folder / KEY), password))


def make_office(folder: Path, name: str, password: str, at: int, years: int) -> Root:
    """Make an operator's folder with a new authority; only its owner may read it."""
    if (folder / KEY).exists() or (folder / REGISTER).exists():
        raise BadInput(f"{folder}: there is an authority already")
    make(folder)
    serial = secrets.randbelow(MAX_SERIAL - 1) + 1
    made = found(name, secrets.token_bytes(32), serial, at, at + years * 365 * 86_400)
    keep_secret(folder / KEY, seal_authority(made.secret, password, secrets.token_bytes(64)))
    new_register(folder / REGISTER, secrets.token_bytes(32)).close()
    (folder / REGISTER).chmod(0o600)
    (folder / ROOT).write_text(made.root.pem, encoding="utf-8")
    return made.root


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """Open an operator's folder for as long as it takes."""
    if not (folder / ROOT).is_file():
        raise BadInput(f"{folder}: there is no authority; `gridpact identity init` makes one")
    root = read_root_pem(text(folder / ROOT))
    with closing(open_register(folder / REGISTER)) as register:
        yield Office(folder, root, register)


@contextmanager
def issuing(
    folder: Path, request: Path, password_file: Path | None, who: str, at: str
) -> Iterator[tuple[Register, Authority, Request, Clerk]]:
    """Open a folder with what issuing takes: register, authority, what is asked, who is at work."""
    with open_office(folder) as opened:
        authority = opened.authority(password_of(password_file))
        by = Clerk(clerk(who), seconds(at), secrets.token_bytes)
        yield opened.register, authority, read_request(text(request)), by


def text(file: Path) -> str:
    """Return what a file says."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: cannot be read: {error}") from error


def keep_secret(file: Path, content: str) -> None:
    """Write a file that only its owner may read, and no file that is there."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInput(f"{file}: is there already") from error
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(content)


def password_of(file: Path | None) -> str:
    """Return the password: the first line of a file, or what is typed."""
    given = text(file).splitlines()[:1] if file else [getpass.getpass("password: ")]
    if not given or not given[0]:
        raise BadInput(f"{file or 'password'}: expected a password, in the first line")
    return given[0]


def seconds(given: str) -> int:
    """Return a time in UTC as seconds since 1970; now if none is given."""
    if not given:
        return int(datetime.datetime.now(datetime.UTC).timestamp())
    try:
        found = datetime.datetime.fromisoformat(given)
    except ValueError as error:
        raise BadInput(f"--at {given}: expected a time such as 2026-06-01T00:00:00") from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.UTC)
    return int(found.timestamp())


def shown(at: int) -> str:
    """Return a time as people read it."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clerk(given: str) -> str:
    """Return who is at work, for the access log."""
    return given or getpass.getuser()
