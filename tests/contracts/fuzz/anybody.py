"""Rules: what nobody should get away with. Calls again, by others, changed, or made of anything."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contracts.fuzz import surface
from tests.contracts.fuzz.play import Play, pick
from tests.contracts.fuzz.watched import Sent, Watched
from tests.contracts.harness import ANN, AREA, BOB, DEVICES, OPERATOR, PLANT, REGION, STRANGER
from tests.contracts.reading import call

from gridpact.errors import Reverted
from gridpact.ledger.onchain.packing import words
from gridpact.model.order import NONE
from gridpact.model.participant import Named

ANYBODY = [OPERATOR, ANN, BOB, DEVICES["cem"].address, PLANT, AREA, STRANGER]
EDGES = [0, 1, 2, 3, 12, 13, 2**40, 2**48, 2**64 - 1, 2**80, 2**96, 2**160 - 1, 2**255, 2**256 - 1]
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

    @rule(
        at=pick, changes=st.lists(st.tuples(pick, pick, pick), min_size=1, max_size=3), other=pick
    )
    def changed(self, at: int, changes: list[tuple[int, int, int]], other: int) -> None:
        sent = self.of(at, self.world.history)
        sender = sent.sender if other % 4 else self.of(other, ANYBODY)
        body = bytearray(sent.data)
        for place, way, number in changes:
            if len(body) < 36:
                break
            start = 4 + 32 * (place % ((len(body) - 4) // 32))
            body[start : start + 32] = self._word(bytes(body[start : start + 32]), way, number)
        self._send(Sent(sent.contract, bytes(body), sender))

    @rule(data=st.data(), which=pick, sender=anybody)
    def anything(self, data: Any, which: int, sender: bytes) -> None:
        contract, selector = self.of(which, surface.everything())
        name = surface.functions(contract)[selector]["name"]
        given = data.draw(surface.drawn(contract, selector, self._known()))
        self._send(Sent(contract, call(contract, name, *given), sender))

    @rule(at=pick, cut=st.integers(1, 200))
    def cut_short(self, at: int, cut: int) -> None:
        sent = self.of(at, self.world.history)
        self._send(sent._replace(data=sent.data[: max(4, len(sent.data) - cut)]))

    def _send(self, sent: Sent) -> None:
        self.attempt(lambda: self.world.raw(*sent))

    def _word(self, word: bytes, way: int, number: int) -> bytes:
        value = int.from_bytes(word, "big")
        match way % 5:
            case 0:
                return self.of(number, self._known())
            case 1:
                value = self.of(number, EDGES)
            case 2:
                value ^= 1 << number % 256
            case 3:
                value += 1
            case 4:
                value -= 1
        return words((value % 2**256,))

    def _known(self) -> list[bytes]:
        """Return words that mean something here: people, contracts, names, regions."""
        people = [one.rjust(32, b"\0") for one in ANYBODY]
        contracts = [one.rjust(32, b"\0") for one in self.world.at.values()]
        named = [one.address.rjust(32, b"\0") for one in Named]
        names = [one.hash for one in self.orders[-4:]] + [one.hash for one in self.fills[-4:]]
        keys = [part.place.key for _, part in self.parts]
        return [*people, *contracts, *named, *names, *keys, REGION, NONE]
