"""Whom does a copy of a ledger give away when households change their addresses?

The 56-bus feeder. An adversary knows which addresses belong to which period and says for each of
the first who it is in the second: one guess each, all different (assignment), within those alike by
what is registered. Within a run that changes addresses at noon it goes by turn, registers and
reputation; from one day to the next, by habit: how much was taken and given in each hour, and at
which price was offered.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from bench.rows import Row
from gridpact.assembly.day import DayResult, run_day
from gridpact.assembly.ledgers import audit_ledger, embedded_ledgers
from gridpact.cycle.cycle import unwatched
from gridpact.ledger.files.store import open_to_read
from gridpact.model.interval import Phase
from gridpact.model.order import Side
from gridpact.model.participant import Participant
from gridpact.model.record import Book, Found, Meters, Rating, Record, Rotation, decode_any
from gridpact.quantities import MICRO
from gridpact.scenario.reader import load

DAY, NOON = 24, 12
SCENARIO = Path(__file__).parent.parent / "scenarios" / "sce56-day.toml"
NOTES = (
    "The 56-bus feeder; real ledger files, audited. Figures are right guesses; `against` is what "
    "guessing among those alike by place and roles gives. A habit is not hidden by a new name: "
    "orders, bills and readings stand under it."
)

Matrix = NDArray[np.float64]


def run() -> list[Row]:
    return [row for among in (3, 1) for row in (*_at_noon(among), *_day_by_day(among))]


def _at_noon(among: int) -> list[Row]:
    """Change addresses within a run."""
    day, records = _copied(f"rotation_intervals = {NOON}\nhidden_among = {among}")
    rotation = next(one for one in records if isinstance(one, Rotation))
    return list(_within(Copy(day, records, rotation.participants, day, records, NOON), among))


def _day_by_day(among: int) -> list[Row]:
    """Stand under other addresses on the next day, in a ledger of its own."""
    first, here = _copied(f"period = 0\nhidden_among = {among}", "2016-06-08")
    second, there = _copied(f"period = 1\nhidden_among = {among}", "2016-06-09")
    return list(_across(Copy(first, here, _founders(there), second, there, DAY), among))


def _copied(identity: str, date: str = "2016-06-09") -> tuple[DayResult, Sequence[Record]]:
    """Run a day, audit its ledger file and return what stands in it."""
    with tempfile.TemporaryDirectory() as folder:
        path, file = Path(folder) / "day.toml", Path(folder) / "ledger.db"
        text = SCENARIO.read_text(encoding="utf-8").replace("date = 2016-06-09", f"date = {date}")
        path.write_text(f"{text}\n[identity]\n{identity}\n", encoding="utf-8")
        scenario = load(path)
        ledgers = embedded_ledgers(scenario, file)
        day = run_day(scenario, ledgers, unwatched)
        ledgers.close()
        audit_ledger(file, {one.name: one.head.hash for one in day.chains})
        with open_to_read(file) as store:
            chain = next(row for row in store.chains() if row.name == scenario.region)
            blocks = [one for one in store.blocks(chain.id) if one.header.phase != Phase.PUBLIC]
            return day, [decode_any(one.bodies[0].content) for one in blocks]


def _founders(records: Sequence[Record]) -> Sequence[Participant]:
    found = next(one for one in records if isinstance(one, Found))
    return [one for one in found.participants if one.is_metered]


class Copy:
    """What stands in files of the region's chain; names of both periods tell who is who."""

    def __init__(
        self,
        first: DayResult,
        here: Sequence[Record],
        new: Sequence[Participant],
        second: DayResult,
        there: Sequence[Record],
        hours: int,
    ) -> None:
        self.names = {**first.names, **second.names}
        self.records = [*here, *there] if there is not here else list(here)
        self.old, self.new, self.hours = list(_founders(here)), list(new), hours
        self.row = {one.address: n for n, one in enumerate(self.old)}
        self.column = {one.address: n for n, one in enumerate(self.new)}
        self.traded = sum(
            fill.price * fill.energy_wh for one in second.intervals for fill in one.cleared.fills
        ) / (1000 * MICRO)

    def place(self, address: bytes) -> tuple[int, int] | None:
        """Return which period an address belongs to, and its place in it."""
        for n, known in enumerate((self.row, self.column)):
            if address in known:
                return n, known[address]
        return None

    def hits(self, distance: Matrix) -> int:
        """Return how many of the least distant pairs are right."""
        rows, columns = linear_sum_assignment(distance)
        right = 0
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            was, now = self.old[row].address, self.new[column].address
            right += self.names[now] == self.names[was]
        return right

    def alike(self) -> Matrix:
        """Return which pairs may be the same by what is registered."""
        return np.array([[_known(a) == _known(b) for b in self.new] for a in self.old], float)

    def habits(self) -> tuple[Matrix, Matrix]:
        """Return what each took and gave in each hour of a period. [Wh]"""
        found = [np.zeros((len(side), 2 * DAY)) for side in (self.old, self.new)]
        before: dict[bytes, tuple[int, int]] = {}
        for meters in (one for one in self.records if isinstance(one, Meters)):
            for said in (signed.reading for signed in meters.readings):
                last = before.get(said.meter, (0, 0))
                before[said.meter] = said.import_wh, said.export_wh
                if (at := self.place(said.meter)) is not None:
                    hour = said.interval % DAY
                    found[at[0]][at[1], hour] = said.import_wh - last[0]
                    found[at[0]][at[1], DAY + hour] = said.export_wh - last[1]
        return found[0], found[1]

    def asks(self) -> tuple[Matrix, Matrix]:
        """Return the price at which each offered in each hour, 0 where it did not."""
        found = [np.zeros((len(side), DAY)) for side in (self.old, self.new)]
        for book in (one for one in self.records if isinstance(one, Book)):
            for order in (accepted.order for accepted in book.orders):
                at = self.place(order.participant)
                if at is not None and order.side is Side.OFFER:
                    found[at[0]][at[1], order.interval % DAY] = order.price
        return found[0], found[1]

    def totals(self) -> tuple[Matrix, Matrix]:
        """Return registers at the end of the first period and after the second one's first hour."""
        last: dict[bytes, int] = {}
        for meters in (one for one in self.records if isinstance(one, Meters)):
            for said in (signed.reading for signed in meters.readings):
                if said.interval <= self.hours:
                    last[said.meter] = said.import_wh + said.export_wh
        sides = ([last[one.address] for one in side] for side in (self.old, self.new))
        one, other = (np.array(side, float)[:, None] for side in sides)
        return one, other

    def scores(self) -> tuple[Matrix, Matrix]:
        """Return the last reputation of one period, and what each began the next one with."""
        last: dict[bytes, int] = {}
        for rating in (one for one in self.records if isinstance(one, Rating)):
            last |= {row.participant: row.after for row in rating.rated
                     if row.participant in self.row}  # fmt: skip
        shares = [share for one in self.records if isinstance(one, Rotation)
                  for share in one.inheritances]  # fmt: skip
        began = {heir.participant: heir.score for share in shares for heir in share.heirs}
        one = [last.get(who.address, 500_000) for who in self.old]
        other = [began.get(who.address, 500_000) for who in self.new]
        return np.array(one, float)[:, None], np.array(other, float)[:, None]


def _known(one: Participant) -> tuple[int, int, int]:
    return one.bus, int(one.roles), one.reference_wh


def _distance(one: Matrix, other: Matrix) -> Matrix:
    difference: Matrix = np.abs(one[:, None, :] - other[None, :, :]).sum(axis=2)
    return difference


def _within(copy: Copy, among: int) -> Iterator[Row]:
    sizes, name = copy.alike().sum(axis=1), f"hidden among {among}"
    ranks = np.arange(len(copy.old), dtype=float)[:, None]
    yield Row(f"{name}: alike by place and roles, fewest", sizes.min(), "households")
    yield Row(f"{name}: alike by place and roles, median", np.median(sizes), "households")
    yield _guessed(copy, f"{name}, at noon: by turn", _distance(ranks, ranks))
    yield _guessed(copy, f"{name}, at noon: by registers", _distance(*copy.totals()))
    yield _guessed(copy, f"{name}, at noon: by reputation", _distance(*copy.scores()))


def _across(copy: Copy, among: int) -> Iterator[Row]:
    name = f"hidden among {among}, next day"
    yield _guessed(copy, f"{name}: by energy in each hour", _distance(*copy.habits()))
    yield _guessed(copy, f"{name}: by the price of offers", _distance(*copy.asks()))
    yield Row(f"{name}: traded at the fills' prices", copy.traded, "currency")


def _guessed(copy: Copy, what: str, distance: Matrix) -> Row:
    alike, people = copy.alike(), len(copy.old)
    chance = float((1 / alike.sum(axis=1)).sum())
    right = copy.hits(distance + 1e15 * (1 - alike))
    return Row(what, right, f"of {people}", f"{chance:.1f} by chance", right / chance)
