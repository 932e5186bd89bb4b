"""Small fleets for tests: sites with exactly the devices a test asks for."""

import numpy as np

from gridpact.prosumer.devices import Battery, Ev, Pv, Site


def site(
    name: str = "a",
    load_w: float | list[float] = 1000.0,
    pv_w: float | list[float] = 0.0,
    battery: Battery | None = None,
    ev: Ev | None = None,
    intervals: int = 4,
    bus: int = 3,
    ask_share: float = 0.5,
) -> Site:
    load = np.broadcast_to(np.asarray(load_w, dtype=float), (intervals,)).copy()
    sun = np.broadcast_to(np.asarray(pv_w, dtype=float), (intervals,)).copy()
    peak = float(sun.max())
    return Site(
        name=name,
        bus=bus,
        kind="homes",
        load_w=load,
        pv_w=sun,
        load_yesterday_w=load * 1.5,
        pv_yesterday_w=sun * 0.5,
        ask_share=ask_share,
        min_reputation=0,
        pv=Pv(peak, peak) if peak else None,
        battery=battery,
        ev=ev,
    )
