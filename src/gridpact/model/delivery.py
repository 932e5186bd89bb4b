"""What the meters say: signed cumulative readings, and what of each fill was sent and received."""

from enum import IntEnum

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.model.typed import PROFILE, READING
from gridpact.quantities import Wh


class Quality(IntEnum):
    """What the meter says of its own reading."""

    MEASURED = 0
    ESTIMATED = 1


class Reading(msgspec.Struct, frozen=True):
    """Cumulative energy at a connection point at the end of an interval. [Wh]

    `meter` is the address of the participant whose meter it is (one device, one key).
    """

    meter: bytes
    region: bytes
    interval: int
    import_wh: Wh
    export_wh: Wh
    quality: Quality = Quality.MEASURED

    def digest(self, domain: Domain) -> bytes:
        return domain.digest(READING.struct_hash(msgspec.structs.astuple(self)))


class SignedReading(msgspec.Struct, frozen=True):
    reading: Reading
    signature: bytes


class Profile(msgspec.Struct, frozen=True):
    """What a meter signs of one interval by itself: its registers at both ends. [Wh]

    A cumulative reading proves nothing of an interval without the one before it; this does, with
    one signature. It is what the parties settle a fill with when the operator does not.
    """

    meter: bytes
    region: bytes
    interval: int
    import_before: Wh
    export_before: Wh
    import_wh: Wh
    export_wh: Wh

    def digest(self, domain: Domain) -> bytes:
        return domain.digest(PROFILE.struct_hash(msgspec.structs.astuple(self)))

    @property
    def registers(self) -> int:
        """import before 64 | export before 64 | import 64 | export 64 (`metering.vy`)."""
        before = self.import_before << 192 | self.export_before << 128
        return before | self.import_wh << 64 | self.export_wh


class Metered(msgspec.Struct, frozen=True):
    """Energy of one participant in one interval: the difference of two readings. [Wh]"""

    participant: bytes
    import_wh: Wh
    export_wh: Wh


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """What became of one fill. All in Wh, counted as in 5-decisions, section 7.

    agreed = fill.energy - held - unused: what the buyer owes for, R;
    sent: the seller's export given to this fill, rho <= agreed;
    received: gamma = sent - loss share;
    unused: cleared but not used by the buyer; `unused_sent` of it the seller did produce;
    held: stopped by the network operator or a sensor, owed by nobody.
    """

    fill: bytes
    agreed: Wh
    sent: Wh
    received: Wh
    unused: Wh
    unused_sent: Wh
    held: Wh
    disputed: bool = False
