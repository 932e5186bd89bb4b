# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Wallets
@notice Purchase wallets and vouchers of [Yu23]: one wallet per purchase, an account of the vault
        that nobody has a key for. The buyer's device makes the wallet's key and proves that it has
        it; the operator certifies by a voucher and never sees a secret. Money leaves in three ways:
        to the seller whom the buyer named, by the buyer's confirmation; to that seller, by both
        meters' word, when the buyer keeps silent; to the buyer, when the time is over. With the
        seller the network gets its charge, for the same energy. The operator's signature alone
        moves nothing (5-decisions, section 17).
        Who breaks its word is fined from its deposit, by what the meters signed or by its own act:
        the operator can lift a fine, where the sensors held the trade, and impose none.
@dev    A voucher's `dueBy` is the interval of delivery, `validUntil` the last interval in which a
        seller may be named. A purchase is known by keccak(account, serial).
"""

import breach
import clock
import metering
import packing
import promises
import registry
import rounding
import settlement
import signing
import vault

initializes: clock
initializes: promises

POSSESSION_TYPE: constant(bytes32) = keccak256(
    "Possession(address account,address buyer,address key)"
)
VOUCHER_TYPE: constant(bytes32) = keccak256(
    "Voucher(address account,address seller,uint64 serial,uint64 validUntil,uint64 volumeWh,uint256 balance,uint256 charge,uint64 dueBy,bytes32 recordRoot)"
)
CONFIRMATION_TYPE: constant(bytes32) = keccak256(
    "Confirmation(bytes32 fillHash,bytes32 region,uint64 interval,uint64 receivedWh)"
)
HOLD_TYPE: constant(bytes32) = keccak256("Hold(bytes32 purchase)")
PPM: constant(uint256) = 1_000_000
FUNDED: constant(uint256) = 1
NAMED: constant(uint256) = 2  # its seller
CLOSED: constant(uint256) = 3
# owners: buyer 160 | until 32 | serial 56 | state 8
OWNER: constant(uint256) = 96
UNTIL: constant(uint256) = 64
SERIAL: constant(uint256) = 8
MASK_56: constant(uint256) = 2**56 - 1
# keys: key 160 | balance 80
KEY: constant(uint256) = 96
# sales: seller 160 | due 32 | volume 40
SELLER: constant(uint256) = 96
DUE: constant(uint256) = 64
# progress: held by the sensors 1 | charge 80 | claimed 64 | confirmed 64
HELD: constant(uint256) = 1 << 208
CHARGE: constant(uint256) = 128
CLAIMED: constant(uint256) = 64


struct Voucher:
    account: address
    seller: address
    serial: uint64
    validUntil: uint64
    volumeWh: uint64
    balance: uint256
    charge: uint256  # the network's part of the balance
    dueBy: uint64
    recordRoot: bytes32


REGISTRY: public(immutable(address))
VAULT: public(immutable(address))
SETTLEMENT: public(immutable(address))
WINDOW: public(immutable(uint256))  # intervals
FINE: public(immutable(uint256))  # micro-units per kWh that was broken
TOLERANCE: public(immutable(uint256))  # ppm of what was promised
LOSS_FUND_SHARE: public(immutable(uint256))  # of the network charge, ppm
DOMAIN: immutable(bytes32)

owners: HashMap[address, uint256]
keys: HashMap[address, uint256]
sales: HashMap[address, uint256]
progress: HashMap[address, uint256]


event Opened:
    account: indexed(address)
    buyer: indexed(address)
    key: address
    amount: uint256
    until: uint64


event Named:
    account: indexed(address)
    seller: indexed(address)
    serial: uint64
    volume: uint64
    balance: uint256
    charge: uint256
    due: uint64
    record: bytes32


event Held:
    account: indexed(address)


event Released:
    account: indexed(address)
    seller: indexed(address)


event Claimed:
    account: indexed(address)
    seller: indexed(address)
    delivered: uint64


event Confirmed:
    account: indexed(address)
    received: uint64
    paid: uint256
    charge: uint256


event Metered:
    account: indexed(address)
    delivered: uint64
    paid: uint256
    charge: uint256


event Broken:
    participant: indexed(address)
    interval: uint64
    undelivered: uint256
    withheld: uint256
    fined: uint256


event Returned:
    account: indexed(address)
    buyer: indexed(address)
    amount: uint256


@deploy
def __init__(
    registry_: address,
    vault_: address,
    settlement_: address,
    window: uint256,
    fine: uint256,
    tolerance: uint256,
    loss_fund_share: uint256,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers, how many intervals a silent buyer has, and what a breach costs.
    @param fine For each kWh that was promised and not kept, when more is missing than tolerated.
    @param loss_fund_share What of the network charge goes to the loss fund.
    """
    clock.__init__(begins, seconds)
    assert 0 < window and window < 16, "wallets: window"
    assert fine < 2**48 and tolerance <= PPM and loss_fund_share <= PPM, "wallets: rules"
    REGISTRY = registry_
    VAULT = vault_
    SETTLEMENT = settlement_
    WINDOW = window
    FINE = fine
    TOLERANCE = tolerance
    LOSS_FUND_SHARE = loss_fund_share
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()


@external
def open_wallet(
    nonce: uint256, key: address, proof: signing.Signature, amount: uint256, until: uint64
) -> address:
    """
    @notice Put one's own free money into a new wallet, whose key the own device holds.
    @param nonce Numbers the buyer's purchases.
    @param proof The key's signature over `Possession(account, buyer, key)`.
    @param until The last interval in which a seller may be named.
    @return The wallet's account: keccak(buyer, region, nonce).
    """
    self._require_active(msg.sender)
    region: bytes32 = staticcall registry.__interface__(REGISTRY).region(msg.sender)
    account: address = self._account(msg.sender, region, nonce)
    assert self.owners[account] == 0, "wallets: purchase known"
    assert 0 < amount and amount <= packing.MASK_80, "wallets: amount"
    assert until < 2**32, "wallets: interval"
    signed: bytes32 = keccak256(abi_encode(POSSESSION_TYPE, account, msg.sender, key))
    assert self._signer(signed, proof) == key, "wallets: no possession"
    self.owners[account] = (
        convert(msg.sender, uint256) << OWNER | convert(until, uint256) << UNTIL | FUNDED
    )
    self.keys[account] = convert(key, uint256) << KEY | amount
    extcall vault.__interface__(VAULT).fill_wallet(msg.sender, account, amount)
    log Opened(account=account, buyer=msg.sender, key=key, amount=amount, until=until)
    return account


@external
def name_seller(voucher: Voucher, certified: signing.Signature, paid: signing.Signature):
    """
    @notice Bind a wallet to the seller that its buyer chose: the operator certified the voucher,
            the wallet's key signed it too. The seller brings both: so it has accepted, and nobody
            is fined for what it did not know.
    """
    assert msg.sender == voucher.seller, "wallets: not the seller"
    account: address = voucher.account
    owner: uint256 = self._wallet(account, FUNDED)
    key: uint256 = self.keys[account]
    now: uint256 = clock.interval()
    serial: uint256 = convert(voucher.serial, uint256)
    assert serial > (owner >> SERIAL) & MASK_56, "wallets: stale serial"
    assert serial <= MASK_56, "wallets: serial"
    assert now <= convert(voucher.validUntil, uint256), "wallets: voucher expired"
    assert now <= (owner >> UNTIL) & packing.MASK_32, "wallets: wallet expired"
    assert voucher.balance == key & packing.MASK_80, "wallets: other balance"
    assert voucher.charge <= voucher.balance, "wallets: charge"
    assert 0 < voucher.volumeWh and voucher.volumeWh < 2**36, "wallets: volume"
    assert convert(voucher.dueBy, uint256) >= now, "wallets: due in the past"
    assert voucher.dueBy < 2**32, "wallets: interval"
    assert voucher.seller != self._address(owner >> OWNER), "wallets: trade with oneself"
    self._require_active(voucher.seller)
    signed: bytes32 = keccak256(abi_encode(VOUCHER_TYPE, voucher))
    assert (
        self._signer(signed, certified)
        == staticcall registry.__interface__(REGISTRY).operator()
    ), "wallets: not certified"
    assert self._signer(signed, paid) == self._address(key >> KEY), "wallets: not the wallet's key"
    self.owners[account] = (
        owner & ~(MASK_56 << SERIAL | packing.MASK_8) | serial << SERIAL | NAMED
    )
    self.sales[account] = (
        convert(voucher.seller, uint256) << SELLER
        | convert(voucher.dueBy, uint256) << DUE
        | convert(voucher.volumeWh, uint256)
    )
    self.progress[account] = voucher.charge << CHARGE
    log Named(
        account=account,
        seller=voucher.seller,
        serial=voucher.serial,
        volume=voucher.volumeWh,
        balance=voucher.balance,
        charge=voucher.charge,
        due=voucher.dueBy,
        record=voucher.recordRoot,
    )


@external
def hold(account: address, held: signing.Signature):
    """
    @notice The sensors hold the trade: its seller is not fined. Anybody may bring the operator's
            word, which lifts a fine and imposes none.
    @param held The operator's signature over `Hold(keccak(account, serial))`.
    """
    owner: uint256 = self._wallet(account, NAMED)
    name: bytes32 = keccak256(abi_encode(account, (owner >> SERIAL) & MASK_56))
    assert (
        self._signer(keccak256(abi_encode(HOLD_TYPE, name)), held)
        == staticcall registry.__interface__(REGISTRY).operator()
    ), "wallets: not the operator's word"
    self.progress[account] |= HELD
    log Held(account=account)


@external
def release(account: address):
    """
    @notice The named seller does not deliver: the buyer may name another. Only before anything was
            confirmed. Where the sensors do not hold the trade, its own act breaks its word: it is
            fined for the whole volume.
    """
    owner: uint256 = self._wallet(account, NAMED)
    sale: uint256 = self.sales[account]
    progress: uint256 = self.progress[account]
    seller: address = self._address(sale >> SELLER)
    assert msg.sender == seller, "wallets: not the seller"
    assert progress & packing.MASK_64 == 0, "wallets: confirmed in part"
    self.owners[account] = owner ^ (NAMED ^ FUNDED)
    self.sales[account] = 0
    self.progress[account] = 0
    log Released(account=account, seller=seller)
    if progress & HELD == 0:
        broken: promises.Proven = empty(promises.Proven)
        broken.promised = sale & packing.MASK_40
        self._fine(seller, (sale >> DUE) & packing.MASK_32, broken)


@external
def claim(account: address, delivered: uint64):
    """
    @notice The provider's settlement application: what it delivered so far, in and after the
            interval of delivery; progress may be posted again and again. [Wh]
    """
    self._wallet(account, NAMED)
    sale: uint256 = self.sales[account]
    due: uint256 = (sale >> DUE) & packing.MASK_32
    assert msg.sender == self._address(sale >> SELLER), "wallets: not the seller"
    assert clock.interval() >= due, "wallets: before delivery"
    assert not clock.ended(convert(due, uint64), WINDOW), "wallets: too late for a claim"
    assert convert(delivered, uint256) <= sale & packing.MASK_40, "wallets: beyond the volume"
    progress: uint256 = self.progress[account]
    assert (
        convert(delivered, uint256) > (progress >> CLAIMED) & packing.MASK_64
    ), "wallets: no progress"
    self.progress[account] = (
        progress & ~(packing.MASK_64 << CLAIMED) | convert(delivered, uint256) << CLAIMED
    )
    log Claimed(account=account, seller=msg.sender, delivered=delivered)


@external
def confirm(account: address, received: uint64, confirmed: signing.Signature):
    """
    @notice Pay the named seller what the buyer confirms to have received so far, and the network
            its charge for it; with the whole volume the wallet is closed. Anybody may bring the
            confirmation.
    @param received Beyond what was confirmed before, at most the volume. [Wh]
    @param confirmed The wallet key's signature over `Confirmation(keccak(account, serial), region,
           interval of delivery, received)`.
    """
    owner: uint256 = self._wallet(account, NAMED)
    sale: uint256 = self.sales[account]
    due: uint256 = (sale >> DUE) & packing.MASK_32
    serial: uint256 = (owner >> SERIAL) & MASK_56
    region: bytes32 = staticcall registry.__interface__(REGISTRY).region(
        self._address(owner >> OWNER)
    )
    name: bytes32 = keccak256(abi_encode(account, serial))
    signed: bytes32 = keccak256(
        abi_encode(CONFIRMATION_TYPE, name, region, convert(due, uint64), received)
    )
    key: uint256 = self.keys[account]
    assert (
        self._signer(signed, confirmed) == self._address(key >> KEY)
    ), "wallets: not the wallet's key"
    progress: uint256 = self.progress[account]
    before: uint256 = progress & packing.MASK_64
    energy: uint256 = convert(received, uint256)
    assert energy > before, "wallets: confirmed before"
    assert energy <= sale & packing.MASK_40, "wallets: beyond the volume"
    if energy == sale & packing.MASK_40:
        self._close(account, owner)
    else:
        self.progress[account] = progress & ~packing.MASK_64 | energy
    if FINE > 0:
        promises.bought(self._address(owner >> OWNER), convert(due, uint64), energy - before, 0, 0)
    paid: uint256 = 0
    charge: uint256 = 0
    paid, charge = self._pay(
        account, sale, key & packing.MASK_80, (progress >> CHARGE) & packing.MASK_80, before, energy
    )
    log Confirmed(account=account, received=received, paid=paid, charge=charge)


@external
def settle_by_meters(account: address, sold: metering.Signed, bought: metering.Signed):
    """
    @notice The settlement rule, for a buyer that keeps silent or confirms less: once the window
            after delivery is over, what was claimed is paid as far as the seller's meter sent it
            and the buyer's meter took it, beyond what fills and other wallets paid; the rest goes
            back to the buyer. Anybody may bring the meters' word. What it proves of either side's
            promise is noted, see `fine`.
    """
    owner: uint256 = self._wallet(account, NAMED)
    sale: uint256 = self.sales[account]
    due: uint64 = convert((sale >> DUE) & packing.MASK_32, uint64)
    assert clock.ended(due, WINDOW), "wallets: too early"
    buyer: address = self._address(owner >> OWNER)
    seller: address = self._address(sale >> SELLER)
    self._require_meter(seller, due, sold)
    self._require_meter(buyer, due, bought)
    progress: uint256 = self.progress[account]
    before: uint256 = progress & packing.MASK_64
    claimed: uint256 = (progress >> CLAIMED) & packing.MASK_64
    taken: uint256 = 0
    energy: uint256 = 0
    left: uint256 = 0
    taken, energy, left = extcall settlement.__interface__(SETTLEMENT).count(
        seller,
        buyer,
        due,
        claimed,
        claimed,
        metering.exported(sold.registers),
        metering.imported(bought.registers),
    )
    if FINE > 0 and progress & HELD == 0:
        promises.sold(seller, due, sale & packing.MASK_40, energy, left)
    energy = max(energy, before)
    # a buyer that withholds its word from a false claim has its reason
    if FINE > 0 and energy > before and breach.broken(claimed, left, TOLERANCE) == 0:
        promises.bought(buyer, due, 0, energy - before, metering.imported(bought.registers))
    balance: uint256 = self.keys[account] & packing.MASK_80
    charged: uint256 = (progress >> CHARGE) & packing.MASK_80
    self._close(account, owner)
    paid: uint256 = 0
    charge: uint256 = 0
    paid, charge = self._pay(account, sale, balance, charged, before, energy)
    log Metered(account=account, delivered=convert(energy, uint64), paid=paid, charge=charge)
    self._return(account, buyer, self._left(sale, balance, charged, energy))


@external
def time_out(account: address):
    """
    @notice Give a buyer back what nobody can have any more: of a wallet without a seller when its
            time is over, of another two windows after delivery. Anybody may call.
    """
    owner: uint256 = self.owners[account]
    state: uint256 = owner & packing.MASK_8
    balance: uint256 = self.keys[account] & packing.MASK_80
    if state == FUNDED:
        until: uint64 = convert((owner >> UNTIL) & packing.MASK_32, uint64)
        assert clock.ended(until, 0), "wallets: too early"
    else:
        assert state == NAMED, "wallets: other state"
        sale: uint256 = self.sales[account]
        due: uint64 = convert((sale >> DUE) & packing.MASK_32, uint64)
        assert clock.ended(due, 2 * WINDOW), "wallets: too early"
        progress: uint256 = self.progress[account]
        balance = self._left(
            sale, balance, (progress >> CHARGE) & packing.MASK_80, progress & packing.MASK_64
        )
    self._close(account, owner)
    self._return(account, self._address(owner >> OWNER), balance)


@external
def fine(participant: address, interval: uint64):
    """
    @notice Fine a participant for an interval, from its deposit and never beyond, by what the
            meters proved of its purchases by voucher: what it sold and did not send; what it
            took and did not confirm, of its import beyond what it confirmed elsewhere. All of an
            interval together, once no wallet of it can be settled any more but late: so splitting
            changes nothing, and the order of calls nothing for a seller. Anybody may call.
    """
    assert clock.ended(interval, 2 * WINDOW), "wallets: too early"
    proven: promises.Proven = promises.take(participant, interval)
    assert proven.promised + proven.withheld + proven.confirmed > 0, "wallets: nothing to fine"
    self._fine(participant, convert(interval, uint256), proven)


@external
@view
def proven(participant: address, interval: uint64) -> promises.Proven:
    """
    @return What was proven and nobody was fined for yet: promised and kept of what was sold,
            withheld and confirmed of what was bought. [Wh]
    """
    return promises.of(participant, interval)


@external
@view
def wallet(account: address) -> (address, address, uint256, uint256, uint256):
    """
    @return buyer, key, balance, last serial, state (0 none, 1 funded, 2 seller named, 3 closed).
    """
    owner: uint256 = self.owners[account]
    key: uint256 = self.keys[account]
    return (
        self._address(owner >> OWNER),
        self._address(key >> KEY),
        key & packing.MASK_80,
        (owner >> SERIAL) & MASK_56,
        owner & packing.MASK_8,
    )


@external
@view
def sale(account: address) -> (address, uint256, uint256, uint256, uint256, uint256):
    """
    @return seller, interval of delivery, volume, claimed, confirmed [Wh]; the network charge.
    """
    sale: uint256 = self.sales[account]
    progress: uint256 = self.progress[account]
    return (
        self._address(sale >> SELLER),
        (sale >> DUE) & packing.MASK_32,
        sale & packing.MASK_40,
        (progress >> CLAIMED) & packing.MASK_64,
        progress & packing.MASK_64,
        (progress >> CHARGE) & packing.MASK_80,
    )


@internal
@pure
def _account(buyer: address, region: bytes32, nonce: uint256) -> address:
    hashed: uint256 = convert(keccak256(abi_encode(buyer, region, nonce)), uint256)
    return convert(convert(hashed & (2**160 - 1), uint160), address)


@internal
@pure
def _address(word: uint256) -> address:
    return convert(convert(word, uint160), address)


@internal
@view
def _signer(signed: bytes32, signature: signing.Signature) -> address:
    return signing.signer(keccak256(concat(0x1901, DOMAIN, signed)), signature)


@internal
@view
def _require_active(participant: address):
    status: uint256 = staticcall registry.__interface__(REGISTRY).status(participant)
    assert status & packing.MASK_8 == 1, "wallets: not active"


@internal
@view
def _wallet(account: address, state: uint256) -> uint256:
    owner: uint256 = self.owners[account]
    assert owner & packing.MASK_8 == state, "wallets: other state"
    return owner


@internal
@view
def _require_meter(participant: address, interval: uint64, signed: metering.Signed):
    peer: registry.__interface__ = registry.__interface__(REGISTRY)
    status: uint256 = staticcall peer.status(participant)
    region: bytes32 = staticcall peer.region(participant)
    assert (
        metering.signer(DOMAIN, participant, region, interval, signed)
        == packing.meter_key(status, participant)
    ), "wallets: not the meter's signature"


@internal
@pure
def _due(sale: uint256, money: uint256, energy: uint256) -> uint256:
    # rounded once over all that was delivered so far, so parts add up to the whole
    return rounding.divide_half_even(money * energy, sale & packing.MASK_40)


@internal
@pure
def _left(sale: uint256, balance: uint256, charge: uint256, energy: uint256) -> uint256:
    # what neither seller nor network has of the balance
    return (
        balance - self._due(sale, balance - charge, energy) - self._due(sale, charge, energy)
    )


@internal
def _pay(
    account: address,
    sale: uint256,
    balance: uint256,
    charge: uint256,
    before: uint256,
    energy: uint256,
) -> (uint256, uint256):
    # price and charge of what was delivered beyond `before`; the network's two shares, too, are
    # rounded over all that was delivered so far
    price: uint256 = balance - charge
    paid: uint256 = self._due(sale, price, energy) - self._due(sale, price, before)
    charged: uint256 = self._due(sale, charge, energy)
    charged_before: uint256 = self._due(sale, charge, before)
    levied: uint256 = charged - charged_before
    if paid + levied > 0:
        to_loss: uint256 = rounding.part(charged, LOSS_FUND_SHARE) - rounding.part(
            charged_before, LOSS_FUND_SHARE
        )
        extcall vault.__interface__(VAULT).settle(
            account,
            self._address(sale >> SELLER),
            vault.Split(
                seller=paid,
                network_loss=to_loss,
                network_operator=levied - to_loss,
                refund=0,
                reward=0,
                claim=0,
            ),
        )
    return paid, levied


@internal
def _fine(participant: address, interval: uint256, proven: promises.Proven):
    taken: uint256 = proven.confirmed + proven.withheld
    owed: uint256 = breach.fine(proven.promised, proven.kept, FINE, TOLERANCE) + breach.fine(
        taken, proven.confirmed, FINE, TOLERANCE
    )
    if owed == 0:
        return
    fined: uint256 = extcall registry.__interface__(REGISTRY).fine(participant, owed)
    log Broken(
        participant=participant,
        interval=convert(interval, uint64),
        undelivered=breach.broken(proven.promised, proven.kept, TOLERANCE),
        withheld=breach.broken(taken, proven.confirmed, TOLERANCE),
        fined=fined,
    )


@internal
def _return(account: address, buyer: address, amount: uint256):
    if amount > 0:
        extcall vault.__interface__(VAULT).empty_wallet(account, buyer, amount)
    log Returned(account=account, buyer=buyer, amount=amount)


@internal
def _close(account: address, owner: uint256):
    self.owners[account] = owner & ~packing.MASK_8 | CLOSED
    self.sales[account] = 0
    self.progress[account] = 0
