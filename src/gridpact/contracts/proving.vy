# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Proving
@notice What every proof against a posted part begins and ends with: the part is the posted one;
        then it is cancelled, and its poster's bond shared.
"""

import council
import net
import netting
import packing
import registry
import statement

NET: immutable(address)
COUNCIL: immutable(address)
DOMAIN: immutable(bytes32)


event Proven:
    key: indexed(bytes32)
    poster: address
    challenger: address
    injured: address


@deploy
def __init__(registry_: address, net_: address, council_: address):
    """
    @notice Fix the peers; the registry, already deployed, knows the domain of signatures.
    """
    NET = net_
    COUNCIL = council_
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()


@internal
@view
def posted(place: netting.Place, content: netting.Content) -> bytes32:
    """
    @notice The key of a part; refused if this is not what was posted under it.
    """
    key: bytes32 = netting.key(place)
    digest: bytes32 = netting.signed(DOMAIN, place, netting.POST, content)
    assert staticcall net.__interface__(NET).contents(key) == digest, "proving: another content"
    return key


@internal
@pure
def require_fill(place: netting.Place, fill: packing.Fill, shown: statement.Shown):
    """
    @notice Refuse a fill that is not the leaf's.
    """
    name: bytes32 = packing.fill_hash(place.region, place.interval, fill)
    assert name == shown.leaf.fill, "proving: another fill"


@internal
def condemn(key: bytes32, challenger: address, injured: address, timely: bool):
    """
    @notice Cancel the part and take its poster's bond.
    @param timely Only within the part's window: every proof, but not an unanswered demand.
    """
    poster: address = extcall net.__interface__(NET).condemn(key, timely)
    extcall council.__interface__(COUNCIL).slash(poster, challenger, injured, key)
    log Proven(key=key, poster=poster, challenger=challenger, injured=injured)
