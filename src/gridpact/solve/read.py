"""What does a JSON file ask for? From text to the records of one kind, or one clear sentence.

Every mistake is a `FieldError` whose place is the path of the field, as `network.branches[3].r_ohm`
(counted from 0). Numbers that JSON has no words for (NaN, Infinity, 1e999) and keys given twice are
mistakes, too.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from gridpact.errors import BadInput, FieldError

Form = TypeVar("Form", bound=msgspec.Struct)

_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object { }",
    "null": "null",
}
_DEEPEST = 64
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]')
_MISSING = re.compile(r"Object missing required field `(?P<key>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.+)`$")


def read_json(path: Path) -> object:
    """Return what a file holds.

    Raises
    ------
    BadInput
        There is no such file, it cannot be read, or it is no JSON.
    FieldError
        A key given twice, or a number that is not finite.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput("is no text in UTF-8, expected JSON") from None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}") from error
    return parse(text)


def parse(text: str) -> object:
    """Return what a JSON text holds; errors as `read_json`."""
    # the decoder would go as deep as Python's limit lets it, which others may have raised
    if _depth(text) > _DEEPEST:
        raise BadInput("is nested too deeply for any input that there is")
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"{where}: is no JSON: {error.msg}") from None
    except ValueError:
        raise BadInput("holds a whole number with too many digits") from None
    for place in _not_finite(data):
        raise FieldError(place, "is not a finite number")
    return data


def _depth(text: str) -> int:
    """Return how many lists and objects lie within each other at most."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in "]}":
            depth -= 1
    return deepest


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Return an object's keys with their values; a key given twice would hide a value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FieldError(f"key {twice!r}", "is given twice in one object")
    return found


def _not_finite(data: object) -> Iterator[str]:
    """Yield the places of numbers that are NaN or infinite."""
    waiting: list[tuple[str, object]] = [("", data)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, float):
            if not math.isfinite(value):
                yield place or "the file"
        elif isinstance(value, dict):
            waiting += [(_joined(place, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}[{i}]", inner) for i, inner in enumerate(value)]


def decode(data: object, form: type[Form]) -> Form:
    """Return data as the records of a kind.

    Raises
    ------
    FieldError
        A key that is missing or not known, a value of another type, a list of another length.
    """
    try:
        return msgspec.convert(data, form, str_keys=True)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None


def _explained(message: str) -> FieldError:
    """Return the decoder's message as place and problem."""
    said, _, where = message.partition(" - at ")
    named = re.search(r"`\$\.?([^`]*)`", where)
    place = named.group(1).replace("[...]", "") if named else ""
    if found := _MISSING.match(said):
        return FieldError(_joined(place, found["key"]), "is missing")
    if found := _UNKNOWN.match(said):
        return FieldError(_joined(place, found["key"]), "is no key that is known here")
    if where.startswith("`key`"):
        place = f"a key of {place}"
    said = re.sub(r"`(\w+)`", lambda word: _WORDS.get(word[1], word[0]), said)
    return FieldError(place or "the file", said[0].lower() + said[1:])


def _joined(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def require_count(place: str, values: Sequence[object], count: int, meaning: str) -> None:
    """Refuse a list that is too short or too long."""
    if len(values) != count:
        raise FieldError(place, f"has {len(values)} entries, expected {count}: {meaning}")
