"""A scheme is a named bundle of rules; `scheme = "…"` and `--scheme` choose one.

A line of the scenario's table [market] overrides a single rule of it, so that an ablation is a
file that differs in one line.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gridpact.errors import BadInput
from gridpact.market import choice, mechanisms
from gridpact.market.mechanism import Budget
from gridpact.model.market import MERIT_ORDER, MarketTerms
from gridpact.prosumer.neighbours import RequestSettings
from gridpact.prosumer.request import RULES
from gridpact.scenario.table import Table

DEFAULT = "gridpact"
NO_REQUESTS = "none"


@dataclass(frozen=True)
class Scheme:
    """The rules in which schemes differ.

    mechanism: clears the local tier. splitting: whether a zonal bid may be served by several
    plants (5-decisions, section 5). requests: how owners ask their neighbours, "none" where each
    looks after itself. reputation: the rule by which sellers are rated. settings: the mechanism's,
    where the scheme does not take its usual ones.
    """

    mechanism: str = MERIT_ORDER
    splitting: bool = True
    requests: str = NO_REQUESTS
    reputation: str = "feedback"
    settings: tuple[tuple[str, float], ...] = ()


SCHEMES: Mapping[str, Scheme] = {
    DEFAULT: Scheme(),
    "dual-chain": Scheme(splitting=False),
    "matching-degree": Scheme(mechanism="matching_degree", reputation="comprehensive"),
    "pareto": Scheme(mechanism="pareto", requests="cost_aware"),
    "credibility": Scheme(
        mechanism="seller_choice",
        reputation="credibility",
        # what credibility does not cover a deposit does, or the book has not got it
        settings=(("newcomer_share", 1.0),),
    ),
}
"""[Wang23]'s market is `dual-chain`, [Cui22]'s `matching-degree`, [Zeng23]'s `pareto`, [Yu23]'s
`credibility`."""


def read_scheme(root: Table, given: str) -> str:
    """Return the scheme's name: the given one, or the file's own."""
    own = root.text("scheme", DEFAULT, choices=tuple(SCHEMES))
    if given and given not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise BadInput(f"scheme {given!r} is not known, expected one of: {known}")
    return given or own


def read_market(table: Table, scheme: Scheme) -> tuple[MarketTerms, bool]:
    """Return how the local tier is cleared, and whether the zonal one may split a bid.

    Raises
    ------
    ScenarioError
        A mechanism that is not known or that may run at a loss, or a setting that it has not got.
    """
    name = table.text("mechanism", scheme.mechanism, choices=tuple(mechanisms.MECHANISMS))
    splitting = table.flag("splitting", scheme.splitting)
    known = mechanisms.mechanism(name)
    if known.claims.budget is Budget.ANY:
        raise table.error("mechanism", f"{name} may run at a loss, and no account pays for it")
    own = choice.settings_of(known.match)
    usual = dict(scheme.settings) if name == scheme.mechanism else {}
    settings = tuple(
        (key, table.scalar(key, own[key]) if table.has(key) else usual[key])
        for key in sorted(own)
        if table.has(key) or key in usual
    )
    table.know(*own, "requests", "request_patience")
    table.finish()
    return MarketTerms(name, settings), splitting


def read_requests(table: Table, scheme: Scheme, strategy: str) -> RequestSettings | None:
    """Return how owners ask their neighbours, None where each looks after itself.

    `table` is that of `read_market`, which refuses what neither knows.

    Raises
    ------
    ScenarioError
        The owners' batteries follow a plan of their own already.
    """
    rule = table.text("requests", scheme.requests, choices=(NO_REQUESTS, *RULES))
    patience = table.whole("request_patience", 3, high=1440)
    if rule == NO_REQUESTS:
        if table.has("request_patience"):
            raise table.error("request_patience", "is for requests, and there are none")
        return None
    if strategy != "own":
        problem = f'{rule} runs the batteries, and so does owners.strategy = "{strategy}"'
        raise table.error("requests", f'{problem}: expected "none", or the strategy "own"')
    return RequestSettings(rule, patience)
