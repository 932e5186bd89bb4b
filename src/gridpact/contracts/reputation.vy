# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Reputation
@notice How far a seller kept its word, in parts per million. Moved only by what settled fills say
        it agreed and sent, by the rule that the founding chose: `feedback`, `comprehensive` or
        `credibility` (5-decisions, section 9), the same integers as `reputation/rule.py`. Who falls
        short beyond the tolerance is fined for it, from its deposit at the registry and never
        beyond.
        An interval is rated in one way: by the fills that were settled one by one, or, once a part
        of net settlement was committed, by the ratings under its final parts' headers. So what is
        settled in both ways counts once: see `net.by_fills`.
"""

import breach
import chunks
import clock
import comprehensive
import credibility
import feedback
import keyed
import net
import netting
import packing
import registry
import settlement

initializes: clock
initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
PPM: constant(uint256) = 1_000_000
# scores: five earlier ones of the interval 32 each | interval of the last change 32 | now 64
EARLIER: constant(uint256) = 96
EARLIEST: constant(uint256) = 128  # of the earlier ones
AT: constant(uint256) = 64
KNOWN: constant(uint256) = 2**32
HELD: constant(uint256) = 2**31  # marks an earlier score
FINAL: constant(uint256) = 4  # of a part of net settlement
LEAVING: constant(uint256) = 4  # of a participant, as `registry.vy`
BY_FEEDBACK: constant(uint256) = 0
BY_COMPREHENSIVE: constant(uint256) = 1
BY_CREDIBILITY: constant(uint256) = 2


struct Rules:
    rule: uint256
    feedback: feedback.Rules  # those of the other two are zero
    comprehensive: comprehensive.Rules
    credibility: credibility.Rules


struct Volume:
    seller: address
    volume: uint256  # Wh


struct Share:
    seller: address
    score: uint256  # ppm


struct Rating:
    seller: address
    agreed: uint256
    sent: uint256
    before: uint256
    now: uint256


OPERATOR: public(immutable(address))
SETTLEMENT: public(immutable(address))
NET: public(immutable(address))
DOMAIN: immutable(bytes32)
REGISTRY: public(immutable(address))
WINDOW: immutable(uint256)
RULE: public(immutable(uint256))
FEEDBACK: immutable(feedback.Rules)
COMPREHENSIVE: immutable(comprehensive.Rules)
CREDIBILITY: immutable(credibility.Rules)
FINE: public(immutable(uint256))  # micro-units per kWh that was agreed and not sent
TOLERANCE: public(immutable(uint256))  # ppm of what was agreed

scores: HashMap[address, uint256]
standings: HashMap[address, uint256]  # of `credibility`, as its words are
# earlier ones that the word has no room for: seller 160 | interval 32 | score 32
outlived: HashMap[uint256, bool]
rated: HashMap[bytes32, uint256]  # of a part, by 32 rows, which were rated


event Rated:
    seller: indexed(address)
    agreed: uint256
    sent: uint256
    before: uint256
    now: uint256


event Believed:
    seller: indexed(address)
    points: uint256
    kept: uint256
    broken: uint256


event Referred:
    seller: indexed(address)
    volume: uint256


event Yielded:
    seller: indexed(address)
    score: uint256


event Inherited:
    seller: indexed(address)
    score: uint256


event RatedRows:
    key: indexed(bytes32)
    first: uint256


@deploy
def __init__(
    operator: address,
    settlement_: address,
    net_: address,
    rules: Rules,
    window: uint256,
    registry_: address,
    fine: uint256,
    tolerance: uint256,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix where deliveries are read, and the numbers of the rule.
    @param window Intervals after which a dispute ends: until then the operator rates.
    @param fine What a kWh costs that was agreed and not sent, when more is missing than tolerated.
    """
    clock.__init__(begins, seconds)
    assert self._sound(rules), "reputation: rules"
    assert fine < 2**48 and tolerance <= PPM, "reputation: fine"
    OPERATOR = operator
    REGISTRY = registry_
    FINE = fine
    TOLERANCE = tolerance
    SETTLEMENT = settlement_
    NET = net_
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()
    WINDOW = window
    RULE = rules.rule
    FEEDBACK = rules.feedback
    COMPREHENSIVE = rules.comprehensive
    CREDIBILITY = rules.credibility


@external
def refer(write: keyed.Write, volumes: DynArray[Volume, MAX_BATCH]):
    """
    @notice Register the reference volumes V0 in which credibility counts. Only the operator, at a
            review; each seller once, before its first rating, so that nobody's record is restated.
    """
    assert msg.sender == OPERATOR, "reputation: not the operator"
    if not keyed.begin(write, 1):
        return
    for one: Volume in volumes:
        assert 0 < one.volume and one.volume < 2**40, "reputation: volume"
        assert self.standings[one.seller] == 0, "reputation: referred before"
        self.standings[one.seller] = one.volume
        log Referred(seller=one.seller, volume=one.volume)


@external
def rate(
    write: keyed.Write, sellers: DynArray[address, MAX_BATCH], expected: bytes32
) -> bytes32:
    """
    @notice Rate sellers by what the settlement counted for the key's interval and was not rated
            before: a dispute resolved later counts later, nothing counts twice.
    @param expected The digest that these ratings must have, or zero.
    @return The digest: d = keccak(d | the five values of `Rated`), from zero; by credibility
            keccak(that | the seller's new word).
    """
    assert msg.sender == OPERATOR, "reputation: not the operator"
    if not keyed.begin(write, 0):
        return expected
    if len(sellers) > 0:
        extcall net.__interface__(NET).by_fills(write.interval)
    digest: bytes32 = empty(bytes32)
    for seller: address in sellers:
        rating: Rating = self._rate(seller, write.interval)
        digest = keccak256(abi_encode(digest, rating))
        if RULE == BY_CREDIBILITY:
            digest = keccak256(abi_encode(digest, self.standings[seller]))
    assert expected == empty(bytes32) or digest == expected, "reputation: other scores"
    return digest


@external
def rate_one(seller: address, interval: uint64):
    """
    @notice Rate one seller for an interval whose disputes are over, when the operator did not.
            Anybody may call.
    """
    assert clock.ended(interval, WINDOW + 1), "reputation: too early"
    extcall net.__interface__(NET).by_fills(interval)
    self._rate(seller, interval)


@external
def rate_part(
    place: netting.Place,
    content: netting.Content,
    rows: chunks.Opening,
    ratings: chunks.Opening,
):
    """
    @notice Rate the sellers among 32 rows of a final part by what it says that they agreed and
            sent, once. Anybody may call. Two parts of one interval are two ratings, and what was
            held is one more.
    @param rows Any of the 32 rows, in the part's list.
    @param ratings Their ratings, under its header.
    """
    key: bytes32 = netting.key(place)
    assert (staticcall net.__interface__(NET).part(key))[0] == FINAL, "reputation: part not final"
    assert staticcall net.__interface__(NET).contents(key) == netting.signed(
        DOMAIN, place, netting.POST, content
    ), "reputation: another content"
    at: uint256 = rows.index // chunks.CHUNK
    assert ratings.index // chunks.CHUNK == at // 2, "reputation: ratings of other rows"
    row: uint256 = chunks.opened(rows, content.list)
    half: uint256 = chunks.opened(ratings, content.header.reputation)
    rated: uint256 = self.rated[key]
    assert (rated >> at) & 1 == 0, "reputation: rated before"
    self.rated[key] = rated | 1 << at
    for n: uint256 in range(chunks.CHUNK):
        row = rows.words[n]
        half = ratings.words[16 * (at & 1) + n // 2] >> (128 * (1 - (n & 1)))
        agreed: uint256 = (half & (2**128 - 1)) >> netting.SOLD
        sent: uint256 = (half >> netting.SENT) & packing.MASK_40
        if row == 0 or agreed == 0:
            continue
        assert sent <= agreed, "reputation: sent above agreed"
        seller: address = convert(convert(row >> 96, uint160), address)
        self._move(seller, place.interval, agreed, sent)
    log RatedRows(key=key, first=at * chunks.CHUNK)


@external
def carry(
    write: keyed.Write,
    leaving: DynArray[address, MAX_BATCH],
    heirs: DynArray[Share, MAX_BATCH],
):
    """
    @notice Let newcomers begin with the reputations of those who are leaving, who have none from
            then on: the same people under new names. Only the operator, who knows who is who; of
            nobody who stays, to nobody who was rated, and never more than there was.
    """
    assert msg.sender == OPERATOR, "reputation: not the operator"
    assert RULE != BY_CREDIBILITY, "reputation: standings are not carried"
    if not keyed.begin(write, 2):
        return
    left: uint256 = 0
    for one: address in leaving:
        state: uint256 = staticcall registry.__interface__(REGISTRY).status(one) & packing.MASK_8
        assert state == LEAVING, "reputation: not leaving"
        word: uint256 = self.scores[one]
        before: uint256 = self._read(word)
        self.scores[one] = self._kept(one, word, before, 0)
        left += before
        log Yielded(seller=one, score=before)
    for heir: Share in heirs:
        assert self.scores[heir.seller] == 0, "reputation: rated before"
        assert heir.score <= left, "reputation: more than was left"
        left -= heir.score
        self.scores[heir.seller] = self._kept(heir.seller, 0, self._read(0), heir.score)
        log Inherited(seller=heir.seller, score=heir.score)


@external
@view
def score(seller: address) -> uint256:
    """
    @return The reputation; the prior for one never rated. [ppm]
    """
    return self._score(seller)


@external
@view
def stood(seller: address, score: uint256) -> bool:
    """
    @notice Say whether a seller had this reputation at some time in the running interval: a
            clearing that was posted in it names one that a rating may have moved since.
    """
    if score == self._score(seller):
        return True
    word: uint256 = self.scores[seller]
    if (word >> AT) & packing.MASK_32 != clock.interval():
        return False
    if score >= HELD:
        return False
    for at: uint256 in range(5):
        if (word >> (EARLIER + 32 * at)) & packing.MASK_32 == HELD | score:
            return True
    return self.outlived[self._outlived(seller, clock.interval(), score)]


@external
@view
def read(sellers: DynArray[address, MAX_BATCH]) -> DynArray[uint256, MAX_BATCH]:
    """
    @return The reputations of many. [ppm]
    """
    found: DynArray[uint256, MAX_BATCH] = []
    for seller: address in sellers:
        found.append(self._score(seller))
    return found


@external
@view
def believed(sellers: DynArray[address, MAX_BATCH]) -> DynArray[uint256, MAX_BATCH]:
    """
    @return What credibility knows of many: points 96 | interval 32 | kept 32 | broken 32 |
            volume 40.
    """
    found: DynArray[uint256, MAX_BATCH] = []
    for seller: address in sellers:
        found.append(self.standings[seller])
    return found


@external
@view
def exposure(seller: address) -> uint256:
    """
    @notice How much of a seller may stand open without a deposit, by what the clock has left of its
            standing. [Wh]
    """
    assert RULE == BY_CREDIBILITY, "reputation: another rule"
    return credibility.exposure(self.standings[seller], clock.interval(), CREDIBILITY)


@external
@view
def rules() -> Rules:
    """
    @return The rule, and its numbers.
    """
    return Rules(
        rule=RULE, feedback=FEEDBACK, comprehensive=COMPREHENSIVE, credibility=CREDIBILITY
    )


@internal
@pure
def _sound(rules: Rules) -> bool:
    if rules.rule != BY_FEEDBACK and rules.feedback.prior != 0:
        return False
    if rules.rule == BY_COMPREHENSIVE:
        return rules.comprehensive.weight <= PPM and rules.comprehensive.most <= PPM
    if rules.rule == BY_CREDIBILITY:
        c: credibility.Rules = rules.credibility
        return (
            0 < c.weight and c.weight < 2**32 and 0 < c.decay and c.decay < 2**32
            and c.tolerance <= PPM and 0 < c.reference and c.reference < 2**40
        )
    f: feedback.Rules = rules.feedback
    return (
        rules.rule == BY_FEEDBACK and f.gain <= PPM and f.loss <= PPM and f.prior <= PPM
        and f.floor <= PPM and 0 < f.reference and f.reference < 2**40
    )


@internal
@view
def _score(seller: address) -> uint256:
    return self._read(self.scores[seller])


@internal
@view
def _read(word: uint256) -> uint256:
    return FEEDBACK.prior if word == 0 else word & packing.MASK_32


@internal
def _rate(seller: address, interval: uint64) -> Rating:
    agreed: uint256 = 0
    sent: uint256 = 0
    agreed, sent = extcall settlement.__interface__(SETTLEMENT).to_rate(seller, interval)
    assert agreed > 0, "reputation: nothing to rate"
    return self._move(seller, interval, agreed, sent)


@internal
def _move(seller: address, interval: uint64, agreed: uint256, sent: uint256) -> Rating:
    word: uint256 = self.scores[seller]
    before: uint256 = self._read(word)
    now: uint256 = 0
    if RULE == BY_FEEDBACK:
        now = feedback.update(before, agreed, sent, FEEDBACK)
    elif RULE == BY_COMPREHENSIVE:
        now = comprehensive.update(before, agreed, sent, COMPREHENSIVE)
    else:
        now = self._believe(seller, convert(interval, uint256), agreed, sent)
    self.scores[seller] = self._kept(seller, word, before, now)
    log Rated(seller=seller, agreed=agreed, sent=sent, before=before, now=now)
    self._fine(seller, agreed, sent)
    return Rating(seller=seller, agreed=agreed, sent=sent, before=before, now=now)


@internal
def _believe(seller: address, interval: uint256, agreed: uint256, sent: uint256) -> uint256:
    word: uint256 = credibility.update(
        self.standings[seller], interval, agreed, sent, CREDIBILITY
    )
    self.standings[seller] = word
    log Believed(
        seller=seller,
        points=word >> credibility.POINTS,
        kept=(word >> credibility.KEPT) & packing.MASK_32,
        broken=(word >> credibility.BROKEN) & packing.MASK_32,
    )
    return credibility.credit(word)


@internal
def _kept(seller: address, word: uint256, before: uint256, now: uint256) -> uint256:
    # the new word; what falls out of it in the same interval, from the sixth change on, is kept
    interval: uint256 = clock.interval() & packing.MASK_32
    earlier: uint256 = 0
    if (word >> AT) & packing.MASK_32 == interval:
        earlier = word >> EARLIER
        oldest: uint256 = earlier >> EARLIEST
        if oldest != 0:
            self.outlived[self._outlived(seller, interval, oldest ^ HELD)] = True
    return ((earlier << 32) | HELD | before) << EARLIER | interval << AT | KNOWN | now


@internal
@pure
def _outlived(seller: address, interval: uint256, score: uint256) -> uint256:
    return convert(seller, uint256) << 64 | (interval & packing.MASK_32) << 32 | score


@internal
def _fine(seller: address, agreed: uint256, sent: uint256):
    owed: uint256 = breach.fine(agreed, sent, FINE, TOLERANCE)
    if owed > 0:
        extcall registry.__interface__(REGISTRY).fine(seller, owed)
