"""State as bytes and back."""

from dataclasses import dataclass

import numpy as np
import pytest

from gridpact.errors import BadInput
from gridpact.safety.snapshot import freeze, thaw


@dataclass
class Inner:
    values: np.ndarray
    count: int


@dataclass
class Outer:
    inner: Inner
    flags: np.ndarray
    name: str


def outer() -> Outer:
    return Outer(Inner(np.arange(6.0).reshape(2, 3), 7), np.array([True, False]), "x")


def test_a_state_comes_back_as_it_was() -> None:
    data = freeze(outer())
    back = thaw(data, outer())
    np.testing.assert_array_equal(back.inner.values, outer().inner.values)
    assert (back.inner.count, back.flags.tolist(), back.name) == (7, [True, False], "x")
    back.inner.values[0, 0] = 9.0
    assert freeze(back) != data == freeze(outer())


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x80", freeze(Inner(np.zeros(1), 1))])
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="snapshot: is none of these sensors"):
        thaw(data, outer())


def test_an_array_of_another_kind_is_refused() -> None:
    data = freeze(Inner(np.zeros(2, np.int8), 1))
    with pytest.raises(BadInput, match="an array of int8 for one of float64"):
        thaw(data, Inner(np.zeros(2), 1))
