# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Evidence
@notice Proofs that hold a posted part against what was posted or signed elsewhere: the clearing,
        the meters, another part. And the demand: whoever lacks a statement asks for it with a
        stake; unanswered it costs the poster's bond, answered it costs the stake. And the proof
        that a clearing's fill is in no part.
"""

import accounts
import chunks
import clearing
import clock
import council
import leaves
import merkle
import net
import netting
import packing
import posting
import proving
import registry
import settlement
import signing
import split
import statement

initializes: clock
initializes: proving

LOCKS: constant(uint256) = 2**48 - 1
SENT: constant(uint256) = 40
UNUSED: constant(uint256) = 0
LOCAL: constant(uint256) = 0
POSTED: constant(uint256) = 3
CANCELLED: constant(uint256) = 5
RELEASED: constant(uint256) = 6
METER: constant(uint256) = 48  # where the meter's key stands in the registry's word, if it has one

CLEARING: public(immutable(address))
REGISTRY: public(immutable(address))
SETTLEMENT: public(immutable(address))
STAKE: public(immutable(uint256))

slashed: public(HashMap[bytes32, HashMap[address, bool]])  # signers, by part
left: public(HashMap[bytes32, HashMap[uint64, bool]])  # whether fills were proven to be in no part
demands: public(HashMap[bytes32, HashMap[uint256, uint256]])  # by leaf: challenger 160 | until 64


struct Signed:
    before: statement.Reading
    now: statement.Reading
    signature_before: signing.Signature
    signature_now: signing.Signature


event Demanded:
    key: indexed(bytes32)
    index: uint256
    challenger: address
    until: uint256


event Answered:
    key: indexed(bytes32)
    index: uint256


event Uncovered:
    key: indexed(bytes32)
    fill: indexed(bytes32)


@deploy
def __init__(
    registry_: address,
    net_: address,
    council_: address,
    clearing_: address,
    settlement_: address,
    stake: uint256,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers and what a demand costs whoever makes it for nothing.
    """
    proving.__init__(registry_, net_, council_)
    clock.__init__(begins, seconds)
    CLEARING = clearing_
    REGISTRY = registry_
    SETTLEMENT = settlement_
    STAKE = stake


@external
def demand(place: netting.Place, index: uint256):
    """
    @notice Ask for a leaf of a posted part with both meters' signed readings, on a stake. Until
            the answer, or the time for it, nothing is finalised.
    """
    key: bytes32 = netting.key(place)
    assert self.demands[key][index] == 0, "evidence: demanded before"
    extcall council.__interface__(proving.COUNCIL).stake(msg.sender, STAKE)
    extcall net.__interface__(proving.NET).hold(key)
    terms: netting.Terms = staticcall net.__interface__(proving.NET).terms()
    until: uint256 = clock.interval() + terms.answer
    self.demands[key][index] = convert(msg.sender, uint256) << 64 | until
    log Demanded(key=key, index=index, challenger=msg.sender, until=until)


@external
def answer(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    shown: statement.Shown,
    seller: Signed,
    buyer: Signed,
):
    """
    @notice Answer a demand: the leaf, and the readings it binds, signed by the meters. Anybody. Of
            a meter that the leaf has no readings of, nothing is asked.
    """
    key: bytes32 = proving.posted(place, content)
    word: uint256 = self.demands[key][shown.index]
    assert word != 0 and word != max_value(uint256), "evidence: not demanded"
    assert clock.interval() <= word & packing.MASK_64, "evidence: too late"
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    self._require_signed(fill.seller, shown.leaf.seller_meter, seller)
    self._require_signed(fill.buyer, shown.leaf.buyer_meter, buyer)
    self.demands[key][shown.index] = max_value(uint256)
    extcall net.__interface__(proving.NET).resume(key)
    self._forfeit(key, word)
    log Answered(key=key, index=shown.index)


@external
def unanswered(place: netting.Place, content: netting.Content, index: uint256):
    """
    @notice Nobody answered in time: the part is cancelled, the poster's bond taken, the stake
            given back; as it is when the part came to nothing before. A leaf beyond the part's
            last cannot be asked for: that costs the stake.
    """
    key: bytes32 = proving.posted(place, content)
    word: uint256 = self.demands[key][index]
    assert word != 0 and word != max_value(uint256), "evidence: not demanded"
    self.demands[key][index] = max_value(uint256)
    challenger: address = convert(convert(word >> 64, uint160), address)
    state: uint256 = (staticcall net.__interface__(proving.NET).part(key))[0]
    if state == POSTED and index >= content.header.energy & packing.MASK_32:
        extcall net.__interface__(proving.NET).resume(key)
        self._forfeit(key, word)
        return
    if state == POSTED:
        assert clock.interval() > word & packing.MASK_64, "evidence: time to answer"
        proving.condemn(key, challenger, empty(address), False)
    extcall council.__interface__(proving.COUNCIL).unstake(challenger, STAKE)


@external
def uncovered(
    place: netting.Place,
    cleared: posting.Clearing,
    filled: leaves.Filled,
    siblings: bytes32[14],
):
    """
    @notice The time to post is over and a fill of the posted clearing is in no part, though the
            interval is settled net: the operator, who alone commits parts, loses its bond, once
            per interval. Nobody's money is bound to such a fill. Of the local tier only: the zonal
            one is settled on the other chain.
    @param place Any part of the interval that was at least reserved.
    @param filled The fill in the clearing: its seller is the injured.
    """
    key: bytes32 = netting.key(place)
    peer: net.__interface__ = net.__interface__(proving.NET)
    assert (staticcall peer.part(key))[0] != UNUSED, "evidence: no part of net settlement"
    source: clearing.__interface__ = clearing.__interface__(CLEARING)
    assert staticcall source.posted(place.region, place.interval) == posting.clearing_hash(
        place.region, place.interval, cleared
    ), "evidence: another clearing"
    assert not staticcall source.condemned(
        place.region, place.interval
    ), "evidence: clearing condemned"
    terms: netting.Terms = staticcall peer.terms()
    assert (
        clock.interval() > convert(place.interval, uint256) + terms.posting
    ), "evidence: time to post"
    assert packing.terms(filled.leaf.fill.terms).tier == LOCAL, "evidence: not the local tier"
    index: uint256 = leaves.index(filled.place)
    assert index >= staticcall peer.covered(place.region, place.interval), "evidence: in a part"
    assert merkle.stands(
        leaves.of_fill(place.interval, filled.leaf),
        index,
        filled.place & merkle.COUNT,
        siblings,
        cleared.fill_root,
    ), "evidence: not the clearing's fill"
    assert not self.left[place.region][place.interval], "evidence: proven before"
    self.left[place.region][place.interval] = True
    extcall council.__interface__(proving.COUNCIL).slash(
        staticcall peer.OPERATOR(), msg.sender, filled.leaf.fill.seller, key
    )
    log Uncovered(
        key=key, fill=packing.fill_hash(filled.leaf.region, place.interval, filled.leaf.fill)
    )


@external
def foreign(
    place: netting.Place,
    content: netting.Content,
    shown: statement.Shown,
    cleared: posting.Clearing,
    fill: bytes32,
    links: bytes32,
    siblings: bytes32[14],
):
    """
    @notice A leaf's fill is not the one that the posted clearing has at the leaf's place.
    @param fill What the clearing has there; not read beyond its end.
    @param links The second word of its leaf: see `leaves.vy: FillLeaf`.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    assert content.clearing == posting.clearing_hash(
        place.region, place.interval, cleared
    ), "evidence: another clearing"
    position: uint256 = shown.leaf.energy >> 64
    if position < cleared.count:
        leaf: bytes32 = keccak256(concat(0x00, fill, links))
        assert merkle.stands(
            leaf, position, cleared.count, siblings, cleared.fill_root
        ), "evidence: not the clearing's fill"
        assert fill != shown.leaf.fill, "evidence: nothing wrong"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def duplicate(
    place: netting.Place,
    content: netting.Content,
    shown: statement.Shown,
    first_place: netting.Place,
    first_content: netting.Content,
    first: statement.Shown,
):
    """
    @notice A fill is settled in two leaves, of one part or of two. What a part held is settled by
            its own following part.
    """
    key: bytes32 = proving.posted(place, content)
    other: bytes32 = proving.posted(first_place, first_content)
    statement.require_shown(content, shown)
    statement.require_shown(first_content, first)
    assert shown.leaf.fill == first.leaf.fill, "evidence: two fills"
    assert key != other or shown.index != first.index, "evidence: one leaf"
    assert (
        place.part != first_place.part + netting.HELD
        or place.interval != first_place.interval
        or first.leaf.amounts >> 192 != split.DISPUTE
    ), "evidence: held before"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def reading(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    of_seller: bool,
    shown: statement.Shown,
    before: statement.Reading,
    now: statement.Reading,
):
    """
    @notice A seller is said to have sent more than its meter exported, a buyer to owe for more than
            its meter imported, by the two readings that the leaf itself binds; or those are not
            readings of this interval: what was read at its end, and the last one before, which
            is older where the meter was silent (see `fraud.between`), and zero at the beginning.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    account: address = fill.buyer
    word: uint256 = shown.leaf.buyer
    digest: bytes32 = shown.leaf.buyer_meter
    if of_seller:
        account = fill.seller
        word = shown.leaf.seller
        digest = shown.leaf.seller_meter
    assert digest == statement.meters(
        statement.reading(proving.DOMAIN, before), statement.reading(proving.DOMAIN, now)
    ), "evidence: other readings"
    good: bool = (
        before.region == place.region
        and now.region == place.region
        and now.interval == place.interval
        and unsafe_add(before.interval, 1) <= now.interval
        and (before.interval != statement.NEVER or max(before.import_wh, before.export_wh) == 0)
        and before.meter == account
        and now.meter == account
        and before.import_wh <= now.import_wh
        and before.export_wh <= now.export_wh
    )
    if good and of_seller:
        good = (word >> SENT) & packing.MASK_40 <= convert(
            now.export_wh - before.export_wh, uint256
        )
    elif good:
        good = word & packing.MASK_40 <= convert(now.import_wh - before.import_wh, uint256)
    assert not good, "evidence: nothing wrong"
    proving.condemn(key, msg.sender, account, True)


@external
def stopped(
    place: netting.Place, content: netting.Content, fill: packing.Fill, shown: statement.Shown
):
    """
    @notice A leaf leaves out less of its fill than sensors hold, at its seller's cost, or more than
            they and the network operator stopped, at its buyer's.
    """
    key: bytes32 = proving.posted(place, content)
    statement.require_shown(content, shown)
    proving.require_fill(place, fill, shown)
    said: uint256 = (shown.leaf.delivery >> 8) & packing.MASK_40
    held: uint256 = staticcall settlement.__interface__(SETTLEMENT).held(shown.leaf.fill)
    injured: address = fill.seller
    if said >= held:
        injured = fill.buyer
        assert said - held > staticcall clearing.__interface__(CLEARING).curtailed(
            place.interval, fill.seller
        ), "evidence: nothing wrong"
    proving.condemn(key, msg.sender, injured, True)


@external
def funds(place: netting.Place, content: netting.Content, row: chunks.Opening):
    """
    @notice What rewards or claims may come to is not what their account locked.
    """
    key: bytes32 = proving.posted(place, content)
    word: uint256 = chunks.opened(row, content.list)
    account: address = convert(convert(word >> 96, uint160), address)
    assert account in [accounts.REWARD, accounts.NETWORK_LOSS], "evidence: another account"
    limit: uint256 = content.header.funds & packing.MASK_64
    if account == accounts.REWARD:
        limit = (content.header.funds >> 64) & packing.MASK_64
    assert limit != word & LOCKS, "evidence: nothing wrong"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def running(
    place: netting.Place,
    content: netting.Content,
    first_place: netting.Place,
    first_content: netting.Content,
    first: statement.Shown,
):
    """
    @notice A part's energy sent before is not what the part before it, whose fills end where its
            own begin, comes to in its last leaf.
    """
    key: bytes32 = proving.posted(place, content)
    other: bytes32 = proving.posted(first_place, first_content)
    statement.require_shown(first_content, first)
    assert (
        place.region == first_place.region
        and place.interval == first_place.interval
        and max(place.part, first_place.part) < netting.HELD
        and place.part != first_place.part
    ), "evidence: not the part before"
    state: uint256 = (staticcall net.__interface__(proving.NET).part(other))[0]
    assert state != CANCELLED and state != RELEASED, "evidence: the part before is cancelled"
    span: uint256 = first_content.header.energy & packing.MASK_64
    count: uint256 = span & packing.MASK_32
    assert (
        (span >> 32) + count == (content.header.energy >> 32) & packing.MASK_32
    ), "evidence: not the part before"
    assert first.index == count - 1, "evidence: not the last leaf"
    assert (content.header.energy >> 64) & packing.MASK_64 != (
        first.leaf.energy & packing.MASK_64
    ), "evidence: nothing wrong"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def held(
    place: netting.Place,
    content: netting.Content,
    fill: packing.Fill,
    shown: statement.Shown,
    first_content: netting.Content,
    first: statement.Shown,
):
    """
    @notice What was held is settled by another delivery than the part that held it says: the same
            energies, no dispute any more.
    @dev The loss share is that of the first time, which other fills' sums decided. Without its
         meter nobody sent or took anything, the first time too: see `fraud.step`.
    @param first_content The part that held it, whose number is `netting.HELD` less.
    """
    key: bytes32 = proving.posted(place, content)
    self._require_holding(place, first_content)
    statement.require_shown(content, shown)
    statement.require_shown(first_content, first)
    proving.require_fill(place, fill, shown)
    assert shown.leaf.fill == first.leaf.fill, "evidence: two fills"
    due: uint256 = (first.leaf.delivery >> 8) << 8
    assert shown.leaf.delivery != due, "evidence: nothing wrong"
    proving.condemn(key, msg.sender, fill.seller, True)


@external
def left_out(
    place: netting.Place,
    content: netting.Content,
    gap: uint256,
    before: statement.Shown,
    after: statement.Shown,
    first_content: netting.Content,
    first: statement.Shown,
):
    """
    @notice A fill that was held is not in the part that settles what was: two neighbouring leaves
            have its place in the clearing between them.
    @param gap The leaf before which it is missing, or their number.
    @param before The leaf before the gap; not read of the first.
    @param after The leaf behind it; not read of the last.
    """
    key: bytes32 = proving.posted(place, content)
    self._require_holding(place, first_content)
    statement.require_shown(first_content, first)
    assert first.leaf.amounts >> 192 == split.DISPUTE, "evidence: not held"
    at: uint256 = first.leaf.energy >> 64
    count: uint256 = content.header.energy & packing.MASK_32
    assert gap <= count, "evidence: beyond the last leaf"
    if gap > 0:
        statement.require_shown(content, before)
        assert before.index == gap - 1, "evidence: not neighbours"
        assert before.leaf.energy >> 64 < at, "evidence: nothing left out"
    if gap < count:
        statement.require_shown(content, after)
        assert after.index == gap, "evidence: not neighbours"
        assert after.leaf.energy >> 64 > at, "evidence: nothing left out"
    proving.condemn(key, msg.sender, empty(address), True)


@external
def signer(place: netting.Place, content: netting.Content, signature: signing.Signature):
    """
    @notice Take the bond of a member who signed a part that was cancelled, once.
    """
    key: bytes32 = netting.key(place)
    digest: bytes32 = netting.signed(proving.DOMAIN, place, netting.POST, content)
    peer: net.__interface__ = net.__interface__(proving.NET)
    assert staticcall peer.contents(key) == digest, "evidence: another content"
    state: uint256 = (staticcall peer.part(key))[0]
    assert state == CANCELLED, "evidence: not cancelled"
    member: address = signing.signer(digest, signature)
    assert not self.slashed[key][member], "evidence: slashed before"
    self.slashed[key][member] = True
    extcall council.__interface__(proving.COUNCIL).slash(member, msg.sender, empty(address), key)


@internal
@view
def _require_holding(place: netting.Place, content: netting.Content):
    # the content is that of the part whose held fills this one settles
    assert place.part >= netting.HELD, "evidence: not a part of held fills"
    first: netting.Place = place
    first.part -= netting.HELD
    key: bytes32 = proving.posted(first, content)


@internal
def _forfeit(key: bytes32, word: uint256):
    # half of a stake goes to the poster, who was asked, whoever answered
    poster: address = (staticcall net.__interface__(proving.NET).part(key))[1]
    extcall council.__interface__(proving.COUNCIL).forfeit(
        convert(convert(word >> 64, uint160), address), STAKE, poster, key
    )


@internal
@view
def _require_signed(account: address, bound: bytes32, signed: Signed):
    if bound == empty(bytes32):
        return
    before: bytes32 = statement.reading(proving.DOMAIN, signed.before)
    now: bytes32 = statement.reading(proving.DOMAIN, signed.now)
    assert bound == statement.meters(before, now), "evidence: other readings"
    word: uint256 = staticcall registry.__interface__(REGISTRY).status(account)
    meter: address = convert(convert(word >> METER, uint160), address)
    if meter == empty(address):
        meter = account
    if signed.before.interval != statement.NEVER:  # nobody signs that a meter begins at zero
        assert signing.signer(before, signed.signature_before) == meter, "evidence: not its meter"
    assert signing.signer(now, signed.signature_now) == meter, "evidence: not its meter"
