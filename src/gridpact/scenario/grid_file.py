"""Which feeder does a file of gridpact, pandapower or MATPOWER describe? Told by its ending.

`.toml`: gridpact's own (`feeder_file`); `.json`: a net of pandapower, as its `to_json` writes it,
SimBench grids among them, read here without pandapower; `.m`: a case of MATPOWER. Loads of the
file count as peak loads; its generators are left to the scenario, which says who generates.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridpact.errors import FeederError, ScenarioError
from gridpact.grid.importers.frames import Frame
from gridpact.grid.importers.matpower import from_matpower
from gridpact.grid.importers.pandapower_net import TABLES, from_frames
from gridpact.grid.net import Net, radial
from gridpact.scenario.feeder_file import FeederFile, read_feeder


def read_grid(path: Path) -> FeederFile:
    """Return the feeder of a file, whatever its form.

    Raises
    ------
    ScenarioError
        The file is missing, of an unknown form, or broken.
    FeederError
        It holds no radial net that gridpact can use; the message begins with the file.
    """
    if path.suffix == ".toml":
        return read_feeder(path)
    if path.suffix not in (".json", ".m"):
        raise ScenarioError(path, "", "expected a feeder as .toml, .json (pandapower) or .m")
    try:
        net = read_net(path)
        feeder = radial(net)
    except FeederError as error:
        raise FeederError(f"{path}: {error.place}", error.problem) from error
    if (bus := net.tapped()) is not None:
        raise FeederError(
            f"{path}: bus {bus}",
            f"a tap makes 1 pu {net.v_kv[bus]:g} kV where {net.nominal_kv[bus]:g} kV is nominal;"
            " in a scenario voltage limits need taps in their neutral position",
        )
    peak = {bus: abs(net.load_mva.get(bus, 0.0)) for bus in net.v_kv}
    for bus, mva in net.load_mva.items():
        if mva.real < 0:
            raise FeederError(f"{path}: bus {bus}", f"negative load {mva.real:g} MW")
    total = sum(net.load_mva.values(), 0j)
    factor = total.real / abs(total) if total.real > 0 else 1.0
    return FeederFile(net.name or path.stem, feeder, peak, factor, net.v_root)


def read_net(path: Path) -> Net:
    """Return the net of a pandapower JSON file or a MATPOWER case, radial or not."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(path, "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(path, "", f"is no text: {error}") from error
    if path.suffix == ".m":
        return from_matpower(text, path.stem)
    try:
        data = json.loads(text)["_object"]
        frames = {name: _frame(name, data[name]) for name in TABLES if _is_table(data.get(name))}
        f_hz, base, name = float(data["f_hz"]), float(data["sn_mva"]), str(data["name"] or "")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ScenarioError(path, "", f"is no net of pandapower as JSON: {error!r}") from error
    return from_frames(frames, f_hz, base, name)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("_class") == "DataFrame"


def _frame(name: str, table: Mapping[str, Any]) -> Frame:
    """Return a data frame written in pandas' form "split"."""
    held = table["_object"]
    split = json.loads(held) if isinstance(held, str) else held
    rows = split["data"]
    columns = {
        str(column): [row[place] for row in rows] for place, column in enumerate(split["columns"])
    }
    return Frame(name, [int(number) for number in split["index"]], columns)
