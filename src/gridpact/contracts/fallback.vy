# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Fallback
@notice What becomes of a part of net settlement that was cancelled or never posted. Its fills are
        paid one by one, by anybody who shows the fill in the posted clearing and both meters'
        signed word, out of what each buyer's row of the part locks. When the time for that is over,
        an unpaid fill is given back by itself, or the whole part at once. Of a clearing that was
        proven wrong no row is opened, and anybody gives all back at once (5-decisions, section 17).
        What a final part held in disputes and its following part does not settle is paid the same
        way, by the deliveries that the final part says.
@dev A part's window is `net.failed`. Which fill was paid is a bit, what an account spent of its
     lock a word per part.
"""

import accounts
import chunks
import clearing
import clock
import leaves
import merkle
import metering
import net
import netting
import packing
import posting
import registry
import rounding
import settlement
import split
import statement
import vault

initializes: clock

LOCKS: constant(uint256) = 2**48 - 1
# rows: energy taken 64 | lock 48 | spent 48 | open 1
TAKEN: constant(uint256) = 97
LOCK: constant(uint256) = 49
SPENT: constant(uint256) = 1
OPEN: constant(uint256) = 1

NET: public(immutable(address))
VAULT: public(immutable(address))
CLEARING: public(immutable(address))
REGISTRY: public(immutable(address))
SETTLEMENT: public(immutable(address))
DOMAIN: public(immutable(bytes32))
RULES: immutable(split.Rules)

rows: HashMap[bytes32, HashMap[address, uint256]]  # by part and account
done: HashMap[bytes32, HashMap[uint256, uint256]]  # by part: a bit per fill, 256 to a word


struct Book:
    # what a part is committed to: see `netting.book`
    list: bytes32
    span: uint256
    cleared: posting.Clearing


event Opened:
    key: indexed(bytes32)
    account: indexed(address)
    lock: uint256


event Paid:
    fill: indexed(bytes32)
    key: indexed(bytes32)
    delivery: uint256  # see packing.delivery
    money: uint256  # case 16 | paid and fee to the seller 80 | charge 80 | back to the buyer 80
    reward: uint256


event Refunded:
    fill: indexed(bytes32)
    key: indexed(bytes32)
    amount: uint256


@deploy
def __init__(
    registry_: address,
    net_: address,
    vault_: address,
    clearing_: address,
    settlement_: address,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers; registry and settlement, already deployed, know the domain and the rules.
    """
    clock.__init__(begins, seconds)
    REGISTRY = registry_
    NET = net_
    VAULT = vault_
    CLEARING = clearing_
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()
    SETTLEMENT = settlement_
    RULES = staticcall settlement.__interface__(SETTLEMENT).rules()


@external
def open(place: netting.Place, clearing_: bytes32, span: uint256, list: bytes32, row: chunks.Opening):
    """
    @notice Show what an account locks for a failed part, once, before its fills are paid. What the
            market's own accounts set aside for rewards and claims is free again at once.
    """
    key: bytes32 = netting.key(place)
    self._require_payable(key, place, netting.book(list, clearing_, span))
    assert not self._is_condemned(place), "fallback: clearing condemned"
    word: uint256 = chunks.opened(row, list)
    account: address = convert(convert(word >> 96, uint160), address)
    assert self.rows[key][account] == 0, "fallback: opened before"
    lock: uint256 = word & LOCKS
    spent: uint256 = 0
    if account in [accounts.REWARD, accounts.NETWORK_LOSS, accounts.NETWORK_OPERATOR]:
        spent = (word >> 48) & LOCKS
        lock = spent
        extcall vault.__interface__(VAULT).release_rows([word])
    self.rows[key][account] = lock << LOCK | spent << SPENT | OPEN
    log Opened(key=key, account=account, lock=lock)


@external
def pay(
    place: netting.Place,
    book: Book,
    filled: leaves.Filled,
    siblings: bytes32[14],
    seller: metering.Signed,
    buyer: metering.Signed,
):
    """
    @notice Pay one fill of a failed part by the two meters' signed word: anybody, once, in its time.
    @dev As `settlement.settle_fill`, which counts for both: the buyer owes at most what it imported
         beyond its bid's earlier fills, what it took for others of this part, and all that it paid
         for elsewhere; the seller sent at most what it exported and was not paid for.
    """
    key: bytes32 = netting.key(place)
    name: bytes32 = posting.clearing_hash(place.region, place.interval, book.cleared)
    self._require_payable(key, place, netting.book(book.list, name, book.span))
    self._take(key, place, book, filled, siblings)
    fill: packing.Fill = filled.leaf.fill
    self._check_meter(place, fill.seller, seller)
    self._check_meter(place, fill.buyer, buyer)
    terms: packing.Terms = packing.terms(fill.terms)
    imported: uint256 = metering.imported(buyer.registers)
    word: uint256 = self.rows[key][fill.buyer]
    of: bytes32 = packing.fill_hash(place.region, place.interval, fill)
    held: uint256 = min(
        terms.energy, staticcall settlement.__interface__(SETTLEMENT).held(of)
    )
    energy: uint256 = terms.energy - held
    agreed: uint256 = 0
    sent: uint256 = 0
    unused_sent: uint256 = 0
    agreed, sent, unused_sent = extcall settlement.__interface__(SETTLEMENT).count(
        fill.seller,
        fill.buyer,
        place.interval,
        min(energy, imported - min(imported, max(filled.leaf.links >> 192, word >> TAKEN))),
        energy,
        metering.exported(seller.registers),
        imported,
        skip_contract_check=True,
    )
    unused: uint256 = energy - agreed
    owed: split.Short = split.by_meters(
        fill.terms, energy, agreed, sent, unused_sent, RULES
    )
    back: uint256 = self._spend(
        key,
        fill.buyer,
        word + (agreed << TAKEN),
        owed.seller + owed.charge + owed.fee_network,
        owed.refund,
    )
    to_loss: uint256 = rounding.part(owed.charge, RULES.loss_fund_share)
    reward: uint256 = 0
    claim: uint256 = 0
    reward, claim = extcall vault.__interface__(VAULT).settle(
        fill.buyer,
        fill.seller,
        vault.Split(
            seller=owed.seller,
            network_loss=to_loss + owed.fee_network,
            network_operator=owed.charge - to_loss,
            refund=back,
            reward=owed.reward,
            claim=0,
        ),
        skip_contract_check=True,
    )
    log Paid(
        fill=of,
        key=key,
        delivery=agreed << 208 | sent << 168 | unused << 88 | unused_sent << 48 | held << 8,
        money=owed.case << 240 | owed.seller << 160 | owed.charge << 80 | back,
        reward=reward,
    )


@external
def pay_held(
    place: netting.Place,
    fill: packing.Fill,
    content: netting.Content,
    list: bytes32,
    shown: statement.Shown,
):
    """
    @notice Pay one fill that a final part held, when the part that was to settle it failed: by the
            delivery that the final part says, without the dispute, as that part would have. Anybody,
            once, in its time.
    @dev Nothing is set aside for rewards and claims of held fills. The deliveries could be proven
         wrong in the final part's window, and nobody can bring another one here.
    @param place The failed part, which follows the final one.
    @param content The final part's.
    @param list The digest of the failed part's rows.
    @param shown The fill's leaf in the final part.
    """
    key: bytes32 = netting.key(place)
    self._require_payable(key, place, netting.book(list, content.clearing, 0))
    self._take_held(key, place, fill, content, shown)
    terms: packing.Terms = packing.terms(fill.terms)
    owed: split.Statement = split.split(
        terms,
        packing.delivery((shown.leaf.delivery >> 8) << 8),
        RULES,
        (staticcall clearing.__interface__(CLEARING).tariffs(place.region, place.interval)).loss_share,
    )
    assert owed.case != split.DISPUTE, "fallback: no delivery"
    back: uint256 = self._spend(
        key,
        fill.buyer,
        self.rows[key][fill.buyer],
        owed.paid + owed.charge + owed.fee_seller + owed.fee_network,
        owed.refund,
    )
    to_loss: uint256 = rounding.part(owed.charge, RULES.loss_fund_share)
    extcall vault.__interface__(VAULT).settle(
        fill.buyer,
        fill.seller,
        vault.Split(
            seller=owed.paid + owed.fee_seller,
            network_loss=to_loss + owed.fee_network,
            network_operator=owed.charge - to_loss,
            refund=back,
            reward=0,
            claim=0,
        ),
    )
    log Paid(
        fill=shown.leaf.fill,
        key=key,
        delivery=(shown.leaf.delivery >> 8) << 8,
        money=(
            owed.case << 240 | (owed.paid + owed.fee_seller) << 160 | owed.charge << 80 | back
        ),
        reward=0,
    )


@external
def refund(
    place: netting.Place, book: Book, filled: leaves.Filled, siblings: bytes32[14]
):
    """
    @notice Give the lock of a fill that nobody paid in its time back to its buyer: anybody, once.
    """
    key: bytes32 = netting.key(place)
    name: bytes32 = posting.clearing_hash(place.region, place.interval, book.cleared)
    made: bytes32 = netting.book(book.list, name, book.span)
    self._require_over(key, place, made, made)
    self._take(key, place, book, filled, siblings)
    fill: packing.Fill = filled.leaf.fill
    back: uint256 = self._spend(
        key, fill.buyer, self.rows[key][fill.buyer], 0, split.lock(packing.terms(fill.terms))
    )
    extcall vault.__interface__(VAULT).release_rows([convert(fill.buyer, uint256) << 96 | back << 48])
    log Refunded(
        fill=packing.fill_hash(place.region, place.interval, fill), key=key, amount=back
    )


@external
def release(
    place: netting.Place,
    clearing_: bytes32,
    span: uint256,
    rows: DynArray[uint256, chunks.LONGEST],
):
    """
    @notice Give every account of a failed part what is left of its reservation: anybody, once, when
            the time to pay fills is over.
    @param clearing_ The hash of the clearing; with `span` not read of a part never committed.
    """
    key: bytes32 = netting.key(place)
    list: bytes32 = chunks.digest(5, len(rows))
    self._require_over(key, place, list, netting.book(list, clearing_, span))
    left: DynArray[uint256, chunks.LONGEST] = []
    for row: uint256 in rows:
        account: address = convert(convert(row >> 96, uint160), address)
        spent: uint256 = (self.rows[key][account] >> SPENT) & LOCKS
        left.append(row - (spent << 48))
    extcall net.__interface__(NET).end(key)
    extcall vault.__interface__(VAULT).release_rows(left)


@external
@view
def row(key: bytes32, account: address) -> (uint256, uint256):
    """
    @return What an account locks for a failed part, and what it spent of it; zeros until opened.
    """
    word: uint256 = self.rows[key][account]
    return (word >> LOCK) & LOCKS, (word >> SPENT) & LOCKS


@external
@view
def is_done(key: bytes32, index: uint256) -> bool:
    """
    @notice Say whether a fill of a failed part was paid or given back: by its place in the clearing,
            of what was held by its leaf in the part that held it.
    """
    return (self.done[key][index >> 8] >> (index & 255)) & 1 == 1


@internal
@view
def _require_payable(key: bytes32, place: netting.Place, book: bytes32):
    kept: bytes32 = empty(bytes32)
    after: uint256 = 0
    until: uint256 = 0
    kept, after, until = staticcall net.__interface__(NET).failed(
        key, skip_contract_check=True
    )
    assert kept == book, "fallback: another book"
    now: uint256 = clock.interval()
    assert after == 0 or now > after, "fallback: too early"
    assert now <= until, "fallback: too late"


@internal
@view
def _require_over(key: bytes32, place: netting.Place, list: bytes32, book: bytes32):
    kept: bytes32 = empty(bytes32)
    after: uint256 = 0
    until: uint256 = 0
    kept, after, until = staticcall net.__interface__(NET).failed(key)
    assert kept == book or kept == list, "fallback: another book"
    assert clock.interval() > until or self._is_condemned(place), "fallback: too early"


@internal
@view
def _is_condemned(place: netting.Place) -> bool:
    return staticcall clearing.__interface__(CLEARING).condemned(place.region, place.interval)


@internal
def _take(
    key: bytes32,
    place: netting.Place,
    book: Book,
    filled: leaves.Filled,
    siblings: bytes32[14],
):
    # a fill is the part's, and done with once
    index: uint256 = leaves.index(filled.place)
    first: uint256 = book.span >> 32
    assert (
        first <= index and index - first < book.span & packing.MASK_32
    ), "fallback: another part's fill"
    assert filled.leaf.region == place.region, "fallback: another region's fill"
    leaf: bytes32 = leaves.of_fill(place.interval, filled.leaf)
    count: uint256 = filled.place & merkle.COUNT
    assert merkle.stands(
        leaf, index, count, siblings, book.cleared.fill_root
    ), "fallback: not a fill of the clearing"
    self._end(key, index)


@internal
def _take_held(
    key: bytes32,
    place: netting.Place,
    fill: packing.Fill,
    content: netting.Content,
    shown: statement.Shown,
):
    # a fill that the final part held is done with once
    assert place.part >= netting.HELD, "fallback: not a part of held fills"
    first: netting.Place = place
    first.part -= netting.HELD
    assert staticcall net.__interface__(NET).contents(netting.key(first)) == netting.signed(
        DOMAIN, first, netting.POST, content
    ), "fallback: another content"
    statement.require_shown(content, shown)
    assert shown.leaf.amounts >> 192 == split.DISPUTE, "fallback: not held"
    assert shown.leaf.fill == packing.fill_hash(
        place.region, place.interval, fill
    ), "fallback: another fill"
    self._end(key, shown.index)


@internal
def _end(key: bytes32, index: uint256):
    word: uint256 = self.done[key][index >> 8]
    bit: uint256 = 1 << (index & 255)
    assert word & bit == 0, "fallback: fill done with"
    self.done[key][index >> 8] = word | bit


@internal
def _spend(
    key: bytes32, account: address, word: uint256, amount: uint256, back: uint256
) -> uint256:
    # from an account's lock: what is paid, then what comes back of it, which is returned
    assert word & OPEN == OPEN, "fallback: account not opened"
    left: uint256 = ((word >> LOCK) & LOCKS) - ((word >> SPENT) & LOCKS)
    assert amount <= left, "fallback: above the lock"
    returned: uint256 = min(back, left - amount)
    self.rows[key][account] = word + ((amount + returned) << SPENT)
    return returned


@internal
@view
def _check_meter(place: netting.Place, participant: address, signed: metering.Signed):
    signer: address = metering.signer(DOMAIN, participant, place.region, place.interval, signed)
    status: uint256 = staticcall registry.__interface__(REGISTRY).status(
        participant, skip_contract_check=True
    )
    assert signer == packing.meter_key(
        status, participant
    ), "fallback: not the meter's signature"
