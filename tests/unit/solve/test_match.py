"""`gridpact solve match`: the form that others rely on, and how it ends."""

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gridpact.__main__ import main
from gridpact.errors import BadInput
from gridpact.solve.match import answer, matched, request
from gridpact.solve.read import read_json

EXAMPLE = Path(__file__).parents[3] / "examples" / "match.json"


def example() -> Any:
    return read_json(EXAMPLE)


def match(**changes: object) -> dict[str, Any]:
    return answer(matched(request(example() | changes)))


def worth(assignment: tuple[int, ...]) -> float:
    """Return the sum of matching degrees by the formulas of 5-decisions, section 10; -1: no."""
    case, total, left = example(), 0.0, list(example()["capacity"])
    for i, j in enumerate(assignment):
        zeta = [
            (case["cap"][i] - price) * case["demand"][i] - charge
            for price, charge in zip(case["price"], case["network_charge"][i], strict=True)
        ]
        left[j] -= case["demand"][i]
        if zeta[j] < 0 or left[j] < 0:
            return -1.0
        share, belief = zeta[j] / max(zeta), case["reputation"][j]
        total += share * belief / (share + belief)
    return total


def test_command_writes_the_form_that_others_rely_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gridpact", "solve", "match", str(EXAMPLE)])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    found = json.loads(capsys.readouterr().out)
    assert {"status", "objective", "bound", "assignment"} <= set(found)
    assert found["status"] == "optimal"
    best, by = max((worth(one), one) for one in product(range(3), repeat=6))
    assert found["assignment"] == list(by)
    assert (found["objective"], found["bound"]) == pytest.approx((best, best))
    assert found["served"] == found["served_bound"] == pytest.approx(28.5)


def test_where_capacity_is_short_the_most_energy_is_served() -> None:
    found = match(capacity=[9.0, 5.0, 3.0])
    # 6 + 3, 5, and 2.5 kWh: of 17 kWh no way serves more
    assert found["status"] == "partial"
    assert found["served"] == pytest.approx(16.5)
    assert found["assignment"].count(None) == 2


def test_decimals_fit_as_they_are_written() -> None:
    """0.1 + 0.2 is not 0.3 in binary, and a provider of 0.3 kWh serves both all the same."""
    found = match(
        demand=[0.1, 0.2], price=[0.1], capacity=[0.3], reputation=[1.0],
        network_charge=[[0.0], [0.0]], cap=[0.3, 0.3],
    )  # fmt: skip
    assert found["assignment"] == [0, 0]


def test_money_below_zero_is_no_trade() -> None:
    found = match(cap=[0.0] * 6)
    assert (found["status"], found["assignment"]) == ("partial", [None] * 6)
    assert (found["objective"], found["bound"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"demand": [4.0, 6.0]},
            "network_charge: has 6 entries, expected 2: one row for each user",
        ),
        ({"capacity": [1.0]}, "capacity: has 1 entries, expected 3"),
        ({"mode": "fair"}, "mode: invalid enum value"),
        ({"cap": None}, "cap: is missing, expected one for each user"),
        ({"demand": [0.0, 1, 1, 1, 1, 1]}, "demand[0]: expected a number > 0"),
        ({"colour": 1}, "colour: is no key that is known here"),
        ({"time_limit_s": 0}, "time_limit_s: expected"),
    ],
)
def test_what_does_not_fit_is_one_clear_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as error:
        request(example() | changes)
    assert said in str(error.value)
