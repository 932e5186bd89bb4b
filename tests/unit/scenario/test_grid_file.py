"""A scenario names files of other tools as its feeder; a market runs on one."""

import json
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest
from tests.unit.grid.conftest import SCE56
from tests.unit.grid.importers.test_matpower import SMALL, as_case
from tests.unit.grid.importers.test_pandapower import GRIDS, every_element
from tests.unit.scenario import texts

from gridpact.assembly.day import run_day
from gridpact.assembly.ledgers import memory_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.errors import FeederError, ScenarioError
from gridpact.grid.importers.pandapower_net import from_pandapower
from gridpact.grid.power_flow import power_flow
from gridpact.scenario.feeder_file import read_feeder
from gridpact.scenario.grid_file import read_grid, read_net
from gridpact.scenario.reader import load

RURAL = GRIDS / "1-LV-rural1--0-sw.json"


def test_json_is_read_as_pandapower_itself_reads_it() -> None:
    ours, theirs = read_net(RURAL), from_pandapower(pp.from_json(str(RURAL)))
    assert ours.__dict__ == theirs.__dict__


def test_loads_of_the_file_are_peak_loads_and_its_source_the_root() -> None:
    file = read_grid(RURAL)
    assert file.feeder.ids[0] == 42
    assert file.root_voltage_pu == 1.025
    assert file.peak_load_mva[9] == pytest.approx(0.006452, abs=1e-6)
    assert file.power_factor == pytest.approx(0.93, abs=0.01)
    np.testing.assert_allclose(sorted(set(file.feeder.v_kv)), [0.4, 20.0])


def test_published_feeder_as_a_case_is_the_same_file(tmp_path: Path) -> None:
    sce56 = read_feeder(SCE56)
    share = 0.9 + 1j * np.sqrt(0.19)
    peak = np.array([sce56.peak_load_mva[int(bus)] for bus in sce56.feeder.ids]) * share
    path = tmp_path / "sce56.m"
    path.write_text(as_case(sce56.feeder, peak, 1.0))
    file = read_grid(path)
    assert file.peak_load_mva == pytest.approx(dict(sce56.peak_load_mva))
    assert file.power_factor == pytest.approx(0.9)
    np.testing.assert_allclose(file.feeder.r, sce56.feeder.r, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("grid.csv", "", "expected a feeder as"),
        ("grid.json", "{", "is no net of pandapower"),
        ("grid.json", "[1, 2]", "is no net of pandapower"),
        ("grid.json", json.dumps({"_object": {"f_hz": 50}}), "is no net of pandapower"),
        ("grid.m", SMALL, "a tap makes 1 pu"),
        ("grid.m", "mpc.baseMVA = 1;", "mpc.bus: is missing"),
        ("grid.m", SMALL.replace("0 0 0.975", "0 0 1").replace("5  1  2.0", "5 1 -2"), "negative"),
    ],
)
def test_unusable_file_is_refused_with_its_name(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises((ScenarioError, FeederError), match="grid") as caught:
        read_grid(path)
    assert problem in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_grid(tmp_path / "nowhere.json")


def test_meshed_net_is_refused_with_its_cycle(tmp_path: Path) -> None:
    net = every_element()
    pp.create_line(net, 1, 3, 2.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    pp.to_json(net, str(tmp_path / "ring.json"))
    with pytest.raises(FeederError, match=r"ring\.json: line .*closes the cycle"):
        read_grid(tmp_path / "ring.json")


def test_market_day_on_a_simbench_grid(tmp_path: Path) -> None:
    text = texts.SMALL.replace('case = "sce56"', 'case = "1-LV-rural1--0-sw"')
    text = text.replace("bus = 3\n", "bus = 6\n").replace("bus = 5\n", "bus = 9\n")
    text = text.replace("bus = 53", "bus = 10").replace("peak_kw = 100.0", "peak_kw = 20.0")
    text = text.replace('name = "bob"', 'name = "bob"\nrated_kw = 60.0')
    scenario = load(texts.write(tmp_path, text))
    assert scenario.grid.root_voltage_pu == 1.025
    day = run_day(scenario, memory_ledgers(scenario), unwatched, signed=False)
    assert len(day.intervals) == scenario.time.intervals
    assert any(interval.cleared.fills for interval in day.intervals), "nobody traded"
    for flow in day.flows:
        state = power_flow(
            scenario.grid.file.feeder, flow.p_w[None] / 1e6, flow.q_var[None] / 1e6, 1.025
        )
        np.testing.assert_allclose(flow.voltage_pu, state.v[0], atol=1e-9)
        assert flow.substation_w == pytest.approx(state.supply[0].real * 1e6, abs=1e-3)
