# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Chunks
@notice The digest of a long list of words that can be opened a piece at a time:
        d = keccak(d | keccak(32 words)) from zero, the last 32 filled up with zeros. A proof shows
        one chunk and the hashes of all. The same as `ledger/proving/chunks.py: chunked`.
"""

CHUNK: constant(uint256) = 32
LONGEST: constant(uint256) = 1024  # rows; two deltas share a word
PAIRS: constant(uint256) = 512
MOST: constant(uint256) = 32  # chunks


struct Opening:
    index: uint256  # of the word in the whole list
    words: uint256[32]
    hashes: DynArray[bytes32, 32]


@internal
@view
def digest(argument: uint256, length: uint256) -> bytes32:
    """
    @notice The digest of a list argument of the call, read where it lies: no copy of it is made.
    @param argument Where the argument's offset stands among the words of the call.
    """
    offset: uint256 = convert(slice(msg.data, 4 + 32 * argument, 32), uint256)
    assert offset < 2**32, "chunks: offset"
    first: uint256 = offset + 36  # behind the selector and the length
    found: bytes32 = empty(bytes32)
    whole: uint256 = length // CHUNK
    for i: uint256 in range(whole, bound=MOST):
        chunk: bytes32 = keccak256(slice(msg.data, first + i * 32 * CHUNK, 32 * CHUNK))
        found = keccak256(concat(found, chunk))
    if whole * CHUNK < length:
        last: uint256[32] = empty(uint256[32])
        for i: uint256 in range(whole * CHUNK, length, bound=CHUNK):
            last[i % CHUNK] = convert(slice(msg.data, first + i * 32, 32), uint256)
        found = keccak256(concat(found, keccak256(abi_encode(last))))
    return found


@internal
@pure
def masked(words: DynArray[uint256, LONGEST], mask: uint256) -> bytes32:
    """
    @notice The digest of a list of which only the masked bits of each word count.
    """
    found: bytes32 = empty(bytes32)
    chunk: uint256[32] = empty(uint256[32])
    place: uint256 = 0
    for word: uint256 in words:
        chunk[place] = word & mask
        place = unsafe_add(place, 1)
        if place == CHUNK:
            found = keccak256(concat(found, keccak256(abi_encode(chunk))))
            place = 0
    if place > 0:
        for rest: uint256 in range(place, CHUNK, bound=CHUNK):
            chunk[rest] = 0
        found = keccak256(concat(found, keccak256(abi_encode(chunk))))
    return found


@internal
@pure
def opened(opening: Opening, digest: bytes32) -> uint256:
    """
    @notice The word that an opening shows of the list with this digest; refused if it is another's.
    """
    at: uint256 = opening.index // CHUNK
    assert at < len(opening.hashes), "chunks: beyond the list"
    assert opening.hashes[at] == keccak256(abi_encode(opening.words)), "chunks: another chunk"
    found: bytes32 = empty(bytes32)
    for one: bytes32 in opening.hashes:
        found = keccak256(concat(found, one))
    assert found == digest, "chunks: another list"
    return opening.words[opening.index % CHUNK]
