# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Anchor
@notice The heads of the regions' chains, kept on the zonal chain: one per region and interval, in
        order, each naming its predecessor, so that no region can quietly rewrite its past. The
        member of the region's council whose turn it is writes, once; it is final after a window.
        Before that only a proof changes it, which costs the writer's bond: the council's quorum
        for another head, or the writer's own signature under another one.
@dev A region without a council is the operator's: nobody else answers for it. A correction voids
     the anchors that named the wrong one; they are written again. What is too old for a correction
     to reach the newest anchor from it is not written: a later head has it among its ancestors.
"""

import clock
import council
import packing
import quorum
import registry
import signing

initializes: clock

HEAD_TYPE: constant(bytes32) = keccak256(
    "Head(bytes32 region,uint64 interval,uint64 number,bytes32 head,bytes32 previous)"
)
# records: delegate 160 | interval posted 32 | number 32 | 1 + interval of the predecessor 32
DELEGATE: constant(uint256) = 96
AT: constant(uint256) = 64
NUMBER: constant(uint256) = 32
MAX_VOID: constant(uint256) = 64  # intervals that a correction reaches forward

OPERATOR: public(immutable(address))
COUNCIL: public(immutable(address))
WINDOW: public(immutable(uint256))  # intervals in which an anchor can be proven wrong
DOMAIN: public(immutable(bytes32))

kept: HashMap[bytes32, HashMap[uint64, bytes32]]
records: HashMap[bytes32, HashMap[uint64, uint256]]
last: HashMap[bytes32, uint256]  # 1 + interval of the newest


event Anchored:
    region: indexed(bytes32)
    interval: indexed(uint64)
    number: uint64
    head: bytes32
    previous: bytes32


event Corrected:
    region: indexed(bytes32)
    interval: indexed(uint64)
    number: uint64
    head: bytes32
    delegate: address


event Struck:
    region: indexed(bytes32)
    interval: indexed(uint64)
    other: bytes32
    delegate: address


@deploy
def __init__(
    operator: address,
    registry_: address,
    council_: address,
    window: uint256,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers and the window; the registry, already deployed, knows the domain.
    """
    clock.__init__(begins, seconds)
    assert window < MAX_VOID, "anchor: window"
    OPERATOR = operator
    COUNCIL = council_
    WINDOW = window
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()


@external
def post(
    region: bytes32,
    interval: uint64,
    number: uint64,
    head: bytes32,
    previous: bytes32,
    epoch: uint64,
    members: DynArray[address, quorum.MAX_COUNCIL],
):
    """
    @notice Keep the head of a region's chain after an interval. The same again changes nothing.
    @param number Of the block, higher than the one before.
    @param previous The head anchored before; zero for the first.
    @param members Of the region's council in that interval; not read where there is none.
    """
    last: uint256 = self.last[region]
    there: bytes32 = self.kept[region][interval]
    if there != empty(bytes32) and there == head:
        return
    self._require_delegate(region, interval, epoch, members)
    assert head != empty(bytes32), "anchor: no head"
    assert number < 2**32 and interval < 2**32 - 1, "anchor: too large"
    assert there == empty(bytes32), "anchor: written before"
    assert convert(interval, uint256) >= last, "anchor: earlier interval"
    before: bytes32 = empty(bytes32)
    if last > 0:
        newest: uint64 = convert(last - 1, uint64)
        before = self.kept[region][newest]
        older: uint256 = (self.records[region][newest] >> NUMBER) & packing.MASK_32
        assert convert(number, uint256) > older, "anchor: older block"
    assert previous == before, "anchor: other predecessor"
    self.kept[region][interval] = head
    self.records[region][interval] = (
        convert(msg.sender, uint256) << DELEGATE
        | (clock.interval() & packing.MASK_32) << AT
        | convert(number, uint256) << NUMBER
        | last
    )
    self.last[region] = convert(interval, uint256) + 1
    log Anchored(region=region, interval=interval, number=number, head=head, previous=previous)


@external
def correct(
    region: bytes32,
    interval: uint64,
    number: uint64,
    head: bytes32,
    previous: bytes32,
    epoch: uint64,
    members: DynArray[address, quorum.MAX_COUNCIL],
    signatures: DynArray[signing.Signature, quorum.MAX_COUNCIL],
):
    """
    @notice Put the head that the council's quorum signed in the place of another: anybody, within
            the window. The writer's bond is taken.
    """
    word: uint256 = self._open(region, interval)
    assert number < 2**32 and head != empty(bytes32), "anchor: no head"
    there: uint256 = (word >> NUMBER) & packing.MASK_32
    assert (
        head != self.kept[region][interval] or convert(number, uint256) != there
    ), "anchor: nothing wrong"
    before: bytes32 = empty(bytes32)
    if word & packing.MASK_32 > 0:
        before = self.kept[region][convert((word & packing.MASK_32) - 1, uint64)]
    assert previous == before, "anchor: other predecessor"
    signed: bool = staticcall council.__interface__(COUNCIL).check(
        self._digest(region, interval, number, head, previous),
        region,
        epoch,
        interval,
        empty(address),
        members,
        signatures,
    )
    assert signed, "anchor: no quorum"
    self.kept[region][interval] = head
    self.records[region][interval] = (
        (word & (packing.MASK_32 << AT)) | convert(number, uint256) << NUMBER | word & packing.MASK_32
    )
    self._void_after(region, interval)
    self.last[region] = convert(interval, uint256) + 1
    delegate: address = self._slash(region, interval, word)
    log Corrected(
        region=region, interval=interval, number=number, head=head, delegate=delegate
    )


@external
def strike(
    region: bytes32,
    interval: uint64,
    number: uint64,
    head: bytes32,
    previous: bytes32,
    signature: signing.Signature,
):
    """
    @notice Take an anchor away whose writer signed another head for the same interval: anybody,
            within the window. Which one is right the next in turn says; the bond is taken.
    """
    word: uint256 = self._open(region, interval)
    there: uint256 = (word >> NUMBER) & packing.MASK_32
    assert (
        head != self.kept[region][interval] or convert(number, uint256) != there
    ), "anchor: nothing wrong"
    assert signing.signer(
        self._digest(region, interval, number, head, previous), signature
    ) == convert(convert(word >> DELEGATE, uint160), address), "anchor: not the writer's"
    self._void_after(region, interval)
    self.kept[region][interval] = empty(bytes32)
    self.last[region] = word & packing.MASK_32
    delegate: address = self._slash(region, interval, word)
    log Struck(region=region, interval=interval, other=head, delegate=delegate)


@external
@view
def heads(region: bytes32, interval: uint64) -> bytes32:
    """
    @return The head anchored for an interval; zero if none.
    """
    return self.kept[region][interval]


@external
@view
def latest(region: bytes32) -> bytes32:
    """
    @return The newest head: what the next one must name.
    """
    last: uint256 = self.last[region]
    if last == 0:
        return empty(bytes32)
    return self.kept[region][convert(last - 1, uint64)]


@external
@view
def is_final(region: bytes32, interval: uint64) -> bool:
    """
    @notice Say whether an anchor can be proven wrong no more.
    """
    return self.kept[region][interval] != empty(bytes32) and not self._in_window(
        self.records[region][interval]
    )


@internal
@view
def _require_delegate(
    region: bytes32,
    interval: uint64,
    epoch: uint64,
    members: DynArray[address, quorum.MAX_COUNCIL],
):
    # members take turns by interval; whoever is silent for an interval leaves it to the next
    peer: council.__interface__ = council.__interface__(COUNCIL)
    if staticcall peer.epochs(region) == 0:
        assert msg.sender == OPERATOR, "anchor: not the operator"
        return
    now: uint256 = clock.interval()
    assert convert(interval, uint256) < now, "anchor: not over yet"
    assert convert(interval, uint256) + MAX_VOID >= now + WINDOW, "anchor: too long ago"
    assert msg.sender == staticcall peer.member_in_turn(
        region, epoch, interval, now - 1, members
    ), "anchor: not the delegate"
    assert staticcall peer.is_bonded(msg.sender), "anchor: no bond"


@internal
@view
def _open(region: bytes32, interval: uint64) -> uint256:
    # the record of an anchor that can still be proven wrong
    word: uint256 = self.records[region][interval]
    assert self.kept[region][interval] != empty(bytes32), "anchor: none to correct"
    assert word >> DELEGATE != 0, "anchor: corrected before"
    assert self._in_window(word), "anchor: final"
    return word


@internal
def _void_after(region: bytes32, interval: uint64):
    # what named the wrong one, or hangs on it, is written again
    last: uint256 = self.last[region]
    first: uint256 = convert(interval, uint256) + 1
    assert last - first <= MAX_VOID, "anchor: too far back"
    for later: uint256 in range(first, last, bound=MAX_VOID):
        self.kept[region][convert(later, uint64)] = empty(bytes32)


@internal
@view
def _in_window(word: uint256) -> bool:
    return clock.interval() <= ((word >> AT) & packing.MASK_32) + WINDOW


@internal
@view
def _digest(
    region: bytes32, interval: uint64, number: uint64, head: bytes32, previous: bytes32
) -> bytes32:
    return keccak256(
        concat(
            0x1901,
            DOMAIN,
            keccak256(abi_encode(HEAD_TYPE, region, interval, number, head, previous)),
        )
    )


@internal
def _slash(region: bytes32, interval: uint64, word: uint256) -> address:
    delegate: address = convert(convert(word >> DELEGATE, uint160), address)
    extcall council.__interface__(COUNCIL).slash(
        delegate, msg.sender, empty(address), keccak256(abi_encode(region, interval))
    )
    return delegate
