"""Everything that anybody can call, in any order, by anybody, with anything: the state machine.

Rules of three kinds. Participants, strangers and the operator do what they may, with numbers drawn
at its edges (`people`, `market`, `courses`,
`edges`, `wallets`, `councils`, `disputes`); earlier calls come again, by others, or
with words changed; and any function is called by anybody with arguments drawn by its ABI
(`anybody`). `watched` checks each call; the invariants here are checked after each rule and at the
end.
"""

from functools import cache
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from tests.contracts.fuzz.anybody import Anybody
from tests.contracts.fuzz.boachain import BoaChain
from tests.contracts.fuzz.disputes import Disputes
from tests.contracts.fuzz.edges import Edges
from tests.contracts.fuzz.people import People
from tests.contracts.fuzz.play import founded
from tests.contracts.fuzz.stopping import Stopping
from tests.contracts.fuzz.wallets import Wallets
from tests.contracts.fuzz.watched import TALLY, Watched
from tests.contracts.parts import NetWorld

from gridpact.ledger.evm.engine import EngineFactory, default_engine
from gridpact.model.challenge import CONSORTIUM, ChallengeTerms

NONE = ChallengeTerms()


@cache
def market(
    engine: EngineFactory = BoaChain, deadlines: ChallengeTerms = NONE
) -> tuple[Watched, NetWorld]:
    """Return one founded market per process, engine and deadlines."""
    return founded(engine, deadlines)


class Everything(People, Edges, Wallets, Disputes, Stopping, Anybody, RuleBasedStateMachine):
    """A market in which everybody tries everything, on titanoboa."""

    engine: ClassVar[EngineFactory] = BoaChain
    deadlines: ClassVar[ChallengeTerms] = NONE

    @initialize()
    def begin(self) -> None:
        self.world, self.net = market(type(self).engine, type(self).deadlines)
        self.world.begin()
        self.open_market()

    @invariant()
    def money_is_conserved(self) -> None:
        self.world.require_money()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return  # the founding failed: that error is the one to show
        self.world.require_causes()
        self.world.require_scores()
        self.world.require_uncalled()
        TALLY.checks["examples"] += 1


class Faster(Everything):
    """The same market on the ledger's own engine: more calls, without what happens within them."""

    engine = default_engine()


class Strict(Everything):
    """The same market with a consortium's deadlines before delivery."""

    deadlines = CONSORTIUM


class FasterStrict(Faster):
    """With the deadlines, on the ledger's own engine."""

    deadlines = CONSORTIUM
