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
import netting
import packing
import proving
import rounding
import settlement
import split
import statement

initializes: proving

LOCKS: constant(uint256) = 2**48 - 1
PREVIOUS: constant(uint256) = 224
CREDIT: constant(uint256) = 176
DEBIT: constant(uint256) = 128
HELD: constant(uint256) = 80
SENT: constant(uint256) = 40

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
    if of_seller:
        account = fill.seller
        word = shown.leaf.seller
    previous: uint256 = word >> PREVIOUS
    last: uint256 = 0
    wrong: bool = previous > shown.index
    if previous > 0 and not wrong:
        assert before.index == previous - 1, "fraud: not the leaf before"
        statement.require_shown(content, before)
        proving.require_fill(place, fill_before, before)
        if fill_before.buyer == account:
            last = before.leaf.buyer
        elif fill_before.seller == account:
            last = before.leaf.seller
        else:
            wrong = True
    if not wrong:
        terms: packing.Terms = packing.terms(fill.terms)
        wrong = word != self._following(terms, of_seller, shown.leaf, previous, last)
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
    previous: uint256 = shown.leaf.buyer >> PREVIOUS
    if of_seller:
        account = fill.seller
        previous = shown.leaf.seller >> PREVIOUS
    assert account in [fill_between.buyer, fill_between.seller], "fraud: another account"
    assert previous <= between.index and between.index < shown.index, "fraud: not in between"
    proving.condemn(key, msg.sender, account, True)


@external
def delta(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    shown: statement.Shown,
    row: chunks.Opening,
    change: chunks.Opening,
):
    """
    @notice What an account gains, loses or has held is not what its last leaf says, or the leaf
            named is not its last. Of the market's own accounts the part's last leaf decides.
    @param shown The leaf named, or a later one of the account; not read for an account that names
           none and changes all the same.
    """
    key: bytes32 = proving.posted(place, content)
    assert change.index == row.index // 2, "fraud: another account's delta"
    account: address = convert(
        convert(chunks.opened(row, content.list) >> 96, uint160), address
    )
    half: uint256 = chunks.opened(change, content.deltas) >> (128 * (1 - row.index % 2))
    half = half & (2**128 - 1)
    tail: uint256 = (half >> netting.TAIL) & packing.MASK_16
    own: bool = account in [
        accounts.NETWORK_LOSS, accounts.NETWORK_OPERATOR, accounts.REWARD
    ]
    if not own and tail == 0 and half != 0:
        proving.condemn(key, msg.sender, account, True)
        return
    statement.require_shown(content, shown)
    if own:
        count: uint256 = content.header.energy & packing.MASK_32
        assert shown.index == count - 1, "fraud: not the last leaf"
        assert half != self._own(account, shown.leaf.common), "fraud: nothing wrong"
    else:
        proving.require_fill(place, fill, shown)
        word: uint256 = shown.leaf.seller
        if account == fill.buyer:
            word = shown.leaf.buyer
        is_party: bool = account in [fill.buyer, fill.seller]
        if shown.index + 1 == tail:
            assert not is_party or half != self._half(
                (word >> CREDIT) & LOCKS, (word >> DEBIT) & LOCKS, (word >> HELD) & LOCKS, tail
            ), "fraud: nothing wrong"
        else:
            assert is_party and shown.index + 1 > tail, "fraud: nothing wrong"
    proving.condemn(key, msg.sender, account, True)


@external
def unlisted(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    of_seller: bool,
    shown: statement.Shown,
    low: chunks.Opening,
    high: chunks.Opening,
):
    """
    @notice A party to a leaf is in no row: two neighbouring rows lie on both sides of it. Before
            the first and after the last row one opening is enough, given twice.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    account: address = fill.buyer
    if of_seller:
        account = fill.seller
    wanted: uint256 = convert(account, uint256)
    below: uint256 = chunks.opened(low, content.list) >> 96
    above: uint256 = chunks.opened(high, content.list) >> 96
    if low.index == high.index:
        # the first row, or the last: the list goes on with zeros to the end of its chunk
        last: bool = low.index % chunks.CHUNK == chunks.CHUNK - 1
        if last:
            last = low.index // chunks.CHUNK == len(low.hashes) - 1
        elif below != 0:
            last = low.words[low.index % chunks.CHUNK + 1] == 0
        assert (low.index == 0 and wanted < below) or (
            last and below != 0 and wanted > below
        ), "fraud: not outside"
    else:
        assert high.index == low.index + 1 and above != 0, "fraud: not neighbours"
        assert below < wanted and wanted < above, "fraud: not in between"
    proving.condemn(key, msg.sender, account, True)


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
    # energies that add up; at first a dispute exactly where a reading is missing, and later, when
    # what was held is settled, no dispute at all
    delivery: packing.Delivery = packing.delivery(leaf.delivery)
    missing: bool = leaf.seller_meter == empty(bytes32) or leaf.buyer_meter == empty(bytes32)
    return (
        delivery.agreed + delivery.unused + delivery.held == terms.energy
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
    reward: uint256 = min(owed.reward, header.funds // 2**64 - ((sums >> 64) & packing.MASK_64))
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
def _own(account: address, sums: uint256) -> uint256:
    # the change of one of the market's own accounts
    if account == accounts.NETWORK_LOSS:
        return self._half(sums >> 192, sums & packing.MASK_64, 0, 0)
    if account == accounts.NETWORK_OPERATOR:
        return self._half((sums >> 128) & packing.MASK_64, 0, 0, 0)
    return self._half(0, (sums >> 64) & packing.MASK_64, 0, 0)


@internal
@pure
def _half(credit: uint256, debit: uint256, held: uint256, tail: uint256) -> uint256:
    word: uint256 = held << netting.HELD_AT | tail << netting.TAIL
    if debit > credit:
        return word | netting.NEGATIVE | (debit - credit)
    return word | (credit - debit)
