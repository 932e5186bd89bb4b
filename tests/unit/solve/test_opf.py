"""`gridpact solve opf`: the form that others rely on, its numbers, and how it ends."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridpact.__main__ import main
from gridpact.errors import FieldError
from gridpact.solve.kinds import kind
from gridpact.solve.opf import answer, request, solved
from gridpact.solve.opf_picture import picture
from gridpact.solve.read import read_json

EXAMPLE = Path(__file__).parents[3] / "examples" / "opf.json"
FORM = {
    "status",
    "objective",
    "bound",
    "loss_mwh",
    "voltage_pu",
    "dlmp_p",
    "dlmp_q",
    "fictitious_loss_kw",
    "set_points",
}


def example() -> Any:
    return read_json(EXAMPLE)


def opf(data: object) -> dict[str, Any]:
    return answer(solved(request(data)))


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["gridpact", "solve", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_command_writes_the_form_that_others_rely_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert command(monkeypatch, "opf", EXAMPLE, "-o", tmp_path / "out.json") == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert set(found) >= FORM
    assert found["status"] == "optimal"
    for name in ("voltage_pu", "dlmp_p", "dlmp_q"):
        assert list(found[name]) == ["1", "2", "3", "4", "5"]
        assert {len(values) for values in found[name].values()} == {4}
    assert command(monkeypatch, "opf", EXAMPLE) == 0
    assert json.loads(capsys.readouterr().out) == found
    calculation = kind("opf")
    assert calculation.answer(calculation.solve(example())) == found


def test_bad_input_ends_with_2_and_one_sentence_that_names_file_and_field(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(EXAMPLE.read_text().replace('"dt_h": 6', '"dt_h": NaN'))
    assert command(monkeypatch, "opf", bad) == 2
    said = capsys.readouterr()
    assert said.err == f"gridpact: {bad}: dt_h: is not a finite number\n"
    assert said.out == ""
    assert command(monkeypatch, "opf", EXAMPLE, "-o", tmp_path / "no" / "out.json") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_balance_of_energy_closes_with_the_losses() -> None:
    data = example()
    found = opf(data)
    points, hours = found["set_points"], data["dt_h"]
    supplied = sum(found["import_mw"])
    supplied += np.sum(points["pv"]["p_mw"]) + np.sum(points["generator"]["p_mw"])
    supplied += np.sum(points["storage"]["discharge_mw"])
    taken = np.sum(data["load_p_mw"]) + np.sum(points["storage"]["charge_mw"])
    taken += np.sum(points["ev"]["p_mw"])
    assert (supplied - taken) * hours == pytest.approx(found["loss_mwh"], abs=1e-9)


def test_objective_is_what_the_set_points_cost() -> None:
    data = example()
    found = opf(data)
    points = found["set_points"]
    buy, sell = np.array(data["price_buy"]), np.array(data["price_sell"])
    supply = np.array(found["import_mw"])
    units = np.array(points["generator"]["p_mw"])
    cells = np.add(points["storage"]["charge_mw"], points["storage"]["discharge_mw"])
    cost = (np.where(supply > 0, buy, sell) * supply).sum() + (100 * units**2 + 150 * units).sum()
    cost += (np.array(points["pv"]["p_mw"]) @ data["pv"]["offer"]).sum() + 5 * cells.sum()
    assert cost * data["dt_h"] == pytest.approx(found["objective"], rel=1e-9)


@pytest.mark.parametrize(("bus", "interval"), [(1, 3), (3, 1), (5, 0), (5, 3)])
def test_price_is_what_a_little_more_load_costs(bus: int, interval: int) -> None:
    data, step = example(), 1e-3
    price = opf(data)["dlmp_p"][str(bus)][interval]
    costs = []
    for change in (step, -step):
        data = example()
        data["load_p_mw"][interval][bus - 1] += change
        costs.append(opf(data)["objective"])
    assert (costs[0] - costs[1]) / (2 * step * data["dt_h"]) == pytest.approx(price, rel=1e-4)


def test_parts_of_the_price_add_up_to_it() -> None:
    found = opf(example())
    for bus, prices in found["dlmp_p"].items():
        parts = [found["dlmp_p_parts"][part][bus] for part in found["dlmp_p_parts"]]
        assert np.sum(parts, axis=0) == pytest.approx(prices, rel=1e-5)


def test_infeasible_problem_says_which_limits_conflict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = example()
    data["v_min"] = 0.9999
    bad = tmp_path / "tight.json"
    bad.write_text(json.dumps(data))
    assert command(monkeypatch, "opf", bad) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "infeasible"
    assert found["objective"] is None
    assert found["dlmp_p"] is None
    assert {"limit": "v_min at bus 5", "interval": 3} in found["conflicts"]
    assert found["voltage_pu"]["5"][3] < 0.9999  # the schedule that violates limits least


def test_car_without_time_is_infeasible_and_named() -> None:
    data = example()
    data["ev"]["energy_mwh"] = [5.0]
    found = opf(data)
    assert found["status"] == "infeasible"
    assert found["conflicts"][0]["limit"].startswith("ev 0 at bus 3: 5 MWh do not fit")
    assert found["voltage_pu"]["3"][0] > 0.9, "a schedule that gives it what its window allows"
    assert found["dlmp_p"] is None


def test_load_beyond_what_lines_carry_has_no_schedule() -> None:
    data = example()
    data["load_p_mw"] = [[1e4 * value for value in row] for row in data["load_p_mw"]]
    found = opf(data)
    assert found["status"] == "infeasible"
    assert found["voltage_pu"] is None


def test_negative_price_is_inexact_with_repair_and_bound() -> None:
    data = example()
    data["price_buy"], data["price_sell"] = [-50.0] * 4, [-50.0] * 4
    data["generator"] = data["storage"] = None
    found = opf(data)
    assert found["status"] == "inexact"
    assert found["fictitious_loss_kw"] > 1
    assert found["bound"] < found["objective"]


def test_operators_limits_and_flexible_loads_are_taken_from_json() -> None:
    data = example()
    free = opf(data)
    data["import_max_mw"] = [0.8, 0.8, 0.8, 1.2]
    data["curtailable"] = {"bus": [5], "share": [0.5], "price": [400]}
    data["shiftable"] = {
        "bus": [3],
        "energy_mwh": [0.6],
        "p_min_mw": [[0], [0], [0], [0]],
        "p_max_mw": [[0.1], [0.1], [0.1], [0.1]],
        "start": [0],
        "end": [4],
        "mvar_per_mw": [0.2],
    }
    data["storage"]["e_final_mwh"] = [0.5]
    found = opf(data)
    assert found["status"] == "optimal"
    assert max(free["import_mw"][:3]) > 0.8 + 1e-6 >= max(found["import_mw"][:3])
    assert np.sum(found["set_points"]["shiftable"]["p_mw"]) * 6 == pytest.approx(0.6)
    assert found["set_points"]["storage"]["energy_mwh"][3][0] == pytest.approx(0.5)
    assert len(found["set_points"]["curtailable"]["p_mw"]) == 4


def test_diagram_shows_every_bus_by_voltage_and_by_price(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    drawn = tmp_path / "feeder.svg"
    assert command(monkeypatch, "opf", EXAMPLE, "-o", tmp_path / "a.json", "--diagram", drawn) == 0
    found = json.loads((tmp_path / "a.json").read_text())
    text = drawn.read_text()
    assert ET.fromstring(text).tag.endswith("svg")
    lowest = min(found["voltage_pu"], key=lambda bus: found["voltage_pu"][bus][3])
    assert f"lowest {found['voltage_pu'][lowest][3]:.4f} at bus {lowest}" in text
    for bus, prices in found["dlmp_p"].items():
        assert f"bus {bus}: {prices[3]:.2f} per MWh" in text
    assert command(monkeypatch, "opf", EXAMPLE, "--diagram", drawn, "--interval", 4) == 2
    assert "interval: 4 is not between 0 and 3" in capsys.readouterr().err


def test_infeasible_schedule_is_drawn_with_broken_limits_and_without_prices() -> None:
    data = example()
    data["v_min"] = 0.9999
    text = picture(solved(request(data)))
    assert "no price: limits conflict" in text
    assert 'stroke="#c8453b" stroke-width="2"><title>bus 5' in text
    data["load_p_mw"] = [[1e4 * value for value in row] for row in data["load_p_mw"]]
    with pytest.raises(FieldError, match="nothing to draw"):
        picture(solved(request(data)))
