# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Registry
@notice Who takes part: certificate fingerprint, salted meter commitment, connection point, roles,
        and whether it is suspended. Its address is the verifying contract of every signature.
"""

import keyed
import vault

initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
ACTIVE: constant(uint256) = 1
SUSPENDED: constant(uint256) = 2


struct Entry:
    account: address
    certificate: bytes32
    meter: bytes32
    place: uint256  # bus 32 | roles 8


OPERATOR: public(immutable(address))
VAULT: public(immutable(address))
DOMAIN: public(immutable(bytes32))

status: public(HashMap[address, uint256])  # bus 32 | roles 8 | state 8
certificate: public(HashMap[address, bytes32])
meter: public(HashMap[address, bytes32])


event Registered:
    account: indexed(address)
    certificate: bytes32
    meter: bytes32
    place: uint256


event Suspended:
    account: indexed(address)
    reason: bytes32


event Reinstated:
    account: indexed(address)
    reason: bytes32


@deploy
def __init__(operator: address, vault_: address):
    """
    @notice Fix the operator and the vault; the EIP-712 domain is this chain and this contract.
    """
    OPERATOR = operator
    VAULT = vault_
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
def register(write: keyed.Write, entries: DynArray[Entry, MAX_BATCH]):
    """
    @notice Register participants and open their accounts. Only the operator; each account once.
    """
    assert msg.sender == OPERATOR, "registry: not the operator"
    if not keyed.begin(write, 0):
        return
    for entry: Entry in entries:
        assert self.status[entry.account] == 0, "registry: registered before"
        assert entry.place >> 40 == 0, "registry: place too wide"
        assert entry.certificate != empty(bytes32), "registry: no certificate"
        self.status[entry.account] = entry.place << 8 | ACTIVE
        self.certificate[entry.account] = entry.certificate
        self.meter[entry.account] = entry.meter
        extcall vault.__interface__(VAULT).open(entry.account)
        log Registered(
            account=entry.account,
            certificate=entry.certificate,
            meter=entry.meter,
            place=entry.place,
        )


@external
def suspend(account: address, reason: bytes32):
    """
    @notice Take a participant's right to place orders; its money stays its own.
    """
    assert msg.sender == OPERATOR, "registry: not the operator"
    assert self.status[account] & 255 == ACTIVE, "registry: not active"
    self.status[account] = self.status[account] ^ (ACTIVE | SUSPENDED)
    log Suspended(account=account, reason=reason)


@external
def reinstate(account: address, reason: bytes32):
    """
    @notice Give a suspended participant its right back, after a new review.
    """
    assert msg.sender == OPERATOR, "registry: not the operator"
    assert self.status[account] & 255 == SUSPENDED, "registry: not suspended"
    self.status[account] = self.status[account] ^ (ACTIVE | SUSPENDED)
    log Reinstated(account=account, reason=reason)
