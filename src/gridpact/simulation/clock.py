"""The market's clock: which moment an interval or a ledger write stands for.

A simulated day has no other clock, so equal runs write equal block times. Phases lie some minutes
apart around the interval: commit 10 minutes before delivery (5-decisions, section 17).
"""

import datetime
from dataclasses import dataclass

from gridpact.cycle.permits import OPENING
from gridpact.model.interval import Key, Phase

OFFSET_MINUTES = {
    Phase.FOUND: -60,
    Phase.PRICE: -40,
    Phase.COLLECT: -30,
    Phase.CLEAR: -20,
    Phase.COMMIT: -10,
    Phase.DELIVER: 2,
    Phase.SETTLE: 4,
    Phase.RATE: 6,
    Phase.SEAL: 8,
}
"""Minutes after the interval's beginning, or after its end for `DELIVER` and later.

The permits with which delivery opens are written as it begins.
"""

ROTATION = 7
"""Minutes after the last interval of a period when the next one's addresses are let in: rated then.
"""


@dataclass(frozen=True)
class MarketClock:
    """Interval 0 begins at `begins` (UTC); every interval lasts `minutes`."""

    begins: datetime.datetime
    minutes: int

    def time(self, interval: int) -> datetime.datetime:
        """Return when an interval begins."""
        return self.begins + datetime.timedelta(minutes=interval * self.minutes)

    def seconds(self, interval: int) -> int:
        """Return when an interval begins, in seconds since 1970 (UTC)."""
        return int(self.time(interval).replace(tzinfo=datetime.UTC).timestamp())

    def __call__(self, key: Key) -> int:
        """Return the block time of a write, in seconds since 1970 (UTC)."""
        if (key.phase, key.part) == (Phase.DELIVER, OPENING):
            return self.seconds(key.interval)
        if key.phase is Phase.FOUND and key.interval:
            return self.seconds(key.interval) + 60 * ROTATION
        whole_intervals = key.interval + (1 if key.phase >= Phase.DELIVER else 0)
        return self.seconds(whole_intervals) + 60 * OFFSET_MINUTES[key.phase]
