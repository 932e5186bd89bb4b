"""Net settlement without a chain: the parts of `memory`.

The same refusals as `contracts/net.vy`, but for quorums and windows: who calls is trusted, and in
memory nothing has a time.
"""

from gridpact.errors import Reverted
from gridpact.ledger.memory.vault import Journalled, PlainVault, Pot
from gridpact.ledger.onchain.netting import HELD, LOCKS, accounts, halves
from gridpact.model.interval import Key
from gridpact.model.net import FinalPart, NetLocks, NetPart
from gridpact.quantities import Money

NEGATIVE = 1 << 112
HELD_AT = 64

Place = tuple[bytes, int, int]


class PlainNet:
    """The parts of one chain: what was set aside for each, and what was posted."""

    def __init__(self, vault: PlainVault) -> None:
        self._vault = vault
        self.locked: Journalled[Place, bytes] = Journalled()
        self.posted: Journalled[Place, NetPart] = Journalled()
        self.final: Journalled[Place, bool] = Journalled()

    def lock(self, key: Key, locks: NetLocks) -> None:
        """Set aside what a part may cost."""
        for account, reserved, lock in accounts(locks.rows):
            if lock > reserved:
                raise Reverted("net: lock above reservation", account.hex())
            self._vault.shift(account, Pot.FREE, Pot.RESERVED, reserved)
        self.locked.put((key.region, key.interval, 0), locks.rows)

    def post(self, place: Place, part: NetPart) -> None:
        """Post what every account gains or loses."""
        if self.locked.get(place) != part.rows:
            raise Reverted("net: another list", str(place[1:]))
        total = 0
        for (account, _, lock), (delta, held) in _changes(part):
            if max(-delta, 0) + held > lock:
                raise Reverted("net: above the lock", account.hex())
            total += delta
        if total:
            raise Reverted("net: deltas do not sum to zero", str(total))
        self.posted.put(place, part)

    def finalise(self, region: bytes, part: FinalPart) -> None:
        """Apply a posted part, once; what it held becomes the list of the part that follows."""
        place = region, part.interval, part.number
        if self.final.get(place) or self.posted.get(place) != part.net:
            raise Reverted("net: not posted", str(place[1:]))
        left = []
        for (account, reserved, _), (delta, held) in _changes(part.net):
            self._vault.shift(account, Pot.RESERVED, Pot.FREE, reserved - held)
            self._vault.change(account, delta)
            left.append(int.from_bytes(account, "big") << 96 | held << 48 | held)
        self.final.put(place, True)
        if part.number < HELD and any(row & LOCKS for row in left):
            rows = b"".join(row.to_bytes(32, "big") for row in left)
            self.locked.put((region, part.interval, part.number + HELD), rows)


def _changes(part: NetPart) -> list[tuple[tuple[bytes, Money, Money], tuple[Money, Money]]]:
    """Return each row with what it gains or loses, and what is held of it."""
    rows = accounts(part.rows)
    changes = []
    for half in halves(part.deltas, len(rows)):
        amount, held = half & LOCKS, half >> HELD_AT & LOCKS
        changes.append((-amount if half & NEGATIVE else amount, held))
    return list(zip(rows, changes, strict=True))
