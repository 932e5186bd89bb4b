# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Challenges of the book
@notice Proofs that the book of a posted clearing is wrong: an order left out, refused without
        reason, shown as somebody else's; two orders with one receipt's number. What no chain can
        judge is asked for by a demand: an unanswered one condemns the clearing, an answered one
        costs its stake (5-decisions, section 17).
@dev An order cancelled off chain stays in the book with the code `cancelled`, so that no gap shows
     it as left out; who doubts it demands the participant's signed `Cancelled`.
     `path`, the last argument, holds the siblings of all leaves that a call shows and reads, in
     their order.
"""

import book
import challenging
import clearing
import clock
import council
import leaves
import merkle
import netting
import orders
import packing
import posting
import quorum
import registry
import reputation
import signing

initializes: clock
initializes: challenging[clock := clock]

CLEAR: constant(uint256) = 4  # phase of the quorum's signature
LAST: constant(uint256) = max_value(uint256)
ACCEPTED_TYPE: constant(bytes32) = keccak256(
    "Accepted(bytes32 orderHash,bytes32 region,uint64 interval,uint32 sequence)"
)
CANCELLED_TYPE: constant(bytes32) = keccak256(
    "Cancelled(bytes32 orderHash,bytes32 region,uint64 interval)"
)
# demands: challenger 160 | asked in interval 64 | 1
CHALLENGER: constant(uint256) = 96
ASKED: constant(uint256) = 32
REGION: constant(uint256) = 8  # role

COLLECTOR: public(immutable(address))

demands: HashMap[bytes32, uint256]
doubled: public(HashMap[bytes32, bool])  # sequence numbers that were proven to be given twice


event ReceiptsDoubled:
    region: indexed(bytes32)
    interval: indexed(uint64)
    sequence: uint32
    challenger: address


event Demanded:
    clearing: indexed(bytes32)
    of_orders: bool
    index: uint256
    challenger: address


event Answered:
    clearing: indexed(bytes32)
    of_orders: bool
    index: uint256


@deploy
def __init__(
    operator: address,
    collector: address,
    peers: challenging.Peers,
    terms: challenging.Terms,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers, the deadlines, and whose receipts count.
    """
    clock.__init__(begins, seconds)
    challenging.__init__(operator, peers, terms)
    COLLECTOR = collector


@external
def omitted(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    order: book.Order,
    sequence: uint32,
    receipt: signing.Signature,
    low: leaves.Placed,
    high: leaves.Placed,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice An order with a receipt is not in the book: two neighbouring leaves lie on both sides.
            A region's own order enters with the commit, after the clearing.
    @param receipt The collector's signed `Accepted`.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    wanted: bytes32 = book.digest(challenging.DOMAIN, order)
    assert (
        signing.signer(self._accepted(wanted, region, interval, sequence), receipt) == COLLECTOR
    ), "challenge_book: not the collector's receipt"
    status: uint256 = staticcall registry.__interface__(challenging.REGISTRY).status(
        order.participant
    )
    assert (status >> 8) & REGION == 0, "challenge_book: a region's own"
    self._require_neighbours(posted.order_root, low, high, path)
    assert convert(low.leaf.order, uint256) < convert(wanted, uint256) and convert(
        wanted, uint256
    ) < convert(high.leaf.order, uint256), "challenge_book: not in between"
    challenging.condemn(region, interval, name, keccak256("omitted"), order.participant)


@external
def unsorted(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    low: leaves.Placed,
    high: leaves.Placed,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice The book is no sorted list between its sentinels: two neighbours do not rise, or the
            first is not zero, or the last not the highest word there is. For an end give its leaf
            twice.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    if leaves.index(low.place) == leaves.index(high.place):
        merkle.after(leaves.of_order(low.leaf), low.place, posted.order_root, path, 0)
        at: uint256 = leaves.index(low.place)
        is_first: bool = at == 0 and low.leaf.order != empty(bytes32)
        is_last: bool = at + 1 == low.place & merkle.COUNT and low.leaf.order != convert(
            LAST, bytes32
        )
        assert is_first or is_last, "challenge_book: nothing wrong"
    else:
        self._require_neighbours(posted.order_root, low, high, path)
        assert convert(low.leaf.order, uint256) >= convert(
            high.leaf.order, uint256
        ), "challenge_book: nothing wrong"
    challenging.condemn(region, interval, name, keccak256("unsorted"), empty(address))


@external
def doubled_receipts(
    region: bytes32,
    interval: uint64,
    sequence: uint32,
    names: bytes32[2],
    receipts: signing.Signature[2],
):
    """
    @notice The collector gave one sequence number to two orders: its bond is taken, once for each
            number.
    """
    assert names[0] != names[1], "challenge_book: one order"
    for i: uint256 in range(2):
        assert (
            signing.signer(self._accepted(names[i], region, interval, sequence), receipts[i])
            == COLLECTOR
        ), "challenge_book: not the collector's receipt"
    number: bytes32 = keccak256(abi_encode(region, interval, sequence))
    assert not self.doubled[number], "challenge_book: proven before"
    self.doubled[number] = True
    extcall council.__interface__(challenging.COUNCIL).slash(
        COLLECTOR, msg.sender, empty(address), number
    )
    log ReceiptsDoubled(
        region=region, interval=interval, sequence=sequence, challenger=msg.sender
    )


@external
def refused(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    order: book.Order,
    sequence: uint32,
    receipt: signing.Signature,
    shown: leaves.Placed,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice An order was refused as expired, which it is not; or for its signature, or for want of
            money, though it stands on this chain or the collector accepted it.
    @dev A good signature shown later proves nothing: the collector may have seen a bad one. Whose
         orders a collector does not take posts them itself.
    @param receipt The collector's signed `Accepted`; read only for an order that does not stand
           here and did not expire.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaf: bytes32 = challenging.shown_order(order, shown.leaf)
    merkle.after(leaf, shown.place, posted.order_root, path, 0)
    wanted: bytes32 = shown.leaf.order
    assert order.region == region and order.interval == interval, "challenge_book: another book's"
    code: uint256 = leaves.refusal(shown.leaf.said)
    if code == leaves.EXPIRED:
        assert order.expires == 0 or order.expires > interval, "challenge_book: expired"
    else:
        assert code in [
            leaves.SIGNATURE, leaves.FUNDS
        ], "challenge_book: not for a chain to judge"
        if not self._stands(wanted):
            assert (
                signing.signer(self._accepted(wanted, region, interval, sequence), receipt)
                == COLLECTOR
            ), "challenge_book: neither here nor accepted"
    challenging.condemn(region, interval, name, keccak256("refused"), order.participant)


@external
def mislabelled(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    order: book.Order,
    shown: leaves.Placed,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice A leaf names another participant than its order, or a reputation that did not stand in
            this interval (which is judged before delivery only).
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaf: bytes32 = challenging.shown_order(order, shown.leaf)
    merkle.after(leaf, shown.place, posted.order_root, path, 0)
    wrong: bool = leaves.participant(shown.leaf.said) != order.participant
    if not wrong and challenging.TERMS.challenge_closes != 0:
        wrong = not staticcall reputation.__interface__(challenging.REPUTATION).stood(
            order.participant, leaves.reputation(shown.leaf.said)
        )
    assert wrong, "challenge_book: nothing wrong"
    challenging.condemn(region, interval, name, keccak256("mislabelled"), order.participant)


@external
def demand(
    region: bytes32, interval: uint64, posted: posting.Clearing, of_orders: bool, index: uint256
):
    """
    @notice Ask for a leaf that the poster withholds, with a stake. It must be answered before
            challenges close; where no deadline counts, within some intervals.
    @param of_orders Whether it is a leaf of the book, or of the fills.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    assert not staticcall clearing.__interface__(challenging.CLEARING).condemned(
        region, interval
    ), "challenge_book: condemned before"
    assert challenging.TERMS.commit_closes == 0 or clock.is_before(
        interval, challenging.TERMS.commit_closes
    ), "challenge_book: too late"
    key: bytes32 = keccak256(abi_encode(name, of_orders, index))
    assert self.demands[key] == 0, "challenge_book: demanded before"
    self.demands[key] = (
        convert(msg.sender, uint256) << CHALLENGER | clock.interval() << ASKED | 1
    )
    extcall council.__interface__(challenging.COUNCIL).stake(msg.sender, challenging.TERMS.stake)
    log Demanded(clearing=name, of_orders=of_orders, index=index, challenger=msg.sender)


@external
def answer_order(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    index: uint256,
    shown: leaves.Placed,
    order: book.Order,
    cancelled: signing.Signature,
    epoch: uint64,
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice Show a demanded leaf of the book: anybody. A cancelled order comes with its
            participant's signature, a refusal that no chain can judge with the council's quorum
            for the clearing, where there is a council. A leaf beyond the last is answered by any.
    @param order Read only for a cancelled order.
    """
    name: bytes32 = posting.clearing_hash(region, interval, posted)
    merkle.after(leaves.of_order(shown.leaf), shown.place, posted.order_root, path, 0)
    code: uint256 = leaves.refusal(shown.leaf.said)
    if self._is_asked(shown.place, index):
        if code == leaves.CANCELLED:
            wanted: bytes32 = book.digest(challenging.DOMAIN, order)
            assert wanted == shown.leaf.order, "challenge_book: another order"
            assert (
                signing.signer(self._cancelled(wanted, region, interval), cancelled)
                == order.participant
            ), "challenge_book: not cancelled"
        elif not self._is_judged(code):
            self._require_quorum(region, interval, name, epoch, members, signatures)
    self._answer(name, True, index)


@external
def answer_fill(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    index: uint256,
    shown: leaves.Filled,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice Show a demanded fill: anybody. A place beyond the last is answered by any leaf.
    """
    name: bytes32 = posting.clearing_hash(region, interval, posted)
    merkle.after(leaves.of_fill(interval, shown.leaf), shown.place, posted.fill_root, path, 0)
    asked: bool = self._is_asked(shown.place, index)
    self._answer(name, False, index)


@external
def expire(
    region: bytes32, interval: uint64, posted: posting.Clearing, of_orders: bool, index: uint256
):
    """
    @notice Condemn a clearing whose poster did not answer in time: anybody. When it was condemned
            for something else, only the stake comes back.
    """
    name: bytes32 = posting.clearing_hash(region, interval, posted)
    key: bytes32 = keccak256(abi_encode(name, of_orders, index))
    word: uint256 = self.demands[key]
    assert word != 0, "challenge_book: nothing demanded"
    challenger: address = convert(convert(word >> CHALLENGER, uint160), address)
    is_condemned: bool = staticcall clearing.__interface__(challenging.CLEARING).condemned(
        region, interval
    )
    if not is_condemned:
        asked: uint256 = (word >> ASKED) & packing.MASK_64
        over: bool = clock.interval() > asked + challenging.TERMS.answer
        if challenging.TERMS.challenge_closes != 0:
            over = not clock.is_before(interval, challenging.TERMS.challenge_closes)
        assert over, "challenge_book: time to answer"
    self.demands[key] = 0
    extcall council.__interface__(challenging.COUNCIL).unstake(challenger, challenging.TERMS.stake)
    if not is_condemned:
        challenging.take_bond(region, interval, name, keccak256("withheld"), challenger, empty(address))


@external
@view
def demanded(
    region: bytes32, interval: uint64, posted: posting.Clearing, of_orders: bool, index: uint256
) -> (address, uint256):
    """
    @return Who demands a leaf, and in which interval it was asked for; nobody and zero if none.
    """
    name: bytes32 = posting.clearing_hash(region, interval, posted)
    word: uint256 = self.demands[keccak256(abi_encode(name, of_orders, index))]
    return (
        convert(convert(word >> CHALLENGER, uint160), address),
        (word >> ASKED) & packing.MASK_64,
    )


@internal
@view
def _accepted(order: bytes32, region: bytes32, interval: uint64, sequence: uint32) -> bytes32:
    return challenging.typed(keccak256(abi_encode(ACCEPTED_TYPE, order, region, interval, sequence)))


@internal
@view
def _cancelled(order: bytes32, region: bytes32, interval: uint64) -> bytes32:
    return challenging.typed(keccak256(abi_encode(CANCELLED_TYPE, order, region, interval)))


@internal
@view
def _require_neighbours(
    order_root: bytes32,
    low: leaves.Placed,
    high: leaves.Placed,
    path: DynArray[bytes32, merkle.MOST],
):
    assert (
        leaves.index(low.place) + 1 == leaves.index(high.place)
    ), "challenge_book: not neighbours"
    used: uint256 = merkle.after(leaves.of_order(low.leaf), low.place, order_root, path, 0)
    merkle.after(leaves.of_order(high.leaf), high.place, order_root, path, used)


@internal
@view
def _stands(order: bytes32) -> bool:
    found: (uint256, uint256, uint256, uint256) = staticcall orders.__interface__(
        challenging.ORDERS
    ).state(order)
    return found[3] != 0


@internal
@pure
def _is_judged(code: uint256) -> bool:
    return code in [
        leaves.ADMITTED, leaves.SIGNATURE, leaves.FUNDS, leaves.EXPIRED, leaves.PRICE_FORM
    ]


@internal
@pure
def _is_asked(place: uint256, index: uint256) -> bool:
    # a leaf beyond the last is answered by any, which shows how many there are
    if index < place & merkle.COUNT:
        assert leaves.index(place) == index, "challenge_book: another leaf"
        return True
    return False


@internal
@view
def _require_quorum(
    region: bytes32,
    interval: uint64,
    name: bytes32,
    epoch: uint64,
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    peer: council.__interface__ = council.__interface__(challenging.COUNCIL)
    if staticcall peer.epochs(region) == 0:
        return
    content: netting.Content = empty(netting.Content)
    content.epoch = epoch
    content.clearing = name
    place: netting.Place = netting.Place(region=region, interval=interval, part=0)
    signed: bool = staticcall peer.check(
        netting.signed(challenging.DOMAIN, place, CLEAR, content),
        region,
        epoch,
        interval,
        empty(address),
        members,
        signatures,
    )
    assert signed, "challenge_book: no quorum"


@internal
def _answer(name: bytes32, of_orders: bool, index: uint256):
    key: bytes32 = keccak256(abi_encode(name, of_orders, index))
    word: uint256 = self.demands[key]
    assert word != 0, "challenge_book: nothing demanded"
    self.demands[key] = 0
    extcall council.__interface__(challenging.COUNCIL).forfeit(
        convert(convert(word >> CHALLENGER, uint160), address), challenging.TERMS.stake, challenging.OPERATOR, name
    )
    log Answered(clearing=name, of_orders=of_orders, index=index)
