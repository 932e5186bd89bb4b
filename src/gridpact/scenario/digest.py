"""Is it the same scenario? One hash over every value a run depends on.

Profiles and feeder count as they were read, so a changed CSV changes the digest and a changed
comment does not. A ledger goes on only with the scenario it was founded with.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gridpact.crypto.keccak import keccak
from gridpact.scenario.scenario import Scenario


def digest(scenario: Scenario) -> bytes:
    """Return the digest of a scenario; where its file lies does not count."""
    return keccak(b"".join(_pieces(dataclasses.replace(scenario, file=""))))


def _pieces(value: object) -> Iterator[bytes]:
    """Yield a value's type and content, framed so that no two values share their bytes."""
    yield b"(" + type(value).__name__.encode()
    if isinstance(value, np.ndarray):
        yield repr((value.shape, value.dtype.str)).encode() + value.tobytes()
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield field.name.encode()
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key, item in sorted(value.items()):
            yield repr(key).encode()
            yield from _pieces(item)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for item in value:
            yield from _pieces(item)
    else:
        yield repr(value).encode()
    yield b")"
