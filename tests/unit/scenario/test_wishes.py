"""[[wish]]: who asks what of an order, and what is refused with its place."""

import pytest
from tests.unit.scenario.texts import SMALL, write

from gridpact.errors import ScenarioError
from gridpact.model.attributes import NOBODY, PLAIN, Attributes
from gridpact.model.order import Side
from gridpact.prosumer.wishes import NO_WISH, Wish
from gridpact.scenario.digest import digest
from gridpact.scenario.reader import load


def wished(folder, rows, mechanism="uniform_price"):
    market = f'\n[market]\nmechanism = "{mechanism}"\n'
    scenario = load(write(folder, SMALL + market + rows))
    return {site.name: site for site in scenario.sites}, scenario


def test_the_last_row_that_fits_counts(tmp_path):
    rows = """
    [[wish]]
    accepts = ["sun"]
    min_reputation_share = 0.25
    [[wish]]
    participant = "ann"
    source = "sun"
    offer_all_or_nothing = true
    stands_h = [1, 3]
    partner = "bob"
    zone = 2
    [[wish]]
    participant = "bob"
    accepts = ["wind", "sun"]
    all_or_nothing = true
    needs_h = [2, 4]
    """
    sites, scenario = wished(tmp_path, rows)
    assert sites["ann"].wish == Wish(
        offer_all_or_nothing=True, stands=(1, 3), source=1, partner="bob", zone=2
    )
    assert sites["bob"].wish == Wish(all_or_nothing=True, accepts=3, needs=(2, 4))
    assert sites["bob"].min_reputation == 250_000
    assert digest(scenario) != digest(wished(tmp_path, "")[1])


def test_a_class_is_named_by_its_kind_and_nobody_prefers_itself(tmp_path):
    rows = '[[wish]]\nkind = "homes"\npartner = "ann"\n'
    sites, _ = wished(tmp_path, rows)
    assert (sites["ann"].wish.partner, sites["bob"].wish.partner) == ("", "ann")
    assert wished(tmp_path, "")[0]["bob"].wish == NO_WISH


def test_an_order_takes_what_concerns_its_side_and_interval():
    ann = b"\1" * 20
    wish = Wish(True, (2, 4), 3, True, (1, 3), 1, "ann", 5)
    names = {"ann": ann}
    assert wish.attributes(Side.BID, 3, names) == Attributes(True, 2, 4, 3, ann, 5)
    assert wish.attributes(Side.BID, 4, names) == Attributes(True, 0, 0, 3, ann, 5)
    assert wish.attributes(Side.OFFER, 4, names) == Attributes(True, 1, 3, 1, ann, 5)
    assert Wish(accepts=1).attributes(Side.OFFER, 0, {}) == PLAIN
    assert Wish(zone=1).attributes(Side.BID, 0, {}).partner == NOBODY


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('participant = "meadow"', "is a plant: wishes are for orders of the local tier"),
        ('participant = "eve"', "wish 1.participant: there is no participant 'eve'"),
        ('kind = "pubs"', r"no participant of kind 'pubs', only \['homes'\]"),
        ('kind = "homes"\nparticipant = "ann"', "either participant or kind"),
        ('partner = "eve"', "wish 1.partner: there is no participant 'eve'"),
        ('accepts = "sun"', r'expected a list of words, as \["sun"\]'),
        ("needs_h = [9, 12]", "needs_h: holds no interval of the horizon"),
        ("zone = -1", "wish 1.zone: expected a whole number"),
        ("colour = 1", "wish 1.colour: unknown key"),
        ("accepts = [" + ",".join(f'"s{n}"' for n in range(32)) + "]", "32 sources are named"),
    ],
)
def test_what_cannot_be_wished_is_refused_with_its_place(tmp_path, row, says):
    with pytest.raises(ScenarioError, match=says):
        wished(tmp_path, f"[[wish]]\n{row}\n")


def test_in_merit_order_an_offer_is_divisible(tmp_path):
    with pytest.raises(ScenarioError, match="in merit order an offer is divisible"):
        wished(tmp_path, "[[wish]]\noffer_all_or_nothing = true\n", "merit_order")
