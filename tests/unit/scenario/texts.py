"""A small scenario and its profile file as texts, for tests that spoil them."""

from pathlib import Path

SMALL = """
seed = 7
[time]
date = 2016-06-09
intervals = 4
interval_minutes = 60
[feeder]
case = "sce56"
[profiles]
file = "profiles.csv"
[tariff]
network_share_per_kwh = 0.09
feed_in_per_kwh = 0.08
local_charge_per_kwh = 0.04
zonal_charge_per_kwh = 0.06
[[tariff.retail]]
from_h = 0
per_kwh = 0.22
[[tariff.retail]]
from_h = 2
per_kwh = 0.30
[[participant]]
name = "ann"
bus = 3
profile = "home"
rated_kw = 2.0
pv_kw = 4.0
pv_profile = "sun"
battery_kwh = 5.0
[[participant]]
name = "bob"
bus = 5
profile = "home"
[[plant]]
name = "meadow"
bus = 53
peak_kw = 100.0
profile = "sun"
"""


def csv(rows: int = 16, column: str = "home", value: str = "0.5", at: int | None = None) -> str:
    """Return a quarter-hourly profile file of 9 June; `value` stands at row `at` of `column`."""
    lines = ["time,home,sun"]
    for i in range(rows):
        cells = {"home": "0.25", "sun": f"{i / 100}"}
        if i == at:
            cells[column] = value
        lines.append(f"2016-06-09 {i // 4:02d}:{i % 4 * 15:02d}:00,{cells['home']},{cells['sun']}")
    return "\n".join(lines) + "\n"


def write(folder: Path, text: str = SMALL, profiles: str | None = None) -> Path:
    (folder / "profiles.csv").write_text(csv() if profiles is None else profiles)
    path = folder / "day.toml"
    path.write_text(text)
    return path
