"""A net as pandapower has it, for everything that pandapower can do with one.

Needs the optional extra `pandapower`. Buses keep their numbers; shunts and losses of iron stand as
shunts, so that both programs solve the same equations.
"""

import math
from importlib import import_module
from typing import Any

from gridpact.errors import MissingExtra
from gridpact.grid.feeder import Line
from gridpact.grid.importers.pandapower_net import NO_RATING
from gridpact.grid.net import Net


def to_pandapower(net: Net) -> Any:
    """Return a pandapower net with the lines, transformers, shunts, loads and units of `net`.

    Raises
    ------
    MissingExtra
        pandapower is not installed.
    """
    try:
        pp: Any = import_module("pandapower")
    except ImportError as error:
        raise MissingExtra("a net of pandapower", "pandapower", "pandapower") from error
    made = pp.create_empty_network(name=net.name, sn_mva=net.s_base_mva)
    for bus in sorted(net.v_kv):
        pp.create_bus(made, vn_kv=net.nominal_kv[bus], index=bus)
    pp.create_ext_grid(made, net.root, vm_pu=net.v_root * net.v_kv[net.root] / _nominal(net))
    for line in net.lines:
        if math.isclose(
            net.nominal_kv[line.from_bus], net.nominal_kv[line.to_bus]
        ) and math.isclose(net.v_kv[line.from_bus], net.v_kv[line.to_bus]):
            _line(pp, made, net, line)
        else:
            _transformer(pp, made, net, line)
    for bus, mva in net.shunt_mva.items():
        pp.create_shunt(made, bus, p_mw=mva.real, q_mvar=mva.imag, vn_kv=net.v_kv[bus])
    for bus, mva in net.load_mva.items():
        pp.create_load(made, bus, p_mw=mva.real, q_mvar=mva.imag)
    for unit in net.units:
        ranges = dict(zip(("min_p_mw", "max_p_mw"), unit.p_mw_range or (), strict=False))
        ranges |= dict(zip(("min_q_mvar", "max_q_mvar"), unit.q_mvar_range or (), strict=False))
        pp.create_sgen(made, unit.bus, p_mw=unit.p_mw, q_mvar=unit.q_mvar, name=unit.name, **ranges)
    return made


def _nominal(net: Net) -> float:
    return net.nominal_kv[net.root]


def _line(pp: Any, made: Any, net: Net, line: Line) -> None:
    ka = NO_RATING
    if line.s_max_mva is not None:
        ka = line.s_max_mva / (math.sqrt(3) * net.nominal_kv[line.from_bus])
    pp.create_line_from_parameters(
        made,
        line.from_bus,
        line.to_bus,
        length_km=1.0,
        r_ohm_per_km=line.r_ohm,
        x_ohm_per_km=line.x_ohm,
        c_nf_per_km=0.0,
        max_i_ka=ka,
    )


def _transformer(pp: Any, made: Any, net: Net, line: Line) -> None:
    upper, lower, back = line.from_bus, line.to_bus, 1.0
    if net.v_kv[upper] < net.v_kv[lower]:
        upper, lower = lower, upper
        back = (net.v_kv[upper] / net.v_kv[lower]) ** 2
    mva = net.s_base_mva if line.s_max_mva is None else line.s_max_mva
    per_unit = back * mva / net.v_kv[upper] ** 2
    pp.create_transformer_from_parameters(
        made,
        upper,
        lower,
        sn_mva=mva,
        vn_hv_kv=net.v_kv[upper],
        vn_lv_kv=net.v_kv[lower],
        vkr_percent=100 * line.r_ohm * per_unit,
        vk_percent=100 * math.hypot(line.r_ohm, line.x_ohm) * per_unit,
        pfe_kw=0.0,
        i0_percent=0.0,
        max_loading_percent=100.0 if line.s_max_mva is not None else 100 * NO_RATING,
    )
