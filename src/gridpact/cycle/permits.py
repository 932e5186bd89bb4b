"""Before a trade flows, and while it does: the sensors' word on the ledgers (phase 6).

Part 1 of the phase is written before delivery: a trade that is blocked then does not begin. Part 2
is written when the interval is over and before its meters are read: a trade that was stopped half
way is paid for what arrived, the rest is held. So nobody invents a hold for what a meter shows.
What is held is owed by nobody: the buyer's money goes back, no reputation moves (5-decisions,
section 8).

The operator posts; that the sensors said so, the council finds out for itself before it signs a
hold (`cycle.rejudged`), and without its word no contract keeps one. Against a verdict the operator
can let a trade flow, by its signature on record; it can hold none of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gridpact.crypto.eip712 import Domain
from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.cycle.result import Reads, read
from gridpact.cycle.watch import Go, Sealed, Span, Watch, decide
from gridpact.ledger.ledger import Ledger
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Tier
from gridpact.model.record import Cleared, Commitment, Verdicts
from gridpact.model.trade import Fill
from gridpact.model.watch import Hold, Released, release_digest
from gridpact.quantities import Wh
from gridpact.safety.verdict import Permit

OPENING, DURING = 1, 2
"""Parts of the phase; its part 0 are the meters."""


class Decided(NamedTuple):
    """What the sensors saw up to a moment, which fills they stop and which flow all the same."""

    sealed: Sealed
    holds: tuple[Hold, ...]
    go: tuple[Go, ...]


def opening(market: Market, interval: int, cleared: Cleared) -> tuple[Verdicts, ...]:
    """Ask for the permits with which delivery begins; nothing where nobody watches."""
    if market.watch is None:
        return ()
    begins = Span.of(market.timing, interval).begins
    return (_written(market, market.watch, interval, OPENING, cleared, cleared.fills, [begins]),)


def during(
    market: Market, interval: int, cleared: Cleared, opened: tuple[Verdicts, ...]
) -> tuple[Verdicts, ...]:
    """Ask again every quarter of an hour for the trades that flow."""
    if market.watch is None:
        return ()
    quarters = Span.of(market.timing, interval).quarters
    fills = flowing(cleared.fills, opened)
    return (*opened, _written(market, market.watch, interval, DURING, cleared, fills, quarters))


def flowing(fills: Sequence[Fill], said: Sequence[Verdicts]) -> tuple[Fill, ...]:
    """Return the fills that were not held."""
    stopped = held(said)
    return tuple(fill for fill in fills if fill.hash not in stopped)


def held(said: Sequence[Verdicts]) -> dict[bytes, Wh]:
    """Return how much of each fill is held."""
    return {hold.fill: hold.energy_wh for one in said for hold in one.holds}


def decided(
    watch: Watch,
    span: Span,
    fills: Sequence[Fill],
    moments: Sequence[int],
    allow: Callable[[Fill, Permit], str | None],
) -> Decided:
    """Return what comes of some moments of an interval."""
    holds, go = decide(watch, fills, span, moments, allow)
    return Decided(watch.seal(), holds, go)


def recorded(
    made: Decided,
    names: Mapping[bytes, bytes],
    signed: Callable[[bytes, str], bytes],
) -> Verdicts:
    """Return what stands on a chain of a decision: of the fills that have a name there."""
    return Verdicts(
        until=made.sealed.until,
        root=made.sealed.root,
        rows=made.sealed.rows,
        log=made.sealed.log,
        holds=tuple(
            Hold(names[one.fill], one.energy_wh, one.since, one.cause, one.target)
            for one in made.holds
            if one.fill in names
        ),
        released=tuple(
            Released(names[one.fill], one.reason, signed(names[one.fill], one.reason))
            for one in made.go
            if one.fill in names
        ),
    )


def zonal_names(
    zonal: Reads, zone: bytes, interval: int, fills: Sequence[Fill]
) -> dict[bytes, bytes]:
    """Return the names that participants' zonal fills have on the zonal chain, by their own."""
    own = [fill.hash for fill in fills if fill.tier is Tier.ZONAL]
    if not own:
        return {}
    there = read(zonal, zone, interval, Phase.COMMIT, Commitment)
    return dict(zip(own, (fill.hash for fill in there.fills), strict=True))


def committed(
    local: Reads, zonal: Reads, region: bytes, zone: bytes, interval: int
) -> tuple[Fill, ...]:
    """Return the fills that are committed, by participants' own names: local ones, then zonal."""
    here = read(local, region, interval, Phase.COMMIT, Commitment)
    there = read(zonal, zone, interval, Phase.COMMIT, Commitment)
    return (*here.fills, *(() if there.refused is not None else here.crossed))


def _written(
    market: Market,
    watch: Watch,
    interval: int,
    part: int,
    cleared: Cleared,
    fills: Sequence[Fill],
    moments: Sequence[int],
) -> Verdicts:
    def allow(_fill: Fill, permit: Permit) -> str | None:
        return watch.released(permit)

    # the sensors see every moment also where its record is written already
    made = decided(watch, Span.of(market.timing, interval), fills, moments, allow)
    names = {fill.hash: fill.hash for fill in cleared.fills}
    there = zonal_names(market.zonal, market.zone, interval, cleared.fills)

    def on(ledger: Ledger, region: bytes, named: Mapping[bytes, bytes]) -> Verdicts:
        key = Key(region, interval, Phase.DELIVER, part)
        signed = _signing(watch, ledger.domain, region, interval)

        def said() -> Verdicts:
            record = recorded(made, named, signed)
            return market.council.behind(ledger, key, record) if record.holds else record

        return once(ledger, key, Verdicts, said)

    here = on(market.local, market.region.id, names)
    on(market.zonal, market.zone, there)
    return here


def _signing(
    watch: Watch, domain: Domain, region: bytes, interval: int
) -> Callable[[bytes, str], bytes]:
    def signed(fill: bytes, reason: str) -> bytes:
        if watch.sign is None:
            return b""
        return watch.sign(release_digest(domain, region, interval, fill, reason))

    return signed
