# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Netting
@notice What a part of net settlement is made of, for the contracts that post it and those that
        prove it wrong: the same words as `ledger/proving/part.py`.
"""

# phases of the quorum's signature
RESERVE: constant(uint256) = 1
COMMIT: constant(uint256) = 5
POST: constant(uint256) = 7

HELD: constant(uint32) = 2**16  # added to a part's number for what it held back

# half of a delta word: zero 15 | negative 1 | held 48 | tail 16 | amount 48
NEGATIVE: constant(uint256) = 2**112
HELD_AT: constant(uint256) = 64
TAIL: constant(uint256) = 48
AMOUNT: constant(uint256) = 0

# half of a rating word, of the same row: agreed as a seller 72 | sent 40 | tail 16, all zero of who
# agreed nothing; the tail is a leaf of the row after which neither grows
SOLD: constant(uint256) = 56
SENT: constant(uint256) = 16

QUORUM_TYPE: constant(bytes32) = keccak256(
    "Quorum(bytes32 region,uint64 interval,uint8 phase,uint32 part,uint64 epoch,bytes32 clearingHash,bytes32 listHash,bytes32 root,bytes32 header,bytes32 deltasHash)"
)


struct Terms:
    window: uint256  # intervals in which a posted part can be proven wrong
    answer: uint256  # to answer a demand
    proving: uint256  # to prove something from an answer
    posting: uint256  # until which a part may be posted
    per_fill: uint256  # in which a cancelled part is paid fill by fill


struct Place:
    region: bytes32
    interval: uint64
    part: uint32


struct Header:
    energy: uint256  # loss 64 | weighed 64 | sent before 64 | first place 32 | leaves 32
    # rows of network_loss 16, network_operator 16, reward 16 | most reward 64 | most claims 64
    funds: uint256
    reputation: bytes32  # the digest of the ratings: see `chunks.vy`


struct Content:
    epoch: uint64
    clearing: bytes32
    list: bytes32
    root: bytes32
    header: Header
    deltas: bytes32


@internal
@pure
def key(place: Place) -> bytes32:
    """
    @notice The name of a part, the same as `model/interval.py: Key.packed` of its settlement.
    """
    return keccak256(abi_encode(place.region, place.interval, POST, place.part))


@internal
@pure
def book(list: bytes32, clearing: bytes32, span: uint256) -> bytes32:
    """
    @notice What a part is committed to: its rows, its clearing, which fills of it.
    @param span Place of the first fill 32 | number of fills 32; 0 of a part that settles what
           another held.
    """
    return keccak256(concat(list, clearing, convert(span, bytes32)))


@internal
@pure
def signed(domain: bytes32, place: Place, phase: uint256, content: Content) -> bytes32:
    """
    @notice The EIP-712 digest that the council signs: of a post it binds everything.
    """
    return keccak256(
        concat(
            0x1901,
            domain,
            keccak256(
                abi_encode(
                    QUORUM_TYPE,
                    place.region,
                    place.interval,
                    phase,
                    place.part,
                    content.epoch,
                    content.clearing,
                    content.list,
                    content.root,
                    keccak256(abi_encode(content.header)),
                    content.deltas,
                )
            ),
        )
    )
