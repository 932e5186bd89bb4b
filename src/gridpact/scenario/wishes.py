"""What local orders ask beyond energy and price, row by row: [[wish]] of a scenario.

A row is for one participant, for a class (`kind`), or for all; of the rows that fit a participant
the last one counts, as a whole. Sources are words; each becomes a bit in the order of the words.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gridpact.model.market import MarketTerms
from gridpact.prosumer.devices import Plant, Site
from gridpact.prosumer.wishes import Window, Wish
from gridpact.quantities import PPM
from gridpact.scenario.table import Table

MOST_SOURCES = 31
MOST_ZONES = 2**31 - 1


def wished(
    rows: Sequence[Table],
    sites: tuple[Site, ...],
    plants: Sequence[Plant],
    market: MarketTerms,
    intervals: Callable[[float, float], Window],
) -> tuple[Site, ...]:
    """Return the sites with their wishes.

    Parameters
    ----------
    market
        In merit order the chain judges rank, for which offers are divisible.
    intervals
        Hours of the day as intervals [start, end) of the horizon.

    Raises
    ------
    ScenarioError
        A row that fits nobody, is for a plant (the zonal tier takes no wishes), or asks what the
        mechanism cannot keep.
    """
    bits = _bits(rows)
    names = {site.name for site in sites}
    for row in rows:
        fits = _whom(row, sites, plants)
        wish = _wish(row, bits, names, market, intervals)
        least = _least(row)
        row.finish()
        sites = tuple(_wishing(site, wish, least) if fits(site) else site for site in sites)
    return sites


def _wishing(site: Site, wish: Wish, least: int | None) -> Site:
    kept = site.min_reputation if least is None else least
    own = replace(wish, partner="") if wish.partner == site.name else wish
    return replace(site, wish=own, min_reputation=kept)


def _whom(row: Table, sites: Sequence[Site], plants: Sequence[Plant]) -> Callable[[Site], bool]:
    """Return which sites a row is for."""
    name, kind = row.text("participant", ""), row.text("kind", "")
    if name and kind:
        raise row.error("kind", "expected either participant or kind, or neither for all")
    if name in {plant.name for plant in plants}:
        problem = f"{name!r} is a plant: wishes are for orders of the local tier"
        raise row.error("participant", f"{problem}, a plant offers on the zonal one")
    if name and name not in {site.name for site in sites}:
        raise row.error("participant", f"there is no participant {name!r}")
    kinds = sorted({site.kind for site in sites})
    if kind and kind not in kinds:
        raise row.error("kind", f"there is no participant of kind {kind!r}, only {kinds}")
    return lambda site: (not name or site.name == name) and (not kind or site.kind == kind)


def _wish(
    row: Table,
    bits: dict[str, int],
    names: set[str],
    market: MarketTerms,
    intervals: Callable[[float, float], Window],
) -> Wish:
    partner, source = row.text("partner", ""), row.text("source", "")
    if partner and partner not in names:
        raise row.error("partner", f"there is no participant {partner!r}")
    divisible = row.flag("offer_all_or_nothing", False)
    if divisible and market.by_merit:
        raise row.error("offer_all_or_nothing", "in merit order an offer is divisible")
    return Wish(
        all_or_nothing=row.flag("all_or_nothing", False),
        needs=_window(row, "needs_h", intervals),
        accepts=sum({bits[word] for word in row.texts("accepts")}),
        offer_all_or_nothing=divisible,
        stands=_window(row, "stands_h", intervals),
        source=bits[source] if source else 0,
        partner=partner,
        zone=row.whole("zone", 0, high=MOST_ZONES),
    )


def _window(row: Table, key: str, intervals: Callable[[float, float], Window]) -> Window:
    if not row.has(key):
        return 0, 0
    window = intervals(*row.pair(key, (0.0, 24.0), high=24.0))
    if window[0] >= window[1]:
        raise row.error(key, "holds no interval of the horizon")
    return window


def _least(row: Table) -> int | None:
    if not row.has("min_reputation_share"):
        return None
    return round(PPM * row.number("min_reputation_share", high=1.0))


def _bits(rows: Sequence[Table]) -> dict[str, int]:
    """Return a bit for every source that is named, in the order of the words."""
    words = {word for row in rows for word in row.texts("accepts")}
    words |= {row.text("source", "") for row in rows} - {""}
    if len(words) > MOST_SOURCES:
        raise rows[0].error("source", f"{len(words)} sources are named, at most {MOST_SOURCES}")
    return {word: 1 << place for place, word in enumerate(sorted(words))}
