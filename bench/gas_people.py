"""Gas of people and the door: deposits, the review, purchases by voucher, by receipts of anvil.

Accounts are opened at registration, and whoever deposits has deposited before (its nonce and its
balances stand); "first" is the line of somebody who never did.
"""

import json
import sys
from typing import Any

from tests.anvil import anvil
from tests.contracts.fills import LATER
from tests.contracts.harness import ANN, BOB, CHAIN, DEVICES, MICRO, REGION, STRANGER, World
from tests.contracts.purchases import DUE, VOLUME, Purchase
from tests.contracts.reading import Contract
from tests.door import KEEPERS as DOOR
from tests.onchain import OPTIONS, Onchain

from gridpact.crypto.keccak import keccak
from gridpact.model.door import mint_digest, warrant
from gridpact.model.participant import Role
from gridpact.model.typed import PERMIT

ASKED = (keccak(b"certificate"), keccak(b"meter"), 56 << 8 | int(Role.CONSUMER), REGION, MICRO)
DEADLINE = 2**40
KEEPERS = [keeper.sign for keeper in DOOR[:2]]
SEVERAL_WINDOWS = 5


class Bench:
    """A founded market on a node whose last receipt tells the gas."""

    def __init__(self, url: str) -> None:
        self.node = Onchain(url)
        self.world = World(engine=self.node.opened, timing=LATER)
        for account in (ANN, BOB):
            self.world.mint(account, 1_000 * MICRO)
        self.node.keep()

    def gas(self, contract: Contract, name: str, *given: Any, sender: bytes) -> int:
        """Send a call and return what its receipt says."""
        self.world.send(contract, name, *given, sender=sender)
        return self.node.gas

    def permit(self, money: int, nonce: int) -> tuple[int, int, bytes, bytes]:
        """Return deadline, v, r, s of Ann's permit for the vault."""
        values = (ANN, self.world.at[Contract.VAULT], money, nonce, DEADLINE)
        digest = self.world.currency.digest(PERMIT.struct_hash(values))
        signed = DEVICES["ann"].sign(digest)
        return DEADLINE, signed[64], signed[:32], signed[32:64]


def receipts(url: str) -> dict[str, int]:
    """Deploy the suite on a running anvil and return the gas of every operation."""
    bench = Bench(url)
    return _door(bench) | _review(bench) | _purchase(bench)


def _door(bench: Bench) -> dict[str, int]:
    world, vault = bench.world, Contract.VAULT
    found = {}
    world.mint(BOB, MICRO)
    found["mint at the door, two keepers"] = bench.node.gas
    found["withdraw, first"] = bench.gas(vault, "withdraw", 100 * MICRO, sender=ANN)
    found["withdraw"] = bench.gas(vault, "withdraw", 100 * MICRO, sender=ANN)
    for nonce, name in enumerate(("deposit with permit, first", "deposit with permit")):
        given = (ANN, MICRO, *bench.permit(MICRO, nonce))
        found[name] = bench.gas(vault, "deposit_with_permit", *given, sender=BOB)
    allowed = (world.at[vault], 10 * MICRO)
    found["allow the vault"] = bench.gas(Contract.CURRENCY, "approve", *allowed, sender=ANN)
    found["deposit"] = bench.gas(vault, "deposit", MICRO, sender=ANN)
    currency = Contract.CURRENCY
    found["pay in currency"] = bench.gas(currency, "transfer", BOB, MICRO, sender=ANN)
    bench.world.send(currency, "approve", BOB, 10 * MICRO, sender=ANN)
    given = (ANN, BOB, MICRO)
    found["pay another's currency"] = bench.gas(currency, "transferFrom", *given, sender=BOB)
    ref = keccak(b"to a holder")
    signed = warrant(mint_digest(world.currency, BOB, MICRO, ref, 0), 0, KEEPERS)
    pairs = [(one[:32], one[32:]) for one in signed.signatures]
    entered = bench.gas(currency, "mint", BOB, MICRO, ref, 0, pairs, sender=STRANGER)
    found["mint to a holder, two keepers"] = entered
    found["burn at the door"] = bench.gas(currency, "burn", MICRO, ref, sender=BOB)
    return found


def _review(bench: Bench) -> dict[str, int]:
    world, registry = bench.world, Contract.REGISTRY
    found = {"apply": bench.gas(registry, "apply", ASKED, sender=STRANGER)}
    world.send(registry, "approve", STRANGER, ASKED)
    found["approve"] = bench.node.gas
    world.mint(STRANGER, 2 * MICRO)
    found["put the deposit down"] = bench.gas(registry, "put_deposit", sender=STRANGER)
    world.send(registry, "suspend", STRANGER, keccak(b"reason"))
    found["suspend"] = bench.node.gas
    return found


def _purchase(bench: Bench) -> dict[str, int]:
    found = {}
    purchase = Purchase(bench.world)
    purchase.open()
    found["open a purchase wallet"] = bench.node.gas
    purchase.name()
    found["present a voucher"] = bench.node.gas
    purchase.confirm(1_000)
    found["confirm in part"] = bench.node.gas
    purchase.confirm(VOLUME)
    found["redeem a voucher by confirmation"] = bench.node.gas
    silent = Purchase(bench.world, nonce=2)
    silent.open()
    silent.name()
    silent.at(DUE).claim(1_000)
    found["settlement application"] = bench.node.gas
    silent.at(DUE + SEVERAL_WINDOWS - 2).meters(VOLUME, VOLUME)
    found["redeem a voucher by two meters"] = bench.node.gas
    return found


if __name__ == "__main__":
    with anvil(CHAIN, *OPTIONS) as place:
        json.dump(receipts(place), sys.stdout, indent=1)
