# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Promises
@notice What was proven of the purchases that a participant made in an interval, until it is fined:
        all of them together, so that splitting a purchase changes nothing.
"""

import packing

# by participant 160 | interval 32 | side 8
# sold: promised 64 | paid for 64 | kept 64; bought: imported 64 | withheld 64 | confirmed 64
SOLD: constant(uint256) = 0
BOUGHT: constant(uint256) = 1
FIRST: constant(uint256) = 128
SECOND: constant(uint256) = 64


struct Proven:
    promised: uint256  # of what it sold
    kept: uint256
    withheld: uint256  # of what it bought
    confirmed: uint256


words: HashMap[uint256, uint256]


@internal
def sold(seller: address, due: uint64, volume: uint256, paid: uint256, left: uint256):
    """
    @notice Note a sale that the meters settled.
    @dev Kept is what the seller exported for all its wallets so far, whether their buyers took it
         or not: so it is the same in every order of calls.
    @param paid What of its export this sale was paid for.
    @param left What it exported beyond all that it was paid for before.
    """
    at: uint256 = self._place(seller, due, SOLD)
    word: uint256 = self.words[at]
    promised: uint256 = (word >> FIRST) + volume
    before: uint256 = (word >> SECOND) & packing.MASK_64
    kept: uint256 = min(promised, left + before)
    assert promised < 2**64 and before + paid < 2**64, "promises: volume"
    self.words[at] = promised << FIRST | (before + paid) << SECOND | kept


@internal
def bought(
    buyer: address, due: uint64, confirmed: uint256, withheld: uint256, imported: uint256
):
    """
    @notice Note what a buyer confirmed, or what was proven and it did not confirm.
    @param imported What its meter shows of the interval; 0 where nobody brought it.
    """
    at: uint256 = self._place(buyer, due, BOUGHT)
    word: uint256 = self.words[at]
    all_confirmed: uint256 = (word & packing.MASK_64) + confirmed
    all_withheld: uint256 = ((word >> SECOND) & packing.MASK_64) + withheld
    assert all_confirmed < 2**64 and all_withheld < 2**64, "promises: volume"
    import_: uint256 = max(word >> FIRST, imported)
    self.words[at] = import_ << FIRST | all_withheld << SECOND | all_confirmed


@internal
@view
def of(participant: address, interval: uint64) -> Proven:
    """
    @notice What was proven and not taken yet. An import covers what was confirmed first: nobody
            owes its word for more than it took.
    """
    sold: uint256 = self.words[self._place(participant, interval, SOLD)]
    bought: uint256 = self.words[self._place(participant, interval, BOUGHT)]
    imported: uint256 = bought >> FIRST
    confirmed: uint256 = bought & packing.MASK_64
    return Proven(
        promised=sold >> FIRST,
        kept=sold & packing.MASK_64,
        withheld=min(
            (bought >> SECOND) & packing.MASK_64, imported - min(imported, confirmed)
        ),
        confirmed=confirmed,
    )


@internal
def take(participant: address, interval: uint64) -> Proven:
    """
    @notice The same, once.
    """
    found: Proven = self.of(participant, interval)
    self.words[self._place(participant, interval, SOLD)] = 0
    self.words[self._place(participant, interval, BOUGHT)] = 0
    return found


@internal
@pure
def _place(participant: address, interval: uint64, side: uint256) -> uint256:
    assert interval < 2**32, "promises: interval"
    return convert(participant, uint256) << 40 | convert(interval, uint256) << 8 | side
