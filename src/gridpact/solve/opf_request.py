"""What is asked with `gridpact solve opf`? The records of its JSON, and the problem they are.

Power in MW and Mvar, energy in MWh, voltage in per unit, prices per MWh. docs/solve.md explains
every key. Lists over devices follow the `bus` list of their kind; loads stand one row an interval,
in a row by rising bus number.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np

from gridpact.errors import FeederError, FieldError
from gridpact.grid.feeder import Feeder, FloatArray, IntArray, Line, build
from gridpact.grid.flexible import Curtailable as Sheddable
from gridpact.grid.flexible import Shiftable as Movable
from gridpact.grid.problem import DeviceSets, Problem
from gridpact.grid.problem import Ev as Cars
from gridpact.grid.problem import Generator as Generators
from gridpact.grid.problem import Pv as Panels
from gridpact.grid.problem import Storage as Batteries
from gridpact.solve.read import decode, require_count

Bus = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Numbers = list[float]
Rows = list[list[float]]
ByInterval = float | list[float]
"""One number for all intervals, or one for each."""


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A JSON object whose keys are all known."""


class Branch(_Record, frozen=True, rename={"from_bus": "from", "to_bus": "to"}):
    from_bus: Bus
    to_bus: Bus
    r_ohm: float
    x_ohm: float
    s_max_mva: float | None = None


class Network(_Record, frozen=True):
    v_base_kv: float
    s_base_mva: float
    root: Bus
    branches: list[Branch]
    shunt_mvar: dict[Bus, float] = {}


class Pv(_Record, frozen=True):
    bus: list[Bus]
    s_mva: Numbers
    available_mw: Rows
    offer: Numbers
    reactive: bool = True


class Storage(_Record, frozen=True):
    bus: list[Bus]
    p_max_mw: Numbers
    e_min_mwh: Numbers
    e_max_mwh: Numbers
    e_0_mwh: Numbers
    eta_charge: Numbers
    eta_discharge: Numbers
    wear_per_mwh: Numbers
    e_final_mwh: Numbers | None = None


class Ev(_Record, frozen=True):
    bus: list[Bus]
    p_max_mw: Numbers
    energy_mwh: Numbers
    start: list[Count]
    end: list[Count]
    eta: Numbers


class Generator(_Record, frozen=True):
    bus: list[Bus]
    p_min_mw: Numbers
    p_max_mw: Numbers
    q_min_mvar: Numbers
    q_max_mvar: Numbers
    c2: Numbers
    c1: Numbers


class Shiftable(_Record, frozen=True):
    bus: list[Bus]
    energy_mwh: Numbers
    p_min_mw: Rows
    p_max_mw: Rows
    start: list[Count]
    end: list[Count]
    mvar_per_mw: Numbers


class Curtailable(_Record, frozen=True):
    bus: list[Bus]
    share: Numbers
    price: Numbers


class Request(_Record, frozen=True):
    """The whole input. What has no default must be there."""

    network: Network
    intervals: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    dt_h: float
    v_min: ByInterval
    v_max: ByInterval
    v_root: ByInterval
    load_p_mw: Rows
    load_q_mvar: Rows
    price_buy: Numbers
    price_sell: Numbers
    zip_p: tuple[float, float, float] = (0.0, 0.0, 1.0)
    zip_q: tuple[float, float, float] = (0.0, 0.0, 1.0)
    pv: Pv | None = None
    storage: Storage | None = None
    ev: Ev | None = None
    generator: Generator | None = None
    shiftable: Shiftable | None = None
    curtailable: Curtailable | None = None
    import_max_mw: ByInterval | None = None
    export_max_mw: ByInterval | None = None


def request(data: object) -> Request:
    """Return JSON data as a request.

    Raises
    ------
    FieldError
        Names the field that is missing, not known, or of another type.
    """
    return decode(data, Request)


def problem(asked: Request) -> Problem:
    """Return the problem of a request, its numbers checked.

    Raises
    ------
    FieldError
        A list of another length than the others ask for.
    FeederError
        The branches are no radial net, or numbers that cannot be used; names the field.
    """
    feeder, T = _feeder(asked.network), asked.intervals
    for name in ("price_buy", "price_sell"):
        require_count(name, getattr(asked, name), T, "one for each interval")
    return Problem(
        feeder=feeder,
        dt_h=asked.dt_h,
        v_min=_limit("v_min", asked.v_min, T),
        v_max=_limit("v_max", asked.v_max, T),
        v_root=np.broadcast_to(_limit("v_root", asked.v_root, T), (T,)).astype(float),
        load_p_mw=_loads("load_p_mw", asked.load_p_mw, T, feeder),
        load_q_mvar=_loads("load_q_mvar", asked.load_q_mvar, T, feeder),
        price_buy=np.array(asked.price_buy, dtype=float),
        price_sell=np.array(asked.price_sell, dtype=float),
        devices=_devices(asked, feeder),
        zip_p=asked.zip_p,
        zip_q=asked.zip_q,
        import_max_mw=_bound("import_max_mw", asked.import_max_mw, T),
        export_max_mw=_bound("export_max_mw", asked.export_max_mw, T),
    ).checked()


def _feeder(network: Network) -> Feeder:
    lines = [
        Line(one.from_bus, one.to_bus, one.r_ohm, one.x_ohm, one.s_max_mva)
        for one in network.branches
    ]
    if not lines:
        raise FieldError("network.branches", "is empty, expected at least one branch")
    try:
        return build(network.root, lines, network.shunt_mvar, network.s_base_mva, network.v_base_kv)
    except FeederError as error:
        raise FeederError(f"network: {error.place}", error.problem) from error


def _limit(name: str, value: ByInterval, intervals: int) -> float | FloatArray:
    if isinstance(value, float):
        return value
    require_count(name, value, intervals, "one for each interval")
    return np.array(value, dtype=float)


def _bound(name: str, value: ByInterval | None, intervals: int) -> float | FloatArray:
    return np.inf if value is None else _limit(name, value, intervals)


def _loads(name: str, rows: Rows, intervals: int, feeder: Feeder) -> FloatArray:
    """Return loads in the feeder's order of buses. (interval, bus)"""
    by_number = columns(feeder)
    require_count(name, rows, intervals, "one row for each interval")
    for t, row in enumerate(rows):
        meaning = f"one for each bus by rising number, {_span(feeder, by_number)}"
        require_count(f"{name}[{t}]", row, len(by_number), meaning)
    loads = np.empty((intervals, feeder.size))
    loads[:, by_number] = np.array(rows, dtype=float)
    return loads


def columns(feeder: Feeder) -> IntArray:
    """Return the places of buses by rising number."""
    return np.argsort(feeder.ids)


def _span(feeder: Feeder, by_number: IntArray) -> str:
    return f"{feeder.ids[by_number[0]]} to {feeder.ids[by_number[-1]]}"


def _devices(asked: Request, feeder: Feeder) -> DeviceSets:
    """Return the devices; the records of JSON have the names of those of `grid.problem`."""
    records = {
        "pv": Panels,
        "storage": Batteries,
        "ev": Cars,
        "generator": Generators,
        "shiftable": Movable,
        "curtailable": Sheddable,
    }
    made: dict[str, Any] = {}
    for kind, record in records.items():
        given = getattr(asked, kind)
        if given is not None:
            _check_lengths(kind, given, asked.intervals, feeder)
            made[kind] = record(**_arrays(kind, msgspec.structs.asdict(given)))
    return DeviceSets(**made)


def _arrays(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return lists as arrays: rows as tables, buses and intervals as whole numbers."""
    count, made = len(values["bus"]), dict(values)
    for name, value in values.items():
        if (kind, name) in _BY_INTERVAL:
            made[name] = np.array(value, dtype=float).reshape(len(value), count)
        elif isinstance(value, list):
            made[name] = np.array(value, dtype=np.int64 if name in _WHOLE else float)
    return made


_WHOLE = ("bus", "start", "end")
_BY_INTERVAL = {("pv", "available_mw"), ("shiftable", "p_min_mw"), ("shiftable", "p_max_mw")}


def _check_lengths(kind: str, given: msgspec.Struct, intervals: int, feeder: Feeder) -> None:
    """Refuse lists that do not fit to the list of buses, and buses that are not there."""
    values = msgspec.structs.asdict(given)
    count, meaning = len(values["bus"]), f"one for each of {kind}.bus"
    for place, bus in enumerate(values["bus"]):
        if bus not in feeder.index:
            raise FieldError(f"{kind}.bus[{place}]", f"bus {bus} is not in the network")
    for name, value in values.items():
        if not isinstance(value, list):
            continue
        if (kind, name) in _BY_INTERVAL:
            require_count(f"{kind}.{name}", value, intervals, "one row for each interval")
            for t, row in enumerate(value):
                require_count(f"{kind}.{name}[{t}]", row, count, meaning)
        else:
            require_count(f"{kind}.{name}", value, count, meaning)
