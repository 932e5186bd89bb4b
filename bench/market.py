"""How fast and how right are the market's mechanisms, beside peers and beside the floor?"""

from bench import market_auction, market_peers
from bench.rows import Row

NOTES = """Times are CPU seconds of this process; of auctions of 1e6 orders the least of 25 calls
in a row, for on a busy machine others only add to it, and with an allocator that keeps freed
memory, as in any process that has run for a while: taking 40 MB from the system anew at each call
costs more than the auction, and is a row of its own. The floor sorts both sides of the book and
adds up the energy, as programs do that sort; ours looks where the curves cross by a sample, proves
it by exact sums, and sorts only what lies around. Price and all bilateral fills are counted;
whether a book is plain is asked once per book, in its own row. Books are drawn by a fixed seed:
half bids, half offers, energies of 1 to 4,999 Wh, prices on ticks of 0.1 ct between feed-in and
retail, or anywhere. HiGHS is scipy's. Welfare counts (bid price - offer price) x energy, against a
linear programme over all pairs.
"""


def run() -> list[Row]:
    return [*market_auction.rows(), *market_peers.rows()]
