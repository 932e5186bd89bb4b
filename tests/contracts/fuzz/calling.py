"""Put the thief's code where a participant or the currency stands, and ask it what happened."""

from functools import cache
from pathlib import Path

import boa
from eth_abi.abi import encode
from tests.contracts.fuzz.boachain import BoaChain
from tests.contracts.harness import STRANGER, World

from gridpact.crypto.keccak import keccak

_SOURCE = Path(__file__).with_name("thief.vy")
_AIM = keccak(b"aim(address,address,bytes)")[:4]


@cache
def thief() -> bytes:
    """Return the thief's code as it stands on a chain."""
    found = boa.load_partial(str(_SOURCE), compiler_args={"evm_version": "london"})
    code: bytes = found.compiler_data.bytecode_runtime
    return code


def plant(chain: BoaChain, address: bytes) -> None:
    """Let an address have the thief's code."""
    chain.env.set_code(address, thief())


def aim(world: World, at: bytes, victim: bytes, target: bytes, booty: bytes) -> None:
    """Tell a thief whose books to watch and what to try when it is called."""
    given = encode(
        ("address", "address", "bytes"), ("0x" + victim.hex(), "0x" + target.hex(), booty)
    )
    world.engine.env.execute_code(to_address=at, sender=STRANGER, data=_AIM + given)


def told(chain: BoaChain, at: bytes) -> tuple[int, int, int]:
    """Return how often a thief was called, saw broken books, and was let through."""
    called, broken, entered = (chain.env.get_storage(at, slot) for slot in (1, 2, 3))  # 0: a lock
    return called, broken, entered
