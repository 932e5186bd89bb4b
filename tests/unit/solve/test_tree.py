"""`gridpact solve tree`: the form that others rely on, and how it ends."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from gridpact.__main__ import main
from gridpact.errors import BadInput
from gridpact.solve.read import read_json
from gridpact.solve.tree import answer, picture, request, solved

EXAMPLE = Path(__file__).parents[3] / "examples" / "tree.json"


def example() -> Any:
    return read_json(EXAMPLE)


def tree(**changes: object) -> dict[str, Any]:
    return answer(solved(request(example() | changes)))


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["gridpact", "solve", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_command_writes_the_form_that_others_rely_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    drawn = tmp_path / "tree.svg"
    assert command(monkeypatch, "tree", EXAMPLE, "--diagram", drawn) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"sequence", "edges", "degraded", "metrics", "violating_edges"}
    # by hand: scores 2.9, 1.95, 2.85, 2.8 of nodes 0, 1, 3, 5; node 5 is far; 2 and 4 untrusted
    assert found["sequence"] == [0, 3, 1, 5, 2, 4]
    assert found["edges"] == [[0, 3], [0, 1], [3, 5], [3, 2], [1, 4]]
    assert found["degraded"] is False
    assert found["metrics"] == {
        "overall_trust": 0.89,
        "rounds": 2,
        "node_concurrency": 3,
        "concurrent_time": 12.0,
        "inflight_concurrency": 3,
        "serial_time": 15.5,
    }
    assert found["violating_edges"] == [[3, 2]]
    picture = ET.fromstring(drawn.read_text())
    titles = [one.text for one in picture.iter() if one.tag.endswith("title")]
    assert sorted(titles)[2] == "node 2: trust 0.4"
    assert len(titles) == 6


def test_each_algorithm_answers_and_other_inputs_are_taken() -> None:
    assert tree(algorithm="lft")["sequence"][0] == 4
    assert tree(algorithm="tft")["sequence"][0] == 1
    least = tree(algorithm="dtt")
    quicker = tree(algorithm="dtt", local_search=True)
    for found in (least, quicker):
        assert len(found["edges"]) == 5
    assert quicker["metrics"]["concurrent_time"] <= least["metrics"]["concurrent_time"]
    places = [[0, 0], [1, 0], [0, 1], [2, 0], [3, 0], [4, 0]]
    assert tree(cost=None, coordinates=places)["metrics"]["rounds"] == 2
    assert tree(min_trust=1, trust=[0.5] * 6)["degraded"] is True
    assert tree(normalise="minmax", max_cost=None)["violating_edges"] == []
    assert tree(forbid=True)["violating_edges"] == []
    lone = tree(trust=[0.9], links=[1], cost=[[0]])
    assert (lone["sequence"], lone["edges"], lone["metrics"]) == ([0], [], None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"algorithm": "mst"}, "algorithm: "),
        ({"trust": [0.9, 0.5, 2, 0.9, 0.4, 0.8]}, "trust[2]: 2 is not between 0 and 1"),
        ({"trust": [0.9, 0.12345678, 0.2, 0.9, 0.4, 0.8]}, "trust[1]: 0.12345678 has more than 6"),
        ({"links": [2, 1, 0, 1, 1, 1]}, "links[2]: 0 is no whole number from 1"),
        ({"links": [2, 1, 1.5, 1, 1, 1]}, "links[2]: expected a whole number"),
        ({"cost": [[0, 1], [1, 0]]}, "cost: is for 2 nodes, expected 6"),
        ({"cost": None}, "cost: is missing"),
        ({"coordinates": [[0, 0]] * 6}, "coordinates: are given beside cost"),
        ({"min_trust": None}, "min_trust: is missing, wct needs it"),
        ({"min_trust": 80}, "min_trust: 80.0 is not between 0 and 1"),
        ({"weights": [1]}, "weights: "),
        ({"weights": [1, -1]}, "weights[1]: -1.0 is no number of at least 0"),
        ({"normalise": "max"}, "normalise: "),
        ({"colour": 1}, "colour: is no key that is known here"),
        ({"local_search": True}, "local_search: is for dtt, not for wct"),
        ({"forbid": True, "max_cost": None}, "forbid: needs max_cost"),
        (
            {"forbid": True, "max_cost": 0.5},
            "max_cost: node 3 is not reached by edges of at most 0.5",
        ),
    ],
)
def test_bad_input_ends_with_2_and_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    changes: dict[str, object],
    said: str,
) -> None:
    file = tmp_path / "tree.json"
    file.write_text(json.dumps(example() | changes))
    assert command(monkeypatch, "tree", file) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gridpact: {file}: {said}")
    assert error.count("\n") == 1


def test_a_picture_marks_who_is_not_trusted() -> None:
    text = picture(solved(request(example())))
    assert "6 nodes, 2 of them below trust 0.8" in text
    assert text.count('fill="#c8453b"') == 2
    with pytest.raises(BadInput):
        solved(request(example() | {"trust": []}))
