"""Attacks that cannot be refused, for each step is allowed: what do they gain, what do they cost?

A pair that trades with itself to be believed, and somebody who comes back under another name.
"""

import pytest
from tests.attacks.town import CAP, DUE, LEVY, RICH, SECURED, V0, VOLUME, Town, device
from tests.unit.identity.authorities import BEGINS, HOUR

from gridpact.errors import Misplaced, Overexposed
from gridpact.reputation import sanctions


def test_trust_is_a_fifth_of_the_energy_that_meters_prove(town: Town) -> None:
    """A pair that really delivers to itself wins exposure of at most one Wh for five delivered."""
    for _ in range(4):
        town.go_to(1)
        town.trade()
    exposure = town.desk.standings.exposure(device("sue").address, DUE)
    assert 0 < exposure <= 4 * VOLUME // 5
    assert RICH - town.free("ann") - town.free("sue") == 4 * LEVY == sum(town.tills())


def test_sham_trades_on_paper_win_nothing(town: Town) -> None:
    """The pair confirms to itself what no meter saw: nobody is believed, the charge is lost."""
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.confirm(voucher)
    town.rate()
    assert town.credit("ann") == town.credit("sue") == 0
    assert town.desk.standings.exposure(device("sue").address, DUE) == 0
    assert device("sue").address in town.desk.standings.blacklist
    assert town.free("ann") + town.free("sue") == RICH - LEVY
    assert sum(town.tills()) == LEVY


def test_splitting_sham_trades_wins_no_more_than_one_big_one(town: Town) -> None:
    town.offer("sue", volume=VOLUME)
    town.offer("sol", volume=VOLUME)
    for seller, buyer, parts in (("sue", "ann", (VOLUME,)), ("sol", "ben", (1_000, 1_000, 1_001))):
        for part in parts:
            voucher = town.sold(buyer, seller, part)
            now, town.now = town.now, BEGINS + DUE * HOUR
            town.publish()
            town.bill(voucher, part, seller)
            town.confirm(voucher, part, buyer)
            town.now = now
            town.publish()
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME), ben=(VOLUME, 0), sol=(0, VOLUME))
    standings = town.desk.standings
    sue, sol = (standings.of(device(name).address, DUE) for name in ("sue", "sol"))
    assert sue == sol


def test_rating_waits_for_every_purchase_and_every_meter(town: Town) -> None:
    town.offer()
    voucher = town.sold()
    with pytest.raises(Misplaced, match="is open"):
        town.rate()
    town.bill(voucher)
    town.confirm(voucher)
    with pytest.raises(Misplaced, match="no reading of"):
        town.desk.settling.rate(DUE, {})
    town.rate(ann=(VOLUME, 0), sue=(0, VOLUME))
    assert town.credit("sue") > 0


def test_whitewashing_a_new_certificate_keeps_the_deposit_and_starts_at_zero(town: Town) -> None:
    """A new name is a newcomer: what it may sell beyond its deposit is nothing."""
    sue = device("sue").address
    for _ in range(3):
        town.go_to(1)
        town.trade()
    old = town.desk.standings.exposure(sue, DUE)
    fresh = town.desk.standings.exposure(device("sol").address, DUE)
    assert old > fresh == 0
    most = SECURED * 1_000 // CAP
    with pytest.raises(Overexposed):
        town.offer("sol", volume=most + 1)
    # and the old name's deposit stays where it is while it is suspended
    town.desk.standings.banned[sue] = DUE
    assert town.desk.ledger.deposit(sue) == SECURED


def test_away_and_back_under_the_same_name_starts_at_zero_with_its_past(town: Town) -> None:
    sue = device("sue").address
    standings = town.desk.standings
    standings.rate(sue, DUE, 0, VOLUME)
    assert sue in standings.blacklist
    later = DUE + town.terms.sanctions.away
    back = standings.review(sue, later)
    assert (back.points, back.broken) == (0, 1)
    assert sanctions.exposure(back, V0, town.terms.credibility) == 0
    town.now = BEGINS + later * HOUR
    assert town.credit("sue") == 0
