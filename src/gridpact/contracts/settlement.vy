# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Settlement
@notice Locks the money of cleared fills, and pays it by the meters' word: the five cases per fill,
        the grid tier's bills, what crosses between the chains. The operator brings the records,
        the rules decide the amounts; every number they need is posted before or signed.
"""

import accounts
import clearing
import keyed
import orders
import packing
import registry
import rounding
import split
import vault

initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
REGION: constant(uint256) = 8  # role
PPM: constant(uint256) = 1_000_000
UNKNOWN: constant(uint256) = 0
LOCKED: constant(uint256) = 1
CROSSED: constant(uint256) = 2
SETTLED: constant(uint256) = 3
DISPUTED: constant(uint256) = 4


struct Row:
    fill: packing.Fill
    delivery: uint256  # see packing.delivery


struct BillRow:
    account: address
    bought: uint256
    sold: uint256


struct Refund:
    fill: bytes32
    amount: uint256


OPERATOR: public(immutable(address))
REGISTRY: public(immutable(address))
VAULT: public(immutable(address))
ORDERS: public(immutable(address))
CLEARING: public(immutable(address))
RULES: immutable(split.Rules)

fills: HashMap[bytes32, uint256]  # buyer 160 | crossed money not yet home 80 | state 16
volumes: HashMap[address, HashMap[uint64, uint256]]  # agreed 64 | sent 64 | charge 128
crossings: public(HashMap[bytes32, bytes32])  # the packed key under which a crossing was used


event Committed:
    key: indexed(bytes32)
    batch: uint32
    count: uint256
    locked: uint256


event Crossed:
    key: indexed(bytes32)
    crossing: indexed(bytes32)
    batch: uint32
    count: uint256
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


event Billed:
    account: indexed(address)
    bought: uint256
    sold: uint256
    purchase: uint256
    network_share: uint256
    sale: uint256
    unpaid_purchase: uint256
    unpaid_sale: uint256


event LossBought:
    key: indexed(bytes32)
    energy: uint256
    cost: uint256
    unpaid: uint256


event Refunded:
    fill: indexed(bytes32)
    crossing: indexed(bytes32)
    buyer: indexed(address)
    amount: uint256


event SentHome:
    region: indexed(address)
    crossing: indexed(bytes32)
    amount: uint256


@deploy
def __init__(
    operator: address,
    registry_: address,
    vault_: address,
    orders_: address,
    clearing_: address,
    rules: split.Rules,
):
    """
    @notice Fix the peers and the numbers of the rule, for good.
    """
    assert rules.tau <= PPM and rules.eps <= PPM and rules.kappa < 2**32, "settlement: rules"
    assert rules.reward <= PPM and rules.loss_fund_share <= PPM, "settlement: rules"
    assert rules.unused_fee < 2**48 and rules.feed_in < 2**48, "settlement: rules"
    assert rules.eps_floor < 2**40, "settlement: rules"
    OPERATOR = operator
    REGISTRY = registry_
    VAULT = vault_
    ORDERS = orders_
    CLEARING = clearing_
    RULES = rules


@external
def commit(write: keyed.Write, fills: DynArray[packing.Fill, MAX_BATCH]):
    """
    @notice Lock the buyers' money of fills whose bid and offer stand on this chain.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 0):
        return
    locked: uint256 = 0
    for fill: packing.Fill in fills:
        name: bytes32 = packing.fill_hash(write.region, write.interval, fill)
        assert self.fills[name] == UNKNOWN, "settlement: committed before"
        assert fill.buyer != fill.seller, "settlement: trade with oneself"
        terms: packing.Terms = packing.terms(fill.terms)
        lock: uint256 = split.lock(terms)
        extcall orders.__interface__(ORDERS).take(
            fill.bid, fill.offer, fill.buyer, fill.seller, write.interval, terms, lock
        )
        extcall vault.__interface__(VAULT).lock(fill.buyer, lock)
        self.fills[name] = LOCKED
        locked += lock
    log Committed(key=keyed.packed(write), batch=write.batch, count=len(fills), locked=locked)


@external
def cross(write: keyed.Write, fills: DynArray[packing.Fill, MAX_BATCH], crossing: bytes32):
    """
    @notice Send the reserved money of fills that are settled on the other chain on its way.
    @param crossing Its id: used under one key only.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 1):
        return
    self._use_crossing(write, crossing)
    total: uint256 = 0
    for fill: packing.Fill in fills:
        name: bytes32 = packing.fill_hash(write.region, write.interval, fill)
        assert self.fills[name] == UNKNOWN, "settlement: committed before"
        terms: packing.Terms = packing.terms(fill.terms)
        lock: uint256 = split.lock(terms)
        extcall orders.__interface__(ORDERS).take_bid(
            fill.bid, fill.buyer, write.interval, terms, lock
        )
        extcall vault.__interface__(VAULT).depart(fill.buyer, lock, crossing)
        self.fills[name] = convert(fill.buyer, uint256) << 96 | lock << 16 | CROSSED
        total += lock
    log Crossed(
        key=keyed.packed(write),
        crossing=crossing,
        batch=write.batch,
        count=len(fills),
        amount=total,
    )


@external
def settle(write: keyed.Write, rows: DynArray[Row, MAX_BATCH], expected: bytes32) -> bytes32:
    """
    @notice Pay the locked fills of the key's region and interval by what was delivered.
    @dev A disputed fill stays locked and is settled by a later part, under its own interval.
    @param expected The digest that these statements must have, or zero.
    @return The digest: d = keccak(d | fill | the ten numbers of `Settled`), from zero.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 2):
        return expected
    peer: clearing.__interface__ = clearing.__interface__(CLEARING)
    tariffs: clearing.Tariffs = staticcall peer.tariffs(write.region, write.interval)
    balance: clearing.Balance = staticcall peer.metered(write.region, write.interval)
    digest: bytes32 = empty(bytes32)
    for row: Row in rows:
        name: bytes32 = packing.fill_hash(write.region, write.interval, row.fill)
        state: uint256 = self.fills[name]
        delivery: packing.Delivery = packing.delivery(row.delivery)
        if state == LOCKED:
            self._check_loss(balance, delivery)
        else:
            assert state == DISPUTED, "settlement: not locked"
        digest = self._settle(
            name, write.interval, row.fill, delivery, tariffs.loss_share, digest
        )
    assert expected == empty(bytes32) or digest == expected, "settlement: other amounts"
    return digest


@external
def bill(write: keyed.Write, rows: DynArray[BillRow, MAX_BATCH], expected: bytes32) -> bytes32:
    """
    @notice The grid tier: purchases at retail, sales at the feed-in tariff, as posted.
    @param expected The digest that these bills must have, or zero.
    @return The digest: d = keccak(d | the eight values of `Billed`), from zero.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 3):
        return expected
    tariffs: clearing.Tariffs = staticcall clearing.__interface__(CLEARING).tariffs(
        write.region, write.interval
    )
    digest: bytes32 = empty(bytes32)
    for row: BillRow in rows:
        digest = self._bill(row, tariffs, digest)
    assert expected == empty(bytes32) or digest == expected, "settlement: other amounts"
    return digest


@external
def buy_loss(write: keyed.Write, energy: uint256, expected: uint256) -> uint256:
    """
    @notice The network operator buys the losses that no fill carries, at the energy part of retail.
    @param expected What must be paid.
    @return What was paid; the rest of amount(retail - network share, energy) is a recorded claim.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 4):
        return expected
    assert energy < 2**40, "settlement: energy"
    tariffs: clearing.Tariffs = staticcall clearing.__interface__(CLEARING).tariffs(
        write.region, write.interval
    )
    cost: uint256 = rounding.amount(tariffs.retail - tariffs.network_share, energy)
    paid: uint256 = self._up_to(accounts.NETWORK_OPERATOR, accounts.GRID_SUPPLY, cost)
    assert paid == expected, "settlement: other amounts"
    log LossBought(key=keyed.packed(write), energy=energy, cost=paid, unpaid=cost - paid)
    return paid


@external
def refund(write: keyed.Write, crossing: bytes32, rows: DynArray[Refund, MAX_BATCH]):
    """
    @notice Bring home what the other chain did not need: to each fill's buyer, at most what left
            for that fill.
    @param crossing The id under which the other chain sent it: used under one key only.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 5):
        return
    self._use_crossing(write, crossing)
    for row: Refund in rows:
        word: uint256 = self.fills[row.fill]
        assert word & packing.MASK_16 == CROSSED, "settlement: not crossed"
        assert row.amount <= (word >> 16) & packing.MASK_80, "settlement: more than crossed"
        self.fills[row.fill] = word - (row.amount << 16)
        buyer: address = convert(convert(word >> 96, uint160), address)
        extcall vault.__interface__(VAULT).arrive(buyer, row.amount, crossing)
        log Refunded(fill=row.fill, crossing=crossing, buyer=buyer, amount=row.amount)


@external
def send_home(write: keyed.Write, region: address, amount: uint256, crossing: bytes32):
    """
    @notice Burn what a region's account has left here; it reappears at home under `crossing`.
    """
    assert msg.sender == OPERATOR, "settlement: not the operator"
    if not keyed.begin(write, 6):
        return
    self._use_crossing(write, crossing)
    status: uint256 = staticcall registry.__interface__(REGISTRY).status(region)
    assert (status >> 8) & REGION == REGION, "settlement: not a region"
    extcall vault.__interface__(VAULT).burn(region, amount, crossing)
    log SentHome(region=region, crossing=crossing, amount=amount)


@external
@view
def fill_state(fill: bytes32) -> (uint256, address, uint256):
    """
    @return state (0 none, 1 locked, 2 crossed, 3 settled, 4 disputed), and of a crossed fill its
            buyer and the money not yet home.
    """
    word: uint256 = self.fills[fill]
    return (
        word & packing.MASK_16,
        convert(convert(word >> 96, uint160), address),
        (word >> 16) & packing.MASK_80,
    )


@external
@view
def volume(seller: address, interval: uint64) -> (uint256, uint256, uint256):
    """
    @return What a seller's settled fills of an interval agreed and sent [Wh], and the network
            charge paid on them.
    """
    word: uint256 = self.volumes[seller][interval]
    return word >> 192, (word >> 128) & packing.MASK_64, word & (2**128 - 1)


@external
@view
def rules() -> split.Rules:
    """
    @return The numbers of the settlement rule.
    """
    return RULES


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
def _settle(
    name: bytes32,
    interval: uint64,
    fill: packing.Fill,
    delivery: packing.Delivery,
    loss_share: uint256,
    digest: bytes32,
) -> bytes32:
    terms: packing.Terms = packing.terms(fill.terms)
    statement: split.Statement = split.split(terms, delivery, RULES, loss_share)
    if statement.case == split.DISPUTE:
        self.fills[name] = DISPUTED
    else:
        self.fills[name] = SETTLED
        self.volumes[fill.seller][interval] += (
            delivery.agreed << 192 | delivery.sent << 128 | statement.charge
        )
        self._pay(fill, statement)
        reward: uint256 = self._up_to(accounts.REWARD, fill.seller, statement.reward)
        claim: uint256 = self._up_to(accounts.NETWORK_LOSS, fill.buyer, statement.claim)
        statement.unpaid_reward = statement.reward - reward
        statement.unpaid_claim = statement.claim - claim
        statement.reward = reward
        statement.claim = claim
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
def _pay(fill: packing.Fill, owed: split.Statement):
    # the five parts of the lock
    to_loss: uint256 = rounding.part(owed.charge, RULES.loss_fund_share)
    extcall vault.__interface__(VAULT).share(
        fill.buyer,
        [fill.seller, accounts.NETWORK_LOSS, accounts.NETWORK_OPERATOR],
        [owed.paid + owed.fee_seller, to_loss + owed.fee_network, owed.charge - to_loss],
        owed.refund,
    )


@internal
def _up_to(account: address, to: address, amount: uint256) -> uint256:
    if amount == 0:
        return 0
    return extcall vault.__interface__(VAULT).transfer_up_to(account, to, amount)


@internal
def _bill(row: BillRow, tariffs: clearing.Tariffs, digest: bytes32) -> bytes32:
    # the energy part first, then the network share; then the sale
    assert row.bought < 2**40 and row.sold < 2**40, "settlement: energy"
    owed: uint256 = rounding.amount(tariffs.retail, row.bought)
    share: uint256 = min(rounding.amount(tariffs.network_share, row.bought), owed)
    due: uint256 = rounding.amount(tariffs.feed_in, row.sold)
    paid: uint256 = self._up_to(row.account, accounts.GRID_SUPPLY, owed - share)
    share = self._up_to(row.account, accounts.NETWORK_OPERATOR, share)
    paid += share
    sold: uint256 = self._up_to(accounts.GRID_SUPPLY, row.account, due)
    log Billed(
        account=row.account,
        bought=row.bought,
        sold=row.sold,
        purchase=paid,
        network_share=share,
        sale=sold,
        unpaid_purchase=owed - paid,
        unpaid_sale=due - sold,
    )
    return keccak256(
        abi_encode(
            digest,
            row.account,
            row.bought,
            row.sold,
            paid,
            share,
            sold,
            owed - paid,
            due - sold,
        )
    )


@internal
def _use_crossing(write: keyed.Write, crossing: bytes32):
    assert crossing != empty(bytes32), "settlement: no crossing"
    key: bytes32 = keyed.packed(write)
    first: bytes32 = self.crossings[crossing]
    assert first == empty(bytes32) or first == key, "settlement: crossing used"
    self.crossings[crossing] = key
