# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Vault
@notice The only mover of money. Each account is one word: free 95 | reserved 80 | locked 80 |
        open 1. Three of the market's own accounts, which every settled fill touches, share one
        word. At all times free + reserved + locked + transit = minted - burned, and the vault holds
        that much of the currency: and, until somebody calls `retire`, what was slashed. Rules live
        in other contracts, whose addresses are fixed at construction (5-decisions, sections 8, 17).
"""

import accounts
import currency
import door
import netting
import packing
import signing

# words: free 95 | reserved 80 | locked 80 | open 1
FREE: constant(uint256) = 161
RESERVED: constant(uint256) = 81
LOCKED: constant(uint256) = 1
OPEN: constant(uint256) = 1
MAX_SUPPLY: constant(uint256) = 2**80 - 1
MAX_READ: constant(uint256) = 128
MAX_ROWS: constant(uint256) = 1024
MAX_PAIRS: constant(uint256) = 512  # deltas, two to a word
MAX_ACCOUNTS: constant(uint256) = 2**32
# tills, the free money of three accounts: network_operator 85 | network_loss 85 | reward 85; in
# their own words stand what they have reserved and locked, and the mark
MASK_TILL: constant(uint256) = 2**85 - 1
NETWORK_TILL: constant(uint256) = 170
LOSS_TILL: constant(uint256) = 85
REWARD_TILL: constant(uint256) = 0
MARK: constant(uint256) = 2**255
# names what `retire` burns: nobody is paid for it outside
RETIRED: constant(bytes32) = keccak256("retired")
# standing: what the registry says of who may order, beside the money that an order reserves
BARRED: constant(uint256) = 2**254
FOREIGN: constant(uint256) = 2**253
# the account had a purchase wallet: its import is counted over all that it buys from then on
COUNTED: constant(uint256) = 2**252


struct Split:
    # of a settled fill's lock: who gets what; and what comes on top of it
    seller: uint256
    network_loss: uint256
    network_operator: uint256
    refund: uint256
    reward: uint256
    claim: uint256


CURRENCY: public(immutable(address))
REGISTRY: public(immutable(address))
ORDERS: public(immutable(address))
SETTLEMENT: public(immutable(address))
INCENTIVE: public(immutable(address))
NET: public(immutable(address))
FALLBACK: public(immutable(address))
COUNCIL: public(immutable(address))
CROSSING: public(immutable(address))
WALLETS: public(immutable(address))
SUPPLY: public(immutable(address))

words: HashMap[address, uint256]
tills: uint256
holders: DynArray[address, MAX_ACCOUNTS]  # every account with a word, in the order of opening
flows: uint256  # all that was ever minted 128 | burned 128
transit: uint256
used: public(HashMap[bytes32, bool])  # references of burns; those of mints are the door's
departed: public(HashMap[bytes32, uint256])  # by crossing: what left under it
arrived: public(HashMap[bytes32, uint256])  # by crossing: what came home under it


event Minted:
    account: indexed(address)
    amount: uint256
    ref: indexed(bytes32)


event Burned:
    account: indexed(address)
    amount: uint256
    ref: indexed(bytes32)


event Deposited:
    account: indexed(address)
    amount: uint256


event Withdrawn:
    account: indexed(address)
    amount: uint256


event Departed:
    account: indexed(address)
    amount: uint256
    crossing: indexed(bytes32)


event Arrived:
    account: indexed(address)
    amount: uint256
    crossing: indexed(bytes32)


@deploy
def __init__(
    currency_: address,
    registry: address,
    orders: address,
    settlement: address,
    incentive: address,
    net: address,
    fallback: address,
    council: address,
    crossing: address,
    wallets: address,
    supply: address,
):
    """
    @notice Fix who may move money, and open the market's own accounts.
    """
    CURRENCY = currency_
    REGISTRY = registry
    ORDERS = orders
    SETTLEMENT = settlement
    INCENTIVE = incentive
    NET = net
    FALLBACK = fallback
    COUNCIL = council
    CROSSING = crossing
    WALLETS = wallets
    SUPPLY = supply
    for named: address in [
        accounts.OPERATOR,
        accounts.NETWORK_OPERATOR,
        accounts.GRID_SUPPLY,
        accounts.NETWORK_LOSS,
        accounts.REWARD,
        accounts.INCENTIVE,
        accounts.FINES,
    ]:
        self._open(named)
    for till: address in [accounts.NETWORK_OPERATOR, accounts.NETWORK_LOSS, accounts.REWARD]:
        self.words[till] = MARK | OPEN


@external
def open(account: address):
    """
    @notice Open an account at registration. Only the registry; opening twice changes nothing.
    """
    assert msg.sender == REGISTRY, "vault: not the registry"
    assert account != empty(address), "vault: no account"
    self._open(account)


@external
def mint(
    account: address,
    amount: uint256,
    ref: bytes32,
    day: uint64,
    signatures: DynArray[signing.Signature, door.MAX_KEEPERS],
) -> bool:
    """
    @notice Money enters at the door for an account, once per reference (a deposit made outside, or
            a crossing's id). Anybody may bring the keepers' word.
    @return Whether it entered now.
    """
    if not extcall currency.__interface__(CURRENCY).mint_deposit(
        account, amount, ref, day, signatures
    ):
        return False
    self._enter(account, amount)
    log Minted(account=account, amount=amount, ref=ref)
    return True


@external
def burn(account: address, amount: uint256, ref: bytes32):
    """
    @notice Free money leaves this chain, once per reference. Only the crossing.
    """
    assert msg.sender == CROSSING, "vault: not the crossing"
    assert ref != empty(bytes32), "vault: no reference"
    assert not self.used[ref], "vault: reference used"
    self.used[ref] = True
    self._debit(account, amount)
    self.flows += amount
    extcall currency.__interface__(CURRENCY).burn(amount, ref, skip_contract_check=True)
    log Burned(account=account, amount=amount, ref=ref)


@external
def deposit(amount: uint256):
    """
    @notice Bring one's own currency in, within what one allowed the vault.
    """
    self._deposit(msg.sender, amount)


@external
def deposit_with_permit(
    owner: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Bring in what the owner allows by signature; anybody may send it.
    @dev Where the allowance is there already the permit is left alone: somebody was faster with it,
         and that must not stop the deposit. An allowance to the vault is consent, since the vault
         pays it into its owner's account and nowhere else.
    """
    peer: currency.__interface__ = currency.__interface__(CURRENCY)
    if staticcall peer.allowance(owner, self) < amount:
        extcall peer.permit(owner, self, amount, deadline, v, r, s)
    self._deposit(owner, amount)


@external
def withdraw(amount: uint256):
    """
    @notice Take one's own free money out as currency; reserved or locked money stays.
    """
    self._debit(msg.sender, amount)
    self.flows += amount
    log Withdrawn(account=msg.sender, amount=amount)
    assert extcall currency.__interface__(CURRENCY).transfer(
        msg.sender, amount
    ), "vault: not paid"


@external
def retire() -> uint256:
    """
    @notice Burn the currency of all that was slashed since the last such call. In these books it
            is burned at once; its currency can wait, so that no proof pays for it. Anybody may.
    @return How much it was.
    """
    peer: currency.__interface__ = currency.__interface__(CURRENCY)
    flows: uint256 = self.flows
    amount: uint256 = staticcall peer.balanceOf(self) - ((flows >> 128) - (flows & (2**128 - 1)))
    assert amount > 0, "vault: nothing to retire"
    extcall peer.burn(amount, RETIRED)
    return amount


@external
def stand(account: address, may_order: bool, own_meter: bool):
    """
    @notice Note what the registry says of a participant where its orders reserve money, so that
            an order asks one contract. Only the registry; its money stays its own.
    @param own_meter Whether its meter signs with the participant's own key.
    """
    assert msg.sender == REGISTRY, "vault: not the registry"
    word: uint256 = self.words[account]
    assert word & OPEN == OPEN and word & MARK == 0, "vault: account not open"
    word &= ~(BARRED | FOREIGN)
    if not may_order:
        word |= BARRED
    if not own_meter:
        word |= FOREIGN
    self.words[account] = word


@external
@view
def standing(account: address) -> uint256:
    """
    @return 0 no account, 1 may order, 3 may order and its meter has a key of its own, 2 may not;
            4 more when its import is counted over all that it buys.
    """
    return self._standing(self.words[account])


@external
def reserve(account: address, amount: uint256) -> uint256:
    """
    @notice free -> reserved, when an order is accepted.
    @return The account's standing.
    """
    assert msg.sender == ORDERS, "vault: not the orders"
    return self._hold(account, amount, RESERVED)


@external
def release(account: address, amount: uint256):
    """
    @notice reserved -> free, when no fill needs it.
    """
    assert msg.sender == ORDERS, "vault: not the orders"
    self._move(account, amount, RESERVED, FREE)


@external
def engage(account: address, amount: uint256) -> uint256:
    """
    @notice free -> locked, when a fill of two signed orders is made that were never posted.
    @return The account's standing.
    """
    assert msg.sender == ORDERS, "vault: not the orders"
    return self._hold(account, amount, LOCKED)


@external
def lapse(account: address, amount: uint256):
    """
    @notice reserved -> free, when a fill was matched and never locked.
    """
    assert msg.sender == SETTLEMENT, "vault: not the settlement"
    self._move(account, amount, RESERVED, FREE)


@external
def unlock(account: address, amount: uint256):
    """
    @notice locked -> free of the same owner, when nobody settled in time.
    """
    assert msg.sender == SETTLEMENT, "vault: not the settlement"
    self._move(account, amount, LOCKED, FREE)


@external
def lock(account: address, amount: uint256):
    """
    @notice reserved -> locked, when a fill is committed.
    """
    assert msg.sender == SETTLEMENT, "vault: not the settlement"
    self._move(account, amount, RESERVED, LOCKED)


@external
def settle(buyer: address, seller: address, split: Split) -> (uint256, uint256):
    """
    @notice Share the lock of a settled fill: locked of the buyer -> free of the seller, of the
            two network accounts and, as refund, of the buyer; then the reward to the seller and
            the claim to the buyer, as far as the accounts for them reach. The fallback of net
            settlement shares what is reserved: its parts lock nothing. The wallets share what a
            purchase wallet holds, without refund or reward.
    @return What was paid of the reward and of the claim.
    """
    source: uint256 = LOCKED
    if msg.sender != SETTLEMENT and msg.sender != WALLETS:
        assert msg.sender == FALLBACK, "vault: not the settlement"
        source = RESERVED
    word: uint256 = self.words[buyer]
    # checked: below, each part is within what the buyer held, and no field exceeds the supply
    shared: uint256 = split.seller + split.network_loss + split.network_operator + split.refund
    assert shared <= (word >> source) & packing.MASK_80, "vault: not enough held"
    tills: uint256 = self.tills
    reward: uint256 = min(split.reward, tills & MASK_TILL)
    claim: uint256 = 0
    if split.claim > 0:
        claim = min(
            split.claim, unsafe_add((tills >> LOSS_TILL) & MASK_TILL, split.network_loss)
        )
    self.words[buyer] = unsafe_add(
        unsafe_sub(word, shared << source), unsafe_add(split.refund, claim) << FREE
    )
    gained: uint256 = unsafe_add(split.seller, reward)
    if gained > 0:
        payee: uint256 = self.words[seller]
        assert payee & OPEN == OPEN, "vault: account not open"
        self.words[seller] = unsafe_add(payee, gained << FREE)
    changed: uint256 = unsafe_sub(
        unsafe_add(tills, split.network_operator << NETWORK_TILL | split.network_loss << LOSS_TILL),
        claim << LOSS_TILL | reward,
    )
    if changed != tills:
        self.tills = changed
    return reward, claim


@external
def transfer_up_to(account: address, to: address, amount: uint256) -> uint256:
    """
    @notice free -> free, at most what is there. For the grid tier's bills; the incentive
            rule may only spend its own account.
    @return What was paid; the rest stays a recorded claim in the caller's event.
    """
    assert msg.sender == SUPPLY or (
        msg.sender == INCENTIVE and account == accounts.INCENTIVE
    ), "vault: not a rule"
    paid: uint256 = min(amount, (self._word(account) >> FREE) & packing.MASK_80)
    self._debit(account, paid)
    self._credit(to, paid)
    return paid


@external
def depart(account: address, amount: uint256, crossing: bytes32):
    """
    @notice reserved -> transit: money on its way to the other chain.
    """
    assert msg.sender == CROSSING, "vault: not the crossing"
    self._take(account, amount, RESERVED)
    self.transit += amount
    self.departed[crossing] += amount
    log Departed(account=account, amount=amount, crossing=crossing)


@external
def arrive(account: address, amount: uint256, crossing: bytes32):
    """
    @notice transit -> free: money that comes home. Never more than ever went out.
    """
    assert msg.sender == CROSSING, "vault: not the crossing"
    assert amount <= self.transit, "vault: not in transit"
    self.transit -= amount
    self.arrived[crossing] += amount
    self._credit(account, amount)
    log Arrived(account=account, amount=amount, crossing=crossing)


@external
def reserve_rows(rows: DynArray[uint256, MAX_ROWS]):
    """
    @notice free -> reserved for each row: account 160 | reserved 48 | lock 48, accounts rising.
            Only the net settlement.
    """
    assert msg.sender == NET, "vault: not the net settlement"
    last: uint256 = 0
    for row: uint256 in rows:
        account: uint256 = row >> 96
        assert account > last, "vault: accounts not rising"
        assert row & packing.MASK_48 == 0, "vault: locked too early"
        last = account
        amount: uint256 = (row >> 48) & packing.MASK_48
        of: address = convert(convert(account, uint160), address)
        word: uint256 = self.words[of]
        assert word & OPEN == OPEN, "vault: account not open"
        if amount > 0:
            if word & MARK == 0:
                assert amount <= (word >> FREE) & packing.MASK_80, "vault: not enough free"
                self.words[of] = word - (amount << FREE) + (amount << RESERVED)
            else:
                self._move(of, amount, FREE, RESERVED)


@external
def apply(
    rows: DynArray[uint256, MAX_ROWS], deltas: DynArray[uint256, MAX_PAIRS]
) -> uint256:
    """
    @notice Settle many accounts at once: each gets its reservation back, plus or minus its delta,
            minus what is held. Deltas sum to zero, so nothing is made or lost. Only the net
            settlement.
    @param rows account 160 | reserved 48 | lock 48.
    @param deltas Two to a word, see `netting.vy`.
    @return What stays reserved.
    """
    assert msg.sender == NET, "vault: not the net settlement"
    gained: uint256 = 0
    lost: uint256 = 0
    kept: uint256 = 0
    at: uint256 = 0
    pair: uint256 = 0
    for row: uint256 in rows:
        if at & 1 == 0:
            pair = deltas[at >> 1]
        half: uint256 = pair >> 128
        pair = pair << 128
        at = unsafe_add(at, 1)
        amount: uint256 = half & packing.MASK_48
        held: uint256 = (half >> netting.HELD_AT) & packing.MASK_48
        back: uint256 = (row >> 48) & packing.MASK_48
        if back | amount == 0:
            continue
        back -= held
        of: address = convert(convert(row >> 96, uint160), address)
        word: uint256 = self.words[of]
        assert back <= (word >> RESERVED) & packing.MASK_80, "vault: not enough held"
        assert word & OPEN == OPEN, "vault: account not open"
        # no overflow: every number here is below 2**48, every field below the supply
        kept = unsafe_add(kept, held)
        word = unsafe_sub(word, back << RESERVED)
        if half & netting.NEGATIVE == 0:
            gained = unsafe_add(gained, amount)
            back = unsafe_add(back, amount)
        else:
            lost = unsafe_add(lost, amount)
            back -= amount
        if word & MARK == 0:
            self.words[of] = unsafe_add(word, back << FREE)
        else:
            self.words[of] = word
            self.tills += back << self._till(of)
    assert gained == lost, "vault: deltas do not sum to zero"
    return kept


@external
def release_rows(rows: DynArray[uint256, MAX_ROWS]):
    """
    @notice reserved -> free for each row: account 160 | amount 48 | 48 unread. Only the fallback
            of net settlement.
    """
    assert msg.sender == FALLBACK, "vault: not the fallback"
    for row: uint256 in rows:
        amount: uint256 = (row >> 48) & packing.MASK_48
        if amount > 0:
            self._move(convert(convert(row >> 96, uint160), address), amount, RESERVED, FREE)


@external
def pledge(account: address, amount: uint256):
    """
    @notice free -> locked, as a bond, a stake or a deposit. Only council and registry.
    """
    assert msg.sender == COUNCIL or msg.sender == REGISTRY, "vault: not the council"
    self._move(account, amount, FREE, LOCKED)


@external
def unpledge(account: address, amount: uint256):
    """
    @notice locked -> free: a bond, a stake or a deposit comes back. Only council and registry.
    """
    assert msg.sender == COUNCIL or msg.sender == REGISTRY, "vault: not the council"
    self._move(account, amount, LOCKED, FREE)


@external
def fine(account: address, amount: uint256):
    """
    @notice locked -> the market's fines, from a deposit. Only the registry.
    """
    assert msg.sender == REGISTRY, "vault: not the registry"
    self._take(account, amount, LOCKED)
    self._credit(accounts.FINES, amount)


@external
def fill_wallet(buyer: address, wallet: address, amount: uint256):
    """
    @notice free of a buyer -> locked of its new purchase wallet; from its first one on the
            buyer's import is counted (see `settlement.vy`). Only the wallets.
    """
    assert msg.sender == WALLETS, "vault: not the wallets"
    assert self.words[wallet] == 0, "vault: account is open"
    self._debit(buyer, amount)
    self.words[buyer] |= COUNTED
    self._open(wallet)
    self.words[wallet] += amount << LOCKED


@external
def empty_wallet(wallet: address, to: address, amount: uint256):
    """
    @notice locked of a purchase wallet -> free of its buyer. Only the wallets.
    """
    assert msg.sender == WALLETS, "vault: not the wallets"
    self._take(wallet, amount, LOCKED)
    self._credit(to, amount)


@external
def slash(
    account: address, amount: uint256, to: address[2], amounts: uint256[2], ref: bytes32
):
    """
    @notice Take locked money of whoever was at fault: at least half is burned, and all that its
            receivers have no account for; its currency by `retire`. Only the council.
    """
    assert msg.sender == COUNCIL, "vault: not the council"
    self._take(account, amount, LOCKED)
    burned: uint256 = amount
    for i: uint256 in range(2):
        if amounts[i] > 0 and self.words[to[i]] & OPEN == OPEN:
            burned -= amounts[i]
            self._credit(to[i], amounts[i])
    assert 2 * burned >= amount, "vault: less than half burned"
    self.flows += burned
    log Burned(account=account, amount=burned, ref=ref)


@external
@view
def is_open(account: address) -> bool:
    """
    @notice Say whether an account is open.
    """
    return self._word(account) & OPEN == OPEN


@external
@view
def account(account: address) -> (uint256, uint256, uint256):
    """
    @return free, reserved, locked.
    """
    return self._fields(self._word(account))


@external
@view
def read(wanted: DynArray[address, MAX_READ]) -> DynArray[uint256, MAX_READ]:
    """
    @return The packed words of many accounts: free 95 | reserved 80 | locked 80 | open 1.
    """
    found: DynArray[uint256, MAX_READ] = []
    for one: address in wanted:
        found.append(self._word(one))
    return found


@external
@view
def totals() -> (uint256, uint256, uint256, uint256, uint256, uint256):
    """
    @notice The money of the chain: the sums over all accounts, counted anew.
    @return minted, burned, free, reserved, locked, transit.
    """
    free: uint256 = 0
    reserved: uint256 = 0
    locked: uint256 = 0
    for i: uint256 in range(len(self.holders), bound=MAX_ACCOUNTS):
        word: uint256 = self._word(self.holders[i])
        free += (word >> FREE) & packing.MASK_80
        reserved += (word >> RESERVED) & packing.MASK_80
        locked += (word >> LOCKED) & packing.MASK_80
    return self.flows >> 128, self.flows & (2**128 - 1), free, reserved, locked, self.transit


@internal
@pure
def _fields(word: uint256) -> (uint256, uint256, uint256):
    return (
        (word >> FREE) & packing.MASK_80,
        (word >> RESERVED) & packing.MASK_80,
        (word >> LOCKED) & packing.MASK_80,
    )


@internal
def _deposit(owner: address, amount: uint256):
    self._enter(owner, amount)
    log Deposited(account=owner, amount=amount)
    assert extcall currency.__interface__(CURRENCY).transferFrom(
        owner, self, amount
    ), "vault: not paid"


@internal
def _enter(account: address, amount: uint256):
    # no overflow beyond the fields: the currency's supply is below 2^80
    assert amount <= MAX_SUPPLY, "vault: supply"
    self.flows += amount << 128
    self._credit(account, amount)


@internal
def _open(account: address):
    if self.words[account] == 0:
        self.words[account] = OPEN
        self.holders.append(account)


@internal
@pure
def _till(account: address) -> uint256:
    # where in the tills the free money of a marked account lies
    if account == accounts.NETWORK_OPERATOR:
        return NETWORK_TILL
    if account == accounts.NETWORK_LOSS:
        return LOSS_TILL
    return REWARD_TILL


@internal
@view
def _word(account: address) -> uint256:
    # any account's word, a marked one's with its free money
    word: uint256 = self.words[account] & ~(BARRED | FOREIGN | COUNTED)
    if word & MARK == 0:
        return word
    return (word ^ MARK) | ((self.tills >> self._till(account)) & MASK_TILL) << FREE


@internal
def _credit(account: address, amount: uint256):
    word: uint256 = self.words[account]
    assert word & OPEN == OPEN, "vault: account not open"
    if word & MARK == 0:
        self.words[account] = word + (amount << FREE)
    else:
        self.tills += amount << self._till(account)


@internal
def _debit(account: address, amount: uint256):
    word: uint256 = self.words[account]
    if word & MARK == 0:
        assert amount <= (word >> FREE) & packing.MASK_80, "vault: not enough free"
        self.words[account] = word - (amount << FREE)
    else:
        till: uint256 = self._till(account)
        assert amount <= (self.tills >> till) & MASK_TILL, "vault: not enough free"
        self.tills -= amount << till


@internal
@pure
def _standing(word: uint256) -> uint256:
    if word & OPEN == 0:
        return 0
    counted: uint256 = (word & COUNTED) >> 250
    if word & BARRED != 0:
        return counted | 2
    return counted | (1 if word & FOREIGN == 0 else 3)


@internal
def _hold(account: address, amount: uint256, target: uint256) -> uint256:
    # from free to another field, for a participant
    word: uint256 = self.words[account]
    assert word & OPEN == OPEN, "vault: account not open"
    assert amount <= (word >> FREE) & packing.MASK_80, "vault: not enough free"
    if amount > 0:
        self.words[account] = word - (amount << FREE) + (amount << target)
    return self._standing(word)


@internal
def _take(account: address, amount: uint256, field: uint256):
    word: uint256 = self.words[account]
    assert amount <= (word >> field) & packing.MASK_80, "vault: not enough held"
    self.words[account] = word - (amount << field)


@internal
def _move(account: address, amount: uint256, source: uint256, target: uint256):
    # between two fields of one account; what it has bounds the sum, so none overflows
    word: uint256 = self.words[account]
    if word & MARK != 0:
        if source == FREE:
            self._debit(account, amount)
        else:
            self._take(account, amount, source)
        if target == FREE:
            self._credit(account, amount)
        else:
            self.words[account] += amount << target
    else:
        if source == FREE:
            assert amount <= (word >> FREE) & packing.MASK_80, "vault: not enough free"
        else:
            assert amount <= (word >> source) & packing.MASK_80, "vault: not enough held"
        self.words[account] = word - (amount << source) + (amount << target)
