# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Challenging
@notice What all challenges of a posted clearing share: which clearing stands and until when it can
        be challenged, whose order a leaf shows, and what a proven fault costs.
@dev Challenges close some minutes before delivery; later nothing is unwound. A chain with a
     simulated clock has no such deadline: `challenge_closes` 0.
"""

import book
import clearing
import clock
import council
import leaves
import posting
import registry

uses: clock


struct Peers:
    registry: address
    orders: address
    clearing: address
    reputation: address
    council: address


struct Terms:
    stake: uint256  # what a demand costs that is answered
    answer: uint256  # intervals to answer it, where no deadline counts
    commit_closes: uint256  # seconds before delivery; 0: no deadline
    challenge_closes: uint256
    by_merit: bool  # whether the local tier is cleared in merit order


OPERATOR: immutable(address)
REGISTRY: immutable(address)
ORDERS: immutable(address)
CLEARING: immutable(address)
REPUTATION: immutable(address)
COUNCIL: immutable(address)
TERMS: immutable(Terms)
DOMAIN: immutable(bytes32)


event Challenged:
    region: indexed(bytes32)
    interval: indexed(uint64)
    fault: bytes32
    challenger: address
    injured: address


@deploy
def __init__(operator: address, peers: Peers, terms: Terms):
    """
    @notice Fix the peers and the deadlines; the registry, already deployed, knows the domain.
    """
    OPERATOR = operator
    REGISTRY = peers.registry
    ORDERS = peers.orders
    CLEARING = peers.clearing
    REPUTATION = peers.reputation
    COUNCIL = peers.council
    TERMS = terms
    registry_: address = peers.registry
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()


@internal
@view
def open(region: bytes32, interval: uint64, posted: posting.Clearing) -> bytes32:
    """
    @notice The name of the clearing that stands, while it can be challenged.
    """
    name: bytes32 = posting.clearing_hash(region, interval, posted)
    assert (
        staticcall clearing.__interface__(CLEARING).posted(region, interval) == name
    ), "challenging: not what was posted"
    assert TERMS.challenge_closes == 0 or clock.is_before(
        interval, TERMS.challenge_closes
    ), "challenging: too late"
    return name


@internal
def condemn(
    region: bytes32, interval: uint64, name: bytes32, fault: bytes32, injured: address
):
    """
    @notice Condemn a clearing for its caller.
    """
    self.take_bond(region, interval, name, fault, msg.sender, injured)


@internal
def take_bond(
    region: bytes32,
    interval: uint64,
    name: bytes32,
    fault: bytes32,
    challenger: address,
    injured: address,
):
    """
    @notice Condemn a clearing and take its poster's bond.
    @dev Both peers are contracts: one posted what is condemned, the other named its judges.
    """
    extcall clearing.__interface__(CLEARING).condemn(
        region, interval, skip_contract_check=True
    )
    extcall council.__interface__(COUNCIL).slash(
        OPERATOR, challenger, injured, name, skip_contract_check=True
    )
    log Challenged(
        region=region, interval=interval, fault=fault, challenger=challenger, injured=injured
    )


@internal
@view
def typed(struct_hash: bytes32) -> bytes32:
    """
    @notice What is signed of a typed struct.
    """
    return keccak256(concat(0x1901, DOMAIN, struct_hash))


@internal
@view
def shown_order(order: book.Order, shown: leaves.OrderLeaf) -> bytes32:
    """
    @notice The hash of the leaf that is shown of an order; refused if it is another's.
    """
    assert shown.order == book.digest(DOMAIN, order), "challenging: another order"
    return leaves.of_order(shown)


@internal
@view
def tariffs(region: bytes32, interval: uint64) -> clearing.Tariffs:
    """
    @notice The posted tariffs of an interval.
    """
    return staticcall clearing.__interface__(CLEARING).tariffs(
        region, interval, skip_contract_check=True
    )


@internal
@view
def priced(region: bytes32, interval: uint64) -> (bytes32, clearing.Tariffs):
    """
    @notice The hash of an interval's charges, and its tariffs.
    """
    return staticcall clearing.__interface__(CLEARING).priced(
        region, interval, skip_contract_check=True
    )
