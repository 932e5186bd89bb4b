"""The operator's own record of people, meters and certificates: off chain, erasable, logged.

A SQLite file. What is personal stands in one row of `person` and in the salts of `certificate`;
erasing overwrites them, and what the ledger holds then stands for nobody. Every look at a person's
row is written down in `access`, which holds no personal data itself.

Names and numbers are found again by keyed marks (`person.blind`): one person or company is one
participant, one meter belongs to one participant.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gridpact.errors import BadInput, EnrolmentRefused
from gridpact.identity.certificate import Certificate, read
from gridpact.identity.person import Person, Review
from gridpact.identity.revocation import Reason, Revoked

_VERSION = 1
_SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    mark BLOB UNIQUE,
    meter_mark BLOB UNIQUE,
    record TEXT,
    meter TEXT,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE review (person INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
CREATE TABLE certificate (
    serial BLOB PRIMARY KEY,
    person INTEGER NOT NULL,
    address BLOB NOT NULL UNIQUE,
    der BLOB NOT NULL,
    identity_salt BLOB,
    meter_salt BLOB,
    revoked_at INTEGER,
    reason TEXT
) STRICT;
CREATE TABLE access (at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
                     person INTEGER NOT NULL) STRICT;
"""


class Row(msgspec.Struct, frozen=True):
    """A participant as the register knows it; `person` and `meter` are None once erased.

    `state`: applied, approved, refused, suspended or erased.
    """

    id: int
    state: str
    person: Person | None
    meter: str | None


class Issued(msgspec.Struct, frozen=True):
    """A certificate with whose it is and, until erased, the salts of its commitments."""

    certificate: Certificate
    person: int
    identity_salt: bytes | None
    meter_salt: bytes | None
    revoked: Revoked | None


class Access(msgspec.Struct, frozen=True):
    """Somebody looked at, or changed, the record of a participant."""

    at: int
    who: str
    what: str
    person: int


class Register:
    """The open file. Each verb is one transaction: it stands as a whole or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def close(self) -> None:
        self._db.close()

    @property
    def secret(self) -> bytes:
        """The key of the marks."""
        return bytes(self._setting("secret"))

    # people

    def enter(
        self, mark: bytes, meter_mark: bytes, person: Person, meter: str, who: str, at: int
    ) -> int:
        """Write a new applicant down; return its number."""
        record = msgspec.json.encode(person).decode()
        with self._db:
            added = self._db.execute(
                "INSERT INTO person (mark, meter_mark, record, meter, state)"
                " VALUES (?, ?, ?, ?, 'applied')",
                (mark, meter_mark, record, meter),
            )
            number = added.lastrowid or 0
            self._log(at, who, "entered", number)
        return number

    def holder_of(self, mark: bytes) -> int | None:
        """Return whose mark this is, of an identity or of a meter."""
        found = self._db.execute(
            "SELECT id FROM person WHERE mark = ? OR meter_mark = ?", (mark, mark)
        ).fetchone()
        return None if found is None else int(found[0])

    def is_forgotten(self, number: int) -> bool:
        """Say whether the record was erased of somebody whose mark was kept."""
        row = self._row(number)
        return row.person is None and row.state == "suspended"

    def refill(self, number: int, person: Person, meter: str, who: str, at: int) -> None:
        """Write the record of a forgotten participant again; its state stays."""
        record = msgspec.json.encode(person).decode()
        with self._db:
            self._db.execute(
                "UPDATE person SET record = ?, meter = ? WHERE id = ?", (record, meter, number)
            )
            self._log(at, who, "entered", number)

    def look(self, number: int, who: str, at: int, what: str = "read") -> Row:
        """Return a participant's row; that somebody looked is written down.

        Raises
        ------
        BadInput
            There is no such participant.
        """
        row = self._row(number)
        with self._db:
            self._log(at, who, what, number)
        return row

    def people(self) -> tuple[tuple[int, str], ...]:
        """Return number and state of everybody; nothing personal, so nothing is logged."""
        return tuple(self._db.execute("SELECT id, state FROM person ORDER BY id"))

    def state(self, number: int) -> str:
        """Return the state of a participant.

        Raises
        ------
        BadInput
            There is no such participant.
        """
        return self._row(number).state

    def reviewed(self, number: int, review: Review, state: str) -> None:
        """Keep a review and what it made of the participant."""
        with self._db:
            record = msgspec.json.encode(review).decode()
            self._db.execute("INSERT INTO review VALUES (?, ?)", (number, record))
            self._db.execute("UPDATE person SET state = ? WHERE id = ?", (state, number))
            self._log(review.at, review.reviewer, state, number)

    def suspend(self, number: int, who: str, at: int) -> None:
        """Mark a participant as suspended: until a new review nothing is issued for it."""
        with self._db:
            self._db.execute("UPDATE person SET state = 'suspended' WHERE id = ?", (number,))
            self._log(at, who, "suspended", number)

    def reviews(self, number: int) -> tuple[Review, ...]:
        rows = self._db.execute("SELECT record FROM review WHERE person = ?", (number,))
        return tuple(msgspec.json.decode(record, type=Review) for (record,) in rows)

    def erase(self, number: int, keep_marks: bool, who: str, at: int) -> None:
        """Overwrite what is personal, then shrink the file, so that no page keeps a copy."""
        with self._db:
            self._db.execute(
                "UPDATE person SET record = NULL, meter = NULL, state = ? WHERE id = ?",
                ("suspended" if keep_marks else "erased", number),
            )
            if not keep_marks:
                self._db.execute(
                    "UPDATE person SET mark = NULL, meter_mark = NULL WHERE id = ?", (number,)
                )
            self._db.execute(
                "UPDATE certificate SET identity_salt = NULL, meter_salt = NULL WHERE person = ?",
                (number,),
            )
            self._db.execute("DELETE FROM review WHERE person = ?", (number,))
            self._log(at, who, "erased", number)
        self._db.execute("VACUUM")

    def accesses(self) -> tuple[Access, ...]:
        """Return who looked at whom, in order."""
        rows = self._db.execute("SELECT at, who, what, person FROM access ORDER BY rowid")
        return tuple(Access(*row) for row in rows)

    # certificates

    def keep(self, issued: Issued, who: str, at: int) -> None:
        """Keep a new certificate with its salts.

        Raises
        ------
        EnrolmentRefused
            The device's key has had a certificate: a key belongs to one certificate.
        """
        one = issued.certificate
        try:
            with self._db:
                self._db.execute(
                    "INSERT INTO certificate (serial, person, address, der, identity_salt,"
                    " meter_salt) VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        one.serial.to_bytes(16, "big"),
                        issued.person,
                        one.address,
                        one.der,
                        issued.identity_salt,
                        issued.meter_salt,
                    ),
                )
                self._log(at, who, "issued", issued.person)
        except sqlite3.IntegrityError as error:
            raise EnrolmentRefused(
                f"device 0x{one.address.hex()} has a certificate already: a new one needs a new key"
            ) from error

    def certificates(self, person: int | None = None) -> Iterator[Issued]:
        """Return certificates in order of issue, of one participant or of all."""
        rows = self._db.execute(
            "SELECT der, person, identity_salt, meter_salt, serial, revoked_at, reason"
            " FROM certificate WHERE ? IS NULL OR person = ? ORDER BY rowid",
            (person, person),
        )
        for der, owner, identity, meter, serial, at, reason in rows.fetchall():
            revoked = None
            if at is not None:
                revoked = Revoked(int.from_bytes(serial, "big"), at, Reason(reason))
            yield Issued(read(der), owner, identity, meter, revoked)

    def revoke(self, row: Revoked, who: str, at: int) -> None:
        """Take a certificate back; a second time changes nothing.

        Raises
        ------
        BadInput
            There is no such certificate.
        """
        serial = row.serial.to_bytes(16, "big")
        found = self._db.execute("SELECT person FROM certificate WHERE serial = ?", (serial,))
        owner = found.fetchone()
        if owner is None:
            raise BadInput(f"certificate {row.serial:x}: was not issued here")
        with self._db:
            changed = self._db.execute(
                "UPDATE certificate SET revoked_at = ?, reason = ?"
                " WHERE serial = ? AND revoked_at IS NULL",
                (row.at, row.reason.value, serial),
            )
            if changed.rowcount:
                self._log(at, who, f"revoked: {row.reason.value}", owner[0])

    def next_list(self) -> int:
        """Return the number of the next revocation list; no two have the same."""
        with self._db:
            number = int.from_bytes(self._setting("list"), "big") + 1
            self._db.execute(
                "UPDATE setting SET value = ? WHERE name = 'list'", (number.to_bytes(8, "big"),)
            )
        return number

    def _setting(self, name: str) -> bytes:
        found = self._db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return bytes(found[0])

    def _row(self, number: int) -> Row:
        found = self._db.execute(
            "SELECT id, state, record, meter FROM person WHERE id = ?", (number,)
        ).fetchone()
        if found is None:
            raise BadInput(f"participant {number}: is not in the register")
        record = found[2]
        person = None if record is None else msgspec.json.decode(record, type=Person)
        return Row(found[0], found[1], person, found[3])

    def _log(self, at: int, who: str, what: str, person: int) -> None:
        self._db.execute("INSERT INTO access VALUES (?, ?, ?, ?)", (at, who, what, person))


def new_register(place: Path | str, secret: bytes) -> Register:
    """Make an empty register; `secret`, 32 random bytes, is the key of its marks.

    Raises
    ------
    BadInput
        There is a file, or the secret has another length.
    """
    if len(secret) != 32:
        raise BadInput(f"secret of a register: {len(secret)} bytes, expected 32")
    if place != ":memory:" and Path(place).exists():
        raise BadInput(f"{place}: is there already")
    db = _connected(place)
    with db:
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute("INSERT INTO setting VALUES ('secret', ?), ('list', ?)", (secret, bytes(8)))
    return Register(db)


def open_register(place: Path) -> Register:
    """Open a register.

    Raises
    ------
    BadInput
        There is none at this place.
    """
    if not place.is_file():
        raise BadInput(f"{place}: there is no register")
    db = _connected(place)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        db.close()
        raise BadInput(f"{place}: is no register: {error}") from error
    if version != _VERSION:
        db.close()
        raise BadInput(f"{place}: is no register of version {_VERSION}")
    return Register(db)


def _connected(place: Path | str) -> sqlite3.Connection:
    """Return a connection that overwrites what it deletes."""
    db = sqlite3.connect(place)
    db.execute("PRAGMA secure_delete = ON")
    return db
