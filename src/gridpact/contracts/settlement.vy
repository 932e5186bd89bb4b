# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Settlement
@notice Locks the money of cleared fills, and pays it by the meters' word: the five cases per fill.
        The operator brings the records, the rules decide the amounts;
        every number they need is posted before or signed. What the operator leaves undone, the
        parties do themselves.
"""

import attested
import book
import clearing
import clock
import keyed
import metering
import orders
import packing
import registry
import rounding
import signing
import split
import vault

initializes: clock
initializes: keyed
initializes: attested[keyed := keyed]
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
PPM: constant(uint256) = 1_000_000
# states of a fill
UNKNOWN: constant(uint256) = 0
LOCKED: constant(uint256) = 1
SETTLED: constant(uint256) = 3
DISPUTED: constant(uint256) = 4
MATCHED: constant(uint256) = 5
# a locked fill's word: held by sensors 40 | energy before it 40 | marks 8 | state 16
HELD: constant(uint256) = 64
BEFORE: constant(uint256) = 24
MARKS: constant(uint256) = 16
OWN_METERS: constant(uint256) = 1 << MARKS
COUNTED: constant(uint256) = 2 << MARKS  # its buyer's import is counted over all that it buys
# volumes of a seller: interval 32 | to rate: agreed 36, sent 36 | sent 36 | unused 36 |
# elsewhere 36 | charge 44
# unused: exported for energy that its buyer left; elsewhere: paid by wallets and by the fallback
# of a buyer, in places of their own: interval 32 | imported and paid for 224
RING: constant(uint64) = 16
SOLD: constant(uint64) = 0  # first place
BOUGHT: constant(uint64) = RING  # the next
VOLUME_INTERVAL: constant(uint256) = 224
RATE_AGREED: constant(uint256) = 188
RATE_SENT: constant(uint256) = 152
SENT: constant(uint256) = 116
UNUSED: constant(uint256) = 80
ELSEWHERE: constant(uint256) = 44
MASK_36: constant(uint256) = 2**36 - 1
MASK_44: constant(uint256) = 2**44 - 1
# the lowest bit of each field but the last: where a sum that is too wide shows
CARRIES: constant(uint256) = (
    1 << VOLUME_INTERVAL
    | 1 << RATE_AGREED
    | 1 << RATE_SENT
    | 1 << SENT
    | 1 << UNUSED
    | 1 << ELSEWHERE
)
MASK_BOUGHT: constant(uint256) = 2**VOLUME_INTERVAL - 1


struct Row:
    fill: packing.Fill
    delivery: uint256  # see packing.delivery


struct Single:
    # one fill with its place, which a batch states once
    region: bytes32
    interval: uint64
    fill: packing.Fill


OPERATOR: public(immutable(address))
REGISTRY: public(immutable(address))
VAULT: public(immutable(address))
ORDERS: public(immutable(address))
CLEARING: public(immutable(address))
REPUTATION: public(immutable(address))
WALLETS: public(immutable(address))
FALLBACK: public(immutable(address))
VERDICTS: public(immutable(address))
DOMAIN: public(immutable(bytes32))
WINDOW: public(immutable(uint256))
BY_MERIT: immutable(bool)
RULES: immutable(split.Rules)

fills: HashMap[bytes32, uint256]
volumes: HashMap[uint256, uint256]  # by participant 160 | place 8: in its ring


event Committed:
    key: indexed(bytes32)
    batch: uint32
    count: uint256
    locked: uint256


event Matched:
    fill: indexed(bytes32)
    state: uint256


event Paid:
    fill: indexed(bytes32)
    delivery: uint256  # see packing.delivery
    money: uint256  # case 16 | paid and fee to the seller 80 | charge 80 | refund 80


event Contradicted:
    fill: indexed(bytes32)
    meter: indexed(address)


event TakenBack:
    fill: indexed(bytes32)
    amount: uint256


event Settled:
    fill: indexed(bytes32)
    case: uint256
    paid: uint256
    charge: uint256
    fee_seller: uint256
    fee_network: uint256
    refund: uint256
    reward: uint256
    claim: uint256
    unpaid_reward: uint256
    unpaid_claim: uint256


@deploy
def __init__(
    operator: address,
    registry_: address,
    vault_: address,
    orders_: address,
    clearing_: address,
    reputation: address,
    wallets: address,
    fallback: address,
    council_: address,
    verdicts: address,
    rules: split.Rules,
    window: uint256,
    by_merit: bool,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers and the numbers of the rule, for good.
    @param window Intervals after which a dispute ends.
    @param by_merit Whether the local tier is cleared in merit order.
    """
    clock.__init__(begins, seconds)
    assert rules.tau <= PPM and rules.eps <= PPM and rules.kappa < 2**32, "settlement: rules"
    assert rules.reward <= PPM and rules.loss_fund_share <= PPM, "settlement: rules"
    assert rules.unused_fee < 2**48 and rules.feed_in < 2**48, "settlement: rules"
    assert rules.eps_floor < 2**40, "settlement: rules"
    # a fill is counted before its seller's place in the ring is taken by a later interval
    assert 0 < window and window < convert(RING, uint256) - 1, "settlement: rules"
    OPERATOR = operator
    REGISTRY = registry_
    VAULT = vault_
    ORDERS = orders_
    CLEARING = clearing_
    REPUTATION = reputation
    WALLETS = wallets
    FALLBACK = fallback
    VERDICTS = verdicts
    attested.__init__(council_)
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()
    WINDOW = window
    BY_MERIT = by_merit
    RULES = rules


@external
def commit(
    write: keyed.Write,
    orders_: DynArray[book.Order, MAX_BATCH],
    rows: DynArray[uint256, MAX_BATCH],
):
    """
    @notice Lock the buyers' money of fills whose bid and offer stand on this chain.
    @param orders_ Every order of the batch, once.
    @param rows Per fill: place of its bid 16 | of its offer 16 | terms 160, see packing.Fill.
    """
    self._require_operator()
    if not keyed.begin(write, 0):
        return
    tariffs: clearing.Tariffs = self._trading(write.region, write.interval)
    locked: uint256 = 0
    for row: uint256 in rows:
        bid_at: uint256 = (row >> 176) & packing.MASK_16
        offer_at: uint256 = (row >> 160) & packing.MASK_16
        assert max(bid_at, offer_at) < len(orders_), "settlement: no such order"
        bid: book.Order = orders_[bid_at]
        offer: book.Order = orders_[offer_at]
        assert bid.region == write.region, "settlement: other region"
        assert bid.interval == write.interval, "settlement: other interval"
        name: bytes32 = empty(bytes32)
        lock: uint256 = 0
        name, lock = self._match(bid, offer, row & (2**160 - 1), tariffs, LOCKED)
        extcall vault.__interface__(VAULT).lock(bid.participant, lock)
        locked += lock
    log Committed(key=keyed.packed(write), batch=write.batch, count=len(rows), locked=locked)


@external
def match(bid: book.Order, offer: book.Order, terms: uint256, lock_now: bool) -> bytes32:
    """
    @notice Make one fill of two posted orders, until the commitments close.
    @dev The operator may; where merit order rules, the buyer too, who then pays the offer's price
         and bears at least the network share that is posted with the prices. Under another
         mechanism the offer's price need not be the clearing's.
    @param lock_now Whether the fill is locked at once, or by a later call of `lock`.
    @return The fill's name.
    """
    assert clock.commit_open(bid.interval), "settlement: too late for a fill"
    tariffs: clearing.Tariffs = self._trading(bid.region, bid.interval)
    if msg.sender != OPERATOR:
        assert (
            BY_MERIT and msg.sender == bid.participant
        ), "settlement: not the operator or the buyer"
        asked: packing.Terms = packing.terms(terms)
        assert asked.price == convert(offer.price, uint256), "settlement: not the offer's price"
        assert asked.charge >= tariffs.network_share, "settlement: below the network share"
    name: bytes32 = empty(bytes32)
    lock: uint256 = 0
    state: uint256 = LOCKED if lock_now else MATCHED
    name, lock = self._match(bid, offer, terms, tariffs, state)
    if lock_now:
        extcall vault.__interface__(VAULT).lock(bid.participant, lock)
    log Matched(fill=name, state=state)
    return name


@external
def lock(single: Single):
    """
    @notice Lock the money of a fill that was matched, until the commitments close. Anybody may.
    """
    assert clock.commit_open(single.interval), "settlement: too late for a lock"
    name: bytes32 = self._name()
    word: uint256 = self.fills[name]
    assert word & packing.MASK_16 == MATCHED, "settlement: not matched"
    tariffs: clearing.Tariffs = self._trading(single.region, single.interval)
    self.fills[name] = word - MATCHED + LOCKED
    lock: uint256 = split.lock(packing.terms(single.fill.terms))
    extcall vault.__interface__(VAULT).lock(single.fill.buyer, lock)
    log Matched(fill=name, state=LOCKED)


@external
def settle_fill(single: Single, seller: metering.Signed, buyer: metering.Signed):
    """
    @notice Pay one locked fill by the two meters' signed word. The operator may at once, anybody
            when it let an interval pass.
    @dev As a batch does it, with what two meters can tell: the buyer owes at most what it
         imported beyond its bid's earlier fills, and where its import is counted beyond all that
         it paid for; the seller sent at most what it exported and was not paid for; the loss is
         the share that was expected. What was sent unused, for which the buyer pays the same fee
         in any case, takes nothing from what later fills count as sent: nobody harms a seller by
         the order of them. What sensors held of it is owed by nobody, whatever the meters show.
    """
    assert msg.sender == OPERATOR or clock.ended(single.interval, 1), "settlement: too early"
    name: bytes32 = self._name()
    word: uint256 = self._locked(single.fill.bid, name)
    assert metering.signer(
        DOMAIN, single.fill.seller, single.region, single.interval, seller
    ) == self._meter(single.fill.seller, word), "settlement: not the meter's signature"
    assert metering.signer(
        DOMAIN, single.fill.buyer, single.region, single.interval, buyer
    ) == self._meter(single.fill.buyer, word), "settlement: not the meter's signature"
    exported: uint256 = metering.exported(seller.registers)
    imported: uint256 = metering.imported(buyer.registers)
    energy: uint256 = single.fill.terms >> 120
    held: uint256 = word >> HELD
    if held != 0:
        energy = unsafe_sub(energy, min(energy, held))
    sold_at: uint256 = self._place(single.fill.seller, single.interval, SOLD)
    volume: uint256 = self._volume(sold_at, single.interval)
    bought_at: uint256 = 0
    bought: uint256 = 0
    before: uint256 = (word >> BEFORE) & packing.MASK_40
    if word & COUNTED != 0:
        bought_at = self._place(single.fill.buyer, single.interval, BOUGHT)
        bought = self._volume(bought_at, single.interval)
        before = max(before, bought & MASK_BOUGHT)
    # no underflow here: what is taken away is at most what it is taken from
    agreed: uint256 = min(energy, unsafe_sub(imported, min(imported, before)))
    exported = unsafe_sub(exported, min(exported, self._paid(volume)))
    sent: uint256 = min(agreed, exported)
    if word & COUNTED != 0:
        self.volumes[bought_at] = bought + sent
    unused: uint256 = unsafe_sub(energy, agreed)
    unused_sent: uint256 = 0
    owed: split.Short = empty(split.Short)
    if sent == single.fill.terms >> 120:
        owed = split.whole(single.fill.terms, RULES.reward)
    else:
        if unused > 0:
            exported = unsafe_sub(exported, sent)
            unused_sent = min(unused, exported - min(exported, volume >> UNUSED & MASK_36))
        owed = split.by_meters(single.fill.terms, energy, agreed, sent, unused_sent, RULES)
    self.fills[name] = UNKNOWN  # its orders are past: nobody can make it again
    self._count(volume, sold_at, agreed, sent, unused_sent, 0, owed.charge)
    to_loss: uint256 = rounding.part(owed.charge, RULES.loss_fund_share)
    extcall vault.__interface__(VAULT).settle(
        single.fill.buyer,
        single.fill.seller,
        vault.Split(
            seller=owed.seller,
            network_loss=to_loss + owed.fee_network,
            network_operator=owed.charge - to_loss,
            refund=owed.refund,
            reward=owed.reward,
            claim=0,
        ),
        skip_contract_check=True,
    )
    log Paid(
        fill=name,
        delivery=agreed << 208 | sent << 168 | unused << 88 | unused_sent << 48 | held << 8,
        money=(
            owed.case << 240 | owed.seller << 160 | owed.charge << 80 | owed.refund
        ),
    )


@external
def contradict(
    single: Single, meter: address, first: metering.Signed, second: metering.Signed
):
    """
    @notice Put a locked fill into dispute: the meter of one of its parties signed two different
            things of the interval. Anybody may call.
    """
    name: bytes32 = self._name()
    word: uint256 = self._locked(single.fill.bid, name)
    assert (
        meter == single.fill.seller or meter == single.fill.buyer
    ), "settlement: another participant's meter"
    assert first.registers != second.registers, "settlement: no contradiction"
    key: address = self._meter(meter, word)
    for signed: metering.Signed in [first, second]:
        assert (
            metering.signer(DOMAIN, meter, single.region, single.interval, signed) == key
        ), "settlement: not the meter's signature"
    self.fills[name] = word & ~packing.MASK_16 | DISPUTED
    log Contradicted(fill=name, meter=meter)


@external
def take_back(single: Single):
    """
    @notice Give a buyer its money back when nobody settled its fill in time: what was matched and
            not locked once the interval is over, what was locked after the dispute window, what
            is in dispute after two. At once what sensors held as a whole; before delivery also
            when the clearing was proven wrong. Anybody may call.
    """
    name: bytes32 = self._name()
    word: uint256 = self.fills[name]
    state: uint256 = word & packing.MASK_16
    amount: uint256 = split.lock(packing.terms(single.fill.terms))
    if state == MATCHED:
        assert clock.ended(single.interval, 0), "settlement: too early"
        self.fills[name] = SETTLED
        extcall vault.__interface__(VAULT).lapse(single.fill.buyer, amount)
    else:
        later: uint256 = 2 * WINDOW if state == DISPUTED else WINDOW
        is_whole: bool = word >> HELD >= single.fill.terms >> 120
        if not is_whole and not clock.ended(single.interval, later):
            assert clock.is_before(single.interval, 0) and self._is_condemned(
                single
            ), "settlement: too early"
        if state == UNKNOWN:
            extcall orders.__interface__(ORDERS).unbind(single.fill.bid, name)
        else:
            assert state == LOCKED or state == DISPUTED, "settlement: not locked"
        self.fills[name] = SETTLED
        extcall vault.__interface__(VAULT).unlock(single.fill.buyer, amount)
    log TakenBack(fill=name, amount=amount)


@external
def settle(write: keyed.Write, rows: DynArray[Row, MAX_BATCH], expected: bytes32) -> bytes32:
    """
    @notice Pay the locked fills of the key's region and interval by what was delivered.
    @dev A disputed fill stays locked and is settled by a later part, under its own interval.
    @param expected The digest that these statements must have, or zero.
    @return The digest: d = keccak(d | fill | the ten numbers of `Settled`), from zero.
    """
    self._require_operator()
    if not attested.begin(write, 2, keccak256(abi_encode(rows))):
        return expected
    tariffs: clearing.Tariffs = self._tariffs(write.region, write.interval)
    balance: clearing.Balance = staticcall clearing.__interface__(CLEARING).metered(
        write.region, write.interval
    )
    digest: bytes32 = empty(bytes32)
    for row: Row in rows:
        name: bytes32 = packing.fill_hash(write.region, write.interval, row.fill)
        word: uint256 = self.fills[name]
        delivery: packing.Delivery = packing.delivery(row.delivery)
        if word & packing.MASK_16 == LOCKED:
            self._check_loss(balance, delivery)
        else:
            assert word & packing.MASK_16 == DISPUTED, "settlement: not locked"
        digest = self._settle(
            name, word, write.interval, row.fill, delivery, tariffs.loss_share, digest
        )
    assert expected == empty(bytes32) or digest == expected, "settlement: other amounts"
    return digest


@external
def stop(fill: bytes32, energy: uint256) -> bool:
    """
    @notice Keep how much of a fill sensors hold [Wh], whoever settles it. Only the verdicts, which
            know whose word it is.
    @return Whether this is new; another energy than before is refused.
    """
    assert msg.sender == VERDICTS, "settlement: not the verdicts"
    assert energy != 0 and energy < 2**40, "settlement: nothing held"
    word: uint256 = self.fills[fill]
    if word >> HELD == energy:
        return False
    assert word >> HELD == 0, "settlement: held otherwise"
    self.fills[fill] = word | energy << HELD
    return True


@external
def count(
    seller: address,
    buyer: address,
    interval: uint64,
    claimed: uint256,
    energy: uint256,
    exported: uint256,
    imported: uint256,
) -> (uint256, uint256, uint256):
    """
    @notice Count what a wallet, or a failed part of net settlement, pays by two meters, so that
            nothing else pays it again. Only the wallets and the fallback.
    @dev A wallet, whose seller says itself what it delivered, has nothing of what the seller was
         paid for as unused; a fill of a failed part has, as in `settle_fill`.
    @param energy The fill's; a wallet has no unused energy.
    @return What was claimed, as far as the buyer imported it beyond all that was counted before;
            what of that the seller exported beyond it; what it exported of the rest of `energy`,
            for a wallet what it exported beyond all that was paid before. [Wh]
    """
    assert msg.sender in [WALLETS, FALLBACK], "settlement: not the wallets"
    sold_at: uint256 = self._place(seller, interval, SOLD)
    bought_at: uint256 = self._place(buyer, interval, BOUGHT)
    sold: uint256 = self._volume(sold_at, interval)
    bought: uint256 = self._volume(bought_at, interval)
    left: uint256 = exported - min(exported, self._paid(sold))
    unused: uint256 = (sold >> UNUSED) & MASK_36
    agreed: uint256 = min(claimed, imported - min(imported, bought & MASK_BOUGHT))
    beyond: uint256 = left
    if msg.sender == WALLETS:
        left -= min(left, unused)
    sent: uint256 = min(agreed, left)
    unused_sent: uint256 = 0
    if msg.sender == FALLBACK:
        left -= sent
        unused_sent = min(energy - agreed, left - min(left, unused))
        beyond = unused_sent
    self._count(sold, sold_at, 0, 0, unused_sent, sent, 0)
    self.volumes[bought_at] = bought + sent
    return agreed, sent, beyond


@external
@view
def fill_state(fill: bytes32) -> uint256:
    """
    @return 0 none, 1 locked, 3 settled or taken back, 4 disputed, 5 matched. A fill that was
            settled by itself, or is held by its bid, has none here: see `orders.state`.
    """
    return self.fills[fill] & packing.MASK_16


@external
@view
def held(fill: bytes32) -> uint256:
    """
    @return How much of a fill sensors hold. [Wh]
    """
    return self.fills[fill] >> HELD


@external
def to_rate(seller: address, interval: uint64) -> (uint256, uint256):
    """
    @notice Hand over what a seller's settled fills of an interval agreed and sent [Wh] and was
            not handed over before: nothing is rated twice. Only the reputation.
    """
    assert msg.sender == REPUTATION, "settlement: not the reputation"
    word: uint256 = self._kept(seller, interval)
    agreed: uint256 = (word >> RATE_AGREED) & MASK_36
    sent: uint256 = (word >> RATE_SENT) & MASK_36
    if agreed > 0:
        self.volumes[self._place(seller, interval, SOLD)] = word - (
            agreed << RATE_AGREED | sent << RATE_SENT
        )
    return agreed, sent


@external
@view
def volume(seller: address, interval: uint64) -> (uint256, uint256):
    """
    @return What a seller's settled fills of an interval sent [Wh], and the network charge paid
            on them; kept for the last 16 intervals in which it sold.
    """
    word: uint256 = self._kept(seller, interval)
    return (word >> SENT) & MASK_36, word & MASK_44


@external
@view
def rules() -> split.Rules:
    """
    @return The numbers of the settlement rule.
    """
    return RULES


@internal
@view
def _require_operator():
    assert msg.sender == OPERATOR, "settlement: not the operator"


@internal
@pure
def _check_loss(balance: clearing.Balance, delivery: packing.Delivery):
    # pro rata of the region's loss, rounded down or up: which of both, the running sum decides
    assert delivery.received <= delivery.sent, "settlement: received above sent"
    share: uint256 = delivery.sent - delivery.received
    if balance.weighed == 0:
        assert share == 0, "settlement: other loss share"
        return
    least: uint256 = balance.loss * delivery.sent // balance.weighed
    assert share == least or share == least + 1, "settlement: other loss share"


@internal
def _match(
    bid: book.Order,
    offer: book.Order,
    terms: uint256,
    tariffs: clearing.Tariffs,
    state: uint256,
) -> (bytes32, uint256):
    # takes from both orders and keeps the fill; returns its name and its lock
    asked: packing.Terms = packing.terms(terms)
    assert asked.price + asked.charge <= tariffs.retail, "settlement: above retail"
    assert bid.participant != offer.participant, "settlement: trade with oneself"
    lock: uint256 = split.lock(asked)
    bid_name: bytes32 = empty(bytes32)
    offer_name: bytes32 = empty(bytes32)
    taken: orders.Taken = empty(orders.Taken)
    bid_name, offer_name, taken = extcall orders.__interface__(ORDERS).take(
        bid, offer, asked, lock, skip_contract_check=True
    )
    name: bytes32 = packing.fill_hash(
        bid.region,
        bid.interval,
        packing.Fill(
            bid=bid_name,
            offer=offer_name,
            buyer=bid.participant,
            seller=offer.participant,
            terms=terms,
        ),
    )
    assert self.fills[name] == UNKNOWN, "settlement: committed before"
    self.fills[name] = (
        taken.before << BEFORE | taken.marks << MARKS | state
    )
    return name, lock


@internal
@view
def _trading(region: bytes32, interval: uint64) -> clearing.Tariffs:
    # refused when the clearing was condemned, or too late
    return staticcall clearing.__interface__(CLEARING).trading(region, interval)


@internal
@view
def _is_condemned(single: Single) -> bool:
    return staticcall clearing.__interface__(CLEARING).condemned(single.region, single.interval)


@internal
@view
def _tariffs(region: bytes32, interval: uint64) -> clearing.Tariffs:
    return staticcall clearing.__interface__(CLEARING).tariffs(
        region, interval, skip_contract_check=True
    )


@internal
@view
def _name() -> bytes32:
    # of the `Single` that this call begins with: its seven words, as `packing.fill_hash` has them
    return keccak256(slice(msg.data, 4, 224))


@internal
def _settle(
    name: bytes32,
    word: uint256,
    interval: uint64,
    fill: packing.Fill,
    delivery: packing.Delivery,
    loss_share: uint256,
    digest: bytes32,
) -> bytes32:
    statement: split.Statement = split.split(
        packing.terms(fill.terms), delivery, RULES, loss_share
    )
    if statement.case == split.DISPUTE:
        self.fills[name] = word & ~packing.MASK_16 | DISPUTED
    else:
        if delivery.held != word >> HELD:
            assert delivery.held > word >> HELD, "settlement: a hold is left out"
            extcall clearing.__interface__(CLEARING).leave_out(
                interval, fill.seller, delivery.held - (word >> HELD), skip_contract_check=True
            )
        self.fills[name] = SETTLED
        if word & COUNTED != 0:
            bought_at: uint256 = self._place(fill.buyer, interval, BOUGHT)
            self.volumes[bought_at] = self._volume(bought_at, interval) + delivery.sent
        sold_at: uint256 = self._place(fill.seller, interval, SOLD)
        self._count(
            self._volume(sold_at, interval),
            sold_at,
            delivery.agreed,
            delivery.sent,
            delivery.unused_sent,
            0,
            statement.charge,
        )
        statement = self._pay(fill, statement)
    log Settled(
        fill=name,
        case=statement.case,
        paid=statement.paid,
        charge=statement.charge,
        fee_seller=statement.fee_seller,
        fee_network=statement.fee_network,
        refund=statement.refund,
        reward=statement.reward,
        claim=statement.claim,
        unpaid_reward=statement.unpaid_reward,
        unpaid_claim=statement.unpaid_claim,
    )
    return keccak256(abi_encode(digest, name, statement))


@internal
def _locked(bid: bytes32, name: bytes32) -> uint256:
    # the word of a locked fill; that of one which a bid holds is made here, and the bid ended:
    # such bids have one fill each, so a buyer may have many, over which its import is counted
    word: uint256 = self.fills[name]
    if word & packing.MASK_16 == LOCKED:
        return word
    assert word & packing.MASK_16 == UNKNOWN, "settlement: not locked"
    extcall orders.__interface__(ORDERS).unbind(bid, name)
    return word | COUNTED | LOCKED


@internal
@view
def _meter(participant: address, word: uint256) -> address:
    # whose key signs for a party of a fill with this word
    if word & OWN_METERS != 0:
        return participant
    return packing.meter_key(
        staticcall registry.__interface__(REGISTRY).status(participant), participant
    )


@internal
@pure
def _place(participant: address, interval: uint64, first: uint64) -> uint256:
    return convert(participant, uint256) << 8 | convert(first | interval % RING, uint256)


@internal
@view
def _volume(place: uint256, interval: uint64) -> uint256:
    # the word of an interval; its place may still hold that of an earlier one, or of a later one.
    # One of energy bought has room for any number of energies below 2^40
    assert interval < 2**32, "settlement: interval"
    word: uint256 = self.volumes[place]
    kept: uint256 = word >> VOLUME_INTERVAL
    this: uint256 = convert(interval, uint256)
    if kept == this:
        return word
    assert kept < this, "settlement: the interval is past"
    return this << VOLUME_INTERVAL


@internal
@view
def _kept(seller: address, interval: uint64) -> uint256:
    # a seller's word of an interval, zero when its place holds that of another
    word: uint256 = self.volumes[self._place(seller, interval, SOLD)]
    return word if word >> VOLUME_INTERVAL == convert(interval, uint256) else 0


@internal
@pure
def _paid(word: uint256) -> uint256:
    # what a seller was paid for of its export, but for what was left unused
    return unsafe_add((word >> SENT) & MASK_36, (word >> ELSEWHERE) & MASK_36)


@internal
def _count(
    word: uint256,
    place: uint256,
    agreed: uint256,
    sent: uint256,
    unused: uint256,
    elsewhere: uint256,
    charge: uint256,
):
    # word: what `_volume` found. A field that runs over changes the lowest bit of the next
    assert (agreed | sent | unused | elsewhere) >> 36 | charge >> 44 == 0, "settlement: volume"
    added: uint256 = (
        agreed << RATE_AGREED
        | sent << RATE_SENT
        | sent << SENT
        | unused << UNUSED
        | elsewhere << ELSEWHERE
        | charge
    )
    total: uint256 = unsafe_add(word, added)
    assert (word ^ added ^ total) & CARRIES == 0, "settlement: volume"
    self.volumes[place] = total


@internal
def _pay(fill: packing.Fill, owed: split.Statement) -> split.Statement:
    # the five parts of the lock, and what comes on top as far as the accounts for it reach
    to_loss: uint256 = rounding.part(owed.charge, RULES.loss_fund_share)
    reward: uint256 = 0
    claim: uint256 = 0
    reward, claim = extcall vault.__interface__(VAULT).settle(
        fill.buyer,
        fill.seller,
        vault.Split(
            seller=owed.paid + owed.fee_seller,
            network_loss=to_loss + owed.fee_network,
            network_operator=owed.charge - to_loss,
            refund=owed.refund,
            reward=owed.reward,
            claim=owed.claim,
        ),
    )
    paid: split.Statement = owed
    paid.reward = reward
    paid.claim = claim
    paid.unpaid_reward = owed.reward - reward
    paid.unpaid_claim = owed.claim - claim
    return paid
