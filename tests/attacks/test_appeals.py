"""Who was rated by a wrong reading appeals with its meter's own word; nobody else's word counts."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.attacks.town import DUE, VOLUME, Town, device
from tests.unit.identity.authorities import HOUR

from gridpact.errors import ForgedSignature, Misplaced, Misstated
from gridpact.identity.messages import Appeal


def wronged(town: Town) -> None:
    """Let Sue deliver, and let the operator rate her by a reading of nothing."""
    town.offer()
    voucher = town.sold()
    town.bill(voucher)
    town.confirm(voucher)
    town.rate(ann=(VOLUME, 0))
    assert town.desk.standings.blacklist == {device("sue").address}


def appeal(town: Town, **changes: Any) -> Appeal:
    profile, signature = town.profile("sue", 0, VOLUME)
    return Appeal(replace(profile, **changes), signature)


def test_meter_s_own_word_lifts_a_wrong_rating(town: Town) -> None:
    wronged(town)
    town.desk.settling.appeal(town.hear(town.say("sue", appeal(town))), town.now)
    assert town.desk.requests.notice().blacklist == ()
    assert town.credit("sue") > 0
    standing = town.desk.standings.of(device("sue").address, DUE)
    assert (standing.kept, standing.broken) == (1, 0)


def test_later_ratings_stand_on_the_new_one(town: Town) -> None:
    wronged(town)
    sue, sol = device("sue").address, device("sol").address
    standings = town.desk.standings
    standings.rate(sol, DUE, VOLUME, 0)
    for one in (sue, sol):
        standings.rate(one, DUE + 5, 2_000, 0)
        standings.rate(one, DUE + 9, 1_000, 700)
    town.desk.settling.appeal(town.hear(town.say("sue", appeal(town))), town.now)
    assert standings.of(sue, DUE + 9) == standings.of(sol, DUE + 9)
    assert (sue in standings.blacklist) == (sol in standings.blacklist)


@pytest.mark.parametrize("lie", [{"export_wh": 5_000}, {"import_wh": 501}, {"export_before": 0}])
def test_word_that_the_meter_did_not_sign_counts_nothing(town: Town, lie: dict[str, int]) -> None:
    wronged(town)
    with pytest.raises(ForgedSignature, match="reading of the appeal"):
        town.desk.settling.appeal(town.hear(town.say("sue", appeal(town, **lie))), town.now)
    assert town.desk.standings.blacklist


def test_appeal_of_another_interval_meter_or_time_is_refused(town: Town) -> None:
    wronged(town)
    with pytest.raises(Misplaced, match="no rating of interval 9"):
        town.desk.settling.appeal(town.hear(town.say("sue", appeal(town, interval=9))), town.now)
    with pytest.raises(Misplaced, match="no rating of interval"):
        town.desk.settling.appeal(town.hear(town.say("ben", appeal(town))), town.now)
    with pytest.raises(Misstated, match="meter of the appeal"):
        town.desk.settling.appeal(town.hear(town.say("ann", appeal(town))), town.now)
    heard = town.hear(town.say("sue", appeal(town)))
    town.now += HOUR * (town.terms.appeal + 1)
    with pytest.raises(Misplaced, match="of the last 168 intervals"):
        town.desk.settling.appeal(heard, town.now)
