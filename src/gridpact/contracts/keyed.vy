# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Keyed writes
@notice A write is made once. Its key is (region, interval, phase, part), its content the hash of
        the record; a large record comes in numbered batches. The same batch with the same content
        again changes nothing, another content under a taken key is refused, a taken key stays
        taken (5-decisions, section 17).
"""


struct Write:
    region: bytes32
    interval: uint64
    phase: uint8
    part: uint32
    batch: uint32
    content: bytes32


contents: HashMap[bytes32, bytes32]
taken: HashMap[bytes32, bool]


@internal
@pure
def packed(write: Write) -> bytes32:
    """
    @notice The key as one word: the same as `model/interval.py: Key.packed`.
    """
    return keccak256(abi_encode(write.region, write.interval, write.phase, write.part))


@internal
def begin(write: Write, step: uint256) -> bool:
    """
    @notice Say whether this batch of this step is new; refuse another content under its key.
    @param step Tells apart the functions of one contract that write under one key.
    """
    assert write.content != empty(bytes32), "keyed: no content"
    key: bytes32 = self.packed(write)
    first: bytes32 = self.contents[key]
    if first == empty(bytes32):
        self.contents[key] = write.content
    else:
        assert first == write.content, "keyed: written otherwise"
    place: bytes32 = keccak256(abi_encode(key, step, write.batch))
    if self.taken[place]:
        return False
    self.taken[place] = True
    return True


@external
@view
def written(key: bytes32) -> bytes32:
    """
    @notice The content hash under a packed key, zero if none.
    """
    return self.contents[key]
