"""What cannot be used is named with its place: the path of the field in the JSON."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from gridpact.errors import BadInput, FieldError
from gridpact.solve.kinds import KINDS, kind
from gridpact.solve.opf import request
from gridpact.solve.opf_request import problem
from gridpact.solve.read import parse, read_json

EXAMPLE = Path(__file__).parents[3] / "examples" / "opf.json"
GONE = object()


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    """Return the example with one value set, or taken away."""
    data: Any = copy.deepcopy(read_json(EXAMPLE))
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    if value is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    assert isinstance(data, dict)
    return data


BAD: list[tuple[tuple[str | int, ...], object, str]] = [
    (("network",), GONE, "network: is missing"),
    (("network", "root"), GONE, "network.root: is missing"),
    (("network", "branches", 3, "r_ohm"), GONE, "network.branches[3].r_ohm: is missing"),
    (("network", "branches", 0, "length"), 3, "network.branches[0].length: is no key"),
    (("loads",), [], "loads: is no key"),
    (("network", "branches", 1, "from"), "2", "network.branches[1].from: expected a whole number"),
    (("network", "branches", 1, "from"), 2.5, "network.branches[1].from: expected a whole number"),
    (("network", "branches", 1, "r_ohm"), "0.1", "network.branches[1].r_ohm: expected a number"),
    (("network", "branches", 1, "r_ohm"), True, "network.branches[1].r_ohm: expected a number"),
    (("network", "branches", 1, "r_ohm"), -0.1, "network: line 2-3: r_ohm: -0.1"),
    (("network", "branches", 1, "to"), 1, "network: line 2-1: is given twice"),
    (("network", "branches", 1, "to"), 9, "pv.bus[1]: bus 3 is not in the network"),
    (("network", "branches", 1, "from"), 6, "network: bus 3: is an island"),
    (("network", "branches"), [], "network.branches: is empty"),
    (("network", "root"), 77, "network: bus 77: the root has no line"),
    (("network", "shunt_mvar"), {"six": 0.1}, "a key of network.shunt_mvar: expected a whole"),
    (("network", "shunt_mvar"), {"6": 0.1}, "network: bus 6: has a shunt_mvar but no line"),
    (("network", "shunt_mvar"), {"4": None}, "network.shunt_mvar"),
    (("network", "s_base_mva"), 0, "network: s_base_mva: 0.0 is not a positive number"),
    (("intervals",), 0, "intervals: expected a whole number >= 1"),
    (("intervals",), 5, "price_buy: has 4 entries, expected 5"),
    (("dt_h",), -1, "dt_h: -1.0 is not a positive number"),
    (("v_min",), 1.2, "v_min, v_max: 1.2 .. 1.05 is no band"),
    (("v_min",), [0.95, 0.95], "v_min: has 2 entries, expected 4"),
    (("v_root",), "1", "v_root: expected "),
    (("zip_p",), [1, 0], "zip_p: expected a list of length 3"),
    (("zip_q",), [1, 1, 1], "zip_q: "),
    (("load_p_mw",), [[0] * 5] * 3, "load_p_mw: has 3 entries, expected 4"),
    (("load_q_mvar", 2), [0] * 4, "load_q_mvar[2]: has 4 entries, expected 5: one for each bus"),
    (("load_p_mw", 2, 3), None, "load_p_mw[2][3]: expected a number"),
    (("price_sell",), [500] * 4, "price_sell, interval 0: is above price_buy"),
    (("pv", "bus", 1), 8, "pv.bus[1]: bus 8 is not in the network"),
    (("pv", "offer"), [1], "pv.offer: has 1 entries, expected 2: one for each of pv.bus"),
    (("pv", "available_mw", 3), [1], "pv.available_mw[3]: has 1 entries, expected 2"),
    (("pv", "available_mw"), [], "pv.available_mw: has 0 entries, expected 4"),
    (("pv", "s_mva", 0), -1, "pv.s_mva: -1.0 is negative"),
    (("storage", "eta_charge", 0), 1.1, "storage.eta_charge: is not in (0, 1]"),
    (("storage", "e_min_mwh", 0), 3, "storage at bus 4: e_min_mwh is above e_max_mwh"),
    (("ev", "start", 0), -1, "ev.start[0]: expected a whole number >= 0"),
    (("generator", "c2", 0), -1, "generator.c2: is negative"),
    (("import_max_mw",), [1], "import_max_mw: has 1 entries, expected 4"),
    (("export_max_mw",), -1, "export_max_mw: -1.0 is not a number >= 0"),
]


@pytest.mark.parametrize(("path", "value", "said"), BAD, ids=lambda part: str(part)[:60])
def test_bad_field_is_named_in_one_sentence(
    path: tuple[str | int, ...], value: object, said: str
) -> None:
    with pytest.raises(BadInput) as error:
        problem(request(changed(path, value)))
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": [1, NaN]}', "a[1]: is not a finite number"),
        ('{"a": {"b": -Infinity}}', "a.b: is not a finite number"),
        ('{"a": 1e999}', "a: is not a finite number"),
        ('{"a": 1, "a": 2}', "key 'a': is given twice"),
        ('{"a": 1,}', "line 1, column "),
        ("", "line 1, column 1: is no JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("[" + "9" * 5_000 + "]", "holds a whole number with too many digits"),
    ],
)
def test_text_that_is_no_plain_json_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput) as error:
        parse(text)
    assert str(error.value).startswith(said)


def test_brackets_inside_of_texts_are_no_nesting() -> None:
    texts = ["[" * 100, "\\" * 2 + "[" * 100]
    assert parse(json.dumps({"a": texts})) == {"a": texts}


def test_number_too_large_for_a_float_is_refused() -> None:
    data = changed(("network", "branches", 1, "r_ohm"), 10**400)
    with pytest.raises(FieldError, match=r"network.branches\[1\].r_ohm"):
        request(data)


@pytest.mark.parametrize("data", [[], None, 3, "text"])
def test_input_that_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(FieldError, match="the file: expected an object"):
        request(data)


def test_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is no text in UTF-8"):
        read_json(tmp_path / "binary")
    with pytest.raises(BadInput, match="No such file"):
        read_json(tmp_path / "nothing")
    with pytest.raises(BadInput, match="cannot be read"):
        read_json(tmp_path)


def test_lists_of_devices_may_be_absent_null_or_empty() -> None:
    data = changed(("pv",), GONE)
    data["storage"] = None
    data["ev"] = {name: [] for name in data["ev"]}
    del data["generator"]
    data["pv"] = {"bus": [], "s_mva": [], "available_mw": [[]] * 4, "offer": []}
    stated = problem(request(data))
    assert [len(getattr(stated.devices, kind).bus) for kind in ("pv", "storage", "ev")] == [0] * 3


def test_kind_that_is_not_known_names_those_that_are() -> None:
    with pytest.raises(BadInput, match=f"expected {', '.join(KINDS)}"):
        kind("magic")


def test_loads_stand_by_rising_bus_number_whatever_the_order_of_branches() -> None:
    data: Any = read_json(EXAMPLE)
    stated = problem(request(data))
    data["network"]["branches"].reverse()
    turned = problem(request(data))
    for bus in range(1, 6):
        expected = [row[bus - 1] for row in data["load_p_mw"]]
        for one in (stated, turned):
            assert one.load_p_mw[:, one.feeder.at(bus)].tolist() == expected
    assert json.dumps(stated.feeder.ids.tolist()) != json.dumps(turned.feeder.ids.tolist())
