"""What the wires' verdict takes from the clearing (5-decisions, section 6).

A limited seller loses its surplus first, then its fills from the last one backwards. What a fill
loses its buyer lacks: `unmet` then leaves it to the next tier, in the end to grid supply. A cut
trade means supply from the grid, never darkness.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gridpact.market.rank import Span, energy_sold, own_use, surplus_power
from gridpact.model.grid_check import Curtailment, GridVerdict, Injector
from gridpact.model.order import Code, Refusal, Tier
from gridpact.model.record import Limit
from gridpact.model.trade import Cut, Fill
from gridpact.quantities import Wh


@dataclass(frozen=True)
class AfterCheck:
    """A clearing as the wires can carry it. Fills are indexed anew, per tier from 0."""

    fills: tuple[Fill, ...]
    cuts: tuple[Cut, ...]
    limits: tuple[Limit, ...]
    refusals: tuple[Refusal, ...]


def apply(
    fills: Sequence[Fill],
    verdict: GridVerdict,
    injectors: Sequence[Injector],
    exports: Mapping[bytes, Wh],
    span: Span,
) -> AfterCheck:
    """Return the clearing after a verdict (`rank.merged`), energy conserved to the Wh.

    `injectors` unranked and `exports` as given to `rank.ranked`; `fills` those of both tiers, in
    order of tier and index. With conflicts nothing is traded: grid supply serves everybody.
    """
    limits = tuple(Limit(one.participant, one.power_w) for one in verdict.curtailments)
    if verdict.conflicts:
        return AfterCheck((), (), limits, _all_refused(fills, verdict.conflicts))
    sold, row = energy_sold(fills), {one.participant: one for one in injectors}
    cuts, lost = [], dict[bytes, tuple[Wh, str]]()
    for limit in verdict.curtailments:
        who = limit.participant
        cut = _cut(limit, row[who], sold.get(who, 0), exports.get(who), span)
        cuts.append(cut)
        if cut.from_fills_wh:
            lost[who] = cut.from_fills_wh, limit.limit
    kept, refused = _shrunk(fills, lost)
    return AfterCheck(_reindexed(kept), tuple(cuts), limits, tuple(refused))


def remaining(fills: Sequence[Fill], cuts: Sequence[Cut]) -> tuple[Fill, ...]:
    """Return what stated cuts leave of fills, indexed anew."""
    lost = {one.participant: (one.from_fills_wh, one.limit) for one in cuts}
    return _reindexed(_shrunk(fills, lost)[0])


def _cut(limit: Curtailment, one: Injector, sold: Wh, export: Wh | None, span: Span) -> Cut:
    """Return how a limit divides between surplus and fills.

    What the house uses itself it takes first, as its meter counts only what leaves it; so a limit
    costs surplus first, then fills, and only then own use, which grid supply replaces.
    """
    less = max(0, one.generation_w - limit.power_w)
    surplus = min(less, surplus_power(one, sold, export, span))
    still_out = max(0, limit.power_w - own_use(one, export, span))
    return Cut(
        one.participant,
        span.energy_down(surplus),
        max(0, sold - span.energy_down(still_out)) if less else 0,
        limit.limit,
        limit.multiplier,
    )


def _shrunk(
    fills: Sequence[Fill], lost: Mapping[bytes, tuple[Wh, str]]
) -> tuple[list[Fill], list[Refusal]]:
    """Return what is left of fills, and a refusal of every one that lost energy."""
    still = {who: energy for who, (energy, _) in lost.items()}
    kept, refused = [], []
    for fill in reversed(fills):
        taken = min(fill.energy_wh, still.get(fill.seller, 0))
        if not taken:
            kept.append(fill)
            continue
        still[fill.seller] -= taken
        reason = f"{taken} of {fill.energy_wh} Wh of {_name(fill)}: {lost[fill.seller][1]}"
        refused.append(Refusal(fill.offer, fill.seller, Code.GRID, reason))
        if taken < fill.energy_wh:
            kept.append(msgspec.structs.replace(fill, energy_wh=fill.energy_wh - taken))
    return kept[::-1], refused[::-1]


def _all_refused(fills: Sequence[Fill], conflicts: Sequence[str]) -> tuple[Refusal, ...]:
    reason = "; ".join(conflicts)
    return tuple(
        Refusal(
            fill.offer, fill.seller, Code.GRID, f"{fill.energy_wh} Wh of {_name(fill)}: {reason}"
        )
        for fill in fills
    )


def _name(fill: Fill) -> str:
    return f"{fill.tier.name.lower()} fill {fill.index}"


def _reindexed(fills: Sequence[Fill]) -> tuple[Fill, ...]:
    """Return fills with the indices of each tier counted from 0 again."""
    counts = dict.fromkeys(Tier, 0)
    renamed = []
    for fill in fills:
        index = counts[fill.tier]
        counts[fill.tier] += 1
        same = index == fill.index
        renamed.append(fill if same else msgspec.structs.replace(fill, index=index))
    return tuple(renamed)
