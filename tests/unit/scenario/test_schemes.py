"""A scheme bundles rules; a line of [market] overrides one of them."""

import pytest
from tests.unit.scenario.texts import SMALL, write

from gridpact.errors import BadInput, ScenarioError
from gridpact.market.mechanisms import MECHANISMS
from gridpact.model.market import MarketTerms
from gridpact.prosumer.neighbours import RequestSettings
from gridpact.scenario.digest import digest
from gridpact.scenario.reader import load
from gridpact.scenario.schemes import SCHEMES


def test_the_default_is_gridpacts_own(tmp_path):
    scenario = load(write(tmp_path))
    assert scenario.scheme == "gridpact"
    assert scenario.market == MarketTerms("merit_order")
    assert scenario.splitting


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_can_be_chosen_in_the_file_and_on_the_command_line(tmp_path, name):
    written = load(write(tmp_path, SMALL.replace("seed = 7", f'seed = 7\nscheme = "{name}"')))
    given = load(write(tmp_path), scheme=name)
    assert written.scheme == given.scheme == name
    terms = MarketTerms(SCHEMES[name].mechanism, SCHEMES[name].settings)
    assert written.market == given.market == terms
    assert written.splitting == given.splitting == SCHEMES[name].splitting
    assert digest(written) == digest(given)


def test_every_scheme_names_a_mechanism_that_is_there():
    assert {scheme.mechanism for scheme in SCHEMES.values()} <= set(MECHANISMS)


def test_a_line_overrides_one_rule_of_the_scheme(tmp_path):
    text = SMALL + "\n[market]\nsplitting = true\n"
    scenario = load(write(tmp_path, text), scheme="dual-chain")
    assert scenario.splitting
    assert scenario.market.mechanism == SCHEMES["dual-chain"].mechanism
    assert digest(scenario) != digest(load(write(tmp_path), scheme="dual-chain"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('mechanism = "lottery"', "market.mechanism: expected one of merit_order"),
        ("splitting = 1", "market.splitting: expected true or false"),
        ("weight = 2", "market.weight: unknown key"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(tmp_path, line, says):
    with pytest.raises(ScenarioError, match=says):
        load(write(tmp_path, f"{SMALL}\n[market]\n{line}\n"))


def test_an_unknown_scheme_on_the_command_line_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"'best' is not known, expected one of: gridpact"):
        load(write(tmp_path), scheme="best")


def test_requests_are_those_of_the_scheme_unless_a_line_says_otherwise(tmp_path):
    assert load(write(tmp_path)).requests is None
    assert load(write(tmp_path), scheme="pareto").requests == RequestSettings("cost_aware", 3)
    text = SMALL + '\n[market]\nrequests = "storage_aware"\nrequest_patience = 1\n'
    assert load(write(tmp_path, text)).requests == RequestSettings("storage_aware", 1)
    none = load(write(tmp_path, SMALL + '\n[market]\nrequests = "none"\n'), scheme="pareto")
    assert none.requests is None


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('[market]\nrequests = "loud"', "market.requests: expected one of none, cost_aware"),
        ("[market]\nrequest_patience = 2", "market.request_patience: is for requests"),
        (
            '[market]\nrequests = "cost_aware"\n[owners]\nstrategy = "market"',
            'cost_aware runs the batteries, and so does owners.strategy = "market"',
        ),
    ],
)
def test_requests_that_cannot_be_are_refused(tmp_path, lines, says):
    with pytest.raises(ScenarioError, match=says):
        load(write(tmp_path, f"{SMALL}\n{lines}\n"))
