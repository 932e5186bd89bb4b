"""What sellers put down, what breaches took of it, and who could not sell for want of it."""

from collections import Counter
from dataclasses import dataclass

from gridpact.assembly.day import DayResult
from gridpact.quantities import Money


@dataclass(frozen=True)
class Secured:
    """One seller's deposit over the day.

    `uncovered` orders were refused because neither credibility nor deposit covered them;
    `suspended` is for how many intervals its broken word shut it out.
    """

    name: str
    put_down: Money
    breaches: int
    fined: Money
    uncovered: int
    suspended: int

    @property
    def left(self) -> Money:
        return self.put_down - self.fined

    @property
    def touched(self) -> bool:
        """Say whether anything befell it beyond putting its deposit down."""
        return bool(self.breaches or self.uncovered or self.suspended)


@dataclass(frozen=True)
class Deposits:
    """All sellers who put something down, were refused for want of it, or are suspended."""

    sellers: tuple[Secured, ...]

    @property
    def put_down(self) -> Money:
        return sum(one.put_down for one in self.sellers)

    @property
    def fined(self) -> Money:
        return sum(one.fined for one in self.sellers)

    @property
    def left(self) -> Money:
        return self.put_down - self.fined

    @property
    def breaches(self) -> int:
        return sum(one.breaches for one in self.sellers)

    @property
    def uncovered(self) -> int:
        return sum(one.uncovered for one in self.sellers)

    @property
    def suspended(self) -> tuple[str, ...]:
        """Return the names of those who were suspended."""
        return tuple(one.name for one in self.sellers if one.suspended)

    @property
    def touched(self) -> tuple[Secured, ...]:
        """Return those whom a breach or a refusal befell, the most fined first."""
        found = (one for one in self.sellers if one.touched)
        return tuple(sorted(found, key=lambda one: (-one.fined, one.name)))


def deposits(day: DayResult) -> Deposits | None:
    """Return the day's deposits; None where there are none and nobody was refused for it."""
    put_down = Counter(dict(day.put_down[0])) + Counter(dict(day.put_down[1]))
    fined, breaches = Counter[bytes](), Counter[bytes]()
    uncovered, suspended = Counter[bytes](), Counter[bytes]()
    for result in day.intervals:
        for fine in (*result.fines[0], *result.fines[1]):
            fined[fine.participant] += fine.amount
            breaches[fine.participant] += 1
        for refusal in (*result.book.refusals, *result.plant_book.refusals):
            uncovered[refusal.participant] += refusal.order is not None
        suspended.update((*result.book.suspended, *result.plant_book.suspended))
    sellers = (*day.people.sites, *day.people.plants)
    rows = tuple(
        Secured(
            *(day.names[who], put_down[who], breaches[who], fined[who]),
            *(uncovered[who], suspended[who]),
        )
        for who in (one.address for one in sellers)
        if put_down[who] or uncovered[who] or suspended[who]
    )
    return Deposits(rows) if rows else None
