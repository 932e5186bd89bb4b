"""Gas of the council and of its anchors, by true receipts of a node.

    python -m bench.gas_council        starts anvil and prints one line per figure

The council has four members, of whom three sign. Every proof is the first of its chain: it pays
for the bond taken, burned and shared.
"""

import json

from tests.anvil import anvil
from tests.contracts.harness import CHAIN, OPERATOR
from tests.contracts.parts import CHALLENGER, INTERVAL, NOW, TERMS, NetWorld
from tests.contracts.reading import Contract
from tests.contracts.theft.test_anchors import Anchors, head
from tests.onchain import OPTIONS

from bench.gas_net import Node
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain.attest import pledge_digest

PEOPLE = 20
BATCHES = 40


def receipts(url: str) -> dict[str, int]:
    """Return gas by operation."""
    node = Node(url)
    try:
        market = node.market(PEOPLE)
        return _anchors(node, market) | _word(node, market) | _bonds(node, market)
    finally:
        node.engine.close()


def _anchors(node: Node, market: NetWorld) -> dict[str, int]:
    """Return the gas of anchors: written in turn, corrected, struck."""
    anchors, seats = Anchors(market), market.council
    writer = seats[INTERVAL % len(seats)]
    first = node.gas(lambda: anchors.post(INTERVAL - 1, 7, head(1), sender=writer.address))
    later = node.gas(lambda: anchors.post(INTERVAL, 8, head(2), head(1), sender=writer.address))
    return {
        "anchor, a region's first": first,
        "anchor": later,
        "challenge: wrong anchor, corrected by a quorum of three": node.tried(
            lambda: anchors.correct(INTERVAL, 8, head(3), head(1))
        ),
        "challenge: two anchors of one writer": node.tried(
            lambda: anchors.strike(writer, INTERVAL, 8, head(4), head(1))
        ),
    }


def _word(node: Node, market: NetWorld) -> dict[str, int]:
    batches = [keccak(b"batch %d" % n) for n in range(BATCHES)]
    return {
        "attest a batch, a quorum of three": node.tried(lambda: market.attest(batches[:1])),
        f"attest {BATCHES} batches, per batch": round(
            node.tried(lambda: market.attest(batches)) / BATCHES
        ),
    }


def _bonds(node: Node, market: NetWorld) -> dict[str, int]:
    world, who = market.world, CHALLENGER
    word = compact(who.sign(pledge_digest(world.domain, who.address, TERMS.bond, 0)))
    given = who.address, TERMS.bond, (word[:32], word[32:])
    world.mint(who.address, 2 * TERMS.bond)
    member = market.council[0].address
    found = {
        "bond, own call": node.tried(lambda: market.bond(who.address)),
        "bond by signed word": node.tried(
            lambda: world.send(Contract.COUNCIL, "bond_for", *given, sender=OPERATOR)
        ),
        "appoint a council of four": node.tried(
            lambda: market.appoint(market.council, begins=NOW + TERMS.delay + 1, epoch=1)
        ),
        "leave the council": node.gas(lambda: world.send(Contract.COUNCIL, "leave", sender=member)),
    }
    world.go_to(NOW + TERMS.notice + 2)
    back = node.gas(lambda: world.send(Contract.COUNCIL, "withdraw", sender=member))
    return found | {"take a bond back": back}


def main() -> None:
    with anvil(CHAIN, *OPTIONS) as url:
        print(json.dumps(receipts(url), indent=1))


if __name__ == "__main__":
    main()
