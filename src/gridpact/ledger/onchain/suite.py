"""The contracts of one chain: where they stand and how they are deployed.

Addresses follow from the operator and the order of deployment, so that each contract knows the
others for good before any of them exists (5-decisions, section 17).
"""

from functools import cached_property

from gridpact.crypto.eip712 import Domain, word
from gridpact.crypto.keccak import keccak
from gridpact.ledger.chain import Call
from gridpact.ledger.evm.transactions import create_address
from gridpact.ledger.onchain.abi import Rows, Tail, arguments, contract, pack
from gridpact.model.rating import ComprehensiveTerms, CredibilityTerms, FeedbackTerms, decay
from gridpact.model.record import Found

ORDER = (
    "registry",
    "vault",
    "orders",
    "clearing",
    "settlement",
    "reputation",
    "incentive",
    "anchor",
    "council",
    "net",
    "fraud",
    "evidence",
    "currency",
    "crossing",
    "wallets",
    "challenge_book",
    "challenge_fills",
    "fallback",
    "supply",
    "verdicts",
)


def fingerprint() -> bytes:
    """Return the digest of all contracts' bytecode: a ledger goes on with the same ones only."""
    return keccak(b"".join(contract(name).bytecode for name in ORDER))


def _rule(found: Found) -> tuple[int, ...]:
    """Return `reputation.vy: Rules`: which rule, then the numbers of all three, others' zero."""
    match found.rating:
        case FeedbackTerms() as t:
            return 0, t.gain, t.loss, t.prior, t.floor, t.reference_wh, *(0,) * 6
        case ComprehensiveTerms() as t:
            return 1, *(0,) * 5, t.weight, t.most, *(0,) * 4
        case CredibilityTerms() as t:
            faded = decay(t.half_life_days, found.timing.seconds)
            return 2, *(0,) * 7, t.weight, faded, t.tolerance, t.reference_wh


class Suite:
    """The contracts that one operator deployed first of all on its chain."""

    def __init__(self, operator: bytes) -> None:
        self.operator = operator
        self._at = {name: create_address(operator, n) for n, name in enumerate(ORDER)}

    def __getitem__(self, name: str) -> bytes:
        """Return a contract's address."""
        return self._at[name]

    @cached_property
    def names(self) -> dict[bytes, str]:
        """Return the contracts' names by address."""
        return {address: name for name, address in self._at.items()}

    def domain(self, chain_id: int) -> Domain:
        """Return where signatures count: this chain's registry."""
        return Domain(chain_id, self["registry"])

    def currency(self, chain_id: int) -> Domain:
        """Return where the door keepers' signatures and permits count: this chain's currency."""
        return Domain(chain_id, self["currency"])

    def call(self, name: str, function: str, *given: bytes | Rows | Tail) -> Call:
        """Return a call of one contract's function."""
        data = contract(name).selectors[function] + arguments(*given)
        return Call(self[name], data, f"{name}.{function}")

    def deploy(self, found: Found) -> list[Call]:
        """Return the calls that create all contracts with a chain's rules."""
        given = self._constructors(found)
        return [
            Call(b"", contract(name).bytecode + given[name], f"deploy {name}") for name in ORDER
        ]

    def _constructors(self, found: Found) -> dict[str, bytes]:
        s, i, n, door = found.settlement, found.incentive, found.net, found.door
        when = (found.timing.begins, found.timing.seconds)
        operator, vault, settlement = self.operator, self["vault"], self["settlement"]
        registry, orders, clearing = self["registry"], self["orders"], self["clearing"]
        numbers = (s.tau, s.eps, s.eps_floor_wh, s.kappa, s.reward, s.unused_fee, s.feed_in)
        c = found.challenge
        judged = (
            *(registry, orders, clearing, self["reputation"], self["council"]),
            *(n.stake, n.answer, c.commit_closes, c.challenge_closes),
            *(found.market.by_merit, *when),
        )
        return {
            "registry": pack(
                operator, vault, self["reputation"], self["wallets"], found.review.delay, *when
            ),
            "vault": pack(
                *(self["currency"], registry, orders, settlement, self["incentive"]),
                *(self["net"], self["fallback"], self["council"], self["crossing"]),
                *(self["wallets"], self["supply"]),
            ),
            "orders": pack(
                operator, registry, vault, settlement, clearing, self["crossing"], *when
            ),
            "clearing": pack(
                *(operator, registry, self["council"], settlement, self["challenge_book"]),
                *(self["challenge_fills"], *when, c.commit_closes),
            ),
            "settlement": pack(
                *(operator, registry, vault, orders, clearing, self["reputation"]),
                *(self["wallets"], self["fallback"], self["council"], self["verdicts"], *numbers),
                *(s.loss_fund_share, s.dispute_window, found.market.by_merit, *when),
            ),
            "reputation": pack(operator, settlement, self["net"])
            + pack(*_rule(found))
            + pack(s.dispute_window, registry, found.review.fine, found.review.tolerance, *when),
            "incentive": pack(
                *(operator, vault, settlement), *(i.difficulty, i.daily_budget, i.day)
            ),
            "anchor": pack(operator, registry, self["council"], c.anchor_window, *when),
            "council": pack(
                *(operator, registry, vault, self["fraud"], self["evidence"]),
                *(self["challenge_book"], self["challenge_fills"], self["anchor"]),
                *(n.bond, n.delay, n.notice, *when),
            ),
            "net": pack(
                *(operator, registry, vault, self["council"]),
                *(self["fraud"], self["evidence"], self["fallback"], clearing),
                *(self["reputation"], n.window, n.answer, n.proving, n.posting, n.per_fill, *when),
            ),
            "fraud": pack(registry, self["net"], self["council"], clearing, settlement),
            "evidence": pack(
                *(registry, self["net"], self["council"], clearing, settlement, n.stake, *when)
            ),
            "currency": arguments(
                pack(vault, *when, door.needed, door.daily_cap),
                Rows([word(keeper) for keeper in door.keepers]),
            ),
            "crossing": pack(operator, registry, vault, orders, clearing),
            "wallets": pack(
                *(registry, vault, settlement, s.dispute_window),
                *(found.review.fine, found.review.tolerance, s.loss_fund_share, *when),
            ),
            "challenge_book": pack(operator, found.collector, *judged),
            "supply": pack(operator, vault, clearing, self["council"]),
            "challenge_fills": pack(operator, *judged),
            "verdicts": pack(operator, self["council"], clearing, settlement, *when),
            "fallback": pack(registry, self["net"], vault, clearing, settlement, *when),
        }
