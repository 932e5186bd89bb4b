"""The question that the market asks of the wires, as a protocol: may this clearing flow?

Implemented in `grid.check`, handed to the market by `cycle`. Power is in whole W and var here;
floats stay inside `grid`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Injector(msgspec.Struct, frozen=True):
    """A participant's generation (PV, plant, battery discharge) at its bus in one interval.

    `generation_w` is what it will feed in unless limited, `rank` its place in the order of
    cutting: the highest rank is cut first (last in merit order, unsold energy before sold).
    `inverter_va` is its rated apparent power, with which it may supply or take reactive power.
    """

    participant: bytes
    bus: int
    generation_w: int
    rank: int
    inverter_va: int


class Curtailment(msgspec.Struct, frozen=True):
    """A limit that binds an injector: at most `power_w`, because of `limit` ("v_max at bus 19").

    `multiplier` is the marginal worth of relaxing the limit. [ppm of cut energy]
    """

    participant: bytes
    power_w: int
    limit: str
    multiplier: int


class GridVerdict(msgspec.Struct, frozen=True):
    """What the check found. Without curtailment and conflicts the clearing stands as it is.

    `reactive_var` per participant is the inverters' set point (positive = supplied).
    `conflicts` names limits that not even zero generation can hold: all trade then falls back
    to grid supply.
    """

    curtailments: tuple[Curtailment, ...]
    reactive_var: Mapping[bytes, int]
    loss_w: int
    v_min: float
    v_max: float
    binding: tuple[str, ...]
    conflicts: tuple[str, ...] = ()


class GridCheck(Protocol):
    """Judge one interval: load per bus as (W, var), and who injects."""

    def __call__(
        self,
        interval: int,
        load: Mapping[int, tuple[int, int]],
        injectors: Sequence[Injector],
    ) -> GridVerdict: ...
