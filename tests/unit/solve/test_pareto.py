"""`gridpact solve pareto`: the fixed form, and what it refuses."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gridpact.__main__ import main
from gridpact.errors import FieldError
from gridpact.solve.pareto import answer, request, solved

EXAMPLE = Path(__file__).parents[3] / "examples" / "pareto.json"


def asked(**change: object) -> dict[str, Any]:
    return {**json.loads(EXAMPLE.read_text()), **change}


def test_the_example_is_answered_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "answer.json"
    monkeypatch.setattr(sys, "argv", ["gridpact", "solve", "pareto", str(EXAMPLE), "-o", str(out)])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    found = json.loads(out.read_text())
    assert found["status"] == "exact"
    assert found["front"] == [pytest.approx(p) for p in ([26.6, 75], [29.9, 85], [39.4, 110])]
    assert found["knee"] == 1
    for (cost, sales), scheme in zip(found["front"], found["schemes"], strict=True):
        pairs = [(s, u) for s in range(3) for u in range(3)]
        assert cost == pytest.approx(
            sum(asked()["unit_cost"][s][u] * scheme[s][u] for s, u in pairs)
        )
        assert sales == pytest.approx(sum(sum(scheme[s]) for s in (1, 2)))


def test_the_swarm_answers_in_the_same_form() -> None:
    found = answer(solved(request(asked(method="swarm", evaluations=2_000, seed=3))))
    assert found["status"] == "approximate"
    costs = [cost for cost, _ in found["front"]]
    assert costs == sorted(costs)
    assert len(found["schemes"]) == len(costs) > 10


def test_what_cannot_be_served_is_an_answer() -> None:
    found = answer(solved(request(asked(capacity=[1, 1, 1]))))
    assert found == {"status": "infeasible", "front": [], "schemes": [], "knee": None}


def test_null_or_no_price_cap_is_none() -> None:
    data = asked(price_cap=None)
    assert answer(solved(request(data)))["front"][-1][1] == pytest.approx(110)
    del data["price_cap"]
    assert len(solved(request(data))) > 1


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("unit_cost[1]", {"unit_cost": [[1, 1, 1], [1, 1], [1, 1, 1]]}),
        ("unit_cost", {"unit_cost": []}),
        ("capacity", {"capacity": [1]}),
        ("demand_min[0]", {"demand_min": [-1, 0, 0]}),
        ("method", {"method": "guess"}),
        ("evaluations", {"method": "swarm", "evaluations": 0}),
        ("seed", {"method": "swarm", "seed": -1}),
        ("encoding", {"method": "swarm", "encoding": "x"}),
        ("weight[0]", {"weight": ["a", 1, 1]}),
        ("more", {"more": 1}),
    ],
)
def test_bad_input_names_the_field(place: str, change: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as refused:
        answer(solved(request(asked(**change))))
    assert refused.value.place.startswith(place.split("[")[0])
