"""Are the trades that sensors held those that could be, and are they settled as held?

Judged here is what a ledger shows by itself: holds come before the meters, are of committed fills
and of the energy that was left when they began; the operator signed what it let flow against a
verdict; a settlement leaves out what is held, and nothing but that and what was curtailed. Whether
the sensors said so only their log tells, which stays off chain (`sense.audit`).
"""

from collections import Counter

from gridpact.crypto.recovery import signed_by
from gridpact.errors import Corrupt
from gridpact.ledger.audit.seen import Seen
from gridpact.model.interval import Key, Phase
from gridpact.model.record import Commitment, Meters, Settlement, Verdicts
from gridpact.model.trade import Fill
from gridpact.model.watch import held_wh
from gridpact.quantities import Wh

OPENING, DURING = 1, 2


def check_verdicts(place: str, key: Key, said: Verdicts, seen: Seen) -> None:
    """Check that a record of the sensors holds what it may, in its time."""
    watch, timing = seen.found.watch, seen.found.timing
    if not watch.on:
        raise Corrupt(place, "holds: the chain was founded without sensors")
    if key.part not in (OPENING, DURING):
        raise Corrupt(place, f"holds: part {key.part} of nothing")
    if seen.get(key.interval, Phase.DELIVER, Meters) is not None:
        raise Corrupt(place, "holds: decided after the meters were read")
    fills = {fill.hash: fill for fill in _committed(seen, key.interval)}
    begins = timing.begins + key.interval * timing.seconds
    ends = begins + timing.seconds
    earlier = _held(seen, key.interval)
    for hold in said.holds:
        name = hold.fill.hex()[:16]
        fill = fills.get(hold.fill)
        if fill is None or hold.fill in earlier:
            raise Corrupt(place, f"hold of {name}: no committed fill that flows")
        early = hold.since == begins if key.part == OPENING else begins < hold.since < ends
        if not early or hold.since > said.until:
            raise Corrupt(place, f"hold of {name}: since another moment than was judged")
        if hold.energy_wh != held_wh(fill.energy_wh, begins, ends, hold.since):
            raise Corrupt(place, f"hold of {name}: not the energy that was left")
    for go in said.released:
        digest = go.digest(seen.domain, key.region, key.interval)
        if go.fill not in fills or not signed_by(watch.operator, digest, go.signature):
            raise Corrupt(place, f"release of {go.fill.hex()[:16]}: not signed by the operator")


def require_watched(place: str, key: Key, seen: Seen) -> None:
    """Check that the sensors were asked before and while energy flowed."""
    asked = [seen.get(key.interval, Phase.DELIVER, Verdicts, n) for n in (OPENING, DURING)]
    if seen.found.watch.on and None in asked:
        raise Corrupt(place, "readings: delivered without the sensors' word")


def check_held(place: str, key: Key, settlement: Settlement, seen: Seen) -> None:
    """Check that what a settlement leaves out was held by sensors, or curtailed."""
    held = _held(seen, key.interval)
    meters = seen.get(key.interval, Phase.DELIVER, Meters)
    cut = Counter[bytes]()
    for row in meters.curtailed if meters else ():
        cut[row.participant] += row.energy_wh
    for fill, delivery in zip(settlement.fills, settlement.deliveries, strict=True):
        due = held.pop(fill.hash, 0)
        name = fill.hash.hex()[:16]
        if delivery.held < due:
            raise Corrupt(place, f"delivery {name}: {due} Wh are held, {delivery.held} left out")
        cut[fill.seller] -= delivery.held - due
        if delivery.held > due and cut[fill.seller] < 0:
            raise Corrupt(place, f"delivery {name}: more left out than was held or curtailed")
    if seen.is_zone and held:
        raise Corrupt(place, "deliveries: a held fill is not among them")


def _held(seen: Seen, interval: int) -> dict[bytes, Wh]:
    records = (seen.get(interval, Phase.DELIVER, Verdicts, n) for n in (OPENING, DURING))
    return {hold.fill: hold.energy_wh for one in records if one for hold in one.holds}


def _committed(seen: Seen, interval: int) -> tuple[Fill, ...]:
    commitment = seen.get(interval, Phase.COMMIT, Commitment)
    return (*commitment.fills, *commitment.crossed) if commitment else ()
