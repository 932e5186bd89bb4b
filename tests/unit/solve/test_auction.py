"""`gridpact solve auction`: the fixed form, every mechanism, and what it refuses."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gridpact.__main__ import main
from gridpact.errors import BadInput
from gridpact.market.mechanisms import MECHANISMS
from gridpact.quantities import MAX_ENERGY, MAX_PRICE
from gridpact.solve.auction import answer, request, solved

EXAMPLE = Path(__file__).parents[3] / "examples" / "auction.json"


def cleared(bids: object, offers: object, name: object = "uniform", **more: object) -> Any:
    return answer(solved(request({"mechanism": name, "bids": bids, "offers": offers, **more})))


def run(file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["gridpact", "solve", "auction", str(file)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_the_example_is_answered_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(EXAMPLE, monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == {
        "price": 200_000,
        "volume": 8000,
        "surplus": 310_000 * 5000 + 240_000 * 3000 - 120_000 * 4000 - 200_000 * 4000,
        "fills": {"bids": [5000, 3000, 0], "offers": [4000, 4000, 0]},
        "payments": {"bids": [10**9, 6 * 10**8, 0], "offers": [8 * 10**8, 8 * 10**8, 0]},
    }


@pytest.mark.parametrize("name", MECHANISMS)
def test_every_mechanism_answers_and_sells_what_is_bought(name: str) -> None:
    bids, offers = [[30, 10], [25, 4], [9, 2]], [[10, 15], [12, 5], [28, 3]]
    found = cleared(bids, offers, name, seed=3)
    fills, payments = found["fills"], found["payments"]
    assert sum(fills["bids"]) == sum(fills["offers"]) == found["volume"]
    for (price, energy), had, paid in zip(bids, fills["bids"], payments["bids"], strict=True):
        assert had <= energy
        assert paid <= price * had
    for (price, energy), had, got in zip(offers, fills["offers"], payments["offers"], strict=True):
        assert had <= energy
        assert got >= price * had


def test_a_seed_decides_lots_and_nothing_else() -> None:
    rows = [[[20 + one, 3] for one in range(9)], [[10 + one, 3] for one in range(9)]]
    assert len({json.dumps(cleared(*rows, "muda", seed=seed)) for seed in range(8)}) > 1
    assert cleared(*rows, seed=1) == cleared(*rows)


@pytest.mark.parametrize(
    ("bids", "offers"), [([], []), ([[5, 1]], []), ([], [[5, 1]]), ([[5, 1]], [[6, 1]])]
)
@pytest.mark.parametrize("name", MECHANISMS)
def test_where_nothing_can_trade_nothing_is_an_answer(
    name: str, bids: list[list[int]], offers: list[list[int]]
) -> None:
    found = cleared(bids, offers, name)
    assert (found["price"], found["volume"], found["surplus"]) == (None, 0, 0)
    assert found["fills"] == {"bids": [0] * len(bids), "offers": [0] * len(offers)}
    assert found["payments"] == found["fills"]


def test_the_largest_numbers_are_exact() -> None:
    found = cleared([[MAX_PRICE, MAX_ENERGY]] * 3, [[1, MAX_ENERGY]] * 3)
    assert found["surplus"] == 3 * MAX_ENERGY * (MAX_PRICE - 1)
    assert sum(found["payments"]["bids"]) == sum(found["payments"]["offers"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"mechanism": "no"},
            r"mechanism: 'no' is not known, expected one of uniform, vcg, merit",
        ),
        ({"mechanism": 3}, "mechanism: expected a text, got a whole number"),
        ({"colour": 1}, "colour: is no key that is known here"),
        ({"bids": 7}, "bids: expected a list"),
        ({"bids": [[1, 2], [3]]}, r"bids\[1\]: expected \[price, quantity\]"),
        ({"bids": [[1, 2], [3, 4, 5]]}, r"bids\[1\]: expected \[price, quantity\]"),
        ({"bids": [{"price": 3}]}, r"bids\[0\]: expected \[price, quantity\]"),
        ({"offers": [[1, 0]]}, r"offers\[0\]\[1\]: quantity is 0, expected 1 to"),
        ({"offers": [[1, -4]]}, r"offers\[0\]\[1\]: quantity is -4, expected 1 to"),
        ({"offers": [[-1, 4]]}, r"offers\[0\]\[0\]: price is -1, expected 0 to"),
        ({"offers": [[10**18, 4]]}, r"offers\[0\]\[0\]: price is 1000000000000000000, expected"),
        ({"offers": [[0.25, 4]]}, r"offers\[0\]\[0\]: price is 0.25, expected a whole number"),
        ({"offers": [["9", 4]]}, r"offers\[0\]\[0\]: price is '9', expected a whole number"),
        ({"offers": [[None, 4]]}, r"offers\[0\]\[0\]: price is None, expected a whole number"),
        ({"offers": [[True, 4]]}, r"offers\[0\]\[0\]: price is True, expected a whole number"),
        ({"offers": [[float("nan"), 4]]}, r"offers\[0\]\[0\]: price is nan, expected a whole"),
        ({"seed": -1}, "seed: expected a whole number >= 0"),
        ({"seed": 1.5}, "seed: expected a whole number"),
    ],
)
def test_what_no_auction_can_have_is_refused(change: dict[str, object], problem: str) -> None:
    good = {"mechanism": "uniform", "bids": [[9, 1]], "offers": [[4, 1]]}
    with pytest.raises(BadInput, match=problem):
        request({**good, **change})


def test_a_missing_side_is_refused_with_the_file_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "book.json"
    file.write_text('{"mechanism": "uniform", "bids": [[9, 1]]}')
    assert run(file, monkeypatch) == 2
    assert capsys.readouterr().err.strip().endswith("book.json: offers: is missing")
    file.write_text('{"mechanism": "uniform", "bids": [[NaN, 1]], "offers": []}')
    assert run(file, monkeypatch) == 2
    assert "bids[0][0]: is not a finite number" in capsys.readouterr().err


def test_whole_floats_are_taken() -> None:
    assert cleared([[9.0, 2]], [[4, 2.0]])["volume"] == 2
