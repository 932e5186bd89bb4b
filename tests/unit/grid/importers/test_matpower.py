"""Cases of MATPOWER: the published feeder, taps and charging against pandapower, refusals."""

import numpy as np
import pandapower as pp
import pytest

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder
from gridpact.grid.importers.matpower import from_matpower
from gridpact.grid.importers.pandapower_export import to_pandapower
from gridpact.grid.net import Net, radial
from gridpact.grid.power_flow import power_flow

SMALL = """function mpc = small   % a comment with mpc.bus(1, 2)
mpc.version = '2';
mpc.baseMVA = 10;
%% bus data
mpc.bus = [
  1  3  0    0     0    0    1  1  0  110  1  1.1  0.9;   % the reference
  5  1  2.0  0.5   0.1  0.3  1  1  0  20   1  1.1  0.9;
  3, 1, 1.0, 0.2,  0,   0,   1, 1, 0, 20,  1, 1.1, 0.9
  9  4  7    7     0    0    1  1  0  20   1  1.1  0.9;
];
mpc.bus_name = {
  'one [';
  'two';
};
mpc.gen = [
  1  0    0    Inf  -Inf  1.02  100  1  Inf  -Inf;
  3  0.4  0.1  0.3  -0.3  1     100  1  0.5  0;
  5  9    9    9    -9    1     100  0  9    0;
];
mpc.branch = [ 1 5 0.002 0.05 0.01 25 0 0 0.975 -150 1 -360 360;
  5 3 0.01 0.02 0.03 0 0 0 0 0 1 -360 360
  1 3 0.01 0.02 0.03 0 0 0 0 0 0 -360 360 ];
mpc.gencost = [2 0 0 3 0 30 0 0; 2 0 0 2 40 5 0 0; 2 0 0 3 1 2 3 0];
"""


def flow_of(net: Net) -> tuple[Feeder, np.ndarray, complex]:
    """Return feeder, voltages in pu of nominal voltage, and supply. [MVA]"""
    feeder, fed = radial(net), net.injection_mva()
    mva = np.array([fed.get(int(bus), 0.0) for bus in feeder.ids]) / feeder.s_base_mva
    flow = power_flow(feeder, mva.real[None], mva.imag[None], net.v_root)
    nominal = np.array([net.nominal_kv[int(bus)] for bus in feeder.ids])
    return feeder, flow.v[0] * feeder.v_kv / nominal, complex(flow.supply[0]) * feeder.s_base_mva


def as_case(feeder: Feeder, load: np.ndarray, v_root: float) -> str:
    """Return a feeder as the text of a case, 17 digits a number."""
    base, kv = feeder.s_base_mva, feeder.v_base_kv
    rows = {"bus": [], "branch": []}
    for place, bus in enumerate(feeder.ids):
        kind = 3 if place == 0 else 1
        mva, mvar = load[place] * base, feeder.shunt[place] * base
        rows["bus"].append(
            f"{bus} {kind} {mva.real:.17g} {mva.imag:.17g} 0 {mvar:.17g} 1 1 0 {kv} 1 1.1 0.9"
        )
        if place:
            above, r, x = feeder.ids[feeder.parent[place]], feeder.r[place], feeder.x[place]
            rows["branch"].append(f"{above} {bus} {r:.17g} {x:.17g} 0 0 0 0 0 0 1 -360 360")
    rows["gen"] = [f"{feeder.ids[0]} 0 0 10 -10 {v_root} 1 1 10 0"]
    body = "".join(f"mpc.{name} = [\n" + ";\n".join(rows[name]) + ";\n];\n" for name in rows)
    return f"function mpc = case\nmpc.version = '2';\nmpc.baseMVA = {base};\n{body}"


def test_published_feeder_as_a_case_is_the_same_feeder(sce56, peak) -> None:
    net = from_matpower(as_case(sce56.feeder, peak, 1.01), "SCE 56")
    again, v, _ = flow_of(net)
    for field in ("ids", "parent", "r", "x", "shunt", "conductance", "s_max", "v_kv"):
        np.testing.assert_allclose(getattr(again, field), getattr(sce56.feeder, field), atol=1e-15)
    expected = power_flow(sce56.feeder, -peak.real[None], -peak.imag[None], 1.01)
    np.testing.assert_allclose(v, expected.v[0], atol=1e-12)


def _table(name: str) -> np.ndarray:
    body = SMALL.split(f"mpc.{name} = [")[1].split("]")[0]
    rows = [line.split("%")[0] for line in body.replace(";", "\n").splitlines()]
    return np.array([[float(w) for w in r.replace(",", " ").split()] for r in rows if r.strip()])


def test_taps_charging_and_shunts_fulfil_the_equations_of_the_format() -> None:
    """S = V conj(Y V) with Y of the branch model that the format defines, phases included."""
    numbers = [1, 5, 3]
    bus, branch = _table("bus")[:3], _table("branch")[:2]
    Y = np.diag((bus[:, 4] + 1j * bus[:, 5]) / 10)
    for f, t, r, x, b, *_, ratio, angle, _, _, _ in branch:
        i, j = numbers.index(int(f)), numbers.index(int(t))
        tap = (ratio or 1.0) * np.exp(1j * np.radians(angle))
        y = 1 / (r + 1j * x)
        Y[i, i] += (y + 1j * b / 2) / abs(tap) ** 2
        Y[j, j] += y + 1j * b / 2
        Y[i, j] -= y / tap.conj()
        Y[j, i] -= y / tap
    net = from_matpower(SMALL)
    feeder, v, supply = flow_of(net)
    fed = net.injection_mva()
    mva = np.array([fed[number] for number in numbers]) / 10
    turned = power_flow(feeder, mva.real[None], mva.imag[None], net.v_root).voltage[0]
    assert feeder.ids.tolist() == numbers
    V = v * turned / np.abs(turned) * np.exp(1j * np.radians([0, 150, 150]))
    found = V * (Y @ V).conj()
    np.testing.assert_allclose(found[1:], mva[1:], atol=1e-10)
    assert found[0] * 10 == pytest.approx(supply, abs=1e-9)


def test_case_goes_to_pandapower_with_the_same_voltages() -> None:
    net = from_matpower(SMALL)
    theirs = to_pandapower(net)
    pp.runpp(theirs, numba=False, tolerance_mva=1e-12)
    feeder, v, _ = flow_of(net)
    np.testing.assert_allclose(v, theirs.res_bus.vm_pu.loc[feeder.ids], atol=1e-8)


def test_generators_ratings_and_costs_are_read() -> None:
    net = from_matpower(SMALL)
    assert net.v_root == 1.02
    assert [line.s_max_mva for line in net.lines] == [25.0, None]
    (unit,) = net.units
    assert (unit.bus, unit.p_mw, unit.q_mvar) == (3, 0.4, 0.1)
    assert (unit.p_mw_range, unit.q_mvar_range) == ((0.0, 0.5), (-0.3, 0.3))
    assert unit.cost == (0.0, 40.0, 5.0)
    assert sorted(net.v_kv) == [1, 3, 5]
    assert net.tapped() in (3, 5)


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("mpc.baseMVA = 10;", "", "mpc.baseMVA", "positive"),
        ("mpc.baseMVA = 10;", "mpc.baseMVA = ten;", "line 3: mpc.baseMVA", "'ten' is not a number"),
        ("  5  1  2.0", "  5  1  NaN", "mpc.bus, line 7", "column 3: nan"),
        ("  5  1  2.0", "  5  1  x", "mpc.bus, line 7", "'x' is not a number"),
        ("  5  1  2.0", "  3  1  2.0", "mpc.bus, line 7", "bus 3 is numbered twice"),
        ("  5  1  2.0", "  5  2  2.0", "mpc.bus, line 7", "holds the voltage"),
        ("  5  1  2.0", "  5  7  2.0", "mpc.bus, line 7", "type 7"),
        ("  5  1  2.0", "  5  3  2.0", "mpc.bus", "found 2"),
        ("0.5   0.1  0.3  1  1  0  20", "0.5   0.1  0.3  1  1  0  0", "mpc.bus", "baseKV 0"),
        ("1  0    0    Inf", "5  0    0    Inf", "mpc.gen", "reference bus 1"),
        ("5 3 0.01 0.02", "5 4 0.01 0.02", "mpc.branch, line 21", "bus 4 is not in"),
        ("5 3 0.01 0.02", "5 9 0.01 0.02", "mpc.branch, line 21", "isolated"),
        ("5 3 0.01 0.02", "5 5.5 0.01 0.02", "mpc.branch, line 21", "5.5 is not a whole"),
        ("0.03 0 0 0 0 0 1 -360 360", "0.03 0 0 0 0", "mpc.branch, line 21", "9 columns"),
        ("0.03 0 0 0 0 0 1 -360", "0.03 0 0 0 0 0 0 -360", "bus 3", "island"),
        ("0.03 0 0 0 0 0 0 -360 360 ]", "0.03 0 0 0 0 0 0 -360 360 ", "mpc.branch", "not a number"),
        ("2 0 0 2 40", "1 0 0 2 40", "mpc.gencost, line 23", "polynomial"),
        ("2 0 0 2 40 5 0 0;", "", "mpc.gencost", "2 rows for 3"),
        ("mpc.gencost = [", "mpc.bus(:, 3) = 0;\nmpc.x = [", "line 23", "computes"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_table_and_line(
    old: str, new: str, place: str, problem: str
) -> None:
    assert old in SMALL
    with pytest.raises(FeederError) as caught:
        from_matpower(SMALL.replace(old, new, 1))
    assert place in caught.value.place
    assert problem in f"{caught.value.place} {caught.value.problem}"


def test_second_line_beside_the_first_halves_its_impedance() -> None:
    second = "5 3 0.01 0.02 0 0 0 0 0 0 1\n 3 5 0.01 0.02"
    one, two = (
        radial(from_matpower(text)) for text in (SMALL, SMALL.replace("5 3 0.01 0.02", second))
    )
    np.testing.assert_array_equal(two.ids, one.ids)
    np.testing.assert_allclose(two.impedance, one.impedance * [1, 1, 0.5])
