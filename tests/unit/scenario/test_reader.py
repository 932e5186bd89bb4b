"""A scenario is read whole or refused in one sentence with its place."""

import re
from pathlib import Path

import numpy as np
import pytest
from tests.unit.scenario.texts import SMALL, csv, write

from gridpact.errors import BadInput, ScenarioError
from gridpact.prosumer.outlook import Model
from gridpact.scenario.reader import load
from gridpact.scenario.table import Table

SHIPPED = Path(__file__).resolve().parents[3] / "scenarios"


def test_own_participants_are_read_with_their_devices_and_hourly_means(tmp_path):
    scenario = load(write(tmp_path))
    ann, bob = scenario.sites
    assert ann.load_w.tolist() == [500.0] * 4
    assert ann.pv_w == pytest.approx(4000 * np.array([1.5, 5.5, 9.5, 13.5]) / 100)
    assert ann.battery is not None
    assert ann.battery.capacity_wh == 5000
    assert ann.battery.power_w == 2500
    assert bob.pv is None
    assert bob.load_w.tolist() == [250.0] * 4
    assert bob.load_yesterday_w is None
    assert scenario.tariff.retail == (220_000, 220_000, 300_000, 300_000)
    assert scenario.settlement.unused_fee == scenario.tariff.zonal_charge
    assert scenario.plants[0].power_w == pytest.approx([1500.0, 5500.0, 9500.0, 13500.0])
    assert scenario.seed == 7


def test_given_seed_replaces_the_files_own(tmp_path):
    assert load(write(tmp_path), seed=99).seed == 99


LOST = '[[identity.revoked]]\nparticipant = "{}"\ninterval = 1\n'
LOST = '[[identity.revoked]]\nparticipant = "{}"\ninterval = {}\n'
BAD = [
    ("certificate of nobody", "[time]", LOST.format("eve", 1) + "[time]", "or plant 'eve'"),
    (
        *("certificate lost twice", "[time]", 2 * LOST.format("bob", 1) + "[time]"),
        "loses its certificate twice",
    ),
    (
        *("certificate lost after the day", "[time]", LOST.format("bob", 4) + "[time]"),
        "identity.revoked 1.interval: expected a whole number between 0 and 3",
    ),
    (
        *("no certificate to lose", "[time]"),
        "[identity]\ncertificates = false\n" + LOST.format("bob", 1) + "[time]",
        "nobody has a certificate",
    ),
    (
        *("pseudonyms without certificates", "[time]"),
        "[identity]\ncertificates = false\nperiod = 1\n[time]",
        "identity.period: pseudonyms need certificates",
    ),
    ("unknown bus", "bus = 5", "bus = 99", "participant 2.bus: unknown bus 99 on feeder"),
    ("unknown bus of a plant", "bus = 53", "bus = 0", "plant 1.bus: unknown bus 0"),
    ("missing bus", "bus = 5\n", "", "participant 2.bus: missing: expected a whole number"),
    ("duplicate name", '"bob"', '"ann"', "participant: duplicate name 'ann'"),
    ("plant named as a participant", '"meadow"', '"bob"', "plant: duplicate name 'bob'"),
    ("missing profile file", '"profiles.csv"', '"none.csv"', "profiles.file: no such file"),
    ("missing column", 'profile = "home"', 'profile = "hone"', "no column 'hone'"),
    ("misspelt key", "rated_kw = 2.0", "ratd_kw = 2.0", "unknown key; did you mean rated_kw?"),
    ("wrong unit", "peak_kw = 100.0", "peak_mw = 0.1", "peak_mw: wrong unit: expected peak_kw"),
    ("wrong unit, optional", "battery_kwh = 5.0", "battery_wh = 5.0", "expected battery_kwh"),
    ("wrong unit of a price", "feed_in_per_kwh", "feed_in_per_mwh", "expected feed_in_per_kwh"),
    ("unknown table", "seed = 7", "seed = 7\n[weather]\nx = 1", "weather: unknown key"),
    ("text for a number", "pv_kw = 4.0", 'pv_kw = "4 kW"', "between 0 and 1000000, not '4 kW'"),
    ("true for a number", "pv_kw = 4.0", "pv_kw = true", "between 0 and 1000000, not true"),
    ("number for a text", 'name = "bob"', "name = 5", "participant 2.name: expected a text, not 5"),
    ("fraction for a whole", "seed = 7", "seed = 7.5", "seed: expected a whole number"),
    (
        "placed and not placed",
        "seed = 7",
        "seed = 7\n[council]\nmembers = 2\n[[council.aggregator]]\nplace_km = [0, 1]",
        "council.aggregator: place_km is given for some members, but not for all",
    ),
    (
        "no place",
        "seed = 7",
        'seed = 7\n[[council.aggregator]]\nplace_km = ["north", 1]',
        "place_km: expected a place, as [1.5, 0.2]",
    ),
    (
        "more aggregators than members",
        "seed = 7",
        "seed = 7\n[council]\nmembers = 1\n[[council.aggregator]]\nlinks = 2\n"
        "[[council.aggregator]]\nlinks = 2",
        "council.aggregator: 2 rows for 1 members",
    ),
    (
        "no strategy",
        "seed = 7",
        'seed = 7\n[owners]\npricing = "greedy"',
        "owners.pricing: expected",
    ),
    (
        "mark-up of nothing",
        "seed = 7",
        "seed = 7\n[owners]\nmark_up_share = 0.1",
        'owners.mark_up_share: is for pricing = "mark_up"',
    ),
    ("negative", "pv_kw = 4.0", "pv_kw = -4.0", "participant 1.pv_kw: expected a number between"),
    (
        "not a number",
        "pv_kw = 4.0",
        "pv_kw = nan",
        "participant 1.pv_kw: expected a number between",
    ),
    ("infinite", "pv_kw = 4.0", "pv_kw = inf", "participant 1.pv_kw: expected a number between"),
    ("date as text", "2016-06-09", '"9 June"', "time.date: expected a date like 2016-06-09"),
    ("unknown feeder", '"sce56"', '"sce57"', "feeder.case: no built-in feeder 'sce57'"),
    ("no feeder", 'case = "sce56"', "", "feeder.case: expected either case"),
    ("limits crossed", "[profiles]", "v_min_pu = 1.1\n[profiles]", "1.1 is not below v_max_pu"),
    ("no tariff", "per_kwh = 0.22", "", "tariff.retail 1.per_kwh: missing"),
    ("bands fall", "from_h = 2", "from_h = 0", "tariff.retail 2.from_h: 0 does not rise above 0"),
    (
        "network share above retail",
        "0.09",
        "0.29",
        "is more than the lowest retail",
    ),
    ("unknown scheme", "seed = 7", 'seed = 7\nscheme = "x"', "scheme: expected one of gridpact"),
    ("no TOML", "[time]", "[time", "is no TOML file"),
    ("row for a table", "[profiles]", "[[profiles]]", "expected a table [profiles]"),
    (
        "too little time",
        "pv_kw = 4.0",
        "ev_kwh = 99.0\nev_kw = 1.0\nev_h = [0, 4]",
        "cannot be",
    ),
    (
        "paper settlement",
        "seed = 7",
        '[settlement]\nmode = "paper"',
        'settlement.mode: "paper" is a rule in',
    ),
    (
        "netting",
        "seed = 7",
        '[settlement]\nmode = "netting"',
        'settlement.mode: "netting" cannot be run',
    ),
    (
        "no settlement",
        "seed = 7",
        '[settlement]\nmode = "free"',
        "settlement.mode: expected one of used",
    ),
    (
        "no payment",
        "seed = 7",
        '[settlement]\npayment = "cash"',
        "settlement.payment: expected one of batches, net",
    ),
    (
        "net without a council",
        "seed = 7",
        '[settlement]\npayment = "net"\n[council]\nmembers = 0',
        'settlement.payment: "net" needs a council',
    ),
    (
        "net while addresses change",
        "seed = 7",
        '[settlement]\npayment = "net"\n[identity]\nrotation_intervals = 2',
        'settlement.payment: "net" pays addresses that',
    ),
    ("rating upside down", "seed = 7", "[reputation]\ngain_share = 0.5", "is not below loss_share"),
    (
        "pair falls",
        "seed = 7",
        "[fleet]\nhome_groups = 9\ncommerce = 9\nper_bus = [4, 2]",
        "fleet.per_bus: expected two rising",
    ),
    ("step", "interval_minutes = 60", "interval_minutes = 50", "does not divide 50 minutes"),
    ("horizon", "intervals = 4", "intervals = 5", "shorter than the horizon"),
    ("two days", "intervals = 4", "intervals = 25", "25 times 60 minutes exceed one day"),
    ("another day", "2016-06-09", "2016-06-10", "shorter than the horizon"),
    ("before time", "2016-06-09", "0001-01-01", "time.date: expected a date from 1970 on"),
    ("date and time", "2016-06-09", "2016-06-09T00:00:00", "not 2016-06-09T00:00:00"),
    ("endless number", "pv_kw = 4.0", f"pv_kw = 1{'0' * 400}", "participant 1.pv_kw: expected"),
    (
        "too much sun",
        "pv_kw = 4.0",
        "pv_kw = 1e9",
        "pv_kw: expected a number between 0 and 1000000",
    ),
    ("too much load", "rated_kw = 2.0", "rated_kw = 1e300", "participant 1.rated_kw: expected"),
    (
        "kW for W",
        "rated_kw = 2.0",
        "rated_kw = 1e6",
        "feeder: cannot carry the 250000 kW of",
    ),
    ("nameless", '"ann"', '" "', "participant 1.name: expected a name that can be printed"),
    ("name of two lines", '"ann"', '"a\\nb"', "participant 1.name: expected a name that can be"),
    ("name of an account", '"ann"', '"grid_supply"', "'grid_supply' is the name of an account"),
    ("name of a meter", '"ann"', '"substation meter"', "is the name of an account or meter"),
    ("name of the region", '"ann"', '"region region"', "is the name of an account or meter"),
    ("one chain", "seed = 7", 'seed = 7\nzone = "region"', "zone: is named 'region' as the region"),
    ("chain no option names", "seed = 7", 'seed = 7\nregion = "a=b"', "region: expected letters"),
    ("nameless chain", "seed = 7", 'seed = 7\nzone = ""', "zone: expected letters, digits"),
    ("feeder elsewhere", '"sce56"', '"../feeders/sce56"', "feeder.case: no built-in feeder"),
    ("dear feed-in", "0.08", "0.23", "feed_in_per_kwh: is more than the lowest retail price"),
    (
        "window crossed",
        "peak_kw = 100.0",
        "peak_kw = 1.0\nwindow_h = [18, 8]",
        "two rising numbers",
    ),
]


@pytest.mark.parametrize(("old", "new", "told"), [row[1:] for row in BAD], ids=[r[0] for r in BAD])
def test_bad_input_is_one_sentence_with_its_place(tmp_path, old, new, told):
    assert old in SMALL
    text = SMALL.replace(old, new) if old != "per_kwh = 0.22" else SMALL.replace(old, new, 1)
    path = write(tmp_path, text)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    sentence = str(caught.value)
    assert told in sentence
    assert str(tmp_path) in sentence
    assert "\n" not in sentence


CSV = [
    ("not a number", csv(value="NaN", at=6), "row 8, column home: expected a finite number"),
    ("text", csv(value="much", at=0), "row 2, column home: expected a number, not 'much'"),
    ("empty cell", csv(value="", at=2), "row 4, column home: expected a number, not ''"),
    ("negative load", csv(value="-9", at=9), "column home, interval 2: negative"),
    ("negative sun", csv(column="sun", value="-9", at=0), "column sun, interval 0: negative"),
    ("too short", csv(rows=15), "shorter than the horizon"),
    ("hole", csv().replace("2016-06-09 01:15:00,0.25,0.05\n", ""), "row 7: time 2016-06-09 01:30"),
    ("cells", csv().replace("01:15:00,0.25", "01:15:00"), "row 7: expected 3 cells, not 2"),
    ("time", csv().replace("2016-06-09 00:00:00", "noon"), "row 2: expected a time"),
    ("zone of time", csv().replace("01:15:00,", "01:15:00+02:00,"), "row 7: expected a time like"),
    ("semicolons", csv().replace(",", ";"), "row 1: expected a time and columns, separated by"),
    ("empty", "", "row 1: expected a header and at least two rows"),
    ("column twice", csv().replace("home,sun", "home,home"), "row 1: two columns are named 'home'"),
    ("enormous", csv(value="1e308", at=3), "column home: expected at most 1000000 kW"),
    ("header alone", "time,home,sun\n", "row 1: expected a header and at least two rows"),
]


@pytest.mark.parametrize(("profiles", "told"), [r[1:] for r in CSV], ids=[row[0] for row in CSV])
def test_bad_profile_is_one_sentence_with_its_row(tmp_path, profiles, told):
    path = write(tmp_path, profiles=profiles)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert told in str(caught.value)
    assert "profiles.csv" in str(caught.value)


def test_nested_without_end_is_no_scenario(tmp_path):
    path = write(tmp_path, f"x = {'[' * 100_000}{']' * 100_000}")
    with pytest.raises(ScenarioError, match="is no TOML file"):
        load(path)


def test_missing_scenario_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml")


def test_persistence_without_a_day_before_is_refused(tmp_path):
    path = write(tmp_path, SMALL + '[forecast]\nmodel = "persistence"\n')
    with pytest.raises(ScenarioError, match=r"forecast\.model: persistence needs the day before"):
        load(path)


def test_no_participants_is_refused(tmp_path):
    head, _, _ = SMALL.partition("[[participant]]")
    with pytest.raises(ScenarioError, match="no participants"):
        load(write(tmp_path, head))


def test_participant_may_bring_a_profile_file_of_its_own(tmp_path):
    (tmp_path / "bob.csv").write_text(csv().replace("0.25", "3.5"))
    text = SMALL.replace('name = "bob"', 'name = "bob"\nfile = "bob.csv"')
    assert load(write(tmp_path, text)).sites[1].load_w.tolist() == [3500.0] * 4


@pytest.mark.parametrize("name", ["sce56-day", "sce56-voltage", "sce56-cloudy"])
def test_shipped_scenario_holds_the_fleet_of_the_table(name):
    scenario = load(SHIPPED / f"{name}.toml")
    sites, plants = scenario.sites, scenario.plants
    assert len(sites) == 120
    assert [sum(site.kind == kind for site in sites) for kind in ("homes", "commerce")] == [84, 36]
    assert {(plant.bus, plant.peak_w) for plant in plants} == {(53, 1e6), (19, 8e5)}
    assert scenario.tariff.retail == (
        *(220_000,) * 6, *(280_000,) * 11, *(340_000,) * 2, *(420_000,) * 3, *(280_000,) * 2
    )  # fmt: skip
    assert scenario.forecast.model is Model.AR1
    assert scenario.forecast.sigma == 0.2
    assert scenario.settlement.kappa == 1_250_000


def test_voltage_variant_differs_in_the_substation_alone():
    day, voltage = (load(SHIPPED / f"sce56-{name}.toml") for name in ("day", "voltage"))
    assert (day.grid.root_voltage_pu, voltage.grid.root_voltage_pu) == (1.0, 1.02)
    assert not voltage.grid.inverter_q
    for one, other in zip(day.sites, voltage.sites, strict=True):
        assert one.name == other.name
        assert (one.load_w == other.load_w).all()


def test_participant_of_the_documentation_can_be_read(tmp_path):
    guide = (SHIPPED.parent / "docs" / "scenario.md").read_text(encoding="utf-8")
    block = guide.split("```toml\n")[1].split("```")[0]
    (tmp_path / "bakery.csv").write_text(csv().replace("time,home,sun", "time,load,PV4"))
    bakery = load(write(tmp_path, SMALL + block)).sites[-1]
    assert (bakery.name, bakery.bus) == ("bakery", 33)
    assert bakery.battery is not None
    assert bakery.battery.power_w == 10_000
    assert bakery.ev is None
    assert bakery.min_reputation == 200_000


def test_feeder_of_the_documentation_can_be_read(tmp_path):
    guide = (SHIPPED.parent / "docs" / "scenario.md").read_text(encoding="utf-8")
    block = guide.split("## Your own feeder")[1].split("```toml\n")[1].split("```")[0]
    (tmp_path / "village.toml").write_text(block)
    text = SMALL.replace('case = "sce56"', 'file = "village.toml"')
    text = text.replace("bus = 53", "bus = 2").replace("bus = 5", "bus = 2")
    feeder = load(write(tmp_path, text)).grid.file
    assert (feeder.name, feeder.power_factor) == ("village", 0.95)
    assert sorted(feeder.feeder.index) == [1, 2, 3]


def test_every_key_that_is_read_stands_in_the_documentation(tmp_path, monkeypatch):
    asked = set()
    get = Table._get

    def noted(table, key, default, expected):
        asked.add(key)
        return get(table, key, default, expected)

    monkeypatch.setattr(Table, "_get", noted)
    load(SHIPPED / "sce56-day.toml")
    load(write(tmp_path))
    guide = (SHIPPED.parent / "docs" / "scenario.md").read_text(encoding="utf-8")
    guide += (SHIPPED / "sce56-day.toml").read_text(encoding="utf-8")
    assert {"bus", "kappa", "battery_start_share"} < asked
    assert not [key for key in sorted(asked) if not re.search(rf"\b{key}\b", guide)]
