"""Somebody with a copy of a ledger, and time: what does it give away across two periods?

The adversary sees all transactions (who sent what to which contract) and all events. It knows which
addresses belong to which period, and guesses for each address of the first the one of the second.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.harness import World
from tests.contracts.reading import Contract, Event


@dataclass
class Seen:
    """One transaction of the copy."""

    sender: bytes
    data: bytes
    logs: Sequence[Any]
    events: list[Event] = field(default_factory=list)

    def words(self) -> Iterator[bytes]:
        """Yield every word of 32 bytes, and what is long enough in it to be a name."""
        yield self.sender.rjust(32, b"\0")
        for data in (self.data[4:], *(log.data for log in self.logs)):
            for at in range(0, len(data), 32):
                yield data[at : at + 32]
        for log in self.logs:
            yield from log.topics

    def names(self, address: bytes) -> bool:
        return any(address in word for word in self.words())


class Watched(World):
    """A market whose ledger is copied."""

    def __init__(self) -> None:
        self.copy: list[Seen] = []
        super().__init__()

    def _run(self, sender: bytes, to: bytes, data: bytes) -> Any:
        outcome = super()._run(sender, to, data)
        self.copy.append(Seen(sender, data, outcome.logs))
        return outcome

    @property
    def bytes(self) -> bytes:
        """Everything that the copy holds, one after another."""
        return b"".join(b"".join((one.data, *one.words())) for one in self.copy)


Guess = Mapping[bytes, bytes]
"""For each old address the new one, where the adversary believes to know it."""


def by_words(copy: Sequence[Seen], old: Sequence[bytes], new: Sequence[bytes]) -> Guess:
    """Link addresses whose transactions share a word that nobody else's has."""
    mine = {who: {w for one in copy if one.names(who) for w in one.words()} for who in (*old, *new)}
    spread = Counter(word for words in mine.values() for word in words)
    telling = {w for w, times in spread.items() if times == 2 and len(w.lstrip(b"\0")) > 8}
    return {was: now for was in old for now in new if mine[was] & mine[now] & telling}


def by_amounts(copy: Sequence[Seen], old: Sequence[bytes], new: Sequence[bytes]) -> Guess:
    """Link addresses whose events show a sum of money that nobody else's show."""
    sums: dict[bytes, set[int]] = {who: set() for who in (*old, *new)}
    for one in copy:
        for log in one.logs:
            values = {int.from_bytes(log.data[at : at + 32]) for at in range(0, len(log.data), 32)}
            for who, mine in sums.items():
                if any(who in topic for topic in log.topics):
                    mine |= {value for value in values if 1_000 < value < 2**80}
    spread = Counter(value for mine in sums.values() for value in mine)
    telling = {value for value, times in spread.items() if times == 2}
    return {was: now for was in old for now in new if sums[was] & sums[now] & telling}


def by_turn(copy: Sequence[Seen], old: Sequence[bytes], new: Sequence[bytes]) -> Guess:
    """Link the first who appeared with the first, and so on."""

    def ranked(people: Sequence[bytes]) -> list[bytes]:
        first = {who: next(n for n, one in enumerate(copy) if one.names(who)) for who in people}
        return sorted(people, key=first.__getitem__)

    return dict(zip(ranked(old), ranked(new), strict=True))


def places(world: World, people: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return bus and roles of everybody, which the registry shows."""
    found = {}
    for who in people:
        word = world.view(Contract.REGISTRY, "status", who)
        found[who] = (word >> 16 & 2**32 - 1, word >> 8 & 255)
    return found


def hits(guess: Guess, truth: Mapping[bytes, bytes]) -> int:
    """Return how many guesses are right."""
    return sum(truth[was] == now for was, now in guess.items())
