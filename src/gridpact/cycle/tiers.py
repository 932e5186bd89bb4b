"""Phase 4: the tiers local, zonal, grid, each given what the last left unmet; the wires bind.

Unsold energy flows all the same (grid supply takes it at the feed-in tariff), so contracts decide
who is paid and who is cut first, but not how much flows: the check is made once, and energy that
it takes from a trade is offered again to plants that keep room within their limits.
"""

from collections.abc import Mapping, Sequence

from gridpact.cycle.market import Market
from gridpact.cycle.phase import once
from gridpact.cycle.ports import Expected
from gridpact.cycle.result import Books
from gridpact.cycle.wires import checked, while_clearing
from gridpact.ledger.ledger import Ledger
from gridpact.market import zonal
from gridpact.market.caps import Pairs
from gridpact.market.choice import asking, chosen, concession, pricing
from gridpact.market.clearing import verify, verify_unmet
from gridpact.market.cuts import AfterCheck
from gridpact.market.local_book import LocalBook, local_book
from gridpact.market.talks import check, talks
from gridpact.market.unmet import unmet, zonal_wanted
from gridpact.model.grid_check import GridVerdict
from gridpact.model.interval import Key, Phase
from gridpact.model.order import Accepted, Tier
from gridpact.model.proposal import Talk
from gridpact.model.record import Book, Cleared, Prices, SetPoint
from gridpact.model.trade import Fill
from gridpact.quantities import Score, Wh


def clear(
    market: Market, interval: int, prices: Prices, books: Books, expected: Expected
) -> Cleared:
    """Decide who trades with whom, within what the wires carry, and post it on both chains."""
    local = once(
        market.local,
        Key(market.region.id, interval, Phase.CLEAR),
        Cleared,
        lambda: _decide(market, interval, prices, books, expected),
    )
    plants = set(market.plants)

    def zonal_part() -> Cleared:
        return Cleared(
            fills=tuple(fill for fill in local.fills if fill.tier is Tier.ZONAL),
            unmet=(),
            cuts=tuple(cut for cut in local.cuts if cut.participant in plants),
            limits=tuple(limit for limit in local.limits if limit.participant in plants),
            refusals=tuple(one for one in local.refusals if one.participant in plants),
            binding=local.binding,
            scores=_stood(market.zonal, books.zonal),
        )

    once(market.zonal, Key(market.zone, interval, Phase.CLEAR), Cleared, zonal_part)
    return local


def _decide(
    market: Market, interval: int, prices: Prices, books: Books, expected: Expected
) -> Cleared:
    tiers = _Tiers(market, interval, prices, books, expected)
    fills = tiers.fills()
    verdict, after = checked(market, interval, books, expected, tiers.scores, fills, prices)
    again = tiers.second_round(after, verdict)
    kept = (*after.fills, *again)
    orders = (*books.local.orders, *books.zonal.orders)
    priced = pricing(market.rules.market)
    verify(orders, kept, tiers.pairs, tiers.buses, tiers.scores, priced)
    open_ = unmet(books.local.orders, kept)
    verify_unmet(books.local.orders, kept, open_)
    return Cleared(
        fills=kept,
        unmet=open_,
        cuts=after.cuts,
        limits=after.limits,
        refusals=after.refusals,
        binding=(*verdict.binding, *verdict.conflicts),
        reactive=tuple(
            SetPoint(who, var) for who, var in sorted(verdict.reactive_var.items()) if var
        ),
        scores=_stood(market.local, books.local),
        wires=tuple(tiers.wires.answers),
        talks=tiers.talks,
    )


class _Tiers:
    """The market tiers of one interval over the same books."""

    def __init__(
        self, market: Market, interval: int, prices: Prices, books: Books, expected: Expected
    ) -> None:
        self.market = market
        self.talks: tuple[Talk, ...] = ()
        self.books = books
        self.buses = market.buses
        self.pairs = {tier: Pairs.of(prices, tier) for tier in (Tier.LOCAL, Tier.ZONAL)}
        self.scores = _scores(market, books)
        self.wires = while_clearing(market, interval, books, expected, self.scores, prices)
        self.mechanism = asking(chosen(market.rules.market).match, self.wires)
        self.terms = zonal.ZonalTerms(
            windows={who: facts.window for who, facts in market.plants.items()},
            loss_price=prices.retail - prices.network_share,
            marginal_loss=market.day_ahead(interval).marginal_loss,
            splitting=market.rules.splitting,
        )

    def fills(self) -> tuple[Fill, ...]:
        """Return the fills of the local tier, then those of the zonal tier."""
        book = self.books.local
        named = local_book(book.orders, self.pairs[Tier.LOCAL], self.buses, self.scores, book.seed)
        local = named.fills(self.mechanism(named.book))
        self.talks = self._talks(named, local)
        wanted = zonal_wanted(book.orders, local)
        return (*local, *self._zonal(self.books.zonal.orders, wanted))

    def _talks(self, named: LocalBook, fills: Sequence[Fill]) -> tuple[Talk, ...]:
        """Let the devices behind each fill say so, word by word, where they negotiate."""
        terms, device = concession(self.market.rules.market), self.market.device
        if terms is None or device is None:
            return ()
        said = talks(named, fills, terms, self.market.local.domain, device)
        check(said, named, fills, terms, self.market.local.domain)
        return said

    def second_round(self, after: AfterCheck, verdict: GridVerdict) -> tuple[Fill, ...]:
        """Return zonal fills for what the wires cut, from plants that the wires did not cut."""
        if not after.refusals or verdict.conflicts:
            return ()
        cut = {one.participant for one in after.cuts}
        offers = [one for one in self.books.zonal.orders if one.order.participant not in cut]
        wanted = zonal_wanted(self.books.local.orders, after.fills)
        kept = [fill for fill in after.fills if fill.tier is Tier.ZONAL]
        return self._zonal(offers, wanted, kept)

    def _zonal(
        self, offers: Sequence[Accepted], wanted: Mapping[bytes, Wh], kept: Sequence[Fill] = ()
    ) -> tuple[Fill, ...]:
        return zonal.clear(
            self.books.local.orders,
            offers,
            wanted,
            self.pairs[Tier.ZONAL],
            self.buses,
            self.scores,
            self.books.local.seed,
            self.terms,
            kept,
        )


def _scores(market: Market, books: Books) -> dict[bytes, Score]:
    scores = {one.order.participant: market.local.score(one.order.participant)
              for one in books.local.orders}  # fmt: skip
    scores |= {one.order.participant: market.zonal.score(one.order.participant)
               for one in books.zonal.orders}  # fmt: skip
    return scores


def _stood(ledger: Ledger, book: Book) -> tuple[Score, ...]:
    """Return the reputations by which a book is cleared, one per order."""
    return tuple(ledger.score(one.order.participant) for one in book.orders)
