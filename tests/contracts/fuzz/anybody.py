"""Rules: what nobody should get away with. Calls again, by others, changed, or made of anything."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contracts.fuzz import surface
from tests.contracts.fuzz.play import ANYBODY, Play, pick
from tests.contracts.fuzz.spoiling import change, spoiled
from tests.contracts.fuzz.watched import Sent, Watched
from tests.contracts.harness import ANN
from tests.contracts.reading import call

from gridpact.errors import Reverted

anybody = st.sampled_from(ANYBODY)


def sweep(world: Watched, sender: bytes) -> set[str]:
    """Call every function as one sender, with small valid values, each on a market just opened.

    Return the names of those that were let through.
    """
    through = set()
    for contract, selector in surface.everything():
        world.begin()
        entry = surface.functions(contract)[selector]
        given = (surface.plain(one, ANN) for one in entry["inputs"])
        try:
            world.raw(contract, call(contract, entry["name"], *given), sender)
        except Reverted:
            continue
        through.add(f"{contract.value}.{entry['name']}")
        world.moved = True
        world.require_money()
    return through


class Anybody(Play):
    """Replays, changed calls, any call at all."""

    @rule(at=pick, sender=anybody, own=st.booleans())
    def again(self, at: int, sender: bytes, own: bool) -> None:
        sent = self.of(at, self.world.history)
        self._send(sent._replace(sender=sent.sender if own else sender))

    @rule(at=pick, changes=st.lists(change, min_size=1, max_size=3), other=pick)
    def changed(self, at: int, changes: list[tuple[int, int, int]], other: int) -> None:
        sent = self.of(at, self.world.history)
        sender = sent.sender if other % 4 else self.of(other, ANYBODY)
        data = spoiled(sent.data, changes, self.known())
        self._send(Sent(sent.contract, data, sender))

    @rule(data=st.data(), which=pick, sender=anybody)
    def anything(self, data: Any, which: int, sender: bytes) -> None:
        contract, selector = self.of(which, surface.everything())
        name = surface.functions(contract)[selector]["name"]
        given = data.draw(surface.drawn(contract, selector, self.known()))
        self._send(Sent(contract, call(contract, name, *given), sender))

    @rule(at=pick, cut=st.integers(1, 200))
    def cut_short(self, at: int, cut: int) -> None:
        sent = self.of(at, self.world.history)
        self._send(sent._replace(data=sent.data[: max(4, len(sent.data) - cut)]))

    def _send(self, sent: Sent) -> None:
        self.attempt(lambda: self.world.raw(*sent))
