# pragma version 0.4.3
# pragma evm-version london
"""
@title   Naive bid sorting
@notice  What [Wang23] measures in its figure 3 as "bid sorting": bids kept in storage and sorted
         there by selection. No part of the market; only `gridpact study wang2023` deploys it.
"""

MAX_BIDS: constant(uint256) = 64

bids: DynArray[uint256, MAX_BIDS]


@external
def submit(bid: uint256):
    """
    @notice Add a bid.
    @param bid Price and bidder in one word, price first.
    """
    assert len(self.bids) < MAX_BIDS, "naive_sort: full"
    self.bids.append(bid)


@external
def sort():
    """
    @notice Sort the bids where they stand, cheapest first.
    """
    for i: uint256 in range(len(self.bids), bound=MAX_BIDS):
        least: uint256 = i
        for j: uint256 in range(i + 1, len(self.bids), bound=MAX_BIDS):
            if self.bids[j] < self.bids[least]:
                least = j
        kept: uint256 = self.bids[i]
        self.bids[i] = self.bids[least]
        self.bids[least] = kept


@external
@view
def read() -> DynArray[uint256, MAX_BIDS]:
    """
    @return All bids in their present order.
    """
    return self.bids
