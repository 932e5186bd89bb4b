# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Registry
@notice Who takes part, and by whose review: certificate fingerprint, salted meter commitment, the
        key that signs for the meter, connection point, roles, region, deposit, suspension. Its
        address is the verifying contract of every signature.
@dev    The founding participants come in batches, of which the last ends the founding. Later
        somebody applies, the operator approves or refuses with a reason, the applicant puts its
        deposit down. Nobody reviews itself. Roles, and who the operator of the review is, change
        with a public delay; whoever applies for more than to trade waits as long for its approval.
        Founding participants put deposits down by their signed word, as anybody active may later.
"""

import clock
import keyed
import packing
import signing
import vault

initializes: clock
initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
ACTIVE: constant(uint256) = 1
SUSPENDED: constant(uint256) = 2
APPROVED: constant(uint256) = 3  # its deposit is awaited
LEAVING: constant(uint256) = 4
LEFT: constant(uint256) = 5
PLACE: constant(uint256) = 8
ROLES: constant(uint256) = 255 << 8
TRADING: constant(uint256) = 7  # consumer, producer, plant: no power over others
# deposits: promised 80 | held 80 | from interval 64, when a leaving participant has it back
PROMISED: constant(uint256) = 144
HELD: constant(uint256) = 64
SECURITY_TYPE: constant(bytes32) = keccak256(
    "Security(address account,uint256 amount,uint64 serial)"
)


struct Entry:
    account: address
    certificate: bytes32
    meter: bytes32
    place: uint256  # meter key 160 | bus 32 | roles 8


struct Application:
    certificate: bytes32
    meter: bytes32
    place: uint256  # meter key 160 | bus 32 | roles 8
    region: bytes32
    deposit: uint256


struct Security:
    # what a participant adds to its deposit, by its signed word
    account: address
    amount: uint256
    signature: signing.Signature


VAULT: public(immutable(address))
REPUTATION: public(immutable(address))
WALLETS: public(immutable(address))
DELAY: public(immutable(uint256))  # intervals
DOMAIN: public(immutable(bytes32))

founded: public(bool)  # no more founding participants; before, nothing has a price
operator: public(address)
next_operator: public(uint256)  # address 160 | from interval 64
status: public(HashMap[address, uint256])  # meter key 160 | bus 32 | roles 8 | state 8
certificate: public(HashMap[address, bytes32])
meter: public(HashMap[address, bytes32])
region: public(HashMap[address, bytes32])
applications: public(HashMap[address, uint256])  # waiting: hash 192 | approved from interval 64
next_roles: public(HashMap[address, uint256])  # known 1 | roles 8 | from interval 64
deposits: HashMap[address, uint256]
serials: HashMap[address, uint64]  # of the next security


event Registered:
    account: indexed(address)
    certificate: bytes32
    meter: bytes32
    place: uint256


event Founded:
    region: indexed(bytes32)


event Applied:
    account: indexed(address)
    certificate: bytes32
    meter: bytes32
    place: uint256
    region: bytes32
    deposit: uint256
    starting: uint256


event Refused:
    account: indexed(address)
    reason: bytes32


event DepositHeld:
    account: indexed(address)
    amount: uint256


event DepositReturned:
    account: indexed(address)
    amount: uint256


event Fined:
    account: indexed(address)
    amount: uint256
    left: uint256


event Leaving:
    account: indexed(address)
    starting: uint256


event RolesProposed:
    account: indexed(address)
    roles: uint256
    starting: uint256


event RolesChanged:
    account: indexed(address)
    roles: uint256


event OperatorProposed:
    operator: indexed(address)
    starting: uint256


event OperatorChanged:
    operator: indexed(address)


event Suspended:
    account: indexed(address)
    reason: bytes32


event Reinstated:
    account: indexed(address)
    reason: bytes32


@deploy
def __init__(
    operator: address,
    vault_: address,
    reputation: address,
    wallets: address,
    delay: uint256,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix vault, reputation and delay; the EIP-712 domain is this chain and this contract.
    @param delay Intervals between the announcement of a change and the change.
    """
    clock.__init__(begins, seconds)
    assert 0 < delay and delay < 2**32, "registry: no delay"
    self.operator = operator
    VAULT = vault_
    REPUTATION = reputation
    WALLETS = wallets
    DELAY = delay
    DOMAIN = keccak256(
        abi_encode(
            keccak256(
                "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
            ),
            keccak256("gridpact"),
            keccak256("1"),
            chain.id,
            self,
        )
    )


@external
def register(write: keyed.Write, entries: DynArray[Entry, MAX_BATCH], last: bool):
    """
    @notice Register the founding participants of the key's region and open their accounts. Only
            the operator, until the founding is over; each account once.
    @param last Whether the founding is over with these: who comes later applies.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    if not keyed.begin(write, 0):
        return
    assert not self.founded, "registry: founded"
    for entry: Entry in entries:
        assert self.status[entry.account] == 0, "registry: registered before"
        self._enter(
            entry.account, entry.certificate, entry.meter, entry.place, write.region, ACTIVE
        )
    if last:
        self.founded = True
        log Founded(region=write.region)


@external
def apply(application: Application):
    """
    @notice Ask to take part, for oneself; a new application replaces the one that waits. With other
            roles than to trade it can be approved after the delay, so that others see it in time.
    """
    self._require_free_to_join(msg.sender)
    self._check_form(application.certificate, application.place)
    assert application.region != empty(bytes32), "registry: no region"
    assert application.deposit <= packing.MASK_80, "registry: deposit"
    starting: uint256 = clock.interval()
    if application.place & packing.MASK_8 > TRADING:
        starting += DELAY
    self.applications[msg.sender] = self._asked(application) | starting
    log Applied(
        account=msg.sender,
        certificate=application.certificate,
        meter=application.meter,
        place=application.place,
        region=application.region,
        deposit=application.deposit,
        starting=starting,
    )


@external
def approve(account: address, application: Application):
    """
    @notice Approve exactly what was applied for. Only the operator, after its review, and nothing
            of its own; with a promised deposit the participant becomes active when it puts it down.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    assert account != msg.sender, "registry: one's own application"
    word: uint256 = self._close_application(account)
    assert word & ~packing.MASK_64 == self._asked(application), "registry: other application"
    assert clock.interval() >= word & packing.MASK_64, "registry: too early"
    state: uint256 = ACTIVE
    if application.deposit > 0:
        state = APPROVED
        self.deposits[account] = application.deposit << PROMISED
    self._enter(
        account,
        application.certificate,
        application.meter,
        application.place,
        application.region,
        state,
    )


@external
def refuse(account: address, reason: bytes32):
    """
    @notice Refuse an application, for a reason that stands on record. Only the operator.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    assert reason != empty(bytes32), "registry: no reason"
    self._close_application(account)
    log Refused(account=account, reason=reason)


@external
def put_deposit():
    """
    @notice Lock the promised deposit, from one's own free money; who was approved is active then.
    """
    self._require_state(msg.sender, APPROVED)
    promised: uint256 = self.deposits[msg.sender] >> PROMISED
    self.deposits[msg.sender] = promised << PROMISED | promised << HELD
    self._change_state(msg.sender, APPROVED, ACTIVE)
    extcall vault.__interface__(VAULT).pledge(msg.sender, promised)
    log DepositHeld(account=msg.sender, amount=promised)


@external
def add_deposits(securities: DynArray[Security, MAX_BATCH]):
    """
    @notice Add to the deposits of active participants, each from its own free money and by its
            signed word, which counts once. Anybody may bring them.
    """
    for one: Security in securities:
        self._require_state(one.account, ACTIVE)
        serial: uint64 = self.serials[one.account]
        hashed: bytes32 = keccak256(
            abi_encode(SECURITY_TYPE, one.account, one.amount, serial)
        )
        assert one.account == signing.signer(
            keccak256(concat(0x1901, DOMAIN, hashed)), one.signature
        ), "registry: not its signature"
        self.serials[one.account] = serial + 1
        word: uint256 = self.deposits[one.account]
        promised: uint256 = (word >> PROMISED) + one.amount
        assert promised <= packing.MASK_80, "registry: deposit"
        held: uint256 = ((word >> HELD) & packing.MASK_80) + one.amount
        self.deposits[one.account] = promised << PROMISED | held << HELD
        extcall vault.__interface__(VAULT).pledge(one.account, one.amount)
        log DepositHeld(account=one.account, amount=one.amount)


@external
def leave():
    """
    @notice Leave, for oneself and in good standing: no more orders; the deposit stays until the
            delay is over, so that what was traded before is settled first.
    """
    self._require_state(msg.sender, ACTIVE)
    self._change_state(msg.sender, ACTIVE, LEAVING)
    starting: uint256 = clock.interval() + DELAY
    self.deposits[msg.sender] |= starting
    log Leaving(account=msg.sender, starting=starting)


@external
def return_deposit(account: address):
    """
    @notice Give who left its deposit back, after the delay. Anybody may call.
    """
    self._require_state(account, LEAVING)
    word: uint256 = self.deposits[account]
    assert clock.interval() >= word & packing.MASK_64, "registry: too early"
    held: uint256 = (word >> HELD) & packing.MASK_80
    self.deposits[account] = 0
    self._change_state(account, LEAVING, LEFT)
    if held > 0:
        extcall vault.__interface__(VAULT).unpledge(account, held)
    log DepositReturned(account=account, amount=held)


@external
def fine(account: address, amount: uint256) -> uint256:
    """
    @notice Take from a deposit, never more than is left of it, to the market's fines. Only the
            reputation, which goes by settled statements, and the wallets, which go by the meters.
    @return What was taken.
    """
    assert msg.sender in [REPUTATION, WALLETS], "registry: not who fines"
    word: uint256 = self.deposits[account]
    held: uint256 = (word >> HELD) & packing.MASK_80
    taken: uint256 = min(amount, held)
    if taken > 0:
        self.deposits[account] = word - (taken << HELD)
        extcall vault.__interface__(VAULT).fine(account, taken)
        log Fined(account=account, amount=taken, left=held - taken)
    return taken


@external
def propose_roles(account: address, roles: uint256):
    """
    @notice Announce other roles of a participant. Only the operator; they count after the delay.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    assert self.status[account] & packing.MASK_8 != 0, "registry: not registered"
    assert roles <= packing.MASK_8, "registry: roles"
    starting: uint256 = clock.interval() + DELAY
    self.next_roles[account] = 1 << 72 | roles << 64 | starting
    log RolesProposed(account=account, roles=roles, starting=starting)


@external
def change_roles(account: address):
    """
    @notice Let announced roles count, once their delay is over. Anybody may call.
    """
    next: uint256 = self.next_roles[account]
    assert next != 0, "registry: nothing proposed"
    assert clock.interval() >= next & packing.MASK_64, "registry: too early"
    roles: uint256 = (next >> 64) & packing.MASK_8
    self.next_roles[account] = 0
    self.status[account] = self.status[account] & ~ROLES | roles << 8
    log RolesChanged(account=account, roles=roles)


@external
def propose_operator(operator: address):
    """
    @notice Announce who reviews next. Only the operator; it counts after the delay.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    assert operator != empty(address), "registry: no operator"
    starting: uint256 = clock.interval() + DELAY
    self.next_operator = convert(operator, uint256) << 64 | starting
    log OperatorProposed(operator=operator, starting=starting)


@external
def change_operator():
    """
    @notice Let the announced operator take over, once the delay is over. Anybody may call.
    """
    next: uint256 = self.next_operator
    assert next != 0, "registry: nothing proposed"
    assert clock.interval() >= next & packing.MASK_64, "registry: too early"
    operator: address = convert(convert(next >> 64, uint160), address)
    self.next_operator = 0
    self.operator = operator
    log OperatorChanged(operator=operator)


@external
def suspend(account: address, reason: bytes32):
    """
    @notice Take a participant's right to place orders; its money stays its own.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    assert self.status[account] & packing.MASK_8 == ACTIVE, "registry: not active"
    self._change_state(account, ACTIVE, SUSPENDED)
    log Suspended(account=account, reason=reason)


@external
def reinstate(account: address, reason: bytes32):
    """
    @notice Give a suspended participant its right back, after a new review.
    """
    assert msg.sender == self.operator, "registry: not the operator"
    assert self.status[account] & packing.MASK_8 == SUSPENDED, "registry: not suspended"
    self._change_state(account, SUSPENDED, ACTIVE)
    log Reinstated(account=account, reason=reason)


@external
@view
def deposit(account: address) -> (uint256, uint256):
    """
    @return What a participant promised, and what is held of it.
    """
    word: uint256 = self.deposits[account]
    return word >> PROMISED, (word >> HELD) & packing.MASK_80


@internal
def _enter(
    account: address,
    certificate: bytes32,
    meter: bytes32,
    place: uint256,
    region: bytes32,
    state: uint256,
):
    self._check_form(certificate, place)
    if self.status[account] != 0:  # roles proposed before it left do not come back with it
        self.next_roles[account] = 0
    status: uint256 = place << PLACE | state
    self.status[account] = status
    self.certificate[account] = certificate
    self.meter[account] = meter
    self.region[account] = region
    extcall vault.__interface__(VAULT).open(account)
    self._stand(account, status)
    log Registered(account=account, certificate=certificate, meter=meter, place=place)


@internal
@pure
def _check_form(certificate: bytes32, place: uint256):
    assert place >> 200 == 0, "registry: place too wide"
    assert certificate != empty(bytes32), "registry: no certificate"


@internal
@view
def _require_free_to_join(account: address):
    state: uint256 = self.status[account] & packing.MASK_8
    assert state == 0 or state == LEFT, "registry: registered before"


@internal
def _close_application(account: address) -> uint256:
    self._require_free_to_join(account)
    word: uint256 = self.applications[account]
    assert word != 0, "registry: no application"
    self.applications[account] = 0
    return word


@internal
@pure
def _asked(application: Application) -> uint256:
    # the hash of an application, with room for the interval
    return convert(keccak256(abi_encode(application)), uint256) & ~packing.MASK_64


@internal
@view
def _require_state(account: address, state: uint256):
    assert self.status[account] & packing.MASK_8 == state, "registry: other state"


@internal
def _change_state(account: address, before: uint256, now: uint256):
    status: uint256 = self.status[account] ^ (before ^ now)
    self.status[account] = status
    self._stand(account, status)


@internal
def _stand(account: address, status: uint256):
    # the vault notes it beside the money, so that an order asks one contract
    extcall vault.__interface__(VAULT).stand(
        account,
        status & packing.MASK_8 == ACTIVE,
        packing.meter_key(status, account) == account,
    )
