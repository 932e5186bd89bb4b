# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Quorum
@notice Whether enough of a council signed a digest: floor(2n/3) + 1 of its n members, compact
        signatures with low s, signers strictly rising (5-decisions, section 17).
"""

import signing

MAX_COUNCIL: constant(uint256) = 64


@internal
@view
def signers(
    digest: bytes32, signatures: DynArray[signing.Signature, MAX_COUNCIL]
) -> DynArray[address, MAX_COUNCIL]:
    """
    @notice Who signed, strictly rising: none twice.
    """
    found: DynArray[address, MAX_COUNCIL] = []
    last: uint256 = 0
    for signature: signing.Signature in signatures:
        signer: address = signing.signer(digest, signature)
        assert convert(signer, uint256) > last, "quorum: signers not rising"
        last = convert(signer, uint256)
        found.append(signer)
    return found


@internal
@pure
def needed(members: uint256) -> uint256:
    """
    @notice How many of so many members decide.
    """
    return members * 2 // 3 + 1
