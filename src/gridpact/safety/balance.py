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

from gridpact.safety import habit
from gridpact.safety.area import BalanceTerms, FeederModels, Flags, Floats, Rows
from gridpact.safety.attribution import Piece, Window, explain
from gridpact.safety.habit import HabitState, Heard


@dataclass
class FeederStates:
    """What is remembered of each feeder.

    reports, gap, scale: the last rows, signed reports (row, feeder, member), gap and its spread
    (row, feeder) [kW]; spread 0 where nothing was heard. cross, own: fading sums of reports times
    what is left of the gap, and of squared reports (rate, feeder, member). pieces: what explains
    the gap (piece, of `_PIECE`). lone: rows in a row given to a single meter. rest: fading mean
    square of what is left of the gap (feeder,). habits: see `habit`. pause: rows until a feeder is
    searched again (feeder,). row: rows so far.
    """

    reports: NDArray[np.float16]
    gap: NDArray[np.float32]
    scale: NDArray[np.float32]
    cross: NDArray[np.float32]
    own: NDArray[np.float32]
    pieces: Floats
    lone: Rows
    rest: Floats
    habits: HabitState
    pause: Rows
    row: int = 0


_PIECE = ("feeder", "member", "first", "last", "share", "offset", "strength", "sure")


def fresh(models: FeederModels, terms: BalanceTerms) -> FeederStates:
    """Return empty memories."""
    count, most = models.members.shape
    ring, fading = (terms.window, count), (len(terms.kept), count, most)
    return FeederStates(
        np.zeros((*ring, most), np.float16), np.zeros(ring, np.float32),
        np.zeros(ring, np.float32), np.zeros(fading, np.float32), np.zeros(fading, np.float32),
        np.zeros((0, len(_PIECE))), np.zeros(count, np.int64), np.ones(count),
        habit.fresh(count, most), np.zeros(count, np.int64),
    )  # fmt: skip


@dataclass(frozen=True)
class Blame:
    """One meter's error on a feeder: the `share` of its report that is missing, or, `lone`, one
    row's `value` [kW]. `strength` over the limit. `free`: the error follows no share, `value` is
    that of the newest row beyond it.
    """

    feeder: int
    member: int
    share: float
    value: float
    strength: float
    lone: bool
    free: bool = False


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
    signed = np.where(unsure, 0.0, filled * models.sign)
    rows = signed / scale[:, None]
    left = gap - _explained(state.pieces, signed) / scale
    lone = _lone(state, models, new, left, scale, terms)
    alone = np.zeros(len(gap), bool)
    alone[[one.feeder for one in lone]] = True
    state.lone = np.where(alone, state.lone + 1, 0)
    taken = heard & ~alone
    freed = _habits(state, models, new, signed, gap * scale, scale, taken, unsure, terms)
    state.rest = np.where(heard, state.rest + 0.2 * (np.minimum(left**2, 100) - state.rest),
                          state.rest)  # fmt: skip
    _remember(state, rows, gap, left, scale, taken, terms)
    free = [_free(state, models, feeder, member, signed, gap * scale, terms)
            for feeder, member in freed if heard[feeder]]  # fmt: skip
    held = np.full(len(gap), -1)
    held[[feeder for feeder, _ in freed]] = [member for _, member in freed]
    return lone + _searched(state, models, heard, held, terms) + free


def _explained(pieces: Floats, signed: Floats) -> Floats:
    """Return what the pieces that last make of the gap of each feeder. [kW]"""
    feeder, _, part = _parts(pieces, signed)
    out = np.zeros(len(signed))
    np.add.at(out, feeder, part)
    return out


def _parts(pieces: Floats, signed: Floats) -> tuple[Rows, Rows, Floats]:
    """Return feeder, member and part of the gap of each piece that lasts. [kW]"""
    lasting = pieces[pieces[:, 3] < 0]
    feeder, member = lasting[:, 0].astype(np.int64), lasting[:, 1].astype(np.int64)
    report = signed[feeder, member]
    return feeder, member, lasting[:, 4] * report + lasting[:, 5] * np.sign(report)


def _habits(
    state: FeederStates, models: FeederModels, new: Newest, signed: Floats, gap: Floats,
    scale: Floats, heard: Flags, unsure: Flags, terms: BalanceTerms,
) -> list[tuple[int, int]]:  # fmt: skip
    """Weigh the row by the members' habits; return feeder and member of who is named by them."""
    blamed = state.pieces[state.pieces[:, 7] >= terms.attribution.patience]
    feeder, member, part = _parts(blamed, signed)
    rest = gap.copy()
    np.subtract.at(rest, feeder, part)
    own = dict(zip(zip(feeder.tolist(), member.tolist(), strict=True), part.tolist(), strict=True))
    distance = np.nan_to_num(new.power) - np.nan_to_num(new.expected)
    habit.step(
        state.habits, models.keep, models.fresh, models.gain, models.sign,
        Heard(distance, unsure, rest, scale, heard, own), terms.habit,
    )  # fmt: skip
    return habit.named(state.habits, terms.habit)


def _free(
    state: FeederStates, models: FeederModels, feeder: int, member: int, signed: Floats,
    gap: Floats, terms: BalanceTerms,
) -> Blame:  # fmt: skip
    """Return the blame of one whose error follows no share: its mean share, and the newest row."""
    share = float(state.cross[-1, feeder, member] / max(state.own[-1, feeder, member], 1e-6))
    share = share if abs(share) >= 1e-3 else 1e-3
    report, sign = float(signed[feeder, member]), float(models.sign[feeder, member])
    value = float(gap[feeder]) - share * report
    score = float(state.habits.score[feeder, member])
    return Blame(feeder, member, share, value * sign, score / terms.habit.named, lone=False,
                 free=True)  # fmt: skip


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
    state: FeederStates, models: FeederModels, heard: Flags, held: Rows, terms: BalanceTerms
) -> list[Blame]:
    """Return who is to blame, looked for anew where something is left or began a short time ago.

    Where somebody, `held`, is named by its habits, its gap is explained: nothing is looked for.
    """
    value = np.abs(state.cross) / np.sqrt(np.maximum(state.own, 1e-6))
    loud = value.max(axis=(0, 2), initial=0.0) >= terms.loud * models.limit
    sure = state.pieces[:, 7] >= terms.attribution.patience
    named = held[state.pieces[:, 0].astype(np.int64)]
    state.pieces = state.pieces[(named < 0) | sure & (named != state.pieces[:, 1])]
    whose = state.pieces[:, 0].astype(np.int64)
    young = np.zeros(len(loud), bool)
    newest = state.pieces[:, 2:4].max(axis=1, initial=-1)
    young[whose[newest > state.row - terms.young]] = True
    old = np.zeros(len(loud), bool)
    old[whose[(whose + state.row) % 4 == 0]] = True
    busy = heard & (held < 0) & (loud | young | old) & (state.pause == 0)
    state.pause = np.maximum(state.pause - 1, 0)
    found = [_search(state, models, feeder, terms) for feeder in np.flatnonzero(busy).tolist()]
    state.pieces = np.concatenate([state.pieces[~busy[whose]], *found])
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
    against = habit.contradicted(state.habits, feeder, terms.habit)
    window = Window(
        reports, units, gap, models.sign[feeder] < 0, against, float(models.limit[feeder])
    )
    found = explain(window, before, terms.attribution)
    left = gap
    for one in found:
        part = slice(max(one.first, 0), one.last)
        left[part] -= reports[part, one.member] * one.share + units[part, one.member] * one.offset
    newest = float(np.mean(left[-terms.attribution.rows :] ** 2))
    state.pause[feeder] = terms.pause if newest > terms.attribution.unsettled else 0
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
    # a row must stand out of what the gap was before, on a feeder that is looked at for longer
    before = np.maximum(state.rest, np.where(state.habits.open, state.habits.stir, 0.0))
    far_off = np.abs(left) >= np.maximum(terms.single, terms.outstanding * np.sqrt(before))
    for feeder in np.flatnonzero(far_off & (state.lone < 1)).tolist():
        off = np.nan_to_num(new.expected[feeder] - new.power[feeder]) * models.sign[feeder]
        doubt = np.sqrt((np.nan_to_num(new.spread[feeder]) / scale[feeder]) ** 2 + 1.0)
        closes = np.abs(left[feeder] - off / scale[feeder]) / doubt
        strange = np.abs(np.nan_to_num(new.residual[feeder]))
        able = (models.sign[feeder] != 0) & ~new.odd[feeder]
        # whose error explains both the gap and a report unlike its habits, which have long tails
        price = closes**2 + 2 * np.log(doubt) - 4 * np.log1p(strange**2 / 3)
        price = np.where(able, price, np.inf)
        if not able.any():
            continue
        who = int(price.argmin())
        second = float(np.delete(price, who).min(initial=np.inf))
        if strange[who] >= 4.0 and closes[who] <= 3.0 and second - price[who] >= terms.lead:
            value, strength = float(left[feeder] * scale[feeder]), abs(float(left[feeder]))
            found.append(Blame(feeder, who, 0.0, value, strength / terms.single, lone=True))
    return found
