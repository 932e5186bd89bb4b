# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Fraud
@notice Proofs of one step against a posted part: anybody shows one or two of its leaves, the rule
        is run again, and if the leaf says otherwise the part is cancelled and its poster's bond
        taken. A proof uses what the part itself hashes and what was posted before; a proof of
        nothing is refused (5-decisions, section 17).
"""

import accounts
import chunks
import clearing
import merkle
import netting
import packing
import proving
import rounding
import settlement
import split
import statement

initializes: proving

LOCKS: constant(uint256) = 2**48 - 1
ROW: constant(uint256) = 240
PREVIOUS: constant(uint256) = 224
CREDIT: constant(uint256) = 176
DEBIT: constant(uint256) = 128
HELD: constant(uint256) = 80
SENT: constant(uint256) = 40
HALF: constant(uint256) = 2**128 - 1
LOCAL: constant(uint256) = 0

CLEARING: public(immutable(address))
SETTLEMENT: public(immutable(address))


@deploy
def __init__(
    registry_: address, net_: address, council_: address, clearing_: address, settlement_: address
):
    """
    @notice Fix the peers.
    """
    proving.__init__(registry_, net_, council_)
    CLEARING = clearing_
    SETTLEMENT = settlement_


@external
def step(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    shown: statement.Shown,
    before: statement.Shown,
):
    """
    @notice A leaf does not follow from the one before it: another case, another payment, another
            loss share, other running sums, another place.
    @param before The leaf before; not read for the first.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    last: statement.Leaf = empty(statement.Leaf)
    last.energy = (content.header.energy >> 64) & packing.MASK_64
    if shown.index > 0:
        assert before.index == shown.index - 1, "fraud: not the leaf before"
        statement.require_shown(content, before)
        last = before.leaf
    injured: address = fill.seller
    if self._is_sound(shown, last):
        terms: packing.Terms = packing.terms(fill.terms)
        wrong: uint256 = 1
        if self._is_possible(terms, shown.leaf, place.part < netting.HELD):
            wrong = self._wrong(place, content, terms, shown, last)
        assert wrong != 0, "fraud: nothing wrong"
        if wrong == 2:
            injured = fill.buyer
    proving.condemn(key, msg.sender, injured, True)


@external
def chain(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    of_seller: bool,
    shown: statement.Shown,
    fill_before: packing.Fill,
    before: statement.Shown,
):
    """
    @notice An account's running sums in a leaf do not follow from its leaf before: the one that the
            leaf names, which may not even be the account's.
    @param before The leaf named; not read when the leaf names none.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    account: address = fill.buyer
    word: uint256 = shown.leaf.buyer
    sold: uint256 = shown.leaf.sold >> 128
    if of_seller:
        account = fill.seller
        word = shown.leaf.seller
        sold = shown.leaf.sold & HALF
    previous: uint256 = (word >> PREVIOUS) & packing.MASK_16
    last: uint256 = 0
    before_sold: uint256 = 0
    wrong: bool = previous > shown.index
    if previous > 0 and not wrong:
        assert before.index == previous - 1, "fraud: not the leaf before"
        statement.require_shown(content, before)
        proving.require_fill(place, fill_before, before)
        if fill_before.buyer == account:
            last = before.leaf.buyer
            before_sold = before.leaf.sold >> 128
        elif fill_before.seller == account:
            last = before.leaf.seller
            before_sold = before.leaf.sold & HALF
        else:
            wrong = True
    if not wrong:
        terms: packing.Terms = packing.terms(fill.terms)
        wrong = (
            word & (2**ROW - 1) != self._following(terms, of_seller, shown.leaf, previous, last)
            or sold != before_sold + self._sells(of_seller, shown.leaf)
        )
    assert wrong, "fraud: nothing wrong"
    proving.condemn(key, msg.sender, account, True)


@external
def skipped(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    of_seller: bool,
    shown: statement.Shown,
    fill_between: packing.Fill,
    between: statement.Shown,
):
    """
    @notice A leaf names an account's leaf before, but there is one in between.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    statement.require_shown(content, between)
    proving.require_fill(place, fill, shown)
    proving.require_fill(place, fill_between, between)
    account: address = fill.buyer
    previous: uint256 = (shown.leaf.buyer >> PREVIOUS) & packing.MASK_16
    if of_seller:
        account = fill.seller
        previous = (shown.leaf.seller >> PREVIOUS) & packing.MASK_16
    assert account in [fill_between.buyer, fill_between.seller], "fraud: another account"
    assert previous <= between.index and between.index < shown.index, "fraud: not in between"
    proving.condemn(key, msg.sender, account, True)


@external
def between(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    of_seller: bool,
    shown: statement.Shown,
    before: statement.Reading,
    now: statement.Reading,
    read: statement.Reading,
    signature: Bytes[65],
    at: uint256,
    siblings: bytes32[14],
):
    """
    @notice The meter was read between the two readings that a leaf binds: its energy of before is
            counted again.
    @param read That reading, with its signature, as it was posted in an interval between; what was
           not posted then proves nothing, so nobody keeps a reading back to prove an honest part
           wrong by it.
    @param at Its place there: index 128 | count 128.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    account: address = fill.buyer
    digest: bytes32 = shown.leaf.buyer_meter
    if of_seller:
        account = fill.seller
        digest = shown.leaf.seller_meter
    assert digest == statement.meters(
        statement.reading(proving.DOMAIN, before), statement.reading(proving.DOMAIN, now)
    ), "fraud: other readings"
    assert (
        read.meter == account
        and unsafe_add(before.interval, 1) <= read.interval
        and read.interval < now.interval
    ), "fraud: not read between"
    root: bytes32 = staticcall clearing.__interface__(CLEARING).readings(
        place.region, read.interval
    )
    leaf: bytes32 = keccak256(concat(0x00, abi_encode(read), signature))
    assert merkle.stands(
        leaf, at >> 128, at & merkle.COUNT, siblings, root
    ), "fraud: not a posted reading"
    proving.condemn(key, msg.sender, account, True)


@external
def delta(
    place: netting.Place,
    content: netting.Content,
    row: uint256,
    shown: statement.Shown,
    change: chunks.Opening,
):
    """
    @notice What a row gains, loses or has held is not what its last leaf says, or the leaf named is
            not its last. Of the market's own accounts the part's last leaf decides.
    @param row The place in the list; leaves say which row each party has, see `row`.
    @param shown The leaf named, or a later one of the row; not read for a row that names none and
           changes all the same.
    """
    key: bytes32 = proving.posted(place, content)
    half: uint256 = self._half_of(row, change, content.deltas)
    tail: uint256 = (half >> netting.TAIL) & packing.MASK_16
    own: uint256 = self._own(content.header.funds, row)
    if own == 3 and tail == 0 and half != 0:
        proving.condemn(key, msg.sender, empty(address), True)
        return
    statement.require_shown(content, shown)
    if own < 3:
        count: uint256 = content.header.energy & packing.MASK_32
        assert shown.index == count - 1, "fraud: not the last leaf"
        assert half != self._change(own, shown.leaf.common), "fraud: nothing wrong"
    else:
        word: uint256 = shown.leaf.seller
        if shown.leaf.buyer >> ROW == row:
            word = shown.leaf.buyer
        is_party: bool = word >> ROW == row
        if shown.index + 1 == tail:
            assert not is_party or half != self._half(
                (word >> CREDIT) & LOCKS, (word >> DEBIT) & LOCKS, (word >> HELD) & LOCKS, tail
            ), "fraud: nothing wrong"
        else:
            assert is_party and shown.index + 1 > tail, "fraud: nothing wrong"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def rating(
    place: netting.Place,
    content: netting.Content,
    row: uint256,
    shown: statement.Shown,
    said: chunks.Opening,
):
    """
    @notice What a row is rated by is not what the leaf named says that it agreed and sent as a
            seller, or a later leaf of the row says otherwise.
    @param shown The leaf named, or a later one of the row; not read for a row that names none and
           is rated all the same.
    """
    key: bytes32 = proving.posted(place, content)
    half: uint256 = self._half_of(row, said, content.header.reputation)
    tail: uint256 = half & packing.MASK_16
    if tail == 0 and half != 0:
        proving.condemn(key, msg.sender, empty(address), True)
        return
    statement.require_shown(content, shown)
    word: uint256 = shown.leaf.seller
    sold: uint256 = shown.leaf.sold & HALF
    if shown.leaf.buyer >> ROW == row:
        word = shown.leaf.buyer
        sold = shown.leaf.sold >> 128
    is_party: bool = word >> ROW == row
    due: uint256 = sold << (netting.SOLD - netting.SENT) | (word >> SENT) & packing.MASK_40
    if shown.index + 1 == tail:
        assert not is_party or half >> netting.SENT != due, "fraud: nothing wrong"
    else:
        assert (
            is_party and shown.index + 1 > tail and half >> netting.SENT != due
        ), "fraud: nothing wrong"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def row(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    of_seller: bool,
    shown: statement.Shown,
    opening: chunks.Opening,
):
    """
    @notice The row that a leaf gives a party is another account's, or beyond the list.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    account: address = fill.buyer
    at: uint256 = shown.leaf.buyer >> ROW
    if of_seller:
        account = fill.seller
        at = shown.leaf.seller >> ROW
    self._require_other(content, at, account, opening)
    proving.condemn(key, msg.sender, account, True)


@external
def own_row(
    place: netting.Place, content: netting.Content, which: uint256, opening: chunks.Opening
):
    """
    @notice The row that the header gives one of the market's own accounts is another's.
    @param which 0 network_loss, 1 network_operator, 2 reward.
    """
    key: bytes32 = proving.posted(place, content)
    assert which < 3, "fraud: no such account"
    account: address = [accounts.NETWORK_LOSS, accounts.NETWORK_OPERATOR, accounts.REWARD][which]
    at: uint256 = (content.header.funds >> (160 - 16 * which)) & packing.MASK_16
    self._require_other(content, at, account, opening)
    proving.condemn(key, msg.sender, empty(address), True)


@internal
@pure
def _require_other(
    content: netting.Content, at: uint256, account: address, opening: chunks.Opening
):
    # any opening tells how long the list is
    word: uint256 = chunks.opened(opening, content.list)
    if at // chunks.CHUNK < len(opening.hashes):
        assert opening.index == at, "fraud: another row"
        assert word >> 96 != convert(account, uint256), "fraud: nothing wrong"


@internal
@pure
def _is_sound(shown: statement.Shown, last: statement.Leaf) -> bool:
    # the words themselves, and the place in the clearing: strictly rising
    if shown.leaf.delivery >> 248 != 0:
        return False
    return shown.index == 0 or shown.leaf.energy >> 64 > last.energy >> 64


@internal
@pure
def _is_possible(terms: packing.Terms, leaf: statement.Leaf, at_first: bool) -> bool:
    # of the local tier: what crossed is settled on the other chain; energies that add up, and none
    # without its meter; at first a dispute exactly where a reading is missing, and later, when what
    # was held is settled, no dispute at all
    delivery: packing.Delivery = packing.delivery(leaf.delivery)
    missing: bool = leaf.seller_meter == empty(bytes32) or leaf.buyer_meter == empty(bytes32)
    if leaf.seller_meter == empty(bytes32) and delivery.sent + delivery.unused_sent > 0:
        return False
    if leaf.buyer_meter == empty(bytes32) and delivery.agreed > 0:
        return False
    return (
        terms.tier == LOCAL
        and delivery.agreed + delivery.unused + delivery.held == terms.energy
        and delivery.sent <= delivery.agreed
        and delivery.received <= delivery.sent
        and delivery.unused_sent <= delivery.unused
        and delivery.disputed == (missing and at_first)
    )


@internal
@view
def _wrong(
    place: netting.Place,
    content: netting.Content,
    terms: packing.Terms,
    shown: statement.Shown,
    last: statement.Leaf,
) -> uint256:
    # 0 nothing, 1 at the seller's cost, 2 at the buyer's
    leaf: statement.Leaf = shown.leaf
    header: netting.Header = content.header
    delivery: packing.Delivery = packing.delivery(leaf.delivery)
    before: uint256 = last.energy & packing.MASK_64
    now: uint256 = before + delivery.sent
    share: uint256 = 0
    weighed: uint256 = (header.energy >> 128) & packing.MASK_64
    loss: uint256 = header.energy >> 192
    if weighed > 0:
        share = loss * now // weighed - loss * before // weighed
    if leaf.energy & packing.MASK_64 != now:
        return 2
    if place.part < netting.HELD:
        # later the shares are those of the first time, which other fills' sums decided
        if delivery.sent != delivery.received + share:
            return 2
        first: uint256 = (header.energy >> 32) & packing.MASK_32
        if leaf.energy >> 64 != first + shown.index:
            return 1
    rules: split.Rules = staticcall settlement.__interface__(SETTLEMENT).rules()
    tariffs: clearing.Tariffs = staticcall clearing.__interface__(CLEARING).tariffs(
        place.region, place.interval
    )
    owed: split.Statement = split.split(terms, delivery, rules, tariffs.loss_share)
    to_loss: uint256 = rounding.part(owed.charge, rules.loss_fund_share)
    sums: uint256 = last.common
    reward: uint256 = min(owed.reward, ((header.funds >> 64) & packing.MASK_64) - ((sums >> 64) & packing.MASK_64))
    loss_before: uint256 = (sums >> 192) + to_loss + owed.fee_network
    claim: uint256 = min(
        owed.claim, (header.funds & packing.MASK_64) + loss_before - (sums & packing.MASK_64)
    )
    if leaf.amounts != (
        owed.case << 192
        | owed.paid << 144
        | owed.charge << 96
        | owed.fee_seller << 48
        | owed.fee_network
    ):
        if (leaf.amounts >> 144) & LOCKS > owed.paid:
            return 2
        return 1
    if leaf.extras != (
        reward << 144
        | claim << 96
        | (owed.reward - reward) << 48
        | (owed.claim - claim)
    ):
        return 1
    if leaf.common != sums + (
        (to_loss + owed.fee_network) << 192
        | (owed.charge - to_loss) << 128
        | reward << 64
        | claim
    ):
        return 1
    return 0


@internal
@pure
def _half_of(row: uint256, opening: chunks.Opening, digest: bytes32) -> uint256:
    # a row's half of a list that has two rows to a word
    assert opening.index == row // 2, "fraud: another row's word"
    return (chunks.opened(opening, digest) >> (128 * (1 - row % 2))) & HALF


@internal
@pure
def _sells(of_seller: bool, leaf: statement.Leaf) -> uint256:
    # what a leaf adds to what a party agreed as a seller
    if of_seller and leaf.amounts >> 192 != split.DISPUTE:
        return (leaf.delivery >> 208) & packing.MASK_40
    return 0


@internal
@pure
def _following(
    terms: packing.Terms,
    of_seller: bool,
    leaf: statement.Leaf,
    previous: uint256,
    last: uint256,
) -> uint256:
    # the account's word after this leaf
    paid: uint256 = (leaf.amounts >> 144) & LOCKS
    fee_seller: uint256 = (leaf.amounts >> 48) & LOCKS
    credit: uint256 = (last >> CREDIT) & LOCKS
    debit: uint256 = (last >> DEBIT) & LOCKS
    held: uint256 = (last >> HELD) & LOCKS
    sent: uint256 = (last >> SENT) & packing.MASK_40
    agreed: uint256 = last & packing.MASK_40
    if of_seller:
        credit += paid + fee_seller + (leaf.extras >> 144)
        sent += (leaf.delivery >> 168) & packing.MASK_40
    else:
        credit += (leaf.extras >> 96) & LOCKS
        debit += paid + ((leaf.amounts >> 96) & LOCKS) + fee_seller + (leaf.amounts & LOCKS)
        agreed += (leaf.delivery >> 208) & packing.MASK_40
        if leaf.amounts >> 192 == split.DISPUTE:
            held += split.lock(terms)
    return (
        previous << PREVIOUS
        | credit << CREDIT
        | debit << DEBIT
        | held << HELD
        | sent << SENT
        | agreed
    )


@internal
@pure
def _own(funds: uint256, row: uint256) -> uint256:
    # which of the market's own accounts a row is, in the header's order; 3 for none
    for which: uint256 in range(3):
        if (funds >> (160 - 16 * which)) & packing.MASK_16 == row:
            return which
    return 3


@internal
@pure
def _change(own: uint256, sums: uint256) -> uint256:
    # the change of one of the market's own accounts
    if own == 0:
        return self._half(sums >> 192, sums & packing.MASK_64, 0, 0)
    if own == 1:
        return self._half((sums >> 128) & packing.MASK_64, 0, 0, 0)
    return self._half(0, (sums >> 64) & packing.MASK_64, 0, 0)


@internal
@pure
def _half(credit: uint256, debit: uint256, held: uint256, tail: uint256) -> uint256:
    word: uint256 = held << netting.HELD_AT | tail << netting.TAIL
    if debit > credit:
        return word | netting.NEGATIVE | (debit - credit)
    return word | (credit - debit)
