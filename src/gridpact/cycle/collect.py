"""Phase 1: signed orders come in; the acceptable ones are reserved for and sealed in a book."""

from collections.abc import Iterable

from gridpact.cycle.cover import Cover, disputed
from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Expected
from gridpact.cycle.result import Books
from gridpact.cycle.watch import BOOK_CLOSES, Span
from gridpact.identity.roster import Roster
from gridpact.ledger.ledger import Ledger
from gridpact.market.admission import Gate, Uncovered, admit, covered
from gridpact.market.caps import Pairs
from gridpact.market.choice import levies
from gridpact.market.draw import book_seed
from gridpact.model.interval import Key, Phase
from gridpact.model.order import SignedOrder, Tier
from gridpact.model.rating import CredibilityTerms
from gridpact.model.record import Book, Prices, Settlement
from gridpact.reputation.sanctions import shut_out


def collect(market: Market, interval: int, prices: Prices, expected: Expected) -> Books:
    """Admit the interval's orders on both chains and write the sealed books."""
    submitted = market.field.orders(interval)
    pairs = {tier: Pairs.of(prices, tier) for tier in (Tier.LOCAL, Tier.ZONAL)}

    def local() -> Book:
        return _book(market, market.local, market.region.id, interval, pairs, expected,
                     market.people, submitted.local)  # fmt: skip

    def zonal() -> Book:
        return _book(market, market.zonal, market.zone, interval, {Tier.ZONAL: pairs[Tier.ZONAL]},
                     expected, market.zonal_people, submitted.zonal)  # fmt: skip

    return Books(
        once(market.local, Key(market.region.id, interval, Phase.COLLECT), Book, local),
        once(market.zonal, Key(market.zone, interval, Phase.COLLECT), Book, zonal),
    )


def _book(
    market: Market,
    ledger: Ledger,
    region: bytes,
    interval: int,
    pairs: dict[Tier, Pairs],
    expected: Expected,
    people: Roster,
    submitted: Iterable[SignedOrder],
) -> Book:
    out = _fallen(market, ledger, people, interval)
    gate = Gate(
        domain=ledger.domain,
        region=region,
        interval=interval,
        participants=people.participants,
        suspended=people.suspended | out,
        pairs=pairs,
        demand_buses=frozenset(one.bus for one in market.participants),
        bid_limit={who: row.bid_wh for who, row in expected.allowance.items()},
        offer_limit={who: row.offer_wh for who, row in expected.allowance.items()},
        free={address: account.free for address, account in ledger.accounts().items()},
        by_merit=market.rules.market.by_merit,
        levies=levies(market.rules.market),
        barred=market.certificates.barred(interval),
        check=market.check,
        name=market.name,
        blocked=_blocked(market, interval),
        uncovered=_covered(market, ledger, region, interval),
    )
    accepted, refused = admit(submitted, gate, market.collector.sign)
    seed = book_seed([one.hash for one in accepted])
    return Book(seed, accepted, refused, _suspended(ledger, region, interval, out))


def _fallen(market: Market, ledger: Ledger, people: Roster, interval: int) -> frozenset[bytes]:
    """Return who broke its word and is believed too little to trade, by the credibility rule."""
    terms = market.rules.rating
    if not isinstance(terms, CredibilityTerms) or not terms.floor:
        return frozenset()
    return frozenset(
        one for one in people.participants if shut_out(ledger.standing(one), interval, terms)
    )


def _suspended(
    ledger: Ledger, region: bytes, interval: int, out: frozenset[bytes]
) -> tuple[bytes, ...]:
    """Return whom the chain suspends: those who are shut out and have not left by themselves."""
    if not out:
        return ()
    before = ledger.read(Key(region, interval - 1, Phase.COLLECT), Book) if interval else None
    known = before.suspended if before else ()
    return tuple(sorted(one for one in out if one in known or ledger.active(one)))


def _covered(market: Market, ledger: Ledger, region: bytes, interval: int) -> Uncovered:
    """Return how offers are held to what covers them; by other rules nothing is asked."""
    terms, window = market.rules.rating, market.rules.settlement.dispute_window
    if not isinstance(terms, CredibilityTerms):
        return covered
    open_wh = disputed(lambda key: ledger.read(key, Settlement), region, interval, window)
    cover = Cover(terms, market.timing, interval, ledger.standing, ledger.deposit, open_wh)
    return cover.problem


def _blocked(market: Market, interval: int) -> frozenset[bytes]:
    """Return whose own meters the sensors do not believe when the book closes."""
    if market.watch is None:
        return frozenset()
    return market.watch.blocked(Span.of(market.timing, interval).begins - BOOK_CLOSES)
