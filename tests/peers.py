"""Other people's power flow, to hold ours against: a radial feeder as a pandapower net."""

from typing import Any

import numpy as np
import pandapower

from gridpact.grid.feeder import Feeder, FloatArray


def pandapower_net(feeder: Feeder, v_root: float) -> Any:
    """Return the feeder with one load per bus, in the feeder's order, loads still zero."""
    net = pandapower.create_empty_network(sn_mva=1.0)
    z_base = feeder.v_base_kv**2 / feeder.s_base_mva
    for _ in feeder.ids:
        pandapower.create_bus(net, vn_kv=feeder.v_base_kv)
    pandapower.create_ext_grid(net, 0, vm_pu=v_root)
    for place in range(1, feeder.size):
        pandapower.create_line_from_parameters(
            net,
            int(feeder.parent[place]),
            place,
            length_km=1.0,
            r_ohm_per_km=float(feeder.r[place] * z_base),
            x_ohm_per_km=float(feeder.x[place] * z_base),
            c_nf_per_km=0.0,
            max_i_ka=100.0,
        )
    for place in range(feeder.size):
        pandapower.create_load(net, place, p_mw=0.0, q_mvar=0.0)
        if feeder.shunt[place]:
            pandapower.create_shunt(net, place, q_mvar=-float(feeder.shunt[place]))
    return net


def voltages(net: Any, load_mw: FloatArray, load_mvar: FloatArray) -> FloatArray:
    """Return the voltages under loads per bus, in the net's order. [pu]"""
    net.load["p_mw"] = load_mw
    net.load["q_mvar"] = load_mvar
    pandapower.runpp(net, tolerance_mva=1e-12, max_iteration=50, numba=False)
    found: FloatArray = net.res_bus.vm_pu.to_numpy()
    return np.asarray(found)
