"""Random traffic for a chain: what real markets sent, and what somebody else might have sent.

A small random market (`bench.random_markets`) is played on the embedded chains; its calls, in
their blocks, are the valid part. Between them come calls that nobody planned: the same call by a
stranger, again, cut short, with a word or a bit changed, any function of any contract with values
drawn from what the market has used, bytes without meaning, deployments. Everything is signed anew,
so the same blocks can go to any client with the chain's id.
"""

import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from eth_abi.abi import encode

from bench.random_markets import draw
from bench.random_runs import play
from gridpact.assembly.ledgers import embedded_ledgers, operator_key
from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.ledger.evm.transactions import GAS, Transaction, decode, sign
from gridpact.ledger.files.store import open_to_read
from gridpact.ledger.onchain.abi import abi_type, interface, signature
from gridpact.ledger.onchain.suite import ORDER, Suite
from gridpact.simulation.people import key_seed

EXTRA = 0.75
"""Unplanned calls for each planned one, in the mean."""
_PIECES = 400
"""Most words of a market's calls that unplanned calls are made of."""


class Recorded(NamedTuple):
    """One chain of a market: who signed, who else has a key, and the calls block by block."""

    name: str
    chain_id: int
    operator: PrivateKey
    others: tuple[PrivateKey, ...]
    blocks: tuple[tuple[tuple[bytes, bytes], ...], ...]


class Sent(NamedTuple):
    """One transaction, and what was meant by it."""

    transaction: Transaction
    sender: bytes
    kind: str


def recorded(seed: int) -> list[Recorded]:
    """Play the random market of a seed; return the calls of both its chains."""
    case = draw(seed)
    secret = key_seed(case.scenario.seed)
    names = [site.name for site in case.scenario.sites]
    others = tuple(PrivateKey.derive(secret, name) for name in [*names[:4], "stranger"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        ledgers = embedded_ledgers(case.scenario, path)
        try:
            play(case, ledgers, signed=True)
        finally:
            ledgers.close()
        with open_to_read(path) as store:
            return [
                Recorded(
                    chain.name,
                    chain.chain_id,
                    operator_key(case.scenario, f"operator of {chain.name}"),
                    others,
                    tuple(
                        tuple((tx.to, tx.data) for tx in map(decode, b.raws))
                        for b in store.blocks(chain.id)
                    ),
                )
                for chain in store.chains()
            ]


def traffic(of: Recorded, chance: random.Random) -> Iterator[list[Sent]]:
    """Yield a chain's blocks with unplanned calls between the planned ones, all signed."""
    maker = _Maker(of, chance)
    first = True
    for planned in of.blocks:
        block: list[Sent] = []
        for at, (to, data) in enumerate(planned):
            # until the suite stands its operator's nonces decide the addresses
            if not first or at >= len(ORDER):
                while chance.random() < EXTRA / (1 + EXTRA):
                    block.append(maker.unplanned())
            block.append(maker.signed(of.operator, to, data, "planned"))
            maker.learn(to, data)
        first = False
        if block:  # a record without calls is no block on other chains
            yield block


class _Maker:
    """Makes and signs calls; counts the nonce of everybody who has sent something."""

    def __init__(self, of: Recorded, chance: random.Random) -> None:
        self._of, self._chance = of, chance
        self._nonces: dict[bytes, int] = {}
        self._suite = Suite(of.operator.address)
        self._functions = [
            (self._suite[name], entry)
            for name in ORDER
            for entry in interface(name)
            if entry["type"] == "function"
        ]
        people = [key.address for key in (of.operator, *of.others)]
        self._addresses = [*people, *(self._suite[name] for name in ORDER), bytes(20)]
        self._words = [bytes(32), b"\xff" * 32, keccak(b"nothing")]
        self._seen: list[tuple[bytes, bytes]] = []

    def signed(self, key: PrivateKey, to: bytes, data: bytes, kind: str) -> Sent:
        nonce = self._nonces.get(key.address, 0)
        self._nonces[key.address] = nonce + 1
        return Sent(sign(key, self._of.chain_id, nonce, to, data, GAS), key.address, kind)

    def learn(self, to: bytes, data: bytes) -> None:
        """Take note of what the market sent: unplanned calls are made of it."""
        if not to:
            return
        self._seen.append((to, data))
        words = [data[at : at + 32] for at in range(4, min(len(data), 4 + 32 * 40), 32)]
        self._words += [word for word in words if len(word) == 32]
        if len(self._words) > _PIECES:
            self._words = self._chance.sample(self._words, _PIECES)

    def unplanned(self) -> Sent:
        chance = self._chance
        kinds = ["function"] * 6 + ["noise", "deployment"]
        if self._seen:
            kinds += ["again", "stranger", "word", "bit", "cut", "longer"] * 2
        kind = chance.choice(kinds)
        # the operator mostly makes no mistakes: its changed calls could spoil the market's course
        key = self._of.operator if chance.random() < 0.3 else chance.choice(self._of.others)
        if kind == "function":
            return self.signed(key, *self._function(), kind)
        if kind == "noise":
            to = chance.choice([*self._addresses, chance.randbytes(20)])
            return self.signed(key, to, chance.randbytes(chance.choice((0, 3, 4, 36, 400))), kind)
        if kind == "deployment":
            # only the operator may create contracts on the embedded chain
            return self.signed(self._of.operator, b"", chance.choice(_DEPLOYMENTS), kind)
        to, data = chance.choice(self._seen[-30:])
        if kind == "stranger":
            return self.signed(chance.choice(self._of.others), to, data, kind)
        return self.signed(key, to, self._changed(kind, data), kind)

    def _changed(self, kind: str, data: bytes) -> bytes:
        chance = self._chance
        if kind == "cut":
            return data[: chance.randrange(len(data))]
        if kind == "longer":
            return data + chance.randbytes(chance.choice((1, 32, 100)))
        if kind == "bit":
            at = chance.randrange(4, len(data)) if len(data) > 4 else 0
            return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        if kind == "word" and len(data) >= 36:
            at = 4 + 32 * chance.randrange((len(data) - 4) // 32)
            return data[:at] + chance.choice(self._words) + data[at + 32 :]
        return data

    def _function(self) -> tuple[bytes, bytes]:
        to, entry = self._chance.choice(self._functions)
        return to, random_call(entry, self._words, self._addresses, self._chance)


_DEPLOYMENTS = (
    b"",
    bytes.fromhex("60006000fd"),  # reverts
    bytes.fromhex("fe"),  # no such instruction
    bytes.fromhex("6001600c60003960016000f300"),  # a contract of one STOP
    bytes.fromhex("602a60005560016000f3"),  # writes a slot while it is created
)


def random_call(
    entry: Mapping[str, Any],
    words: Sequence[bytes],
    addresses: Sequence[bytes],
    chance: random.Random,
) -> bytes:
    """Return a call of a function with values of its types, mostly from `words` and `addresses`."""

    def value(argument: Mapping[str, Any]) -> Any:
        kind: str = argument["type"]
        if kind.endswith("]"):
            inner, _, count = kind[:-1].rpartition("[")
            size = int(count) if count else chance.choice((0, 1, 1, 2, 3))
            return [value({**argument, "type": inner}) for _ in range(size)]
        if kind == "tuple":
            return tuple(value(one) for one in argument["components"])
        word = chance.choice(words) if chance.random() < 0.8 else chance.randbytes(32)
        if kind == "address":
            return chance.choice(addresses) if chance.random() < 0.8 else word[12:]
        if kind == "bool":
            return chance.random() < 0.5
        if kind == "string":
            return "any words"
        if kind == "bytes":
            return chance.randbytes(chance.choice((0, 65, 100)))
        if kind.startswith("bytes"):
            return word[: int(kind[5:])]
        number = chance.choice((int.from_bytes(word, "big"), 0, 1, chance.randrange(200_000)))
        if kind.startswith("uint"):
            return number % 2 ** int(kind[4:])
        half = 2 ** (int(kind[3:]) - 1)
        return number % (2 * half) - half

    types = [abi_type(one) for one in entry["inputs"]]
    values = [value(one) for one in entry["inputs"]]
    return name_hash(signature(entry))[:4] + encode(types, values)
