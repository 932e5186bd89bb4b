"""What a part held, when the part that was to settle it fails: paid by leaf, once, nothing more."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from tests.contracts.failing import CANCELLED
from tests.contracts.halves import held
from tests.contracts.harness import World, refused
from tests.contracts.parts import CHALLENGER, NOW, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract, Event

from gridpact.ledger.proving import fallback, net
from gridpact.ledger.proving.part import Part
from gridpact.model.statement import Case
from gridpact.model.trade import Fill


@dataclass
class Following:
    """A final part that held some fills, and the part that follows it and is not final yet."""

    market: NetWorld
    settled: Settled
    first: Part
    part: Part

    @classmethod
    def of(cls, market: NetWorld, seed: int = 1) -> "Following":
        settled = market.market(trades=24, disputed=2, seed=seed)
        first = market.posted(settled)
        market.after_window(first)
        market.finalise(first)
        market.carry(first)
        share = market.world.settlement.loss_fund_share
        part = net.following(first, held(market, settled), settled.meters, share)
        return cls(market, settled, first, part)

    @property
    def at(self) -> list[int]:
        """Return the leaves of the first part that are held."""
        leaves = enumerate(self.first.leaves)
        return [n for n, leaf in leaves if leaf.statement.case is Case.DISPUTE]

    def fill(self, index: int) -> Fill:
        return self.settled.trades[index][1]

    def unposted(self) -> "Following":
        """Let the time pass in which it could be posted."""
        self.market.world.go_to(self.market.state(self.part)[3] + 1)
        return self

    def cancelled(self) -> "Following":
        """Post it; nobody shows a leaf that was asked for."""
        market = self.market
        market.post(self.part)
        market.demand(self.part, 0)
        now = market.state(self.part)[2]
        market.world.go_to(now + TERMS.answer + 1)
        market.unanswered(self.part, 0)
        assert market.state(self.part)[0] == CANCELLED
        return self

    def open_all(self) -> "Following":
        fills = [self.fill(index) for index in self.at]
        for row in fallback.rows(self.part, fills):
            self.call("open", fallback.open_row(self.part, row))
        return self

    def pay(
        self, index: int, fill: Fill | None = None, first: Part | None = None, leaf: int = -1
    ) -> list[Event]:
        given = fallback.pay_held(
            self.part,
            first or self.first,
            fill or self.fill(index),
            index if leaf < 0 else leaf,
        )
        return self.call("pay_held", given)

    def call(self, name: str, given: bytes) -> list[Event]:
        return self.market.send(Contract.FALLBACK, name, given, CHALLENGER.address)

    def purses(self) -> dict[bytes, int]:
        """Return everybody's free and reserved money together, and what is reserved."""
        accounts = {row.account: self.market.world.account(row.account) for row in self.part.rows}
        return {name: one.free + one.reserved for name, one in accounts.items()}


@pytest.fixture
def market(world: World) -> NetWorld:
    return NetWorld.of(world, now=NOW)


@pytest.fixture
def failed(market: NetWorld) -> Following:
    return Following.of(market).unposted().open_all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("way", [Following.unposted, Following.cancelled], ids=["unposted", "cut"])
def test_held_fills_are_paid_as_their_part_would_have(market: NetWorld, way, seed: int) -> None:
    """To the last unit: every account has in the end what the honest part gives it."""
    failed = way(Following.of(market, seed)).open_all()
    before = failed.purses()
    for index in failed.at:
        (paid,) = failed.pay(index)
        assert paid.values["fill"] == failed.fill(index).hash
    failed.market.world.go_to(
        market.world.view(Contract.NET, "failed", failed.part.place.key)[2] + 1
    )
    market.release(failed.part)
    after = failed.purses()
    for row, change in zip(failed.part.rows, failed.part.changes, strict=True):
        assert after[row.account] == before[row.account] + change.delta
        assert market.world.account(row.account).reserved == 0
    assert market.holds()


def test_a_held_fill_is_paid_once(failed: Following) -> None:
    one = failed.at[1]
    failed.pay(one)
    with refused("fallback: fill done with"):
        failed.pay(one)


def test_a_fill_that_was_not_held_is_refused(failed: Following) -> None:
    one = next(n for n in range(24) if n not in failed.at)
    with refused("fallback: not held"):
        failed.pay(one)


def test_another_fill_is_not_paid_under_a_held_leaf(failed: Following) -> None:
    one = failed.at[0]
    fill = failed.fill(one)
    for other in (replace(fill, price=fill.price + 1), replace(fill, seller=CHALLENGER.address)):
        with refused("fallback: another fill"):
            failed.pay(one, fill=other)


def test_another_delivery_than_was_final_is_refused(failed: Following) -> None:
    """Of another leaf the final part's root is another."""
    one = failed.at[0]
    leaf = failed.first.leaves[one]
    more = replace(leaf.delivery, sent=leaf.delivery.agreed)
    leaves = list(failed.first.leaves)
    leaves[one] = replace(leaf, delivery=more)
    forged = failed.first._replace(leaves=tuple(leaves))
    with refused("fallback: another content"):
        failed.pay(one, first=forged)


def test_held_fills_are_not_paid_while_their_part_may_be_posted(market: NetWorld) -> None:
    failed = Following.of(market)
    with refused("fallback: too early"):
        failed.pay(failed.at[0])
    market.post(failed.part)
    with refused("net: not failed"):
        failed.pay(failed.at[0])
    market.after_window(failed.part)
    market.finalise(failed.part)
    with refused("net: not failed"):
        failed.pay(failed.at[0])


def test_held_fills_are_not_paid_too_late(failed: Following) -> None:
    until = failed.market.world.view(Contract.NET, "failed", failed.part.place.key)[2]
    failed.market.world.go_to(until + 1)
    with refused("fallback: too late"):
        failed.pay(failed.at[0])
    failed.market.release(failed.part)
    with refused("net: not failed"):
        failed.pay(failed.at[0])


def test_a_buyers_row_is_opened_first(market: NetWorld) -> None:
    failed = Following.of(market).unposted()
    with refused("fallback: account not opened"):
        failed.pay(failed.at[0])


def test_a_part_that_holds_nothing_pays_no_held_fill(market: NetWorld) -> None:
    """The clearing's own parts are paid by the meters, not by a leaf."""
    settled = market.market(trades=8)
    part = market.part(settled)
    market.reserve(part)
    market.commit(part)
    market.world.go_to(NOW + TERMS.posting + 1)
    given = fallback.pay_held(part, part, settled.trades[0][1], 0)
    with refused("fallback: another book"):
        market.send(Contract.FALLBACK, "pay_held", given, CHALLENGER.address)
