# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Metering
@notice What a meter signs of one interval: its cumulative registers at both ends, so that one
        signature proves how much flowed in that interval and in no other.
"""

import packing
import signing

PROFILE_TYPE: constant(bytes32) = keccak256(
    "Profile(address meter,bytes32 region,uint64 interval,uint64 importBefore,uint64 exportBefore,uint64 importWh,uint64 exportWh)"
)


struct Signed:
    registers: uint256  # import before 64 | export before 64 | import 64 | export 64
    signature: signing.Signature


@internal
@view
def signer(
    domain: bytes32, meter: address, region: bytes32, interval: uint64, signed: Signed
) -> address:
    """
    @notice Whose key signed what a participant's meter is said to show of an interval.
    """
    hashed: bytes32 = keccak256(
        abi_encode(
            PROFILE_TYPE,
            meter,
            region,
            interval,
            signed.registers >> 192,
            (signed.registers >> 128) & packing.MASK_64,
            (signed.registers >> 64) & packing.MASK_64,
            signed.registers & packing.MASK_64,
        )
    )
    return signing.signer(keccak256(concat(0x1901, domain, hashed)), signed.signature)


@internal
@pure
def imported(registers: uint256) -> uint256:
    """
    @notice The energy taken in the interval [Wh]: the difference of the registers.
    """
    now: uint256 = (registers >> 64) & packing.MASK_64
    assert now >= registers >> 192, "metering: the meter ran backwards"
    return unsafe_sub(now, registers >> 192)


@internal
@pure
def exported(registers: uint256) -> uint256:
    """
    @notice The energy given in the interval [Wh]: the difference of the registers.
    """
    now: uint256 = registers & packing.MASK_64
    earlier: uint256 = (registers >> 128) & packing.MASK_64
    assert now >= earlier, "metering: the meter ran backwards"
    return unsafe_sub(now, earlier)
