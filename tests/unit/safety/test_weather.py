"""Weather rules, with their hysteresis and the sensors that nobody should believe."""

import numpy as np
import pytest

from gridpact.safety.verdict import Hazard
from gridpact.safety.warning import LEVELS
from gridpact.safety.weather import FIELDS, Weather, WeatherTerms, fresh, step

TERMS = WeatherTerms()
CALM = {
    "temp_c": 15.0, "rh": 60.0, "press_hpa": 1013.0, "wind_ms": 4.0, "gust_ms": 6.0,
    "rain_mmh": 0.0, "ltg_10km": 0.0, "efield_kvm": 0.1, "cape_jkg": 50.0, "ghi_wm2": 300.0,
}  # fmt: skip


def unsafe(one: Weather) -> bool:
    """Return whether anything is wrong at the first station."""
    flags = (one.high_wind, one.typhoon, one.thunderstorm, one.lightning)
    return any(bool(flag[0]) for flag in flags)


def blown(*rows: dict[str, float]) -> list[Weather]:
    """Return the verdicts of a station over rows that differ from calm; winds never stand still."""
    state, found = fresh(1, TERMS), []
    for at, row in enumerate(rows):
        # two gusts are never the same to the digit
        values = {**CALM, **row}
        if np.isfinite(values["gust_ms"]) and "gust_ms" in row:
            values["gust_ms"] += 0.001 * (at % 7)
        found.append(step(state, np.array([[values[one]] for one in FIELDS]), TERMS))
    return found


GALE = {"gust_ms": 20.0, "wind_ms": 13.0}
FLASH = {"ltg_10km": 2.0, "efield_kvm": 5.0, "cape_jkg": 900.0}


def test_four_gusts_of_six_are_high_wind_and_three_are_not() -> None:
    assert not any(one.high_wind[0] for one in blown(*[{}] * 6, GALE, GALE, GALE, {}, {}, {}))
    found = blown(*[{}] * 6, GALE, GALE, {}, GALE, GALE)
    assert [bool(one.high_wind[0]) for one in found[-2:]] == [False, True]


def test_a_lull_belongs_to_the_storm_while_it_still_blows() -> None:
    breeze = {"gust_ms": 13.0, "wind_ms": 9.0}
    assert blown(*[GALE] * 6, *[breeze] * 20)[-1].high_wind[0]
    assert not blown(*[GALE] * 6, *[breeze] * 40)[-1].high_wind[0]
    assert not blown(*[GALE] * 6, *[{}] * 7)[-1].high_wind[0]


def test_wind_under_a_fallen_pressure_is_a_typhoon_and_its_eye_too() -> None:
    falling = [{**GALE, "press_hpa": 1003.0}] * 6
    eye = [{"gust_ms": 3.0, "wind_ms": 2.0, "press_hpa": 995.0}] * 12
    found = blown(*[{}] * 12, *falling, *eye)
    assert found[-13].typhoon[0]
    assert found[-1].typhoon[0]
    assert not found[-1].high_wind[0]
    assert not any(one.typhoon[0] for one in blown(*[{}] * 12, *[GALE] * 6))


def test_flashes_are_lightning_and_with_rain_a_thunderstorm_until_30_minutes_later() -> None:
    dry, wet = blown({}, FLASH, FLASH), blown({}, FLASH, {**FLASH, "rain_mmh": 5.0})
    assert (dry[-1].lightning[0], dry[-1].thunderstorm[0]) == (True, False)
    assert (wet[-1].lightning[0], wet[-1].thunderstorm[0]) == (False, True)
    after = blown({}, FLASH, FLASH, *[{}] * 6)
    assert [unsafe(one) for one in after[-3:]] == [True, True, False]


def test_counts_without_any_other_sign_are_a_fault_of_the_counter() -> None:
    found = blown({}, *[{"ltg_10km": 9.0}] * 4)[-1]
    assert not unsafe(found)
    assert found.faulty[0]


def test_a_dead_counter_in_convective_rain_does_not_permit() -> None:
    storm = {"rain_mmh": 20.0, "cape_jkg": 1500.0, "efield_kvm": 8.0}
    assert blown({}, storm)[-1].thunderstorm[0]


def test_a_frozen_or_chattering_anemometer_is_no_hazard() -> None:
    state = fresh(1, TERMS)
    frozen = [
        step(state, np.array([[{**CALM, **GALE}[one]] for one in FIELDS]), TERMS) for _ in range(40)
    ]
    assert frozen[-1].faulty[0]
    assert not unsafe(frozen[-1])
    chatter = blown({}, *[{"gust_ms": 60.0, "wind_ms": 3.0}, {}] * 6)
    assert not any(unsafe(one) for one in chatter)


def test_a_silent_station_is_stale_and_a_warning_only_raises() -> None:
    state = fresh(2, TERMS)
    nothing = np.full((len(FIELDS), 2), np.nan)
    found = [step(state, nothing, TERMS) for _ in range(3)][-1]
    assert found.stale.all()
    heard = np.array([[CALM[one]] * 2 for one in FIELDS])
    winds = np.array([[one is Hazard.HIGH_WIND, False] for one in LEVELS])
    warned = step(state, heard, TERMS, winds)
    assert (warned.high_wind.tolist(), warned.stale.tolist()) == ([True, False], [False, False])
    assert (warned.told.tolist(), warned.score[0] >= 1) == ([True, False], True)


@pytest.mark.parametrize(
    ("notice", "hazard", "told"),
    [
        (Hazard.LIGHTNING, Hazard.HIGH_WIND, False),
        (Hazard.HIGH_WIND, Hazard.HIGH_WIND, False),
        (Hazard.THUNDERSTORM, Hazard.THUNDERSTORM, True),
        (Hazard.TYPHOON, Hazard.TYPHOON, True),
    ],
)
def test_a_warning_below_what_is_measured_changes_nothing(
    notice: Hazard, hazard: Hazard, told: bool
) -> None:
    """The station measures a gale; the service warns of something milder or worse."""
    state, warned = fresh(1, TERMS), np.array([[one is notice] for one in LEVELS])
    row = {**CALM, **GALE}
    for _ in range(6):
        row["gust_ms"] += 0.001
        found = step(state, np.array([[row[one]] for one in FIELDS]), TERMS, warned)
    kinds = {Hazard.LIGHTNING: found.lightning, Hazard.HIGH_WIND: found.high_wind,
             Hazard.THUNDERSTORM: found.thunderstorm, Hazard.TYPHOON: found.typhoon}  # fmt: skip
    assert [one for one, flag in kinds.items() if flag[0]] == [hazard]
    assert bool(found.told[0]) is told


@pytest.mark.parametrize("field", FIELDS)
def test_one_field_missing_never_raises_an_error(field: str) -> None:
    assert not unsafe(blown({}, {field: float("nan")}, {})[-1])


def test_a_thunderstorm_is_over_thirty_minutes_after_its_last_flash() -> None:
    """Single flashes after three do not begin one, but keep it running."""
    sign = {"efield_kvm": 3.0, "cape_jkg": 900.0}
    rows = [{"ltg_10km": 3.0, **sign}, *[sign] * 4, {"ltg_10km": 1.0, **sign}, *[sign] * 6]
    assert [unsafe(one) for one in blown(*rows)] == [True] * 11 + [False]
    assert not any(unsafe(one) for one in blown({"ltg_10km": 1.0, **sign}, *[sign] * 4))
