"""The calls that participants make by themselves, signed as their devices sign them."""

from typing import Any

from tests import door
from tests.contracts.harness import DEVICES, OPERATOR, REGION, World, struct
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keys import compact
from gridpact.ledger.onchain.packing import words
from gridpact.model.door import mint_digest, warrant
from gridpact.model.order import Accepted, Side
from gridpact.model.trade import Fill
from gridpact.model.typed import PERMIT, POSTING, PROFILE

NAMES = {device.address: name for name, device in DEVICES.items()}
BEFORE = 70_000, 90_000
"""What every meter has counted before an interval: imported, exported."""


def address(of: bytes) -> str:
    return "0x" + of.hex()


def signed(name: str, digest: bytes) -> tuple[bytes, bytes]:
    """Return a compact signature as `eth_abi` wants it."""
    packed = compact(DEVICES[name].sign(digest))
    return packed[:32], packed[32:]


def single(fill: Fill) -> tuple[Any, ...]:
    """Return `settlement.Single`."""
    parties = address(fill.buyer), address(fill.seller)
    return fill.region, fill.interval, (fill.bid, fill.offer, *parties, fill.terms)


def relay(world: World, order: Accepted, fills: int, signer: str, sender: bytes) -> list[Event]:
    digest = world.domain.digest(POSTING.struct_hash((order.hash, order.charge, fills)))
    given = struct(order), signed(signer, digest), order.charge, fills
    return world.send(Contract.ORDERS, "relay", *given, sender=sender)


def bind(
    world: World, bid: Accepted, offer: Accepted, fill: Fill, sender: bytes = OPERATOR
) -> list[Event]:
    given = (
        *(struct(bid), signed(NAMES[fill.buyer], bid.hash)),
        *(struct(offer), signed(NAMES[fill.seller], offer.hash), fill.terms),
    )
    return world.send(Contract.ORDERS, "bind", *given, sender=sender)


def profile(world: World, name: str, interval: int, imported: int, exported: int) -> Any:
    """Return what a meter signed of an interval."""
    registers = (*BEFORE, BEFORE[0] + imported, BEFORE[1] + exported)
    said = PROFILE.struct_hash((DEVICES[name].address, REGION, interval, *registers))
    word = sum(value << 64 * place for place, value in enumerate(reversed(registers)))
    return word, signed(name, world.domain.digest(said))


def minted(world: World, to: bytes, money: int, ref: bytes, keepers: int) -> tuple[Any, ...]:
    """Return what `currency.mint` takes."""
    digest = mint_digest(world.currency, to, money, ref, 0)
    word = warrant(digest, 0, [keeper.sign for keeper in door.KEEPERS[:keepers]])
    return address(to), money, ref, 0, [(one[:32], one[32:]) for one in word.signatures]


def permit(world: World, owner: str, money: int, nonce: int) -> tuple[Any, ...]:
    """Return what a permit for the vault is: deadline, v, r, s."""
    at = world.at[Contract.VAULT]
    values = DEVICES[owner].address, at, money, nonce, 2**40
    found = DEVICES[owner].sign(world.currency.digest(PERMIT.struct_hash(values)))
    return 2**40, found[64], found[:32], found[32:64]


def reference(number: int) -> bytes:
    return words((number + 1,))


def is_bid(order: Accepted) -> bool:
    return order.order.side is Side.BID
