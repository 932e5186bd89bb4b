# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Signing
@notice Who signed a digest. Compact signatures (EIP-2098): r, and s with the parity in its highest
        bit. A high s is refused: every signature would otherwise have a valid twin.
"""

HALF_ORDER: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)
PARITY: constant(uint256) = 255


struct Signature:
    r: bytes32
    vs: bytes32


@internal
@view
def signer(digest: bytes32, signature: Signature) -> address:
    """
    @notice The address whose key signed the digest; refused when there is none.
    """
    vs: uint256 = convert(signature.vs, uint256)
    s: uint256 = vs & (2**PARITY - 1)
    assert s <= HALF_ORDER, "signing: signature not low"
    found: address = ecrecover(digest, unsafe_add(27, vs >> PARITY), convert(signature.r, uint256), s)
    assert found != empty(address), "signing: signature form"
    return found
