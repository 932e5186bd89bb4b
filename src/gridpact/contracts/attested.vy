# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Attested
@notice A batch that executes a settlement begins once, by the council's word: what is settled and
        billed follows from the meters, and the operator alone is no witness of those.
"""

import council
import keyed

uses: keyed

COUNCIL: public(immutable(address))


@deploy
def __init__(council_: address):
    """
    @notice Fix who keeps the word.
    """
    COUNCIL = council_


@internal
def begin(write: keyed.Write, step: uint256, rows: bytes32) -> bool:
    """
    @notice Say whether a batch is new; refuse what the council of its region did not sign.
    @param step Tells apart the functions that execute one settlement: 2 fills, 3 bills, 4 losses.
    @param rows The hash of what the batch brings.
    """
    if not keyed.begin(write, step):
        return False
    batch: bytes32 = keccak256(abi_encode(keyed.packed(write), write.batch, step, rows))
    assert staticcall council.__interface__(COUNCIL).stands(
        write.region, batch
    ), "attested: not the council's word"
    return True
