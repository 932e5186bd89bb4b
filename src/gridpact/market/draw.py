"""In which order equal bids are served: by a draw, not by arrival.

Bids of one window are equal (5-decisions, section 5): first come, first served gave the quickest
quarter more than twice the savings of the slowest. Each bid's place is the hash of the closed
book's seed and the order, which anybody can check. The seed depends on every order, so nobody can
choose a place without knowing all the others; whoever knows them all and still adds one, which is
the collector, could try salts. Its receipts are numbered and signed, but that does not stop it.
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
