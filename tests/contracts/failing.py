"""A part of net settlement that came to nothing: what the tests of `fallback.vy` act on."""

from dataclasses import dataclass
from typing import Any

from tests.contracts.harness import REGION
from tests.contracts.parts import CHALLENGER, NOW, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract, Event

from gridpact.ledger.proving import fallback
from gridpact.ledger.proving.fallback import Signed
from gridpact.ledger.proving.part import Part
from gridpact.model.delivery import Profile
from gridpact.model.trade import Fill
from gridpact.quantities import Money

CANCELLED, RELEASED = 5, 6


@dataclass
class Failed:
    """A committed part that will not be finalised, and the verbs of its fallback."""

    market: NetWorld
    settled: Settled
    part: Part

    @classmethod
    def unposted(cls, market: NetWorld, settled: Settled, **options: Any) -> "Failed":
        """Return a part that nobody posted in time."""
        part = market.part(settled, **options)
        market.reserve(part)
        market.commit(part)
        market.world.go_to(max(part.place.interval, NOW) + TERMS.posting + 1)
        return cls(market, settled, part)

    @classmethod
    def cancelled(cls, market: NetWorld, settled: Settled, **options: Any) -> "Failed":
        """Return a posted part of which nobody showed a leaf that was asked for."""
        part = market.posted(settled, **options)
        market.demand(part, 0)
        market.world.go_to(max(part.place.interval, NOW) + TERMS.answer + 1)
        market.unanswered(part, 0)
        assert market.state(part)[0] == CANCELLED
        return cls(market, settled, part)

    @property
    def fills(self) -> list[Fill]:
        return [fill for _, fill, *_ in self.settled.trades]

    def open(self, row: int) -> list[Event]:
        return self.call("open", fallback.open_row(self.part, row))

    def open_all(self) -> None:
        """Open every row that the part's fills need."""
        for row in fallback.rows(self.part, self.fills):
            self.open(row)

    def pay(
        self,
        index: int,
        seller: Signed | None = None,
        buyer: Signed | None = None,
        part: Part | None = None,
        fills: list[Fill] | None = None,
        posting: Any = None,
    ) -> list[Event]:
        fill = (fills or self.fills)[index]
        given = fallback.pay(
            *(part or self.part, posting or self.settled.posting, fills or self.fills, index),
            *(seller or self.profile(fill.seller), buyer or self.profile(fill.buyer)),
        )
        return self.call("pay", given)

    def refund(self, index: int) -> list[Event]:
        given = fallback.shown(self.part, self.settled.posting, self.fills, index)
        return self.call("refund", given)

    def call(self, name: str, given: bytes) -> list[Event]:
        return self.market.send(Contract.FALLBACK, name, given, CHALLENGER.address)

    def profile(
        self,
        account: bytes,
        signer: bytes | None = None,
        interval: int | None = None,
        region: bytes = REGION,
        more: tuple[int, int] = (0, 0),
        domain: Any = None,
    ) -> Signed:
        """Return what a meter signed of the interval; or another said, or of another one."""
        _, now = self.settled.readings[account]
        read = now.reading
        said = Profile(
            *(account, region, self.part.place.interval if interval is None else interval),
            *(5_000, 7_000, read.import_wh + more[0], read.export_wh + more[1]),
        )
        device = next(d for d in self.market.people if d.address == (signer or account))
        return said.registers, device.sign(said.digest(domain or self.market.world.domain))

    def metered(self, account: bytes) -> tuple[int, int]:
        """Return what a meter took and gave in the interval."""
        _, now = self.settled.readings[account]
        return now.reading.import_wh - 5_000, now.reading.export_wh - 7_000

    def after_paying(self) -> None:
        """Let the time pass in which fills are paid."""
        until = self.market.world.view(Contract.NET, "failed", self.part.place.key)[2]
        self.market.world.go_to(until + 1)

    def lock(self, account: bytes) -> tuple[Money, Money]:
        """Return what an account locks and has spent."""
        found = self.market.world.view(
            Contract.FALLBACK, "row", self.part.place.key, "0x" + account.hex()
        )
        return tuple(found)
