"""How much one sender may make the collector work and write: limits on floods of orders.

Only orders that a participant truly signed count against it, each once: nobody uses up another's
quota by forging or repeating. Who has used its own is not listened to any more in that book, before
any cryptography. Refusals stand in the record, so of a flood only the first ones do, and a number.
"""

from collections import Counter

from gridpact.model.order import NONE, Code, Refusal

ANYBODY = bytes(20)
"""Whose refused orders are counted that anybody may have sent."""

MOST_SIGNED = 32
"""Different orders that one participant may sign for one book; it has use for three."""

MOST_RECORDED = 16
"""Refusals of one participant's orders that a book records one by one."""

MOST_UNPROVEN = 256
"""Refusals of orders that anybody may have sent that a book records one by one."""

_UNPROVEN = frozenset({Code.SIGNATURE, Code.DUPLICATE, Code.EXPIRED})


class Proven:
    """Orders of one book whose signature was verified, by participant."""

    def __init__(self, most: int = MOST_SIGNED) -> None:
        self._most = most
        self._signed: dict[bytes, dict[bytes, bytes]] = {}

    def exhausted(self, who: bytes, digest: bytes) -> bool:
        """Say whether a participant has signed as many other orders as it may."""
        known = self._signed.get(who, {})
        return len(known) >= self._most and digest not in known

    def holds(self, who: bytes, digest: bytes, signature: bytes) -> bool:
        """Say whether this very signature was verified before."""
        return self._signed.get(who, {}).get(digest) == signature

    def add(self, who: bytes, digest: bytes, signature: bytes) -> None:
        """Count an order that its participant signed."""
        self._signed.setdefault(who, {})[digest] = signature

    @property
    def most(self) -> int:
        return self._most


class Refusals:
    """The refusals of one book, in order of arrival; of a flood the first ones and a number.

    Those that needed no signature of the participant's own are counted together, under address
    zero: so nobody crowds out what somebody else was truly refused.
    """

    def __init__(self) -> None:
        self._kept: list[Refusal] = []
        self._seen: Counter[bytes] = Counter()

    def add(self, refusal: Refusal) -> None:
        """Record a refusal, or count it where there are too many of its sender."""
        unproven = refusal.hash == NONE or refusal.code in _UNPROVEN
        who = ANYBODY if unproven else refusal.participant
        self._seen[who] += 1
        if self._seen[who] <= _most(who):
            self._kept.append(refusal)

    @property
    def rows(self) -> tuple[Refusal, ...]:
        """The recorded refusals, and one for each sender of whom more were refused."""
        more = (
            Refusal(NONE, who, Code.OVER_LIMIT, f"{seen - _most(who)} more were refused")
            for who, seen in sorted(self._seen.items())
            if seen > _most(who)
        )
        return (*self._kept, *more)


def _most(who: bytes) -> int:
    return MOST_UNPROVEN if who == ANYBODY else MOST_RECORDED
