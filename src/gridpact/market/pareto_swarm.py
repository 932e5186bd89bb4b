"""The front of a trading case by particle swarm with archive ([Zeng23] section 4).

A particle moves by `v' = w v + c1 z1 (p_best - x) + c2 z2 (g_best - x)`, `x' = x + v'`; schemes
that no other beats stay in an archive. The guide g_best is the less crowded of two archive members;
when a round has added nothing, any member.

What the paper leaves open is how a position becomes an allowed scheme. Here every position is one
by construction. `ordered` (default): a position holds a surcharge on each pair's price, how much
weighted sales are worth, and how much is sold beyond the least demands; pairs are served in the
order of surcharged prices. `direct`: a position is the scheme itself, scaled to the limits. Both
end with the price cap: a scheme above it is drawn towards one that is allowed until it fits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from gridpact.market.pareto_case import Case, Floats
from gridpact.market.pareto_exact import exact
from gridpact.market.pareto_front import Front, of_tables, undominated

Random: TypeAlias = np.random.Generator


class Encoding(StrEnum):
    """How a position becomes a scheme."""

    ORDERED = "ordered"
    DIRECT = "direct"


@dataclass(frozen=True)
class Swarm:
    """Settings. inertia w, own c1, guide c2; archive: most schemes kept.

    anchors: whether the ends of the exact front are put into the first archive.
    """

    particles: int = 100
    inertia: float = 0.5
    own: float = 1.5
    guide: float = 1.5
    archive: int = 300
    encoding: Encoding = Encoding.ORDERED
    anchors: bool = False


def search(case: Case, evaluations: int, seed: int, swarm: Swarm | None = None) -> Front:
    """Return the archive after so many evaluated schemes; of length 0 if nothing is allowed.

    Each scheme is allowed: within the limits to 1e-9 of the largest energy.
    """
    swarm = swarm or Swarm()
    base = _base(case)
    if base is None:
        return Front(case, np.zeros((0, 2)), (), False)
    chance = np.random.default_rng(seed)
    decode, start = _encoding(case, base, swarm.encoding, min(swarm.particles, evaluations))
    first = [base[None]]
    if swarm.anchors:
        front = exact(case)
        first += [front.table(0)[None], front.table(-1)[None]]
    return _fly(case, decode, start(chance), np.concatenate(first), evaluations, chance, swarm)


_Decode: TypeAlias = Callable[[Floats], Floats]


def _fly(
    case: Case,
    decode: _Decode,
    position: Floats,
    first: Floats,
    evaluations: int,
    chance: Random,
    swarm: Swarm,
) -> Front:
    """Move the swarm until its evaluations are used up."""
    velocity = np.zeros_like(position)
    tables = decode(position)
    values = case.objectives(tables)
    best, best_values = position.copy(), values
    archive = _Archive(position, tables, values).pruned(swarm.archive)
    rounds, stalled = max(0, evaluations // len(position) - 1), False
    for _ in range(rounds):
        leader = archive.position[archive.leaders(len(position), stalled, chance)]
        towards_own, towards_guide = chance.random((2, *position.shape))
        velocity = (
            swarm.inertia * velocity
            + swarm.own * towards_own * (best - position)
            + swarm.guide * towards_guide * (leader - position)
        )
        position = position + velocity
        tables = decode(position)
        values = case.objectives(tables)
        better = _better(values, best_values, chance)
        best = np.where(better[:, None], position, best)
        best_values = np.where(better[:, None], values, best_values)
        grown = archive.joined(_Archive(position, tables, values)).pruned(swarm.archive)
        stalled = np.array_equal(grown.values, archive.values)
        archive = grown
    return of_tables(case, np.concatenate([first, archive.tables]), is_exact=False)


def _better(now: Floats, before: Floats, chance: Random) -> np.ndarray:
    """Say which particles improved on their own best; where neither beats the other: by lot."""
    wins = (now[:, 0] <= before[:, 0]) & (now[:, 1] >= before[:, 1])
    loses = (now[:, 0] >= before[:, 0]) & (now[:, 1] <= before[:, 1])
    return np.asarray(wins | (~loses & (chance.random(len(now)) < 0.5)))


@dataclass(frozen=True, eq=False)
class _Archive:
    """Schemes that nothing beats, by rising cost, with the positions they came from."""

    position: Floats
    tables: Floats
    values: Floats

    def joined(self, other: "_Archive") -> "_Archive":
        return _Archive(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.tables, other.tables]),
            np.concatenate([self.values, other.values]),
        )

    def pruned(self, most: int) -> "_Archive":
        """Return what nothing beats; of too many those with the most room about them."""
        keep = undominated(self.values)
        while len(keep) > most:
            room = _room(self.values[keep])
            # one in two neighbours at most goes at a time: the room of the other has changed
            crowded = np.argsort(room, kind="stable")[: max(1, (len(keep) - most) // 2)]
            keep = np.delete(keep, crowded)
        return _Archive(self.position[keep], self.tables[keep], self.values[keep])

    def leaders(self, count: int, stalled: bool, chance: Random) -> np.ndarray:
        """Return a guide for each particle: the roomier of two, or any when the swarm stalls."""
        one, other = chance.integers(0, len(self.values), (2, count))
        if stalled:
            return np.asarray(one)
        room = _room(self.values)
        return np.asarray(np.where(room[one] >= room[other], one, other))


def _room(values: Floats) -> Floats:
    """Return the distance of each point's two neighbours; infinite at the ends."""
    room = np.full(len(values), np.inf)
    if len(values) > 2:
        spread = np.maximum(np.ptp(values, axis=0), 1e-300)
        room[1:-1] = ((values[2:] - values[:-2]) / spread).sum(axis=1)
    return room


# -- positions and schemes ------------------------------------------------------------------------


def _base(case: Case) -> Floats | None:
    """Return an allowed scheme that others are drawn to: the least demands, cheapest first.

    Where that costs more than the cap allows, the exact walk says whether anything is allowed.
    """
    if case.is_short:
        return None
    cheapest = case.unit_cost.ravel()[None]
    least = _served(case, cheapest, case.demand_min, np.full(1, np.inf), _nothing(case, 1))[0]
    if float(case.violation(least)) <= 1e-9:
        return np.asarray(least)
    front = exact(case)
    return front.table(0) if len(front) else None


def _nothing(case: Case, count: int) -> Floats:
    return np.zeros((count, *case.shape))


def _encoding(
    case: Case, base: Floats, encoding: Encoding, particles: int
) -> tuple[_Decode, Callable[[Random], Floats]]:
    """Return how positions become schemes, and the first positions."""
    pairs = base.size
    if encoding is Encoding.DIRECT:
        limit = np.minimum(case.capacity[:, None], case.demand_max).ravel()
        return (
            lambda position: _within_cap(case, _scaled(case, position), base),
            lambda chance: chance.random((particles, pairs)) * limit,
        )
    reach = float(np.ptp(case.unit_cost)) or 1.0

    def start(chance: Random) -> Floats:
        # from prices as they are to orders that are mere chance
        surcharge = (
            chance.standard_normal((particles, pairs)) * np.linspace(0, 1, particles)[:, None]
        )
        worth, volume = chance.random((2, particles, 1)) * [[[2.0]], [[1.0]]]
        return np.concatenate([surcharge, worth, volume], axis=1)

    def decode(position: Floats) -> Floats:
        worth = np.clip(position[:, -2:-1], 0.0, None) * case.weight.repeat(case.shape[1])
        key = case.unit_cost.ravel() / reach - worth + position[:, :-2]
        return _within_cap(case, _ordered(case, key, np.clip(position[:, -1], 0.0, 1.0)), base)

    return decode, start


def _ordered(case: Case, key: Floats, volume: Floats) -> Floats:
    """Serve the least demands in the order of keys, then a share of what is left to sell."""
    least = _served(case, key, case.demand_min, np.full(len(key), np.inf), _nothing(case, len(key)))
    most = min(case.capacity.sum(), case.demand_max.sum()) - case.demand_min.sum()
    return _served(case, key, case.demand_max, volume * max(0.0, most), least)


def _served(case: Case, key: Floats, demand: Floats, volume: Floats, upon: Floats) -> Floats:
    """Add trades in the order of keys until demand, capacity or volume is used up, (n, s, u)."""
    count, users = len(key), case.shape[1]
    row = np.arange(count)
    table = upon.reshape(count, -1).copy()
    may = np.ones(table.shape[1], np.bool_)
    may[case.barred] = False
    left = case.capacity - upon.sum(axis=2)
    open_ = demand - upon.sum(axis=1)
    more = volume.copy()
    for place in np.argsort(key, axis=1, kind="stable").T:
        supplier, user = np.divmod(place, users)
        energy = np.minimum(np.minimum(left[row, supplier], open_[row, user]), more)
        energy = np.maximum(energy, 0.0) * may[place]
        table[row, place] += energy
        left[row, supplier] -= energy
        open_[row, user] -= energy
        more -= energy
    return table.reshape(upon.shape)


def _scaled(case: Case, position: Floats) -> Floats:
    """Return positions as schemes: negative trades are none, rows and columns scaled down.

    What a user then lacks of its least demand it gets from the cheapest with something left.
    """
    flat = np.maximum(position, 0.0)
    flat[:, case.barred] = 0.0
    table = flat.reshape(-1, *case.shape)
    table = table * _down_to(case.capacity, table.sum(axis=2))[:, :, None]
    table = table * _down_to(case.demand_max, table.sum(axis=1))[:, None, :]
    key = np.broadcast_to(case.unit_cost.ravel(), (len(table), position.shape[1]))
    table = _served(case, key, case.demand_min, np.full(len(table), np.inf), table)
    short = (case.demand_min - table.sum(axis=1)).max(axis=1)
    if (short <= 1e-9 * case.scale).all():
        return table
    # others hold what is lacking: give up what they take beyond their least demand
    spare = _down_to(case.demand_min, table.sum(axis=1))[:, None, :]
    table = np.where((short > 1e-9 * case.scale)[:, None, None], table * spare, table)
    return _served(case, key, case.demand_min, np.full(len(table), np.inf), table)


def _down_to(limit: Floats, values: Floats) -> Floats:
    """Return the factors that bring values down to a limit; 1 where they keep it."""
    factors = np.ones_like(values)
    limits = np.broadcast_to(limit, values.shape)
    return np.divide(limits, values, out=factors, where=values > limits)


def _within_cap(case: Case, table: Floats, base: Floats) -> Floats:
    """Draw schemes above the price cap towards an allowed one until they just fit.

    Where barred pairs kept somebody from its least demand the allowed one stands itself.
    """
    if case.barred.size:
        short = (case.demand_min - table.sum(axis=1)).max(axis=1) > 1e-12 * case.scale
        table = np.where(short[:, None, None], base, table)
    if not case.is_capped:
        return table
    above = case.unit_cost - case.price_cap
    excess = (table * above).sum(axis=(1, 2))
    spare = min(0.0, float((base * above).sum()))
    excess = np.maximum(excess, 0.0)
    share = np.divide(excess, excess - spare, out=np.zeros_like(excess), where=excess > 0)
    return np.asarray(table + np.clip(share, 0.0, 1.0)[:, None, None] * (base - table))
