"""Do the records of a ledger tell a market that can have been? The inspector of `audit`.

Within each block: the record yields exactly the block's calls, its Merkle roots and digests among
them, and the contracts' events say what the record says (`audit_record`). Between blocks and
chains, once all are seen: energy to the watt-hour, money that crossed, anchors (`audit_zone`).
Each failure is `Corrupt` with chain, block and key.
"""

from gridpact.errors import Corrupt, GridpactError
from gridpact.ledger.audit.audit import AuditedBlock, View
from gridpact.ledger.audit.record import check_record
from gridpact.ledger.audit.seen import Seen
from gridpact.ledger.audit.zone import check_zones
from gridpact.ledger.ledger import Totals
from gridpact.ledger.onchain.abi import numbers, pack
from gridpact.ledger.onchain.calls import Calls
from gridpact.ledger.onchain.market_ledger import steps
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.interval import Phase
from gridpact.model.record import (
    Anchor,
    Book,
    Cleared,
    Commitment,
    Confirmed,
    Emptied,
    Finalised,
    Found,
    Meters,
    Prices,
    Rating,
    Record,
    Returned,
    Rotation,
    Settlement,
    Verdicts,
    content_hash,
    decode_any,
    encode,
)

_KINDS: dict[Phase, tuple[type[Record], ...]] = {
    Phase.FOUND: (Found, Rotation, Emptied),
    Phase.COLLECT: (Book,),
    Phase.PRICE: (Prices,),
    Phase.CLEAR: (Cleared,),
    Phase.COMMIT: (Commitment, Confirmed, Returned),
    Phase.DELIVER: (Meters, Verdicts),
    Phase.SETTLE: (Settlement, Confirmed, Finalised),
    Phase.RATE: (Rating,),
    Phase.SEAL: (Anchor,),
}


LEAVING, LEFT = 4, 5
"""What the registry says of who left: it may not order; and its deposit went back."""


class MarketAudit:
    """Checks what blocks mean to the market (`audit.Inspector`); `chains` is what it saw."""

    def __init__(self) -> None:
        self.chains: dict[str, Seen] = {}

    def block(self, block: AuditedBlock, view: View) -> None:
        place = f"{block.chain.name} block {block.number} ({block.key})"
        if block.key.phase is Phase.PUBLIC:
            # no record decided it: the contracts judged each sender, the money must still add up
            if block.chain.name in self.chains:
                _money(place, view, self.chains[block.chain.name])
            return
        record = _record(place, block)
        seen = self._seen(place, block, record)
        _follows(place, block, record, seen)
        check_record(place, block, record, seen)
        if isinstance(record, Emptied):
            _emptied(place, record, view, seen)
        _money(place, view, seen)
        seen.add(block, record)

    def finish(self) -> None:
        check_zones(self.chains)

    def _seen(self, place: str, block: AuditedBlock, record: Record) -> Seen:
        name = block.chain.name
        if name in self.chains:
            seen = self.chains[name]
            if block.key.region != seen.found.region:
                raise Corrupt(place, "key: of another region than the chain's")
            return seen
        if not isinstance(record, Found):
            raise Corrupt(place, "body: a chain begins with its founding")
        if record.chain != name or record.region != block.key.region:
            raise Corrupt(place, "body: the founding of another chain")
        suite, chain = Suite(block.chain.operator), block.chain
        domain = suite.domain(chain.chain_id)
        self.chains[name] = Seen(name, suite, domain, record, chain.blocks)
        return self.chains[name]


def _record(place: str, block: AuditedBlock) -> Record:
    try:
        record = decode_any(block.body)
    except ValueError as error:
        raise Corrupt(place, f"body: no record: {error}") from error
    if encode(record) != block.body:
        raise Corrupt(place, "body: not in canonical form")
    if not isinstance(record, _KINDS[block.key.phase]):
        raise Corrupt(place, f"body: a {type(record).__name__} is no content of this phase")
    return record


def _follows(place: str, block: AuditedBlock, record: Record, seen: Seen) -> None:
    """Check that the block's calls and steps are those that its record yields."""
    calls = Calls(seen.suite, seen.books)
    try:
        expected = calls.of(block.key, record, content_hash(block.body))
    except (GridpactError, ValueError, OverflowError) as error:
        raise Corrupt(place, f"body: yields no calls: {error}") from error
    for n, (there, due) in enumerate(zip(block.calls, expected, strict=False)):
        if (there.to, there.data) != (due.to, due.data):
            raise Corrupt(place, f"transaction {n}: not the {due.label} that the record yields")
    if len(block.calls) != len(expected):
        problem = f"{len(block.calls)} transactions, the record yields {len(expected)}"
        raise Corrupt(place, problem)
    if block.steps != steps(record):
        raise Corrupt(place, "outbox: not the steps that the record takes")


def _emptied(place: str, emptied: Emptied, view: View, seen: Seen) -> None:
    """Check that nothing was free any more under closed addresses, and that they were leaving."""
    for account in emptied.accounts:
        free = numbers(view(seen.suite.call("vault", "account", pack(account))))[0]
        if free:
            raise Corrupt(place, f"accounts: {free} still free of 0x{account.hex()}")
        state = numbers(view(seen.suite.call("registry", "status", pack(account))))[0] & 255
        if state not in (LEAVING, LEFT):
            raise Corrupt(place, f"accounts: 0x{account.hex()} is not leaving")


def _money(place: str, view: View, seen: Seen) -> None:
    totals = Totals(*numbers(view(seen.suite.call("vault", "totals"))))
    if not totals.holds:
        raise Corrupt(place, f"money: {totals} does not add up")
