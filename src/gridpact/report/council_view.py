"""The council of a day: by which tree settlements passed it, and what its members did."""

from dataclasses import dataclass

from markupsafe import Markup

from gridpact.model.council import needed
from gridpact.quantities import Score
from gridpact.report.findings import Findings
from gridpact.report.tree_view import tree_view


@dataclass(frozen=True)
class Member:
    """One aggregator: how often it proposed, signed, was asked in vain, and was not asked."""

    name: str
    trust: Score
    proposed: int
    signed: int
    refused: int
    spared: int


@dataclass(frozen=True)
class CouncilView:
    """What the report shows. picture: the last tree, SVG."""

    members: tuple[Member, ...]
    needed: int
    min_trust: Score
    picture: Markup


def council_view(found: Findings) -> CouncilView | None:
    """Return the council of a day; None where nobody signed."""
    day = found.day
    if not day.relays:
        return None
    members = tuple(
        Member(
            name,
            day.trust[place],
            sum(one.tree.root == place for one in day.relays),
            *(sum(one.signed[place] is did for one in day.relays) for did in (True, False, None)),
        )
        for place, name in enumerate(day.council)
    )
    last, least = day.relays[-1], day.scenario.council.min_trust
    drawn = tree_view(last.tree.parent.tolist(), list(last.trust), least, list(day.council))
    return CouncilView(members, needed(len(members)), least, Markup(drawn))
