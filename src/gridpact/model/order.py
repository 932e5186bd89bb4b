"""Orders: what participants sign, what the collector accepts, and what is refused with a reason."""

from enum import IntEnum, StrEnum

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.model.attributes import Attributes
from gridpact.model.typed import ACCEPTED, ORDER, POSTING
from gridpact.quantities import Price, Score, Wh

NONE = b"\0" * 32
MAX_FILLS = 16


class Side(IntEnum):
    BID = 0
    OFFER = 1


class Tier(IntEnum):
    """Where energy is bought, in order of priority: neighbours, renewable plants, grid supply."""

    LOCAL = 0
    ZONAL = 1
    GRID = 2


class Code(StrEnum):
    """Why an order was refused."""

    SIGNATURE = "signature"
    CERTIFICATE = "certificate"
    FUNDS = "funds"
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    BLACKLIST = "blacklist"
    OVER_LIMIT = "over-limit"
    PRICE_FORM = "price-form"
    GRID = "grid"
    SENSOR = "sensor"
    CROSSING = "crossing"
    CANCELLED = "cancelled"


class Order(msgspec.Struct, frozen=True):
    """A bid or an offer of one participant for one interval and one tier.

    `price` is the highest a bid pays, or what an offer asks. [micro-units per kWh]
    `parent` of a zonal bid is the hash of its local bid: it can be filled only to what the local
    tier left; `NONE` otherwise. `expires` is the first interval in which the order is void.
    `terms` hashes optional attributes (`attributes.Attributes`), `NONE` for none.
    """

    participant: bytes
    side: Side
    tier: Tier
    region: bytes
    interval: int
    energy_wh: Wh
    price: Price
    min_reputation: Score = 0
    terms: bytes = NONE
    parent: bytes = NONE
    expires: int = 0
    salt: int = 0

    def digest(self, domain: Domain) -> bytes:
        """Return the EIP-712 digest: what is signed, and the order's hash everywhere."""
        return domain.digest(ORDER.struct_hash(msgspec.structs.astuple(self)))


class Posting(msgspec.Struct, frozen=True):
    """What a participant signs so that anybody may place its order on the chain for it.

    `charge` is the highest network charge per kWh that it will bear, `fills` the most fills: with
    the order they decide what is reserved. Both are zero for an offer.
    """

    order: bytes
    charge: Price
    fills: int

    def digest(self, domain: Domain) -> bytes:
        return domain.digest(POSTING.struct_hash(msgspec.structs.astuple(self)))


class SignedOrder(msgspec.Struct, frozen=True):
    """An order with its participant's signature, 65 bytes r || s || v, and what its terms hash."""

    order: Order
    signature: bytes
    attributes: Attributes | None = None


class Accepted(msgspec.Struct, frozen=True):
    """An order in the sealed book, with the collector's signature over its place in it.

    `reserved` is the money set aside for it: amount(price, energy) plus charges plus one
    micro-unit for each possible fill (a sum of rounded fills may exceed the rounded whole).
    `charge` is the highest network charge per kWh that a fill of a bid may carry. `attributes` are
    what the order's terms hash, None where they are `NONE`.
    """

    hash: bytes
    order: Order
    signature: bytes
    sequence: int
    reserved: int
    receipt: bytes
    charge: Price = 0
    attributes: Attributes | None = None

    def digest(self, domain: Domain) -> bytes:
        """Return the digest that the collector signs."""
        return domain.digest(
            ACCEPTED.struct_hash((self.hash, self.order.region, self.order.interval, self.sequence))
        )


class Refusal(msgspec.Struct, frozen=True):
    """An order, or a part of one, that was refused, with a code and one sentence.

    `order` is what was signed, where others can judge the refusal by it: an offer that neither
    credibility nor deposit covers.
    """

    hash: bytes
    participant: bytes
    code: Code
    detail: str
    order: SignedOrder | None = None
