"""Who does not tell the truth? The area meter of a feeder against the sum of its reports.

What the area meter sees beyond what the reports explain (the gap) is somebody's error. The newest
rows of every feeder are kept; fading sums tell at each row, for all feeders at once, whether a
report and the gap go together. Only where they do, or somebody is under suspicion already, the rows
are searched for whom to blame (`attribution`). Nothing is committed: the next row may acquit. One
row that stands out alone is given to the meter whose expected value closes it.

Sign: a positive share is what was used, or not generated, beyond the report. Arrays are (feeder,
member), padded where a feeder has fewer members than another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridpact.safety.area import BalanceTerms, FeederModels, Flags, Floats, Rows
from gridpact.safety.attribution import Piece, Window, explain


@dataclass
class FeederStates:
    """What is remembered of each feeder.

    reports, gap, scale: the last rows, signed reports (row, feeder, member), gap and its spread
    (row, feeder) [kW]; spread 0 where nothing was heard. cross, own: fading sums of reports times
    what is left of the gap, and of squared reports (rate, feeder, member). pieces: what explains
    the gap (piece, of `_PIECE`). lone: rows in a row given to a single meter. row: rows so far.
    """

    reports: NDArray[np.float16]
    gap: NDArray[np.float32]
    scale: NDArray[np.float32]
    cross: NDArray[np.float32]
    own: NDArray[np.float32]
    pieces: Floats
    lone: Rows
    row: int = 0


_PIECE = ("feeder", "member", "first", "last", "share", "offset", "strength", "sure")


def fresh(models: FeederModels, terms: BalanceTerms) -> FeederStates:
    """Return empty memories."""
    count, most = models.members.shape
    ring, fading = (terms.window, count), (len(terms.kept), count, most)
    return FeederStates(
        np.zeros((*ring, most), np.float16), np.zeros(ring, np.float32),
        np.zeros(ring, np.float32), np.zeros(fading, np.float32), np.zeros(fading, np.float32),
        np.zeros((0, len(_PIECE))), np.zeros(count, np.int64),
    )  # fmt: skip


@dataclass(frozen=True)
class Blame:
    """One meter's error on a feeder: the `share` of its report that is missing, or, `lone`, one
    row's `value` [kW]. `strength` over the limit.
    """

    feeder: int
    member: int
    share: float
    value: float
    strength: float
    lone: bool


@dataclass(frozen=True, eq=False)
class Newest:
    """The newest row of every feeder by member, padded: reports, what was expected and how unsure
    that is [kW], residual in spreads, whether a report is missing or false by itself.
    """

    power: Floats
    expected: Floats
    spread: Floats
    residual: Floats
    odd: Flags


def step(
    state: FeederStates,
    models: FeederModels,
    new: Newest,
    area: Floats,
    terms: BalanceTerms,
) -> list[Blame]:
    """Take one row of every feeder and return all who are to blame now; the state is moved on.

    Who was blamed before and is not in the answer is acquitted.
    """
    heard = models.known & np.isfinite(area)
    unsure = new.odd | ~np.isfinite(new.power)
    filled = np.nan_to_num(np.where(unsure, new.expected, new.power))
    # what stands in for a report is off for hours alike: it must not add up to evidence
    wide = np.where(unsure & (models.sign != 0), 3 * np.nan_to_num(new.spread), 0.0) ** 2
    should, doubt = models.explained(filled)
    scale = np.sqrt(
        models.floor**2 + (models.share * np.nan_to_num(area)) ** 2 + wide.sum(axis=1) + doubt**2
    )
    gap = np.where(heard, (area - should) / scale, 0.0)
    rows = np.where(unsure, 0.0, filled * models.sign) / scale[:, None]
    left = gap - _explained(state, np.where(unsure, 0.0, filled * models.sign)) / scale
    lone = _lone(state, models, new, left, scale, terms)
    alone = np.zeros(len(gap), bool)
    alone[[one.feeder for one in lone]] = True
    state.lone = np.where(alone, state.lone + 1, 0)
    taken = heard & ~alone
    _remember(state, rows, gap, left, scale, taken, terms)
    return lone + _searched(state, models, heard, terms)


def _explained(state: FeederStates, signed: Floats) -> Floats:
    """Return what the pieces that last make of the gap of each feeder. [kW]"""
    lasting = state.pieces[state.pieces[:, 3] < 0]
    feeder, member = lasting[:, 0].astype(np.int64), lasting[:, 1].astype(np.int64)
    report = signed[feeder, member]
    out = np.zeros(len(signed))
    np.add.at(out, feeder, lasting[:, 4] * report + lasting[:, 5] * np.sign(report))
    return out


def _remember(
    state: FeederStates, rows: Floats, gap: Floats, left: Floats, scale: Floats, taken: Flags,
    terms: BalanceTerms,
) -> None:  # fmt: skip
    at = state.row % terms.window
    state.reports[at] = np.clip(rows * scale[:, None], -60_000, 60_000)
    state.gap[at] = gap * scale
    state.scale[at] = np.where(taken, scale, 0.0)
    state.row += 1
    new = np.where(taken[:, None], rows, 0.0).astype(np.float32)
    cross, own = new * left[:, None].astype(np.float32), new**2
    for rate, kept in enumerate(terms.kept):
        keep = np.where(taken, kept, 1.0).astype(np.float32)[:, None]
        state.cross[rate] = keep * state.cross[rate] + cross
        state.own[rate] = keep * state.own[rate] + own


def _searched(
    state: FeederStates, models: FeederModels, heard: Flags, terms: BalanceTerms
) -> list[Blame]:
    """Return who is to blame, looked for anew where something is left or began a short time ago."""
    value = np.abs(state.cross) / np.sqrt(np.maximum(state.own, 1e-6))
    loud = value.max(axis=(0, 2), initial=0.0) >= terms.loud * models.limit
    held = state.pieces[:, 0].astype(np.int64)
    young = np.zeros(len(loud), bool)
    newest = state.pieces[:, 2:4].max(axis=1, initial=-1)
    young[held[newest > state.row - terms.young]] = True
    old = np.zeros(len(loud), bool)
    old[held[(held + state.row) % 4 == 0]] = True
    busy = heard & (loud | young | old)
    found = [_search(state, models, feeder, terms) for feeder in np.flatnonzero(busy).tolist()]
    state.pieces = np.concatenate([state.pieces[~busy[held]], *found])
    return [
        Blame(int(feeder), int(member), share, offset, strength / float(models.limit[int(feeder)]),
              lone=False)
        for feeder, member, _, last, share, offset, strength, sure in state.pieces.tolist()
        if last < 0 and sure >= terms.attribution.patience
    ]  # fmt: skip


def _search(state: FeederStates, models: FeederModels, feeder: int, terms: BalanceTerms) -> Floats:
    """Return the pieces of one feeder, and let its fading memories follow what is left."""
    order = np.arange(state.row - terms.window, state.row) % terms.window
    scale = state.scale[order, feeder].astype(float)
    valid = scale > 0
    weight = np.where(valid, 1 / np.where(valid, scale, 1.0), 0.0)
    gap = state.gap[order, feeder].astype(float) * weight
    reports = state.reports[order, feeder].astype(float) * weight[:, None]
    units = np.sign(reports) * weight[:, None]
    begin = state.row - terms.window
    mine = state.pieces[state.pieces[:, 0] == feeder]
    before = [
        Piece(int(m), max(int(first) - begin, -1),
              terms.window if last < 0 else int(last) - begin, sure=int(sure))
        for _, m, first, last, _, _, _, sure in mine
    ]  # fmt: skip
    window = Window(reports, units, gap, models.sign[feeder] < 0, float(models.limit[feeder]))
    found = explain(window, before, terms.attribution)
    left = gap
    for one in found:
        part = slice(max(one.first, 0), one.last)
        left[part] -= reports[part, one.member] * one.share + units[part, one.member] * one.offset
    for rate, keep in enumerate(terms.kept):
        fading = keep ** np.arange(terms.window - 1, -1, -1.0)
        state.cross[rate, feeder] = (fading * left) @ reports
        state.own[rate, feeder] = fading @ reports**2
    return np.array(
        [
            (feeder, one.member, begin + one.first if one.first >= 0 else begin - 1,
             -1 if one.last == terms.window else begin + one.last, one.share, one.offset,
             one.strength, one.sure)
            for one in found
        ]
    ).reshape(-1, len(_PIECE))  # fmt: skip


def _lone(
    state: FeederStates,
    models: FeederModels,
    new: Newest,
    left: Floats,
    scale: Floats,
    terms: BalanceTerms,
) -> list[Blame]:
    """Return whose newest report, replaced by what was expected, closes a gap of this row alone."""
    found = []
    for feeder in np.flatnonzero((np.abs(left) >= terms.single) & (state.lone < 1)).tolist():
        off = np.nan_to_num(new.expected[feeder] - new.power[feeder]) * models.sign[feeder]
        doubt = np.sqrt((np.nan_to_num(new.spread[feeder]) / scale[feeder]) ** 2 + 1.0)
        closes = np.abs(left[feeder] - off / scale[feeder]) / doubt
        far = (np.abs(new.residual[feeder]) >= 4.0) & ~new.odd[feeder]
        closes = np.where(far & (models.sign[feeder] != 0), closes, np.inf)
        if not closes.size:
            continue
        who = int(closes.argmin())
        second = float(np.delete(closes, who).min(initial=np.inf))
        if closes[who] <= 3.0 and second > 6.0:
            value, strength = float(left[feeder] * scale[feeder]), abs(float(left[feeder]))
            found.append(Blame(feeder, who, 0.0, value, strength / terms.single, lone=True))
    return found
