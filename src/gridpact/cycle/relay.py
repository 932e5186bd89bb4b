"""By which way does a council hear of a settlement, and how far is each of its members trusted?

The proposer is the root of the weighted tree of the members; the others are asked as the tree
reaches them, until a quorum signed. Trust follows from what the ledger shows and from nothing else:
who signed an earlier settlement did its part; who was asked before the last signer and did not
sign failed; who was not asked any more did neither. So a run that was cut off finds the same trees.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gridpact.crypto.keys import expanded
from gridpact.crypto.recovery import recover_all
from gridpact.ledger.ledger import Ledger
from gridpact.ledger.onchain.attest import batches_digest
from gridpact.model.interval import Key
from gridpact.model.record import Settlement
from gridpact.propagation.costs import Function
from gridpact.propagation.nodes import Nodes
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree
from gridpact.propagation.trust import Conduct, after
from gridpact.propagation.weighted import weighted
from gridpact.quantities import PPM, Score

_EVEN = Function(lambda senders, receivers: (senders != receivers).astype(float))
"""Members of one region are equally far from each other."""


@dataclass(frozen=True)
class RelayTerms:
    """links: how many others a member serves. min_trust, decay: see `propagation` [ppm]."""

    links: int = 2
    min_trust: Score = 800_000
    decay: Score = 950_000


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
        return _tree(self.known(ledger, key, members), self.terms)

    def known(self, ledger: Ledger, key: Key, members: Sequence[bytes]) -> tuple[Conduct, ...]:
        """Return what the ledger before a key shows of each member."""
        steps = self._before(ledger, key, members)
        return steps[-1].known if steps else _newcomers(members)

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
            known = steps[-1].known if steps else _newcomers(members)
            way = _passed(ledger, at, settlement, members, known, self.terms)
            steps.append(_Step(way, _judged(known, way.signed, self.terms.decay)))
        return steps[: bisect_left(steps, key.interval, key=lambda step: step.relay.interval)]


def _newcomers(members: Sequence[bytes]) -> tuple[Conduct, ...]:
    return (Conduct(),) * len(members)


def _judged(
    known: Sequence[Conduct], signed: Sequence[bool | None], decay: Score
) -> tuple[Conduct, ...]:
    return tuple(
        one if did is None else after(one, int(did), int(not did), 0, decay)
        for one, did in zip(known, signed, strict=True)
    )


def _tree(known: Sequence[Conduct], terms: RelayTerms) -> Tree:
    trust = np.array([one.trust for one in known])
    links = np.full(len(known), terms.links)
    return weighted(Nodes(trust, links), _EVEN, Rule(terms.min_trust / PPM))


def _passed(
    ledger: Ledger,
    key: Key,
    settlement: Settlement,
    members: Sequence[bytes],
    known: Sequence[Conduct],
    terms: RelayTerms,
) -> Relay:
    """Return the way that a settlement on the ledger came."""
    tree, word = _tree(known, terms), settlement.word
    digest = batches_digest(ledger.domain, key, word.epoch, settlement)
    signers = set(recover_all((digest, expanded(one)) for one in word.signatures))
    asked = tree.sequence.tolist()
    last = max(turn for turn, member in enumerate(asked) if members[member] in signers)
    signed: list[bool | None] = [None] * len(members)
    for member in asked[: last + 1]:
        signed[member] = members[member] in signers
    return Relay(key.interval, tree, tuple(one.trust for one in known), tuple(signed))
