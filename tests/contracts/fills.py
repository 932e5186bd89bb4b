"""What participants do by themselves: post, cancel, lock, settle one fill by two meters' word."""

from dataclasses import dataclass
from typing import Any

from tests.contracts.harness import (
    ANN,
    BOB,
    DEVICES,
    INTERVAL,
    OPERATOR,
    REGION,
    World,
    struct,
)
from tests.contracts.reading import Contract, Event

from gridpact.ledger.onchain.packing import compact
from gridpact.model.delivery import Profile
from gridpact.model.order import Accepted, Posting, Side
from gridpact.model.record import Timing
from gridpact.model.trade import Fill
from gridpact.quantities import Wh

LATER = Timing(2_000_000_000, 3600)
"""Interval 0 lies ahead of any client's own clock, so that its books are open."""
NAMES = {device.address: name for name, device in DEVICES.items()}


def signed(name: str, digest: bytes) -> tuple[bytes, bytes]:
    """Return a compact signature as `eth_abi` wants it."""
    packed = compact(DEVICES[name].sign(digest))
    return packed[:32], packed[32:]


def single(fill: Fill) -> tuple[Any, ...]:
    """Return `settlement.Single`."""
    parties = "0x" + fill.buyer.hex(), "0x" + fill.seller.hex()
    return fill.region, fill.interval, (fill.bid, fill.offer, *parties, fill.terms)


@dataclass
class Hands:
    """Calls of one world's contracts by whoever may make them."""

    world: World

    def at(self, interval: int, offset: int = 0) -> None:
        """Let the clock stand at an interval's beginning, so many seconds later."""
        timing = self.world.timing
        self.world.time = timing.begins + interval * timing.seconds + offset

    def post(self, order: Accepted, fills: int = 16, sender: bytes | None = None) -> list[Event]:
        bid = order.order.side is Side.BID
        return self.world.send(
            *(Contract.ORDERS, "post", struct(order), order.charge, fills if bid else 0),
            sender=sender or order.order.participant,
        )

    def relay(
        self,
        order: Accepted,
        fills: int = 16,
        signer: str | None = None,
        charge: int | None = None,
        said: Accepted | None = None,
    ) -> list[Event]:
        """Relay an order; what was `said` in the signature may be another."""
        fills = fills if order.order.side is Side.BID else 0
        posting = Posting((said or order).hash, order.charge, fills)
        name = signer or NAMES[order.order.participant]
        signature = signed(name, posting.digest(self.world.domain))
        charge = order.charge if charge is None else charge
        given = struct(order), signature, charge, fills
        return self.world.send(Contract.ORDERS, "relay", *given)

    def cancel(self, order: Accepted, sender: bytes | None = None) -> list[Event]:
        who = sender or order.order.participant
        return self.world.send(Contract.ORDERS, "cancel", struct(order), sender=who)

    def match(
        self,
        bid: Accepted,
        offer: Accepted,
        fill: Fill,
        lock: bool = True,
        sender: bytes = OPERATOR,
    ) -> list[Event]:
        given = struct(bid), struct(offer), fill.terms, lock
        return self.world.send(Contract.SETTLEMENT, "match", *given, sender=sender)

    def lock(self, fill: Fill, sender: bytes = ANN) -> list[Event]:
        return self.world.send(Contract.SETTLEMENT, "lock", single(fill), sender=sender)

    def bind(
        self,
        bid: Accepted,
        offer: Accepted,
        fill: Fill,
        signers: tuple[str, str] | None = None,
        sender: bytes = OPERATOR,
    ) -> list[Event]:
        buyer, seller = signers or (NAMES[fill.buyer], NAMES[fill.seller])
        given = (
            *(struct(bid), signed(buyer, bid.hash)),
            *(struct(offer), signed(seller, offer.hash), fill.terms),
        )
        return self.world.send(Contract.ORDERS, "bind", *given, sender=sender)

    def profile(
        self,
        name: str,
        imported: Wh = 0,
        exported: Wh = 0,
        interval: int = INTERVAL,
        region: bytes = REGION,
        before: tuple[Wh, Wh] = (70_000, 90_000),
        signer: str | None = None,
        meter: bytes | None = None,
        domain: Any = None,
    ) -> tuple[int, tuple[bytes, bytes]]:
        """Return what a meter signed of an interval, as `eth_abi` wants it."""
        address = meter or DEVICES[name].address
        said = Profile(
            *(address, region, interval, *before, before[0] + imported, before[1] + exported)
        )
        digest = said.digest(domain or self.world.domain)
        return said.registers, signed(signer or name, digest)

    def settle(
        self,
        fill: Fill,
        sent: Wh,
        taken: Wh,
        sender: bytes = OPERATOR,
        seller: Any = None,
        buyer: Any = None,
    ) -> list[Event]:
        seller = seller or self.profile(NAMES[fill.seller], exported=sent, interval=fill.interval)
        buyer = buyer or self.profile(NAMES[fill.buyer], imported=taken, interval=fill.interval)
        given = single(fill), seller, buyer
        return self.world.send(Contract.SETTLEMENT, "settle_fill", *given, sender=sender)

    def contradict(self, fill: Fill, meter: bytes, first: Any, second: Any) -> list[Event]:
        given = single(fill), "0x" + meter.hex(), first, second
        return self.world.send(Contract.SETTLEMENT, "contradict", *given, sender=BOB)

    def take_back(self, fill: Fill, sender: bytes = ANN) -> list[Event]:
        return self.world.send(Contract.SETTLEMENT, "take_back", single(fill), sender=sender)

    def rate(self, seller: bytes, interval: int = INTERVAL, sender: bytes = BOB) -> list[Event]:
        given = "0x" + seller.hex(), interval
        return self.world.send(Contract.REPUTATION, "rate_one", *given, sender=sender)
