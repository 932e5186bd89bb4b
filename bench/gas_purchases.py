"""Gas of purchases by voucher where breaches are fined, by receipts of anvil.

`gas_people` has those of a market without fines, which notes nothing of them.
"""

import json
import sys

from tests.anvil import anvil
from tests.contracts.fills import LATER
from tests.contracts.harness import ANN, BOB, CHAIN, MICRO, REGION, STRANGER, World
from tests.contracts.purchases import DUE, VOLUME, Purchase
from tests.contracts.reading import Contract
from tests.onchain import OPTIONS, Onchain

from gridpact.crypto.keccak import keccak
from gridpact.model.participant import ReviewTerms, Role

SELLS = (keccak(b"certificate"), keccak(b"meter"), 7 << 8 | int(Role.PRODUCER), REGION, MICRO)
LATE, OVER = DUE + 3, DUE + 5
WITH = "where breaches are fined: "


def receipts(url: str) -> dict[str, int]:
    """Deploy the suite on a running anvil and return the gas of every operation."""
    node = Onchain(url)
    world = World(engine=node.opened, timing=LATER, review=ReviewTerms(fine=200_000))
    world.send(Contract.REGISTRY, "apply", SELLS, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, SELLS)
    world.mint(STRANGER, MICRO)
    world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)
    world.mint(ANN, 100 * MICRO)
    found = {}
    first, second, short, held, left = (_bought(world, nonce) for nonce in range(5))
    held.hold()
    found["hold a purchase"] = node.gas
    held.release()
    found["release a held wallet"] = node.gas
    left.release()
    found["release a wallet and be fined"] = node.gas
    first.at(DUE).confirm(1_000)
    found[f"{WITH}confirm in part, a buyer's first of the interval"] = node.gas
    first.confirm(VOLUME)
    found[f"{WITH}redeem a voucher by confirmation"] = node.gas
    for one in (second, short):
        one.claim(VOLUME)
    second.at(LATE).meters(VOLUME, 3 * VOLUME)
    found[f"{WITH}redeem by two meters, the first of the interval"] = node.gas
    short.meters(VOLUME, 3 * VOLUME)
    found[f"{WITH}redeem by two meters, nothing was sent"] = node.gas
    short.at(OVER).world.send(Contract.WALLETS, "fine", STRANGER, DUE, sender=BOB)
    found["fine a participant's interval"] = node.gas
    node.close()
    return found


def _bought(world: World, nonce: int) -> Purchase:
    one = Purchase(world, nonce=nonce, seller="stranger")
    one.open()
    one.name()
    return one


if __name__ == "__main__":
    with anvil(CHAIN, *OPTIONS) as place:
        json.dump(receipts(place), sys.stdout, indent=1)
