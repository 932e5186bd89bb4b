"""How records become the words that contracts read: the mirror of `contracts/packing.vy`.

Fields are named from the highest bit down. Rows are packed here by hand because a day has tens of
thousands of them and `eth_abi` takes 20 times as long; `tests/vectors/packing.json` and
`tests/unit/ledger/onchain/test_packing.py` hold both to one layout.
"""

from collections.abc import Iterable, Iterator, Sequence

from gridpact.crypto.keccak import keccak
from gridpact.model.delivery import Delivery
from gridpact.model.interval import Key
from gridpact.model.order import Accepted, Order, Side
from gridpact.model.participant import Account, Participant, Role
from gridpact.model.rating import Standing
from gridpact.model.record import Curtailed, Incentive, Rated, Refund, Security
from gridpact.model.statement import Bill, Statement
from gridpact.model.trade import Fill
from gridpact.model.watch import Hold
from gridpact.quantities import PPM, Price, Score, amount

_MASK_32 = 2**32 - 1
ACTIVE, SUSPENDED = 1, 2
"""States of the registry's word, see `status`."""
MASK_80 = 2**80 - 1
ZERO = b"\0" * 32


def words(values: Iterable[int]) -> bytes:
    """Return whole numbers as 32-byte words, one after another."""
    return b"".join([value.to_bytes(32, "big") for value in values])


def _address(address: bytes) -> bytes:
    return address.rjust(32, b"\0")


def write(key: Key, batch: int, content: bytes) -> bytes:
    """Return `keyed.Write`: region, interval, phase, part, batch, content hash."""
    return key.region + words((key.interval, int(key.phase), key.part, batch)) + content


# words


def account(word: int) -> Account:
    """Return an account of the vault: free 95 | reserved 80 | locked 80 | open 1."""
    return Account(word >> 161, word >> 81 & MASK_80, word >> 1 & MASK_80)


def is_open(word: int) -> bool:
    """Say whether the account of a vault's word is open."""
    return bool(word & 1)


def place(participant: Participant) -> int:
    """Return meter key 160 | bus 32 | roles 8; no key where the device signs for its meter."""
    key = int.from_bytes(participant.meter_key, "big")
    return key << 40 | participant.bus << 8 | int(participant.roles)


def status(word: int) -> tuple[int, Role, int]:
    """Return bus, roles and state of the registry's word: meter key 160 | bus 32 | roles 8 | state.

    State: 0 unknown, 1 active, 2 suspended, 3 approved, its deposit awaited, 4 leaving, 5 left.
    """
    return word >> 16 & 2**32 - 1, Role(word >> 8 & 255), word & 255


def meter_key(word: int, participant: bytes) -> bytes:
    """Return who signs for a participant's meter, by the registry's word."""
    key = word >> 48
    return key.to_bytes(20, "big") if key else participant


def delivery(record: Delivery) -> int:
    """agreed 40 | sent 40 | received 40 | unused 40 | unused_sent 40 | held 40 | disputed 8."""
    return (
        record.agreed << 208
        | record.sent << 168
        | record.received << 128
        | record.unused << 88
        | record.unused_sent << 48
        | record.held << 8
        | int(record.disputed)
    )


# rows of batches


def registration(participant: Participant) -> bytes:
    """Return `registry.Entry`."""
    return b"".join(
        (
            _address(participant.address),
            participant.certificate,
            participant.meter,
            words((place(participant),)),
        )
    )


def security(record: Security) -> bytes:
    """Return `registry.Security`."""
    return _address(record.account) + words((record.amount,)) + compact(record.signature)


def application(participant: Participant, region: bytes) -> bytes:
    """Return `registry.Application` of somebody who promises no deposit."""
    place_ = words((place(participant),))
    return participant.certificate + participant.meter + place_ + region + words((0,))


def order(record: Order) -> bytes:
    """Return `book.Order`: everything that was signed, as a call brings it again."""
    return b"".join(
        (
            _address(record.participant),
            words((int(record.side), int(record.tier))),
            record.region,
            words((record.interval, record.energy_wh, record.price, record.min_reputation)),
            record.terms,
            record.parent,
            words((record.expires, record.salt)),
        )
    )


def compact(signature: bytes) -> bytes:
    """Return `signing.Signature` (EIP-2098): r, and s with the parity in its highest bit.

    What is no signature of 65 bytes becomes one that recovers to nobody.
    """
    if len(signature) != 65 or signature[64] not in (27, 28) or signature[32] >> 7:
        return bytes(64)
    return signature[:32] + bytes([signature[32] | signature[64] - 27 << 7]) + signature[33:64]


def collection(accepted: Accepted, fills: int | None = None) -> bytes:
    """Return `orders.Entry`: the order, its signature, highest charge, most fills, reservation.

    A bid reserves one micro-unit per possible fill beyond its two amounts: that is their number,
    unless `fills` states it, as for a region, which may reserve exactly what its fills lock.
    """
    said = accepted.order
    if said.side is Side.OFFER:
        fills = 0
    elif fills is None:
        whole = amount(said.price, said.energy_wh) + amount(accepted.charge, said.energy_wh)
        fills = accepted.reserved - whole
    numbers = words((accepted.charge, fills, accepted.reserved))
    return order(said) + compact(accepted.signature) + numbers


def match(record: Fill, bid: int, offer: int) -> bytes:
    """Return a row of `settlement.commit`: place of bid 16 | of offer 16 | terms 160."""
    return words((bid << 176 | offer << 160 | record.terms,))


def cross(record: Fill, bid: int, parent: int) -> bytes:
    """Return `crossing.CrossRow`: offer, seller, place of bid 16 | of its parent 16 | terms 160."""
    return (
        record.offer + _address(record.seller) + words((bid << 176 | parent << 160 | record.terms,))
    )


def rank(price: Price, reputation: Score, name: bytes) -> int:
    """Return an offer's place in merit order: price 48 | one less reputation 32 | name's first 48.

    Offers with one price and one reputation stand in the order of their names (5-decisions,
    section 5); of these 48 bits decide on chain.
    """
    return price << 80 | (PPM - reputation) << 48 | int.from_bytes(name[:6], "big")


def ranks(sorted_ranks: Sequence[int]) -> list[bytes]:
    """Return the words of `clearing.check_order`: two ranks each, the earlier above."""
    pairs = list(sorted_ranks)
    if len(pairs) % 2:
        pairs.append(2**128 - 1)
    return [words((pairs[at] << 128 | pairs[at + 1],)) for at in range(0, len(pairs), 2)]


def fill(record: Fill) -> bytes:
    """Return `packing.Fill`: bid, offer, buyer, seller, terms."""
    return b"".join(
        (
            record.bid,
            record.offer,
            _address(record.buyer),
            _address(record.seller),
            record.terms.to_bytes(32, "big"),
        )
    )


def settlement(record: Fill, sent: Delivery) -> bytes:
    """Return `settlement.Row`: the fill and its delivery's word."""
    return fill(record) + delivery(sent).to_bytes(32, "big")


def bill(record: Bill) -> bytes:
    """Return `settlement.BillRow`."""
    return _address(record.participant) + words((record.bought_wh, record.sold_wh))


def refund(record: Refund) -> bytes:
    """Return `settlement.Refund`."""
    return record.fill + words((record.amount,))


def curtailed(record: Curtailed) -> bytes:
    """Return a row of `clearing.curtail`: account 160 | energy 64."""
    return words((int.from_bytes(record.participant, "big") << 64 | record.energy_wh,))


def hold(record: Hold) -> bytes:
    """Return `verdicts.Hold`: energy 128 | since 128, and why."""
    return record.fill + words((record.energy_wh << 128 | record.since,)) + record.reason


def supply(record: Incentive) -> bytes:
    """Return `incentive.Supply`."""
    return _address(record.plant) + words((record.energy_wh, record.charge, record.steadiness))


# digests of the amounts that a contract must come to: d = keccak(d | values), from zero


def statements_digest(statements: Sequence[Statement]) -> bytes:
    """Return what `settlement.settle` returns for these statements."""
    return _digest(
        s.fill
        + words(
            (
                int(s.case),
                s.paid,
                s.charge,
                s.fee_seller,
                s.fee_network,
                s.refund,
                s.reward,
                s.claim,
                s.unpaid_reward,
                s.unpaid_claim,
            )
        )
        for s in statements
    )


def bills_digest(bills: Sequence[Bill]) -> bytes:
    """Return what `settlement.bill` returns for these bills."""
    return _digest(
        bill(b) + words((b.purchase, b.network_share, b.sale, b.unpaid_purchase, b.unpaid_sale))
        for b in bills
    )


def ratings_digest(rated: Sequence[Rated]) -> bytes:
    """Return what `reputation.rate` returns for these ratings."""
    return _digest(row for one in rated for row in _rating(one))


def _rating(r: Rated) -> Iterator[bytes]:
    yield _address(r.participant) + words((r.agreed_wh, r.sent_wh, r.before, r.after))
    if r.standing is not None:
        yield words((believed(r.standing),))


def believed(s: Standing) -> int:
    """Return points 96 | interval 32 | kept 32 | broken 32 | volume 40, as `credibility.vy`."""
    return s.points << 136 | s.interval << 104 | s.kept << 72 | s.broken << 40 | s.volume


def standing(word: int) -> Standing:
    """Return what a word of `reputation.believed` says."""
    fields = ((word >> 104) & _MASK_32, (word >> 72) & _MASK_32, (word >> 40) & _MASK_32)
    return Standing(word >> 136, *fields, word & (2**40 - 1))


def reference(participant: Participant) -> bytes:
    """Return a row of `reputation.refer`."""
    return _address(participant.address) + words((participant.reference_wh,))


def grants_digest(incentives: Sequence[Incentive]) -> bytes:
    """Return what `incentive.grant` returns for these incentives."""
    return _digest(supply(i) + words((i.reference, i.rate, i.paid)) for i in incentives)


def _digest(rows: Iterable[bytes]) -> bytes:
    digest = ZERO
    for row in rows:
        digest = keccak(digest + row)
    return digest
