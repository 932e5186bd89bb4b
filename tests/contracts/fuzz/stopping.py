"""Rules: what sensors hold and what the network operator stops, by its word or the council's."""

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contracts.fuzz.play import Play, energy, pick, sender
from tests.contracts.harness import BEGINS, OPERATOR, REGION, decoded
from tests.contracts.holds import LOG, ROOT, rows
from tests.contracts.parts import Place
from tests.contracts.reading import Contract

from gridpact.ledger.onchain.attest import batches
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Verdicts
from gridpact.model.watch import Hold


class Stopping(Play):
    """Who stops trades: the sensors, by whoever brings their word, and the network operator."""

    @rule(at=pick, held=energy, way=st.integers(0, 5), who=sender)
    def stop_fill(self, at: int, held: int, way: int, who: bytes) -> None:
        """Hold a fill, as a whole or in part; now and then without the council's word."""
        one = self.of(at, self.fills)
        much = one.energy_wh if way % 3 == 0 else min(held, one.energy_wh)
        said = (Hold(one.hash, much, BEGINS, "stale", "station roof"),)
        if way != 5:
            key = Key(REGION, one.interval, Phase.DELIVER, 1)
            names = batches(key, Verdicts(0, ROOT, 0, LOG, said))
            epoch, seats = self.office(one.interval)
            place = Place(REGION, one.interval, 1)
            self.attempt(lambda: self.net.attest(names, members=seats, place=place, epoch=epoch))
        if way % 2:
            write = decoded(self.world.write(Phase.DELIVER, one.interval))
            given = write, BEGINS, ROOT, 1, LOG, rows(said)
            self.attempt(lambda: self.world.send(Contract.VERDICTS, "judge", *given, sender=who))
        else:
            bring = REGION, one.interval, rows(said)
            self.attempt(lambda: self.world.send(Contract.VERDICTS, "hold", *bring, sender=who))

    @rule(at=pick, much=energy, who=sender)
    def curtail(self, at: int, much: int, who: bytes) -> None:
        """Say that the network operator stopped a seller."""
        one = self.of(at, self.fills)
        write = decoded(self.world.write(Phase.DELIVER, one.interval))
        row = int.from_bytes(one.seller, "big") << 64 | much
        by = OPERATOR if at % 3 else who
        self.attempt(lambda: self.world.send(Contract.CLEARING, "curtail", write, [row], sender=by))
