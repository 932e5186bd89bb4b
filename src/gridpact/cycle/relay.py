"""By which way does a council hear of a settlement, and how far is each of its members trusted?

The proposer is the root of the weighted tree of the members; the others are asked as the tree
reaches them, until a quorum signed. Trust follows from what the ledger shows and from nothing else:
who signed an earlier settlement did its part; who was asked before the last signer and did not
sign failed; who was not asked any more did neither. So a run that was cut off finds the same trees.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridpact.crypto.keys import expanded
from gridpact.crypto.recovery import recover_all
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import batches_digest
from gridpact.model.interval import Key
from gridpact.model.record import Settlement
from gridpact.propagation.costs import Costs, Function, distance
from gridpact.propagation.nodes import Nodes
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree
from gridpact.propagation.trust import Conduct, after
from gridpact.propagation.weighted import weighted
from gridpact.quantities import PPM, Score

_EVEN = Function(lambda senders, receivers: (senders != receivers).astype(float))
"""Members without places are equally far from each other."""


_NEW = Conduct()


@dataclass(frozen=True)
class Standing:
    """A member as it takes office: how many others it serves, where it is, what it is known for."""

    links: int = 2
    place: tuple[float, float] | None = None
    known: Conduct = _NEW


@dataclass(frozen=True)
class RelayTerms:
    """standing: of members by address; who is not named serves `links` others and is nowhere.
    max_cost: distance from the proposer beyond which a member comes late. min_trust, decay: see
    `propagation` [ppm].
    """

    links: int = 2
    min_trust: Score = 800_000
    decay: Score = 950_000
    standing: Mapping[bytes, Standing] = field(default_factory=dict)
    max_cost: float = math.inf

    def of(self, member: bytes) -> Standing:
        return self.standing.get(member, Standing(self.links))

    def newcomers(self, members: Sequence[bytes]) -> tuple[Conduct, ...]:
        """Return what is known of members before anything was asked of them."""
        return tuple(self.of(member).known for member in members)

    def costs(self, members: Sequence[bytes]) -> Costs:
        """Return what passing on costs: the distance where everybody has a place, else 1."""
        places = [self.of(member).place for member in members]
        known = [place for place in places if place is not None]
        return distance(known) if known and len(known) == len(places) else _EVEN


@dataclass(frozen=True, eq=False)
class Relay:
    """The way of one settlement. Members stand in the order of their addresses.

    trust: of each before it. signed: whether each did; None for who was not asked.
    """

    interval: int
    tree: Tree
    trust: tuple[Score, ...]
    signed: tuple[bool | None, ...]


@dataclass(frozen=True, eq=False)
class _Step:
    """A way, and what is remembered of each member after it."""

    relay: Relay
    known: tuple[Conduct, ...]


@dataclass
class Relays:
    """The ways of all settlements so far, by chain; each is worked out once from the ledger."""

    terms: RelayTerms = field(default_factory=RelayTerms)
    _steps: dict[str, list[_Step]] = field(default_factory=dict)

    def tree(self, ledger: Ledger, key: Key, members: Sequence[bytes]) -> Tree:
        """Return the tree by which the members hear of a settlement that is to be written."""
        return _tree(members, self.known(ledger, key, members), self.terms)

    def known(self, ledger: Ledger, key: Key, members: Sequence[bytes]) -> tuple[Conduct, ...]:
        """Return what the ledger before a key shows of each member."""
        steps = self._before(ledger, key, members)
        return steps[-1].known if steps else self.terms.newcomers(members)

    def past(self, ledger: Ledger, key: Key, members: Sequence[bytes]) -> tuple[Relay, ...]:
        """Return the ways of the settlements before a key, those without a word left out."""
        return tuple(step.relay for step in self._before(ledger, key, members))

    def _before(self, ledger: Ledger, key: Key, members: Sequence[bytes]) -> list[_Step]:
        steps = self._steps.setdefault(ledger.name, [])
        begun = steps[-1].relay.interval + 1 if steps else 0
        for interval in range(begun, key.interval):
            at = Key(key.region, interval, key.phase)
            settlement = ledger.read(at, Settlement)
            if settlement is None or not settlement.word.signatures:
                continue
            known = steps[-1].known if steps else self.terms.newcomers(members)
            way = _passed(ledger, at, settlement, members, known, self.terms)
            steps.append(_Step(way, _judged(known, way.signed, self.terms.decay)))
        return steps[: bisect_left(steps, key.interval, key=lambda step: step.relay.interval)]


def _judged(
    known: Sequence[Conduct], signed: Sequence[bool | None], decay: Score
) -> tuple[Conduct, ...]:
    return tuple(
        one if did is None else after(one, int(did), int(not did), 0, decay)
        for one, did in zip(known, signed, strict=True)
    )


def _tree(members: Sequence[bytes], known: Sequence[Conduct], terms: RelayTerms) -> Tree:
    trust = np.array([one.trust for one in known])
    links = np.array([terms.of(member).links for member in members])
    rule = Rule(terms.min_trust / PPM, terms.max_cost)
    return weighted(Nodes(trust, links), terms.costs(members), rule)


def _passed(
    ledger: Ledger,
    key: Key,
    settlement: Settlement,
    members: Sequence[bytes],
    known: Sequence[Conduct],
    terms: RelayTerms,
) -> Relay:
    """Return the way that a settlement on the ledger came."""
    tree, word = _tree(members, known, terms), settlement.word
    digest = batches_digest(ledger.domain, key, word.epoch, settlement)
    signers = set(recover_all((digest, expanded(one)) for one in word.signatures))
    asked = tree.sequence.tolist()
    last = max(turn for turn, member in enumerate(asked) if members[member] in signers)
    signed: list[bool | None] = [None] * len(members)
    for member in asked[: last + 1]:
        signed[member] = members[member] in signers
    return Relay(key.interval, tree, tuple(one.trust for one in known), tuple(signed))
