"""Everything that sensors remember as bytes, and back: a replay may stop and go on anywhere.

State is dataclasses of arrays, numbers, texts, lists and dictionaries of such; nothing else is
written, nothing is executed when it is read.
"""

import dataclasses
from typing import Any, TypeVar

import msgspec
import numpy as np

from gridpact.errors import BadInput

T = TypeVar("T")


def freeze(state: object) -> bytes:
    """Return the bytes of a state; equal states give equal bytes."""
    return msgspec.msgpack.encode(_plain(state), order="deterministic")


def thaw(data: bytes, like: T) -> T:
    """Return the state of `freeze`, of the same form as `like`.

    Raises
    ------
    BadInput
        Bytes that are no state of this form.
    """
    try:
        restored: T = _shaped(msgspec.msgpack.decode(data), like)
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"snapshot: is none of these sensors: {error}") from error
    return restored


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.str, "shape": value.shape, "data": value.tobytes()}
    if dataclasses.is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, dict):
        return [[_plain(key), _plain(item)] for key, item in sorted(value.items())]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _shaped(plain: Any, like: Any) -> Any:
    if isinstance(like, np.ndarray):
        array = np.frombuffer(plain["data"], np.dtype(plain["dtype"])).reshape(plain["shape"])
        if array.dtype != like.dtype or array.ndim != like.ndim:
            raise ValueError(f"an array of {array.dtype} for one of {like.dtype}")
        return array.copy()
    if dataclasses.is_dataclass(like) and not isinstance(like, type):
        fields = dataclasses.fields(like)
        return type(like)(
            **{one.name: _shaped(plain[one.name], getattr(like, one.name)) for one in fields}
        )
    if isinstance(like, dict):
        return {_keyed(key): item for key, item in plain}
    if isinstance(like, list) and like:
        return [_shaped(item, like[0]) for item in plain]
    return plain


def _keyed(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key
