"""Bad orders are refused with their code on record while the market goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from gridpact.assembly.ledgers import memory_ledgers
from gridpact.assembly.parts import Assembled, assemble
from gridpact.crypto.keys import Key
from gridpact.cycle.cycle import run
from gridpact.cycle.ports import Delivered, Expected, Field, Submitted
from gridpact.cycle.result import IntervalResult
from gridpact.model.order import Code, Order, Side, SignedOrder
from gridpact.model.record import Limit
from gridpact.scenario.scenario import Scenario

NOON = 12


@dataclass
class Saboteur:
    """A field that slips bad orders among the honest ones of one interval."""

    inner: Field
    parts: Assembled
    sent: dict[Code, bytes] = field(default_factory=dict)
    yesterday: list[SignedOrder] = field(default_factory=list)

    def expected(self, interval: int) -> Expected:
        return self.inner.expected(interval)

    def orders(self, interval: int) -> Submitted:
        honest = self.inner.orders(interval)
        if interval == NOON - 1:
            self.yesterday = list(honest.local)
        if interval != NOON:
            return honest
        offer = next(one.order for one in honest.local if one.order.side is Side.OFFER)
        bid = next(one.order for one in honest.local if one.order.side is Side.BID)
        stranger = Key(b"\7" * 32)
        bad = {
            Code.SIGNATURE: SignedOrder(_salted(bid), stranger.sign(b"\1" * 32)),
            Code.CERTIFICATE: self._signed(
                msgspec.structs.replace(bid, participant=stranger.address), stranger
            ),
            Code.EXPIRED: self.yesterday[0],
            Code.PRICE_FORM: self._own(msgspec.structs.replace(offer, price=10**9)),
            Code.OVER_LIMIT: self._own(msgspec.structs.replace(offer, energy_wh=10**9)),
            Code.FUNDS: self._own(msgspec.structs.replace(bid, price=2 * 10**11)),
        }
        self.sent = {code: one.order.participant for code, one in bad.items()}
        self.sent[Code.DUPLICATE] = honest.local[0].order.participant
        return replace(honest, local=[*bad.values(), *honest.local, honest.local[0]])

    def deliver(
        self, interval: int, limits: Sequence[Limit], reactive_var: Mapping[bytes, int]
    ) -> Delivered:
        return self.inner.deliver(interval, limits, reactive_var)

    def _own(self, order: Order) -> SignedOrder:
        parties = {party.address: party.key for party in self.parts.people.sites}
        return self._signed(_salted(order), parties[order.participant])

    def _signed(self, order: Order, key: Key) -> SignedOrder:
        return SignedOrder(order, key.sign(order.digest(self.parts.market.local.domain)))


def _salted(order: Order) -> Order:
    return msgspec.structs.replace(order, salt=order.salt + 999)


@pytest.fixture(scope="module")
def spoilt(scenario: Scenario) -> tuple[Saboteur, list[IntervalResult], list[IntervalResult]]:
    honest = assemble(scenario, memory_ledgers(scenario))
    undisturbed = list(run(honest.market, NOON + 1))
    parts = assemble(scenario, memory_ledgers(scenario))
    saboteur = Saboteur(parts.market.field, parts)
    results = list(run(replace(parts.market, field=saboteur), NOON + 1))
    return saboteur, results, undisturbed


@pytest.mark.parametrize(
    "code",
    [
        Code.SIGNATURE,
        Code.CERTIFICATE,
        Code.EXPIRED,
        Code.PRICE_FORM,
        Code.OVER_LIMIT,
        Code.FUNDS,
        Code.DUPLICATE,
    ],
)
def test_bad_order_is_refused_with_its_code(
    code: Code, spoilt: tuple[Saboteur, list[IntervalResult], list[IntervalResult]]
) -> None:
    saboteur, results, _ = spoilt
    refused = {(one.code, one.participant) for one in results[NOON].book.refusals}
    assert (code, saboteur.sent[code]) in refused


def test_honest_orders_are_all_accepted_and_trade_as_without_the_bad_ones(
    spoilt: tuple[Saboteur, list[IntervalResult], list[IntervalResult]],
) -> None:
    _, results, undisturbed = spoilt
    assert [one.hash for one in results[NOON].book.orders] == [
        one.hash for one in undisturbed[NOON].book.orders
    ]
    assert results[NOON].settlement == undisturbed[NOON].settlement


def test_suspended_participant_is_refused_and_still_metered(scenario: Scenario) -> None:
    parts = assemble(scenario, memory_ledgers(scenario), signed=False)
    banned = parts.market.participants[0].address
    market = replace(parts.market, people=parts.market.people.suspend(banned))
    [result] = run(market, 1)
    refused = {one.code for one in result.book.refusals if one.participant == banned}
    assert refused == {Code.BLACKLIST}
    assert result.metered[banned].import_wh > 0
    assert any(bill.participant == banned for bill in result.settlement.bills)
