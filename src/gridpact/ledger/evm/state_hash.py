"""What a chain's whole state is, and its hash (5-decisions, section 17, "State").

state_hash = keccak over the accounts sorted by address: address, nonce, balance, code hash, number
of non-zero slots, then the slots sorted by key. Equal runs have equal hashes on every engine. A
state is stored as the same words with the code in full, so a snapshot has one form only.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gridpact.crypto.keccak import keccak
from gridpact.errors import Corrupt


class StateAccount(NamedTuple):
    """One account: `storage` holds non-zero slots only."""

    nonce: int
    balance: int
    code: bytes
    storage: Mapping[int, int]


State = Mapping[bytes, StateAccount]


def is_empty(account: StateAccount) -> bool:
    """Say whether an account does not exist (EIP-161)."""
    return not (account.nonce or account.balance or account.code)


def state_hash(state: State) -> bytes:
    """Return the 32 bytes that equal runs share."""
    return keccak(b"".join(_pieces(state, whole_code=False)))


def pack(state: State) -> bytes:
    """Return a state as bytes: one form only, whatever the order of the mappings."""
    return b"".join(_pieces(state, whole_code=True))


def _pieces(state: State, whole_code: bool) -> Iterator[bytes]:
    for address in sorted(state):
        nonce, balance, code, storage = state[address]
        yield address + nonce.to_bytes(32, "big") + balance.to_bytes(32, "big")
        yield len(code).to_bytes(32, "big") + code if whole_code else keccak(code)
        yield len(storage).to_bytes(32, "big")
        for slot in sorted(storage):
            yield slot.to_bytes(32, "big") + storage[slot].to_bytes(32, "big")


def unpack(content: bytes, place: str) -> dict[bytes, StateAccount]:
    """Return the state of `pack`; `place` names it when the bytes are no such state."""
    state: dict[bytes, StateAccount] = {}
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        if at > len(content):
            raise Corrupt(place, "content ends too early")
        return content[at - size : at]

    def number() -> int:
        return int.from_bytes(take(32), "big")

    while at < len(content):
        address, nonce, balance, code = take(20), number(), number(), take(number())
        count = number()
        words = take(64 * count)
        storage = {
            int.from_bytes(words[i : i + 32], "big"): int.from_bytes(words[i + 32 : i + 64], "big")
            for i in range(0, 64 * count, 64)
        }
        state[address] = StateAccount(nonce, balance, code, storage)
    if pack(state) != content or any(0 in account.storage.values() for account in state.values()):
        raise Corrupt(place, "content is not in canonical order")
    return state
