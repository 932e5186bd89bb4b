"""Are the parts of net settlement those that their records come to, and closed in their time?

The contracts judged quorum, locks, clearing and sums when the part was executed again. Here every
list of a part is built anew from fills, deliveries, statements and readings, so that what moved
money is what the records say; statements themselves are judged where the rule is at hand.
"""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from gridpact.errors import Corrupt, LedgerError, SettlementError
from gridpact.ledger.audit.seen import Seen
from gridpact.ledger.onchain import netting
from gridpact.ledger.proving import net, recorded
from gridpact.ledger.proving.part import Part
from gridpact.ledger.proving.steps import locked, stated
from gridpact.model.council import Word
from gridpact.model.interval import Key, Phase
from gridpact.model.net import NetPart
from gridpact.model.participant import Named
from gridpact.model.record import Commitment, Finalised, Settlement

CLOSED = 4
"""The part of a settlement that closes earlier intervals' parts."""


def check_locks(place: str, key: Key, commitment: Commitment, seen: Seen) -> None:
    """Check that local fills are settled net where the market is, with their own locks."""
    said = commitment.net
    if said is None:
        if seen.found.net.on and not seen.is_zone and commitment.fills:
            raise Corrupt(place, "net: fills are committed one by one")
        return
    if not seen.found.net.on or seen.is_zone:
        raise Corrupt(place, "net: the chain was founded to settle fill by fill")
    rewards, claims = recorded.set_aside(said)
    reserved = {Named.REWARD.address: rewards, Named.NETWORK_LOSS.address: claims}
    for fill in commitment.fills:
        reserved[fill.buyer] = reserved.get(fill.buyer, 0) + fill.lock
    try:
        rows = net.locks(commitment.fills, reserved, rewards, claims)
    except LedgerError as error:
        raise Corrupt(place, f"net: {error}") from error
    due = locked(recorded.before_delivery(key, said.clearing, rows, len(commitment.fills)))
    if due.rows != said.rows:
        raise Corrupt(place, "net: other locks than its fills'")


def check_part(place: str, key: Key, settlement: Settlement, seen: Seen) -> None:
    """Check that a settlement's part is built of its own statements and readings."""
    if key.part:
        due = None
    else:
        committed = seen.get(key.interval, Phase.COMMIT, Commitment)
        if committed is None:
            raise Corrupt(place, "net: settled before it was committed")
        due = committed.net
        if due is not None and settlement.fills != committed.fills:
            raise Corrupt(place, "net: other fills than were committed")
    if (due is None) != (settlement.net is None):
        raise Corrupt(place, "net: a part without locks, or locks without a part")
    if settlement.net is not None:
        _same(place, partial(recorded.posted, seen, key, settlement), settlement.net)


def check_closed(place: str, key: Key, final: Finalised, seen: Seen) -> None:
    """Check that the parts due with an interval are closed, with what they held and their sellers.

    What was held goes on in a part of its own; each seller is rated by what the parts say.
    """
    due = recorded.final_parts(seen, key, seen.found.net)
    if key.part != CLOSED or not due or final.parts != due:
        raise Corrupt(place, "parts: not those whose window is over")
    sold = [row for part in final.parts for row in netting.sold(part.net)]
    if sold != [(row.participant, row.agreed_wh, row.sent_wh) for row in final.rated]:
        raise Corrupt(place, "rated: not the sellers of these parts")
    first, after = final.parts[0], final.held
    at = Key(key.region, first.interval, Phase.SETTLE)
    settled = recorded.required(seen, at, Phase.SETTLE, Settlement)
    fills, deliveries = recorded.held(settled) if first.number == 0 else ((), ())
    if after is None:
        if fills:
            raise Corrupt(place, "held: what was in dispute is not settled")
        return
    undisputed = tuple(replace(made, disputed=False) for made in deliveries)
    if not fills or (after.fills, after.deliveries) != (fills, undisputed) or after.net is None:
        raise Corrupt(place, "held: not the disputed fills as their readings prove them")
    if after != Settlement(fills, undisputed, after.statements, (), net=after.net):
        raise Corrupt(place, "held: a dispute's end moves no energy")
    if tuple(one.fill for one in after.statements) != tuple(fill.hash for fill in fills):
        raise Corrupt(place, "held: statements of other fills")
    _same(place, partial(recorded.followed, seen, at, settled, after), after.net)


def require_closed(place: str, key: Key, seen: Seen) -> None:
    """Check that no part stays open beyond its window: the interval's ratings come after."""
    at = replace(key, phase=Phase.SETTLE, part=CLOSED)
    due = key.part == 0 and recorded.final_parts(seen, at, seen.found.net)
    if due and seen.read(at, Finalised) is None:
        raise Corrupt(place, "parts: not closed when their window was over")


def _same(place: str, built: Callable[[], Part], said: NetPart) -> None:
    try:
        own = stated(built())
    except (LedgerError, SettlementError) as error:
        raise Corrupt(place, f"net: {error}") from error
    if replace(said, word=Word()) != own:
        raise Corrupt(place, "net: not the part that its statements and readings come to")
