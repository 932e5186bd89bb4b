"""Who somebody really is, and what the operator's review of it found. Never on a ledger."""

import hashlib
import hmac
from typing import Literal

import msgspec

from gridpact.errors import BadInput


class Person(msgspec.Struct, frozen=True):
    """A person or a company. `country` has two letters; `number` is that of the passport or
    identity card, or of the commercial register."""

    kind: Literal["person", "company"]
    country: str
    number: str
    name: str

    def __repr__(self) -> str:
        return f"Person({self.kind})"

    @property
    def identity(self) -> str:
        """The same text for the same identity, however its number was written."""
        return f"{self.kind}:{plain(self.country)}:{plain(self.number)}"


class Review(msgspec.Struct, frozen=True):
    """One look at a real identity: who looked, when, at which document, with what result.

    `at`: seconds since 1970, UTC. A refusal has a `reason`.
    """

    reviewer: str
    at: int
    document: str
    approved: bool
    reason: str = ""


def plain(text: str) -> str:
    """Return letters and digits alone, in one case: "CH 12-3" and "ch123" are one number."""
    return "".join(one for one in text.casefold() if one.isalnum())


def required(person: Person) -> Person:
    """Return a person whose fields can be told apart from others'.

    Raises
    ------
    BadInput
        A field is empty or of another form.
    """
    if person.kind not in ("person", "company"):
        raise BadInput(f"kind {person.kind!r}: expected person or company")
    if len(plain(person.country)) != 2 or not plain(person.country).isalpha():
        raise BadInput(f"country {person.country!r}: expected two letters")
    if not plain(person.number):
        raise BadInput(f"number {person.number!r}: expected that of a document or register")
    if not person.name.strip():
        raise BadInput("name: expected that of a person or company")
    return person


def blind(secret: bytes, value: str) -> bytes:
    """Return a mark by which the operator finds a value again; without its secret nobody can."""
    return hmac.new(secret, value.encode(), hashlib.sha256).digest()
