"""Work in a process of its own comes back, or says why not."""

import os

import pytest

from gridpact.errors import BadInput, GridpactError
from gridpact.report.beside import Beside


def _double(number: int) -> int:
    return 2 * number


def _refuse(number: int) -> int:
    raise BadInput(f"{number} is of no use")


def _die(_number: int) -> int:
    os._exit(9)


def test_result_of_the_other_process_comes_back() -> None:
    assert Beside(_double, 21).result() == 42


def test_an_expected_failure_comes_back_as_its_sentence() -> None:
    with pytest.raises(GridpactError, match="7 is of no use"):
        Beside(_refuse, 7).result()


def test_a_process_that_dies_is_told_with_its_code() -> None:
    with pytest.raises(GridpactError, match="ended with code 9"):
        Beside(_die, 0).result()
