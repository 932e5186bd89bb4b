"""Rules: what is wrong in one way only, so that each refusal is reached behind those before it."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec.structs import replace
from tests.contracts.fuzz.courses import CHARGE, ENERGY, MOST, PAID, Courses
from tests.contracts.fuzz.play import INTERVALS, LOSS, WEIGHED
from tests.contracts.harness import (
    COSTS,
    FEED_IN,
    LOSS_SHARE,
    OPERATOR,
    RETAIL,
    SHARE,
    _matched,
    decoded,
    delivery,
    fill,
    struct,
)
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows
from gridpact.ledger.onchain.packing import words
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Phase
from gridpact.model.order import NONE, Accepted, Side, Tier
from gridpact.model.trade import Fill

SOUTH = keccak(b"region south")
ORDERS: dict[str, dict[str, Any]] = {
    "no side": {"side": 2},
    "no energy": {"energy_wh": 0},
    "too much energy": {"energy_wh": 2**36},
    "price": {"price": 2**48},
    "expired": {"expires": INTERVALS[1]},
    "other region": {"region": SOUTH},
}
PARENTS = ("own", "another's", "offer", "child", "other interval", "closed", "filled", "unposted")
FILLS = ("nothing", "too much", "above retail", "other interval", "other region", "seller's tier")
FILLS += ("too dear", "too cheap", "again", "oneself", "no such order")
DELIVERIES = ("more received", "more sent", "more agreed", "more unused sent", "other loss")


class Edges(Courses):
    """Orders, children, fills, deliveries, prices."""

    @rule(
        kind=st.sampled_from([*ORDERS, "charge", "reserves", "little", "reserving offer"]),
        by_owner=st.booleans(),
    )
    def odd_order(self, kind: str, by_owner: bool) -> None:
        interval = INTERVALS[1]
        side = Side.OFFER if kind == "reserving offer" else Side.BID
        one = self.world.order("ann", side, 100, 200_000, interval=interval)
        if kind in ORDERS:
            order = replace(one.order, **ORDERS[kind])
            name = order.digest(self.world.domain)
            self.world.book[name] = order
            one = replace(one, order=order, hash=name)
        more = {"reserves": 1, "reserving offer": 5, "little": -7_000}.get(kind, 0)
        one = replace(one, reserved=max(0, one.reserved + more))
        if kind == "charge":
            one = replace(one, charge=2**48)
        if by_owner:
            given = struct(one), one.charge, 0 if side is Side.OFFER else 16
            who = one.order.participant
            act = lambda: self.world.send(Contract.ORDERS, "post", *given, sender=who)  # noqa: E731
        else:
            many = 0 if side is Side.OFFER else 16
            row, write = packing.collection(one, many), self.world.write(interval=interval)
            act = lambda: self.world.rows(Contract.ORDERS, "collect", [row], write=write)  # noqa: E731
        if self.attempt(act):
            self.orders.append(one)

    @rule(kind=st.sampled_from(PARENTS), energy=st.integers(1, ENERGY))
    def child(self, kind: str, energy: int) -> None:
        """A zonal bid with a parent crosses: as far as the parent's energy goes."""
        interval = self.now() + 1
        self.ready(interval)
        made = self.world.order
        fields: dict[str, Any] = {"interval": interval}
        if kind == "child":
            first = made("ann", Side.BID, ENERGY, 200_000, MOST, **fields)
            fields["parent"] = first.hash
        if kind == "other interval":
            fields["interval"] = interval + 1
        who = "cem" if kind == "another's" else "ann"
        side = Side.OFFER if kind == "offer" else Side.BID
        parent = made(who, side, ENERGY, 200_000, MOST, **fields)
        if kind != "unposted":
            self._collect(parent)
        if kind == "closed":
            row, write = packing.order(parent.order), self.world.write(interval=interval)
            self.attempt(lambda: self.world.rows(Contract.ORDERS, "close", [row], write=write))
        size = 2 * ENERGY if kind == "filled" else ENERGY
        bid = made(
            *("ann", Side.BID, size, 200_000, MOST),
            tier=Tier.ZONAL,
            interval=interval,
            parent=parent.hash,
        )
        self._collect(bid)
        offer = made("plant", Side.OFFER, size, 100_000, interval=interval)
        most = size if kind == "filled" else energy
        self.cross(fill(bid, offer, most, PAID, CHARGE, len(self.fills)))
        if kind == "own":  # a child's own fill does not stand on this chain
            self._committed(fill(bid, offer, energy, PAID, CHARGE, len(self.fills)), interval)

    @rule(kind=st.sampled_from(FILLS), energy=st.integers(1, ENERGY))
    def odd_fill(self, kind: str, energy: int) -> None:
        interval = self.now() + 1
        self.ready(interval)
        self.ready(interval + 1)
        bid, offer = self.pair("ann", "ann" if kind == "oneself" else "bob", interval)
        if kind in ("other region", "seller's tier"):
            change = {"region": SOUTH} if kind == "other region" else {"tier": Tier.ZONAL}
            bid, offer = (self._other(one, **change) for one in (bid, offer))
        self._collect(bid, offer)
        one = fill(bid, offer, energy, PAID, CHARGE, len(self.fills))
        changes: dict[str, dict[str, Any]] = {
            "nothing": {"energy_wh": 0},
            "too much": {"energy_wh": ENERGY + 1},
            "above retail": {"price": 200_000, "charge": MOST},
            "too dear": {"price": 200_001},
            "too cheap": {"price": 99_999},
        }
        one = replace(one, **changes.get(kind, {}))
        if kind == "no such order":
            row = [words((7 << 176 | 8 << 160 | one.terms,))]
            call = self.world.suite.call
            write = self.world.write(interval=interval)
            data = call("settlement", "commit", write, Rows([]), Rows(row)).data
            self.attempt(lambda: self.world.raw(Contract.SETTLEMENT, data))
            return
        at = interval + 1 if kind == "other interval" else interval
        self._committed(one, at)
        if kind == "again":
            self._committed(one, at)

    def _other(self, one: Accepted, **changes: Any) -> Accepted:
        order = replace(one.order, **changes)
        name = order.digest(self.world.domain)
        self.world.book[name] = order
        return replace(one, order=order, hash=name)

    def _committed(self, one: Fill, interval: int) -> None:
        write = self.world.write(interval=interval)
        if self.attempt(lambda: self.world.filled("settlement", "commit", write, [one], _matched)):
            self.fills.append(one)

    @rule(kind=st.sampled_from(DELIVERIES), energy=st.integers(20, ENERGY))
    def odd_delivery(self, kind: str, energy: int) -> None:
        interval = self.now() + 1
        self.ready(interval)
        pair = self.pair("ann", "bob", interval)
        self._collect(*pair)
        one = fill(*pair, energy, PAID, CHARGE, len(self.fills))
        self._committed(one, interval)
        loss = LOSS * energy // WEIGHED
        honest = delivery(one, energy, loss)
        changes: dict[str, dict[str, Any]] = {
            "more received": {"received": energy + 1},
            "more sent": {"sent": energy + 1},
            "more agreed": {"agreed": energy + 1},
            "more unused sent": {"unused_sent": 1},
            "other loss": {"received": energy - loss - 3},
        }
        said: Delivery = replace(honest, **changes[kind])
        write = self.world.write(interval=interval)
        self.attempt(lambda: self.world.settle((one, said), write=write))

    @rule(kind=st.integers(0, 9))
    def odd_numbers(self, kind: int) -> None:
        """Prices, readings and clearings that cannot be."""
        interval = self.now() + 2
        tariffs, costs = [RETAIL, SHARE, FEED_IN, LOSS_SHARE], list(COSTS)
        balance, content = [LOSS, WEIGHED, 0], keccak(b"record")
        match kind:
            case 0:
                tariffs[1] = RETAIL + 1
            case 1:
                tariffs[3] = 1_000_001
            case 2:
                tariffs[0] = 2**48
            case 3:
                costs[1] = 2**48
            case 4:
                balance[2] = WEIGHED + 1
            case 5:
                balance[1] = 2**64
            case 6:
                balance[0] = WEIGHED + 1
            case 7:
                content = NONE
        send, clearing = self.world.send, Contract.CLEARING
        writes = {
            phase: decoded(self.world.write(phase, interval, number=0, content=content))
            for phase in (Phase.PRICE, Phase.DELIVER, Phase.CLEAR)
        }
        roots = [keccak(name) for name in (b"book", b"fills", b"seed")]
        calls: tuple[tuple[str, tuple[Any, ...]], ...] = (
            ("price", (writes[Phase.PRICE], tuple(tariffs), tuple(costs))),
            ("deliver", (writes[Phase.DELIVER], keccak(b"readings"), tuple(balance))),
            ("post", (writes[Phase.CLEAR], *roots, 1, 1)),
        )
        for name, given in calls:
            if kind != 8 or name != "post":
                self.attempt(lambda n=name, g=given: send(clearing, n, *g, sender=OPERATOR))  # type: ignore[misc]
