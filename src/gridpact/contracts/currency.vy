# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Currency
@notice The settlement currency of one chain: ERC-20 in micro-units, with permits (EIP-2612). It
        enters through the door alone, and leaves when its holder burns it. What stands on the
        vault's accounts is held here by the vault, to the last unit.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

import clock
import door
import signing

implements: IERC20
implements: IERC20Detailed

initializes: clock
initializes: door[clock := clock]

MAX_SUPPLY: constant(uint256) = 2**80 - 1
MINT_TYPE: constant(bytes32) = keccak256("Mint(address to,uint256 amount,bytes32 ref,uint64 day)")
DEPOSIT_TYPE: constant(bytes32) = keccak256(
    "Deposit(address account,uint256 amount,bytes32 ref,uint64 day)"
)
PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)

name: public(constant(String[8])) = "gridpact"
symbol: public(constant(String[4])) = "GRID"
decimals: public(constant(uint8)) = 6

VAULT: public(immutable(address))
DOMAIN_SEPARATOR: public(immutable(bytes32))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256


event Entered:
    ref: indexed(bytes32)
    receiver: indexed(address)
    amount: uint256
    day: uint64


event Left:
    ref: indexed(bytes32)
    holder: indexed(address)
    amount: uint256


@deploy
def __init__(
    vault: address,
    begins: uint256,
    seconds: uint256,
    needed: uint256,
    daily_cap: uint256,
    keepers: DynArray[address, door.MAX_KEEPERS],
):
    """
    @notice Fix the vault, the clock and the door's keepers.
    """
    clock.__init__(begins, seconds)
    door.__init__(keepers, needed, daily_cap)
    VAULT = vault
    DOMAIN_SEPARATOR = keccak256(
        abi_encode(
            keccak256(
                "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
            ),
            keccak256(name),
            keccak256("1"),
            chain.id,
            self,
        )
    )


@external
def mint(
    to: address,
    amount: uint256,
    ref: bytes32,
    day: uint64,
    signatures: DynArray[signing.Signature, door.MAX_KEEPERS],
) -> bool:
    """
    @notice Money enters: enough keepers signed `Mint(to, amount, ref, day)` for this contract.
            Anybody may bring their word; what entered before enters no more.
    @return Whether it entered now.
    """
    assert to != VAULT, "currency: by deposit only"
    signed: bytes32 = keccak256(abi_encode(MINT_TYPE, to, amount, ref, day))
    return self._enter(signed, to, amount, ref, day, signatures)


@external
def mint_deposit(
    account: address,
    amount: uint256,
    ref: bytes32,
    day: uint64,
    signatures: DynArray[signing.Signature, door.MAX_KEEPERS],
) -> bool:
    """
    @notice Money enters for an account of the vault: the keepers signed
            `Deposit(account, amount, ref, day)`. Only the vault, which credits the account.
    @return Whether it entered now.
    """
    assert msg.sender == VAULT, "currency: not the vault"
    signed: bytes32 = keccak256(abi_encode(DEPOSIT_TYPE, account, amount, ref, day))
    return self._enter(signed, VAULT, amount, ref, day, signatures)


@external
def burn(amount: uint256, ref: bytes32):
    """
    @notice Money leaves: its holder gives it up, and is paid outside.
    @param ref Names the payment to the outside.
    """
    self._take(msg.sender, amount)
    self.totalSupply -= amount
    log Transfer(sender=msg.sender, receiver=empty(address), value=amount)
    log Left(ref=ref, holder=msg.sender, amount=amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Pay from one's own balance; to the vault by its own deposit only.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Pay from another's balance within what it allowed.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    assert amount <= allowed, "currency: not allowed"
    self.allowance[owner][msg.sender] = allowed - amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Allow somebody to pay from one's balance.
    """
    self._approve(msg.sender, spender, amount)
    return True


@external
def permit(
    owner: address,
    spender: address,
    amount: uint256,
    deadline: uint256,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice Allow by signature (EIP-2612). Anybody may bring it, once, until its deadline.
    """
    assert not clock.is_past(deadline), "currency: permit expired"
    nonce: uint256 = self.nonces[owner]
    signed: bytes32 = keccak256(
        abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline)
    )
    assert v == 27 or v == 28, "currency: signature form"
    high: uint256 = convert(s, uint256)
    assert high < 2**255, "currency: signature form"
    vs: uint256 = high | convert(v - 27, uint256) << 255
    signature: signing.Signature = signing.Signature(r=r, vs=convert(vs, bytes32))
    assert signing.signer(self._digest(signed), signature) == owner, "currency: not the owner"
    self.nonces[owner] = nonce + 1
    self._approve(owner, spender, amount)


@internal
def _enter(
    signed: bytes32,
    to: address,
    amount: uint256,
    ref: bytes32,
    day: uint64,
    signatures: DynArray[signing.Signature, door.MAX_KEEPERS],
) -> bool:
    day_: uint256 = convert(day, uint256)
    if not door.admit(self._digest(signed), amount, ref, day_, signatures):
        return False
    assert to != empty(address) and to != self, "currency: no receiver"
    supply: uint256 = self.totalSupply + amount
    assert supply <= MAX_SUPPLY, "currency: supply"
    self.totalSupply = supply
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, value=amount)
    log Entered(ref=ref, receiver=to, amount=amount, day=day)
    return True


@internal
@view
def _digest(signed: bytes32) -> bytes32:
    return keccak256(concat(0x1901, DOMAIN_SEPARATOR, signed))


@internal
def _approve(owner: address, spender: address, amount: uint256):
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, value=amount)


@internal
def _move(owner: address, to: address, amount: uint256):
    # money sent to a contract that does not count it would be lost
    assert to != empty(address) and to != self, "currency: no receiver"
    assert to != VAULT or msg.sender == VAULT, "currency: by deposit only"
    self._take(owner, amount)
    self.balanceOf[to] += amount
    log Transfer(sender=owner, receiver=to, value=amount)


@internal
def _take(owner: address, amount: uint256):
    balance: uint256 = self.balanceOf[owner]
    assert amount <= balance, "currency: not enough"
    self.balanceOf[owner] = balance - amount
