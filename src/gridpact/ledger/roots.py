"""The Merkle roots under which a record's rows stand on chain, and what the leaves are."""

from collections.abc import Sequence

from msgspec.structs import astuple

from gridpact.crypto import merkle
from gridpact.ledger.abi import pack
from gridpact.model.delivery import SignedReading
from gridpact.model.order import Accepted
from gridpact.model.record import BusCharge
from gridpact.model.trade import Fill


def order_root(orders: Sequence[Accepted]) -> bytes:
    """Leaves: order hashes in the order of their sequence numbers."""
    return merkle.root([accepted.hash for accepted in orders])


def fill_root(fills: Sequence[Fill]) -> bytes:
    """Leaves: fill hashes in the order of the clearing."""
    return merkle.root([fill.hash for fill in fills])


def reading_root(readings: Sequence[SignedReading]) -> bytes:
    """Leaves: the six fields of the reading, a word each, and its signature."""
    return merkle.root([pack(*astuple(one.reading)) + one.signature for one in readings])


def charge_root(buses: Sequence[BusCharge]) -> bytes:
    """Leaves: bus and locational charge, a word each, negative ones in two's complement."""
    return merkle.root([pack(row.bus, row.locational % 2**256) for row in buses])
