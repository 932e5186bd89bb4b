"""The table [reputation]: a scheme names the rule, a line overrides it, numbers have bounds."""

from pathlib import Path

import pytest
from tests.unit.scenario.texts import SMALL, write

from gridpact.errors import ScenarioError
from gridpact.model.rating import ComprehensiveTerms, CredibilityTerms, FeedbackTerms
from gridpact.scenario.digest import digest
from gridpact.scenario.reader import load

SCENARIOS = Path(__file__).parents[3] / "scenarios"

RULES = {
    "gridpact": FeedbackTerms,
    "dual-chain": FeedbackTerms,
    "matching-degree": ComprehensiveTerms,
    "pareto": FeedbackTerms,
    "credibility": CredibilityTerms,
}


@pytest.mark.parametrize("scheme", RULES)
def test_every_scheme_has_its_rule(tmp_path, scheme):
    assert load(write(tmp_path), scheme=scheme).rating == RULES[scheme]()


def test_a_line_chooses_another_rule_and_its_numbers(tmp_path):
    lines = '[reputation]\nrule = "credibility"\nhalf_life_days = 7\nreference_kwh = 4.0\n'
    terms = load(write(tmp_path, SMALL + lines)).rating
    assert terms == CredibilityTerms(half_life_days=7, reference_wh=4_000)
    lines = '[reputation]\nrule = "comprehensive"\nweight_share = 0.25\n'
    assert load(write(tmp_path, SMALL + lines)).rating == ComprehensiveTerms(250_000)


def test_numbers_of_the_other_rules_wait_for_theirs(tmp_path):
    text = SMALL + "[reputation]\ngain_share = 0.2\nweight_share = 0.3\nhalf_life_days = 9\n"
    assert load(write(tmp_path, text)).rating == FeedbackTerms(gain=200_000)
    assert load(write(tmp_path, text), scheme="matching-degree").rating == ComprehensiveTerms(
        300_000
    )
    credible = load(write(tmp_path, text), scheme="credibility")
    assert credible.rating == CredibilityTerms(half_life_days=9)
    assert digest(credible) != digest(load(write(tmp_path, text)))


def test_drawn_owners_ask_for_nothing_that_no_newcomer_has():
    day = SCENARIOS / "sce56-day.toml"
    by_feedback, credible = load(day), load(day, scheme="credibility")
    assert 200_000 < max(site.min_reputation for site in by_feedback.sites) <= 300_000
    assert not any(site.min_reputation for site in credible.sites)


def test_a_listed_owner_asks_what_its_row_says(tmp_path):
    text = SMALL.replace('name = "bob"', 'name = "bob"\nmin_reputation_share = 0.2')
    credible = load(write(tmp_path, text), scheme="credibility")
    assert {site.name: site.min_reputation for site in credible.sites}["bob"] == 200_000


def test_by_credibility_sellers_put_something_down_and_a_missing_kwh_costs_the_feed_in(tmp_path):
    credible = load(write(tmp_path), scheme="credibility")
    assert credible.sanctions.deposit == 500_000
    assert credible.sanctions.review.fine == credible.tariff.feed_in > 0
    plain = load(write(tmp_path)).sanctions
    assert (plain.deposit, plain.review.fine) == (0, 0)


def test_deposit_fine_and_their_tolerance_are_the_tables_under_any_rule(tmp_path):
    lines = "[reputation]\ndeposit_share = 0.3\nfine_per_kwh = 0.05\nplant_tolerance_share = 0.02\n"
    for scheme in RULES:
        found = load(write(tmp_path, SMALL + lines), scheme=scheme).sanctions
        review = found.review
        assert (found.deposit, review.fine, review.tolerance) == (300_000, 50_000, 250_000)
        assert (review.plant_tolerance, review.of_zone.tolerance) == (20_000, 20_000)
    other = load(write(tmp_path, SMALL + lines.replace("0.05", "0.06")))
    assert digest(other) != digest(load(write(tmp_path, SMALL + lines)))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('rule = "gossip"', "reputation.rule: expected one of feedback, comprehensive"),
        ("weigth_share = 0.2", "reputation.weigth_share: unknown key"),
        ('rule = "credibility"\nhalf_life_days = 0', "reputation.half_life_days"),
        ('rule = "credibility"\ntolerance_share = 0.05', "is above tolerance_share"),
        ('rule = "comprehensive"\nweight_share = 1.5', "reputation.weight_share"),
        ("floor_share = 0.6", "is above prior_share"),
        ("deposit_share = -0.1", "reputation.deposit_share"),
        ("fine_per_kwh = 1e9", "reputation.fine_per_kwh"),
    ],
)
def test_what_no_rule_can_have_is_refused_with_its_place(tmp_path, line, says):
    with pytest.raises(ScenarioError, match=says):
        load(write(tmp_path, f"{SMALL}\n[reputation]\n{line}\n"))
