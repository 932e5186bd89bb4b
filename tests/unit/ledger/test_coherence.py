"""A record whose own numbers do not fit together is refused before any chain is asked."""

import pytest
from msgspec.structs import replace
from tests.unit.ledger.market_case import Round, found_local

from gridpact.crypto.eip712 import Domain
from gridpact.errors import Disagreement, Reverted
from gridpact.ledger.coherence import require_coherent
from gridpact.ledger.memory.ledger import MemoryLedger
from gridpact.model.challenge import ChallengeTerms
from gridpact.model.net import NetTerms
from gridpact.model.record import Book, Commitment, Crossing, Settlement

MARKET = Round(MemoryLedger("local"), MemoryLedger("zonal"), plant_wh=500)
OUT, HOME = MARKET.out, MARKET.home
FOUND = found_local("local", Domain(1, bytes(20)))


def _commitment() -> Commitment:
    return Commitment(MARKET.local_fills, MARKET.crossed, departed=OUT)


def test_records_of_a_true_market_are_coherent() -> None:
    require_coherent("local", MARKET.book)
    require_coherent("local", _commitment())
    require_coherent("zonal", MARKET.zonal_settlement)
    require_coherent("local", MARKET.local_settlement)


def test_a_bond_outlasts_every_proof() -> None:
    for terms, least in (
        ({"net": NetTerms(window=6, answer=2, proving=1, notice=17)}, 18),
        ({"net": NetTerms(notice=7)}, 8),
        ({"challenge": ChallengeTerms(anchor_window=13)}, 26),
    ):
        with pytest.raises(Reverted, match=f"{least} are needed"):
            require_coherent("local", replace(FOUND, **terms))


def test_an_offer_reserves_nothing() -> None:
    offer = replace(MARKET.plants.orders[0], reserved=1)
    with pytest.raises(Reverted, match="an offer reserves nothing"):
        require_coherent("zonal", Book(b"", (offer,), ()))


def test_a_bid_reserves_its_price_and_charge_at_least() -> None:
    bid = replace(MARKET.book.orders[0], reserved=519_999)
    with pytest.raises(Reverted, match="519999 reserved of 520000"):
        require_coherent("local", Book(b"", (bid,), ()))


@pytest.mark.parametrize("amount", [0, OUT.amount - 1, OUT.amount + 1])
def test_a_crossing_carries_the_locks_of_its_fills(amount: int) -> None:
    with pytest.raises(Disagreement):
        require_coherent("local", replace(_commitment(), departed=replace(OUT, amount=amount)))


def test_fills_do_not_cross_without_a_crossing() -> None:
    with pytest.raises(Disagreement):
        require_coherent("local", replace(_commitment(), departed=None))


def test_money_arrives_for_the_regions_bid_only() -> None:
    with pytest.raises(Reverted, match="arrives for the region's bid"):
        require_coherent("zonal", Commitment(MARKET.zonal_fills, arrived=OUT))


def test_a_crossing_leaves_its_source_and_arrives_at_its_target() -> None:
    with pytest.raises(Reverted, match="cannot leave here"):
        require_coherent("zonal", _commitment())
    with pytest.raises(Reverted, match="cannot arrive here"):
        require_coherent("zonal", MARKET.local_settlement)


def test_fills_deliveries_and_statements_belong_together() -> None:
    right = MARKET.local_settlement
    with pytest.raises(Disagreement):
        require_coherent("local", replace(right, statements=right.statements[:1]))
    with pytest.raises(Reverted, match="of two fills"):
        require_coherent("local", replace(right, statements=right.statements[::-1]))


@pytest.mark.parametrize("home", [None, replace(HOME, amount=HOME.amount + 1)])
def test_refunds_are_what_came_home(home: Crossing | None) -> None:
    with pytest.raises(Disagreement):
        require_coherent("local", replace(MARKET.local_settlement, arrived=home))


def test_a_region_sends_home_what_its_fills_left() -> None:
    right: Settlement = MARKET.zonal_settlement
    with pytest.raises(Disagreement):
        require_coherent("zonal", replace(right, departed=replace(HOME, amount=1)))


def test_a_bid_of_the_region_needs_money_unless_its_fills_cost_nothing() -> None:
    priced, bid = MARKET.zonal_fills, MARKET.region_bid
    free = tuple(replace(fill, price=0, charge=0) for fill in priced)
    require_coherent("zonal", Commitment(free, bid=bid))
    with pytest.raises(Disagreement):
        require_coherent("zonal", Commitment(priced, bid=bid))
