"""In which order equal bids are served: a draw that nobody can steer.

Bids of one window are equal (5-decisions, section 5): first come, first served gave the quickest
quarter twice the savings of the slowest. The seed is known only when the book is closed, and each
bid's place is the hash of seed and order, which anybody can check.
"""

from collections.abc import Sequence

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak
from gridpact.model.order import Accepted


def book_seed(hashes: Sequence[bytes]) -> bytes:
    """Return the seed of a closed book: the hash of the Merkle root of its orders.

    `hashes` in the order of their sequence numbers.
    """
    return keccak(merkle.root(hashes))


def place(seed: bytes, order_hash: bytes) -> bytes:
    """Return where an order stands in the draw: the smallest is served first."""
    return keccak(seed + order_hash)


def drawn(orders: Sequence[Accepted], seed: bytes) -> list[Accepted]:
    """Return orders as they are served, whatever order they came in."""
    return sorted(orders, key=lambda accepted: place(seed, accepted.hash))
