"""Gas of net settlement, its proofs and its council, by true receipts of a node.

    python -m bench.gas_net            starts anvil and prints one line per figure

Rows are all accounts of a part, the market's own three among them; every account was opened at
registration and has money. Signatures are counted apart: a council of four has three.
"""

import json
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from tests.anvil import anvil
from tests.contracts.failing import Failed
from tests.contracts.halves import halves, held
from tests.contracts.harness import CHAIN, World
from tests.contracts.parts import CHALLENGER, INTERVAL, NOW, TERMS, NetWorld, Settled
from tests.contracts.reading import Contract
from tests.onchain import OPTIONS, Onchain

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.ledger.proving import fallback, net, proofs, ratings
from gridpact.ledger.proving.leaf import meter_digest
from gridpact.ledger.proving.part import Part
from gridpact.ledger.proving.proofs import Fault
from gridpact.model.participant import Named
from gridpact.model.record import Timing
from gridpact.model.trade import Fill

OWN = 3
"""The market's own accounts in every part."""


class NodeWorld(World):
    """A `World` on a node: its clock goes on by itself between the moments it is set to."""

    def go_to(self, interval: int) -> None:
        moment = self.timing.begins + interval * self.timing.seconds
        self.engine.rpc("evm_setNextBlockTimestamp", moment)  # type: ignore[attr-defined]


class Node:
    """A node with our contracts, fresh for each market."""

    def __init__(self, url: str) -> None:
        self.engine = Onchain(url)
        self._clean = self.engine.rpc("evm_snapshot")
        self._begins = 2_000_000_000

    def market(self, accounts: int, members: int = 4) -> NetWorld:
        """Deploy anew and open so many accounts, the market's own included."""
        self.engine.revert(self._clean)
        self._clean = self.engine.rpc("evm_snapshot")
        timing = Timing(self._begins, 3600)
        world = NodeWorld(self.engine.opened, timing=timing, ends_founding=False)
        return NetWorld.of(world, accounts - OWN, members, funds=200_000_000, now=NOW)

    def gas(self, act: Callable[[], Any]) -> int:
        act()
        return self.engine.gas

    def tried(self, act: Callable[[], Any]) -> int:
        """Return what something costs, and undo it."""
        here = self.engine.rpc("evm_snapshot")
        spent = self.gas(act)
        self.engine.revert(here)
        return spent


def receipts(url: str) -> dict[str, int]:
    """Return gas by operation; per account, trade and signature where the name says so."""
    node = Node(url)
    try:
        found = _steps(node, 80, 1_000) | _steps(node, 1_000, 5_000)
        found["net per signature"] = _signature(node)
        found |= _proofs(node, 1_000, 5_000) | _held(node, 300, 5_000)
        return found | _fallback(node, 1_000, 5_000)
    finally:
        node.engine.close()


def _steps(node: Node, accounts: int, trades: int) -> dict[str, int]:
    market = node.market(accounts)
    part = market.part(market.market(trades))
    digest = part.digest(market.world.domain)
    signatures = market.quorum(digest)
    reserve = node.gas(lambda: market.reserve(part))
    commit = node.gas(lambda: market.commit(part))
    post = node.gas(lambda: market.post(part, signatures))
    market.after_window(part)
    finalise = node.gas(lambda: market.finalise(part))
    rows = len(part.rows)
    assert rows == accounts
    name = f"net {accounts} accounts, {trades} trades:"
    return {
        f"{name} reserve": reserve,
        f"{name} commit": commit,
        f"{name} post": post,
        f"{name} finalise": finalise,
        f"{name} post + finalise per account": round((post + finalise) / rows),
        f"{name} commit + post + finalise per account": round((commit + post + finalise) / rows),
        f"{name} with reserve per account": round((reserve + commit + post + finalise) / rows),
        f"{name} commit + post + finalise per trade": round((commit + post + finalise) / trades),
    } | _rated(node, market, part)


def _rated(node: Node, market: NetWorld, part: Part) -> dict[str, int]:
    """Return what it costs to have a final part's sellers rated, the first time in their life."""
    chunks = ratings.to_rate(part)
    sellers = [len(ratings.sold(part, chunk)) for chunk in chunks]
    spent = [node.gas(lambda chunk=chunk: market.rate(part, chunk)) for chunk in chunks]
    name = f"net {len(part.rows)} accounts:"
    return {
        f"{name} rate up to 32 rows": max(spent),
        f"{name} rate, per seller": round(sum(spent) / sum(sellers)),
    }


def _signature(node: Node) -> int:
    """Return what each further member's signature adds to a post: councils of 4 and 13."""
    costs = []
    for members in (4, 13):
        market = node.market(20, members)
        part = market.part(market.market(40))
        market.reserve(part)
        market.commit(part)
        signatures = market.quorum(part.digest(market.world.domain))
        costs.append(
            (node.gas(lambda p=part, s=signatures, m=market: m.post(p, s)), len(signatures))
        )
    (few, first), (many, last) = costs
    return round((many - few) / (last - first))


def _proofs(node: Node, accounts: int, trades: int) -> dict[str, int]:
    market = node.market(accounts)
    settled = market.market(trades)
    honest = market.part(settled)
    market.reserve(honest)
    market.commit(honest)
    found = {}
    for name, (part, fault) in _wrong(market, settled, honest).items():

        def act(part: Part = part, fault: Fault = fault) -> None:
            market.post(part)
            market.prove(fault)

        found[f"proof: {name}"] = node.tried(act)
    return found | _demands(node, market, settled, honest)


def _held(node: Node, accounts: int, trades: int) -> dict[str, int]:
    """Return what it costs to prove fills wrong that a part held, or that no part has."""
    market = node.market(accounts)
    settled = market.market(trades, disputed=40)
    first = market.part(settled)
    fills = [fill for _, fill, *_ in settled.trades]
    market.reserve(first)
    market.clear(first)
    fault = proofs.uncovered(first, settled.posting, fills, trades - 2)

    def ask() -> None:
        market.world.go_to(NOW + TERMS.posting + 1)
        market.prove(fault)

    found = {"proof: fill in no part": node.tried(ask)}
    market.commit(first)
    market.post(first)
    market.after_window(first)
    market.finalise(first)
    found["carry what 300 accounts have held"] = node.gas(lambda: market.carry(first))
    at = [n for n, leaf in enumerate(first.leaves) if leaf.delivery.disputed]
    trades_ = held(market, settled)
    share = market.world.settlement.loss_fund_share
    one = len(trades_) // 2
    honest = net.following(first, trades_, settled.meters, share)
    leaf = honest.leaves[one]
    more = replace(leaf.delivery, unused_sent=leaf.delivery.unused_sent + 1)
    leaves = (*honest.leaves[:one], replace(leaf, delivery=more), *honest.leaves[one + 1 :])
    wrong = honest._replace(leaves=leaves)
    less = net.following(first, trades_[:one] + trades_[one + 1 :], settled.meters, share)
    for name, part, fault in (
        ("wrong held delivery", wrong, proofs.held(wrong, trades_[one][1], one, first, at[one])),
        ("held fill left out", less, proofs.left_out(less, first, at[one])),
    ):

        def act(part: Part = part, fault: Fault = fault) -> None:
            market.post(part)
            market.prove(fault)

        found[f"proof: {name}"] = node.tried(act)
    found["fallback per held fill"] = _held_fallback(node, market, settled, first, honest, at)
    return found | {"proof: sum that begins elsewhere": _running(node, accounts, trades)}


def _held_fallback(
    node: Node, market: NetWorld, settled: Settled, first: Part, part: Part, at: list[int]
) -> int:
    """Return what it costs to pay a held fill when its following part is not posted.

    Others of the same buyer and of the same seller were paid before, if there are any.
    """
    market.world.go_to(market.state(part)[3] + 1)
    fills = {index: settled.trades[index][1] for index in at}

    def call(name: str, given: bytes) -> None:
        market.send(Contract.FALLBACK, name, given, CHALLENGER.address)

    for row in fallback.rows(part, fills.values()):
        call("open", fallback.open_row(part, row))
    one = next(
        index
        for index, fill in fills.items()
        if sum(other.seller == fill.seller for other in fills.values()) > 1
    )
    for index in at:
        if index != one:
            call("pay_held", fallback.pay_held(part, first, fills[index], index))
    return node.gas(lambda: call("pay_held", fallback.pay_held(part, first, fills[one], one)))


def _running(node: Node, accounts: int, trades: int) -> int:
    market = node.market(accounts)
    first, second = halves(market, market.market(trades))
    header = second.header._replace(before_wh=second.header.before_wh + 1)
    wrong = second._replace(header=header)
    for part in (first, wrong):
        market.reserve(part)
        market.commit(part)
        market.post(part)
    return node.gas(lambda: market.prove(proofs.running(wrong, first)))


def _fallback(node: Node, accounts: int, trades: int) -> dict[str, int]:
    """Return what it costs to pay a failed part's fills one by one, and to give the rest back."""
    market = node.market(accounts)
    failed = Failed.unposted(market, market.market(trades))
    fills = failed.fills
    at = trades // 2
    buyer, seller = fills[at].buyer, fills[at].seller
    # the first use of a word costs more: of the bits about a fill, of its seller's, of its buyer's
    near = range(at // 256 * 256, at // 256 * 256 + 256)
    other = next(n for n in near if n != at and fills[n].seller != seller)
    same = next(n for n, one in enumerate(fills) if n not in near and one.seller == seller)
    bought = next(n for n, one in enumerate(fills) if n not in near and one.buyer == buyer)
    rows = {failed.part.rows[n].account: n for n in fallback.rows(failed.part, fills)}
    opened = node.gas(lambda: failed.open(rows[buyer]))
    for account in {fills[index].buyer for index in (other, same, bought)} - {buyer}:
        failed.open(rows[account])
    first = node.tried(lambda: failed.pay(at))
    for index in sorted({other, same, bought}):
        failed.pay(index)
    found = {
        "open a failed part's row": opened,
        "first fill of a part, its buyer and its seller paid by fallback": first,
        "fallback per fill": node.gas(lambda: failed.pay(at)),
    }
    failed.after_paying()
    left = next(n for n, o in enumerate(fills) if o.buyer == buyer and n not in (at, bought))
    found["give an unpaid fill back"] = node.gas(lambda: failed.refund(left))
    release = node.gas(lambda: market.release(failed.part))
    return found | {f"give a failed part of {accounts} accounts back": release}


def _demands(node: Node, market: NetWorld, settled: Settled, part: Part) -> dict[str, int]:
    market.post(part)
    found = {
        "demand": node.gas(lambda: market.demand(part, 3)),
        "answer": node.tried(lambda: market.answer(settled, part, 3)),
    }
    market.world.go_to(NOW + TERMS.answer + 1)
    found["unanswered"] = node.gas(lambda: market.unanswered(part, 3))
    signature = compact(market.council[1].sign(part.digest(market.world.domain)))
    given = proofs.opening(part) + signature
    slash = node.gas(lambda: market.send(Contract.EVIDENCE, "signer", given, CHALLENGER.address))
    return found | {"signer of a cancelled part": slash}


def _wrong(market: NetWorld, settled: Settled, honest: Part) -> dict[str, tuple[Part, Fault]]:
    """Return parts with one fault each, all but the sums of rows that were committed."""
    fills, at = settled.fills, len(honest.leaves) - 2

    def fill(index: int) -> Fill:
        return settled.trades[index][1]

    def leaf(index: int, **changes: Any) -> Part:
        leaves = list(honest.leaves)
        leaves[index] = replace(leaves[index], **changes)
        return honest._replace(leaves=tuple(leaves))

    one = honest.leaves[at]
    statement = replace(one.statement, paid=one.statement.paid + 1)
    paid = leaf(at, statement=statement)
    row = one.seller.row
    said = honest.ratings[row]
    better = (*honest.ratings[:row], said._replace(sent=said.sent + 1), *honest.ratings[row + 1 :])
    praised = honest._replace(ratings=better)
    summed = leaf(at, seller=replace(one.seller, credit=one.seller.credit + 1))
    forked = leaf(at, seller=replace(one.seller, previous=0))
    twice = leaf(at, statement=replace(one.statement, fill=honest.leaves[2].statement.fill))
    rows = [n for n, c in enumerate(honest.changes) if c.tail and c.delta > 1_000]
    changes = list(honest.changes)
    low, high = rows[0], rows[-1]
    changes[low] = changes[low]._replace(delta=changes[low].delta - 1)
    changes[high] = changes[high]._replace(delta=changes[high].delta + 1)
    robbed = honest._replace(changes=tuple(changes))
    before, _ = settled.readings[fill(at).seller]
    pair = (before, replace(before, reading=replace(before.reading, interval=INTERVAL)))
    digests = (r.reading.digest(market.world.domain) for r in pair)
    metered = leaf(at, seller_meter=meter_digest(*digests))
    invented = leaf(at, statement=replace(one.statement, fill=keccak(b"nobody's fill")))
    listed = [fill(index) for index in range(len(honest.leaves))]
    misplaced = leaf(at, seller=replace(one.seller, row=one.seller.row - 1))
    loss, _, reward = honest.header.own
    swapped = honest._replace(header=honest.header._replace(own=(loss, loss, reward)))
    less = honest._replace(header=honest.header._replace(rewards=honest.header.rewards - 1))
    limit = [row.account for row in honest.rows].index(Named.REWARD.address)
    return {
        "fill that the clearing does not have": (
            invented,
            proofs.foreign(invented, at, settled.posting, listed),
        ),
        "party with another's row": (misplaced, proofs.row(misplaced, fill(at), at, True)),
        "own account with another's row": (swapped, proofs.own_row(swapped, 1)),
        "limit of rewards that is not locked": (less, proofs.funds(less, limit)),
        "wrong case, payment or region's sums": (paid, proofs.step(paid, fill(at), at)),
        "wrong sums of an account": (summed, proofs.chain(summed, fills, at, True)),
        "forked sums of an account": (
            forked,
            proofs.skipped(forked, fills, at, True, one.seller.previous - 1),
        ),
        "wrong delta": (robbed, proofs.delta(robbed, high, changes[high].tail - 1)),
        "wrong rating": (praised, proofs.rating(praised, row, said.tail - 1)),
        "duplicate leaf": (twice, proofs.duplicate(twice, at, twice, 2)),
        "more than the meter": (metered, proofs.reading(metered, fill(at), at, True, pair)),
    }


def main() -> None:
    with anvil(CHAIN, *OPTIONS) as url:
        print(json.dumps(receipts(url), indent=1))


if __name__ == "__main__":
    main()
