"""The frozen vectors are those that the code itself would write."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "write_vectors.py"
_spec = importlib.util.spec_from_file_location("write_vectors", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
write_vectors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(write_vectors)


@pytest.mark.parametrize("name", list(write_vectors.FILES))
def test_a_vector_file_holds(name: str) -> None:
    assert (write_vectors.VECTORS / name).read_text() == write_vectors.text(name)


def test_no_vector_file_is_left_unwritten() -> None:
    there = {path.name for path in write_vectors.VECTORS.glob("*.json")}
    assert there == set(write_vectors.FILES)
