"""How many orders one core admits: from bytes on the wire to a place in the sealed book.

A region of 1,000 with real certificates and a revocation list per book; each sends a bid on the
local tier and one on the zonal tier in every interval. Timed are decoding, form, digest, signature,
certificate, nonce (the salted digest: one order counts once), roles, limits, funds, and apart from
them the signed receipt. CPU time of one process; the floor is the recovery of as many signatures.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from bench.rows import Row
from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import recover_all
from gridpact.identity.authority import found
from gridpact.identity.certificate import Claims
from gridpact.identity.check import Checker
from gridpact.identity.revocation import Reason, Revoked
from gridpact.market.admission import Gate, admit
from gridpact.market.caps import Pairs
from gridpact.market.flood import MOST_SIGNED
from gridpact.market.wire import decode, encode
from gridpact.model.order import Order, Side, SignedOrder, Tier
from gridpact.model.participant import Participant, Role
from gridpact.model.record import BusCharge, Prices, Timing
from gridpact.simulation.certificates import SimulatedAuthority
from gridpact.simulation.people import Party

PEOPLE, BOOKS = 1_000, 5
GOAL = 5_000
REGION, DOMAIN = name_hash("region"), Domain(56, b"\x05" * 20)
COLLECTOR = Key.derive(b"bench", "collector")
NOTES = (
    f"{PEOPLE} participants with certificates, {BOOKS} books of two orders each, made beforehand; "
    "a book's certificates are checked against a new revocation list when it opens, which is part "
    "of the time. CPU time of one process, the best of three passes; other processes were running. "
    f"Flood: one participant signs {PEOPLE} orders for one book; {MOST_SIGNED} are looked at, the "
    "others cost no cryptography."
)


class _Region(NamedTuple):
    office: SimulatedAuthority
    people: dict[bytes, Participant]
    keys: list[Key]


def run() -> list[Row]:
    """Admit all books three times; the floor is measured in the same run."""
    region = _region()
    books = [_orders(region.keys, interval) for interval in range(BOOKS)]
    count = sum(map(len, books))
    signed = [one for raws in books for one in map(decode, raws) if isinstance(one, SignedOrder)]
    digests = [(one.order.digest(DOMAIN), one.signature) for one in signed]
    floor = _best(lambda: recover_all(digests)) / count
    whole = _best(lambda: _admit_all(region, books, receipts=False)) / count
    with_receipts = _best(lambda: _admit_all(region, books, receipts=True)) / count
    decoding = _best(lambda: [decode(raw) for raws in books for raw in raws]) / count
    naming = _best(lambda: [one.order.digest(DOMAIN) for one in signed]) / count
    checking = _best(lambda: [region.office.barred(one) for one in range(BOOKS)]) / count
    rate, goal = 1 / whole, f">= {GOAL:,}"
    return [
        Row("orders admitted", rate, "1/s", goal=goal, holds=rate >= GOAL),
        _micros("one order", whole, floor),
        _micros("recovery of its signature: the floor", floor, floor),
        _micros("decoding", decoding, floor),
        _micros("EIP-712 digest", naming, floor),
        _micros("certificate, cached, with a list per book", checking, floor),
        _micros(
            "the rest: form, roles, limits, funds",
            whole - floor - decoding - naming - checking,
            floor,
        ),
        _micros("with the collector's signed receipt", with_receipts, floor),
        Row("with receipts", 1 / with_receipts, "1/s", goal=goal, holds=1 / with_receipts >= GOAL),
        *_flood(region, whole),
        *_checks(),
    ]


def _micros(what: str, seconds: float, floor: float) -> Row:
    return Row(what, 1e6 * seconds, "us", "the floor", seconds / floor)


def _flood(region: _Region, whole: float) -> list[Row]:
    """Return what an order of a flood costs, against an honest one."""
    key = region.keys[0]
    greedy = [replace(_order(key, 0, Tier.LOCAL, n), energy_wh=20_000) for n in range(PEOPLE)]
    raws = [encode(_by(key, one)) for one in greedy]
    each = _best(lambda: _admit_all(region, [raws], receipts=False, refusals=PEOPLE)) / PEOPLE
    return [Row("one order of a flood", 1e6 * each, "us", "an honest one", each / whole)]


def _checks() -> list[Row]:
    """Return what it takes to check a certificate that comes with a message, first and later."""
    operator = found("bench", keccak(b"bench"), 1, 0, 10**9)
    revoked = [Revoked(10**6 + n, 1, Reason.LEFT) for n in range(PEOPLE)]
    revocations = operator.revocations(1, 0, 10**9, revoked)
    issued = [operator.issue(_claims(n), n + 1).der for n in range(200)]

    def first() -> None:
        checker = Checker(operator.root, revocations)
        for der in issued:
            checker.check(der, 1)

    known = Checker(operator.root, revocations)

    def later() -> None:
        for der in issued:
            known.check(der, 1)

    later()
    fresh, cached = _best(first) / len(issued), _best(later) / len(issued)
    what = f"a certificate that comes along, {PEOPLE} others revoked"
    return [
        Row(f"{what}: first check", 1e6 * fresh, "us"),
        Row(f"{what}: later checks", 1e6 * cached, "us", "the first", cached / fresh),
    ]


def _claims(number: int) -> Claims:
    key, mark = Key.derive(b"bench", f"checked {number}"), keccak(bytes([number]))
    return Claims(key.public, mark, mark, key.address, REGION, Role.CONSUMER, 0, 10**9)


def _admit_all(
    region: _Region, books: Sequence[Sequence[bytes]], receipts: bool, refusals: int = 0
) -> None:
    taken = 0
    for interval, raws in enumerate(books):
        gate = _gate(region, interval)
        accepted, _ = admit(map(decode, raws), gate, COLLECTOR.sign if receipts else None)
        taken += len(accepted)
    expected = sum(map(len, books)) - refusals
    if taken != expected:
        raise AssertionError(f"{taken} of {expected} orders were admitted")


def _best(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the quickest of three passes."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def _region() -> _Region:
    office = SimulatedAuthority(keccak(b"bench"), Timing(), BOOKS, ())
    roles = Role.CONSUMER | Role.PRODUCER
    parties = []
    for number in range(PEOPLE):
        name = f"participant {number}"
        key = Key.derive(b"bench", name)
        blank = Participant(name, key.address, number % 50, roles, bytes(32), bytes(32))
        parties.append(office.certified(Party(blank, key), REGION))
    people = {one.address: one.participant for one in parties}
    return _Region(office, people, [one.key for one in parties])


def _gate(region: _Region, interval: int) -> Gate:
    charges = tuple(BusCharge(bus, 0) for bus in range(50))
    prices = Prices(220_000, 90_000, 80_000, 0, 40_000, 60_000, 20_000, charges, "bench")
    everybody = region.people
    return Gate(
        DOMAIN,
        REGION,
        interval,
        everybody,
        frozenset(),
        {tier: Pairs.of(prices, tier) for tier in (Tier.LOCAL, Tier.ZONAL)},
        frozenset(range(50)),
        dict.fromkeys(everybody, 10_000),
        dict.fromkeys(everybody, 10_000),
        dict.fromkeys(everybody, 10**9),
        barred=region.office.barred(interval),
    )


def _orders(keys: Sequence[Key], interval: int) -> list[bytes]:
    """Return the bytes of everybody's bids for one interval, the zonal one under its parent."""
    raws = []
    for key in keys:
        local = _order(key, interval, Tier.LOCAL, interval)
        parent = local.digest(DOMAIN)
        zonal = Order(key.address, Side.BID, Tier.ZONAL, REGION, interval, 900, 200_000,
                      parent=parent, salt=interval)  # fmt: skip
        raws += [encode(_by(key, local)), encode(_by(key, zonal))]
    return raws


def _order(key: Key, interval: int, tier: Tier, salt: int) -> Order:
    return Order(key.address, Side.BID, tier, REGION, interval, 1_000, 200_000, salt=salt)


def _by(key: Key, order: Order) -> SignedOrder:
    return SignedOrder(order, key.sign(order.digest(DOMAIN)))
