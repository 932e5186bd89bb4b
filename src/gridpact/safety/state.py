"""All that the sensors remember from one moment to the next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.safety import balance, charts, equipment, meters, principal, weather
from gridpact.safety.balance import FeederStates
from gridpact.safety.charts import ChartState
from gridpact.safety.equipment import EquipmentState
from gridpact.safety.expected import Small
from gridpact.safety.layout import NONE
from gridpact.safety.learned import Learned
from gridpact.safety.meters import MeterState
from gridpact.safety.principal import PrincipalState
from gridpact.safety.terms import Terms
from gridpact.safety.verdict import OK
from gridpact.safety.weather import WeatherState


@dataclass(eq=False)
class State:
    """All that changes. `share`, `offset`: missing share and kW of each blamed report; `code`:
    class of each meter's verdict; `since`: when its episode began; `bouts`, `until`: how often it
    was blamed, and until when that counts; `sky_told`: only a warning says so;
    `machine_channel`: the channel that departs from the others, and by how much (`machine_off`);
    `weathered`, `ticked`: newest moment of each clock.
    """

    weather: WeatherState
    equipment: EquipmentState
    principal: PrincipalState
    meters: MeterState
    charts: ChartState
    feeders: FeederStates
    share: NDArray[np.float64]
    offset: NDArray[np.float64]
    lasting: NDArray[np.int8]
    first: NDArray[np.float64]
    code: NDArray[np.int8]
    score: Small
    since: NDArray[np.int64]
    bouts: NDArray[np.int16]
    until: NDArray[np.int64]
    sky: NDArray[np.int8]
    sky_score: NDArray[np.float64]
    sky_since: NDArray[np.int64]
    sky_told: NDArray[np.bool_]
    machine: NDArray[np.int8]
    machine_since: NDArray[np.int64]
    line: NDArray[np.int8]
    line_since: NDArray[np.int64]
    area_silent: NDArray[np.int64]
    machine_score: NDArray[np.float64]
    machine_channel: NDArray[np.int64]
    machine_off: NDArray[np.float64]
    line_score: NDArray[np.float64]
    time: int = 0
    weathered: int = -1
    ticked: int = -1


def fresh(learned: Learned, terms: Terms) -> State:
    """Return the state before the first reading."""
    layout = learned.layout
    count, stations = len(layout.meters), len(layout.stations)
    machines, lines = len(layout.transformers), len(layout.lines)
    none = OK
    return State(
        weather=weather.fresh(stations, terms.weather),
        equipment=equipment.fresh(machines, lines, terms.equipment),
        principal=principal.fresh(machines, terms.principal),
        meters=meters.fresh(count, learned.longest, terms.meters),
        charts=charts.fresh(count),
        feeders=balance.fresh(learned.feeders, terms.balance),
        share=np.zeros(count),
        offset=np.zeros(count),
        lasting=np.full(count, none, np.int8),
        first=np.zeros(count),
        code=np.full(count, none, np.int8),
        score=np.zeros(count, np.float32),
        since=np.zeros(count, np.int64),
        bouts=np.zeros(count, np.int16),
        until=np.zeros(count, np.int64),
        sky=np.full(stations, none, np.int8),
        sky_score=np.zeros(stations),
        sky_since=np.zeros(stations, np.int64),
        sky_told=np.zeros(stations, bool),
        machine=np.full(machines, none, np.int8),
        machine_since=np.zeros(machines, np.int64),
        line=np.full(lines, none, np.int8),
        line_since=np.zeros(lines, np.int64),
        area_silent=np.zeros(len(layout.feeders), np.int64),
        machine_score=np.zeros(machines),
        machine_channel=np.full(machines, NONE),
        machine_off=np.zeros(machines),
        line_score=np.zeros(lines),
    )
