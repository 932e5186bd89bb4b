# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Council
@notice A region's aggregators per epoch, posted ahead of time, whose quorum stands behind what is
        posted; and the bonds of all who post. A proven fault takes the bond: at least half is
        burned, the injured and the challenger share the rest (5-decisions, section 17).
@dev    A signature counts as long as a bond answers for it: not of a member who lost its bond, nor
        of one who left for the interval in which it left or a later one. What it signed of an
        earlier interval counts for half of its notice, and can be proven wrong in the other half.
"""

import accounts
import clock
import packing
import quorum
import registry
import signing
import vault

initializes: clock

# bonds: has sat on a council 1 | leaves 64 | pledged 80
LEAVES: constant(uint256) = 80
SAT: constant(uint256) = 1 << 144
# terms: departures 64 | from 64 | until 64
DEPARTURES: constant(uint256) = 128
BEGINS: constant(uint256) = 64

MAX_BATCHES: constant(uint256) = 128
BATCHES_TYPE: constant(bytes32) = keccak256(
    "Batches(bytes32 region,uint64 interval,uint32 part,uint64 epoch,bytes32 batches)"
)
PLEDGE_TYPE: constant(bytes32) = keccak256(
    "Pledge(address account,uint256 amount,uint64 serial)"
)

OPERATOR: public(immutable(address))
VAULT: public(immutable(address))
FRAUD: public(immutable(address))
EVIDENCE: public(immutable(address))
CHALLENGE_BOOK: public(immutable(address))
CHALLENGE_FILLS: public(immutable(address))
ANCHOR: public(immutable(address))
BOND: public(immutable(uint256))  # what it takes to post, and what a fault costs
DELAY: public(immutable(uint256))  # intervals from appointment to office
NOTICE: public(immutable(uint256))  # intervals from leaving to the bond's return
DOMAIN: public(immutable(bytes32))

seats: public(HashMap[bytes32, HashMap[uint64, bytes32]])  # hash of an epoch's members
terms: HashMap[bytes32, HashMap[uint64, uint256]]  # departures before | from | until
epochs: public(HashMap[bytes32, uint64])  # how many a region has
bonds: HashMap[address, uint256]
departures: uint256  # how often somebody who sat on a council left or lost its bond
serials: public(HashMap[address, uint64])  # how often somebody pledged by its signed word
home: public(bytes32)  # the chain's own region: the first that had a council
attested: HashMap[bytes32, HashMap[bytes32, bool]]  # by region and batch


struct Board:
    # who may take a bond, and what for
    fraud: address
    evidence: address
    challenge_book: address
    challenge_fills: address
    anchor: address


event Appointed:
    region: indexed(bytes32)
    epoch: uint64
    begins: uint64
    members: bytes32


event Bonded:
    account: indexed(address)
    amount: uint256


event Attested:
    region: indexed(bytes32)
    interval: uint64
    part: uint32
    batches: bytes32


event Leaving:
    account: indexed(address)
    interval: uint256


event Slashed:
    account: indexed(address)
    ref: indexed(bytes32)
    amount: uint256
    challenger: address
    injured: address


@deploy
def __init__(
    operator: address,
    registry_: address,
    vault_: address,
    board: Board,
    bond: uint256,
    delay: uint256,
    notice: uint256,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers, the bond, and how long appointments and resignations wait; the registry,
            already deployed, knows the domain.
    """
    clock.__init__(begins, seconds)
    OPERATOR = operator
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()
    VAULT = vault_
    FRAUD = board.fraud
    EVIDENCE = board.evidence
    CHALLENGE_BOOK = board.challenge_book
    CHALLENGE_FILLS = board.challenge_fills
    ANCHOR = board.anchor
    assert bond < 2**80, "council: bond"
    BOND = bond
    DELAY = delay
    NOTICE = notice


@external
def appoint(
    region: bytes32, epoch: uint64, begins: uint64, members: DynArray[address, quorum.MAX_COUNCIL]
):
    """
    @notice Post the members of a region's next epoch, strictly rising, each with a bond; in office
            after the public delay. Only the first epoch begins at once: nobody relies on it yet.
    """
    assert msg.sender == OPERATOR, "council: not the operator"
    assert epoch == self.epochs[region], "council: not the next epoch"
    assert len(members) > 0, "council: no members"
    if epoch > 0:
        assert convert(begins, uint256) >= clock.interval() + DELAY, "council: too soon"
        before: uint256 = self.terms[region][epoch - 1]
        assert convert(begins, uint256) > self._first(before), "council: before the last epoch"
        self.terms[region][epoch - 1] = (before & ~packing.MASK_64) | convert(begins, uint256)
    last: uint256 = 0
    for member: address in members:
        assert convert(member, uint256) > last, "council: members not rising"
        last = convert(member, uint256)
        assert self._is_bonded(member), "council: no bond"
        if self.bonds[member] & SAT == 0:
            self.bonds[member] |= SAT
    if self.home == empty(bytes32):
        self.home = region
    self.epochs[region] = epoch + 1
    self.seats[region][epoch] = keccak256(abi_encode(members))
    self.terms[region][epoch] = (
        self.departures << DEPARTURES | convert(begins, uint256) << BEGINS | packing.MASK_64
    )
    log Appointed(
        region=region, epoch=epoch, begins=begins, members=self.seats[region][epoch]
    )


@external
@view
def check(
    digest: bytes32,
    region: bytes32,
    epoch: uint64,
    interval: uint64,
    poster: address,
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
) -> bool:
    """
    @notice Refuse what floor(2n/3) + 1 of the members in office in that interval did not sign.
    @param poster Who posts and must have a bond; nobody if empty.
    @return True, or it reverts.
    """
    assert poster == empty(address) or self._is_bonded(poster), "council: poster has no bond"
    self._check(digest, region, epoch, interval, members, signatures)
    return True


@external
def attest(
    region: bytes32,
    interval: uint64,
    part: uint32,
    epoch: uint64,
    batches: DynArray[bytes32, MAX_BATCHES],
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    """
    @notice Keep the quorum's word on the batches of a settlement: without it none is executed.
            Anybody may bring it.
    @param batches What each batch is, by the contract that executes it: see `settlement.settle`.
    """
    list: bytes32 = keccak256(abi_encode(batches))
    digest: bytes32 = self._typed(
        keccak256(abi_encode(BATCHES_TYPE, region, interval, part, epoch, list))
    )
    self._check(digest, region, epoch, interval, members, signatures)
    for batch: bytes32 in batches:
        self.attested[region][batch] = True
    log Attested(region=region, interval=interval, part=part, batches=list)


@external
@view
def stands(region: bytes32, batch: bytes32) -> bool:
    """
    @notice Whether a batch of a settlement may be executed: the council of the chain's own region
            signed it. A chain on which nobody was ever appointed has no word but its operator's.
    @dev Of the chain's own region only: else the operator would appoint itself for another one.
    """
    home: bytes32 = self.home
    return home == empty(bytes32) or (home == region and self.attested[region][batch])


@external
def bond(amount: uint256):
    """
    @notice Pledge free money as one's bond. The operator pledges its named account's.
    """
    self._bond(msg.sender, amount)


@external
def bond_for(account: address, amount: uint256, signature: signing.Signature):
    """
    @notice Pledge somebody's free money by its signed word. Anybody brings it, once.
    """
    serial: uint64 = self.serials[account]
    digest: bytes32 = self._typed(
        keccak256(abi_encode(PLEDGE_TYPE, account, amount, serial))
    )
    assert signing.signer(digest, signature) == account, "council: not its signature"
    self.serials[account] = serial + 1
    self._bond(account, amount)


@external
def leave():
    """
    @notice Give up posting and, from this interval on, signing; the bond answers for what was
            posted and signed before until the notice is over.
    """
    word: uint256 = self.bonds[msg.sender]
    assert word & packing.MASK_80 != 0 and self._leaves(word) == 0, "council: no bond to leave"
    at: uint256 = clock.interval() + NOTICE
    self.bonds[msg.sender] = word | at << LEAVES
    self._depart(word)
    log Leaving(account=msg.sender, interval=at)


@external
def withdraw():
    """
    @notice Take back one's bond after the notice.
    """
    word: uint256 = self.bonds[msg.sender]
    leaves: uint256 = self._leaves(word)
    assert leaves != 0, "council: not leaving"
    assert clock.interval() > leaves, "council: notice not over"
    self.bonds[msg.sender] = word & SAT
    extcall vault.__interface__(VAULT).unpledge(self._purse(msg.sender), word & packing.MASK_80)


@external
def slash(account: address, challenger: address, injured: address, ref: bytes32) -> uint256:
    """
    @notice Take one bond of whoever was proven at fault. Only the contracts that judge proofs.
    @return What was taken; a bond already lost is nothing, which does not save the fraud.
    """
    self._require_judge()
    word: uint256 = self.bonds[account]
    amount: uint256 = min(BOND, word & packing.MASK_80)
    self.bonds[account] = word - amount
    self._depart(word)
    extcall vault.__interface__(VAULT).slash(
        self._purse(account),
        amount,
        [self._purse(challenger), self._purse(injured)],
        [amount // 4, amount // 4],
        ref,
        skip_contract_check=True,
    )
    log Slashed(
        account=account, ref=ref, amount=amount, challenger=challenger, injured=injured
    )
    return amount


@external
def stake(account: address, amount: uint256):
    """
    @notice Hold a challenger's stake. Only the contracts that judge proofs, for their caller.
    """
    self._require_judge()
    extcall vault.__interface__(VAULT).pledge(account, amount)


@external
def unstake(account: address, amount: uint256):
    """
    @notice Give a challenger's stake back.
    """
    self._require_judge()
    extcall vault.__interface__(VAULT).unpledge(account, amount)


@external
def forfeit(account: address, amount: uint256, to: address, ref: bytes32):
    """
    @notice A challenge that came to nothing: half of the stake is burned, half pays who answered.
    """
    self._require_judge()
    extcall vault.__interface__(VAULT).slash(
        account, amount, [self._purse(to), empty(address)], [amount // 2, 0], ref
    )


@external
@view
def pledged(account: address) -> (uint256, uint256):
    """
    @return The bond, and the interval after which it may be withdrawn (0: not leaving).
    """
    word: uint256 = self.bonds[account]
    return word & packing.MASK_80, self._leaves(word)


@external
@view
def is_bonded(account: address) -> bool:
    """
    @notice Whether somebody may post: a full bond, and not leaving.
    """
    return self._is_bonded(account)


@external
@view
def may_post(region: bytes32, account: address) -> bool:
    """
    @notice Whether somebody may post for a region: bonded, unless the region has no council, when
            nobody relies on more than the record itself.
    """
    return self.epochs[region] == 0 or self._is_bonded(account)


@external
@view
def member_in_turn(
    region: bytes32,
    epoch: uint64,
    interval: uint64,
    turn: uint256,
    members: DynArray[address, quorum.MAX_COUNCIL],
) -> address:
    """
    @notice Whose turn it is among the members in office in an interval.
    """
    assert self.seats[region][epoch] == keccak256(abi_encode(members)), "council: other members"
    term: uint256 = self.terms[region][epoch]
    at: uint256 = convert(interval, uint256)
    assert at >= self._first(term) and at < term & packing.MASK_64, "council: another epoch"
    return members[turn % len(members)]


@internal
def _bond(account: address, amount: uint256):
    word: uint256 = self.bonds[account]
    assert self._leaves(word) == 0, "council: leaving"
    assert amount < 2**80, "council: bond"
    self.bonds[account] = word + amount
    extcall vault.__interface__(VAULT).pledge(self._purse(account), amount)
    log Bonded(account=account, amount=amount)


@internal
@view
def _is_bonded(account: address) -> bool:
    word: uint256 = self.bonds[account]
    return self._leaves(word) == 0 and word & packing.MASK_80 >= BOND


@internal
def _depart(word: uint256):
    # epochs that began before look at every signer's bond from now on
    if word & SAT != 0:
        self.departures += 1


@internal
@view
def _answers(account: address, interval: uint256) -> bool:
    # whether a bond stands behind what somebody signed of an interval
    word: uint256 = self.bonds[account]
    leaves: uint256 = self._leaves(word)
    if word & packing.MASK_80 < BOND:
        return False
    return leaves == 0 or (
        interval + NOTICE < leaves and clock.interval() + NOTICE // 2 <= leaves
    )


@internal
@pure
def _leaves(word: uint256) -> uint256:
    return (word >> LEAVES) & packing.MASK_64


@internal
@pure
def _first(term: uint256) -> uint256:
    return (term >> BEGINS) & packing.MASK_64


@internal
@view
def _require_judge():
    assert msg.sender in [
        FRAUD, EVIDENCE, CHALLENGE_BOOK, CHALLENGE_FILLS, ANCHOR
    ], "council: not a judge"


@internal
@view
def _purse(account: address) -> address:
    # the operator's key has no account of its own
    if account == OPERATOR:
        return accounts.OPERATOR
    return account


@internal
@view
def _check(
    digest: bytes32,
    region: bytes32,
    epoch: uint64,
    interval: uint64,
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    assert self.seats[region][epoch] == keccak256(abi_encode(members)), "council: other members"
    term: uint256 = self.terms[region][epoch]
    at: uint256 = convert(interval, uint256)
    assert at >= self._first(term) and at < term & packing.MASK_64, "council: another epoch"
    assert len(signatures) >= quorum.needed(len(members)), "council: no quorum"
    place: uint256 = 0
    found: DynArray[address, quorum.MAX_COUNCIL] = quorum.signers(digest, signatures)
    is_whole: bool = term >> DEPARTURES == self.departures
    for signer: address in found:
        assert is_whole or self._answers(signer, at), "council: no bond behind a signature"
        # both lists rise: one walk finds them all
        for _: uint256 in range(quorum.MAX_COUNCIL):
            assert place < len(members), "council: not a member"
            place = unsafe_add(place, 1)
            if members[unsafe_sub(place, 1)] == signer:
                break


@internal
@view
def _typed(hash: bytes32) -> bytes32:
    return keccak256(concat(x"1901", DOMAIN, hash))
