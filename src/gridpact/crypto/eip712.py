"""EIP-712 typed data: how a person's or a meter's statement becomes the 32 bytes that are signed.

Only what gridpact's messages need: flat structs of static types. A struct type is declared once
(`model.typed`), its type hash is computed once, and encoding is plain 32-byte words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gridpact.crypto.keccak import keccak

_DOMAIN_TYPE = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_NAME = keccak(b"gridpact")
_VERSION = keccak(b"1")


def word(value: int | bytes) -> bytes:
    """Return a whole number or an address (left padded), or 32 bytes as they are, as one word."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    return value if len(value) == 32 else value.rjust(32, b"\0")


@dataclass(frozen=True)
class StructType:
    """A typed struct: its name and its fields as (type, name), in order."""

    name: str
    fields: tuple[tuple[str, str], ...]

    @property
    def signature(self) -> str:
        return f"{self.name}({','.join(f'{kind} {name}' for kind, name in self.fields)})"

    @cached_property
    def type_hash(self) -> bytes:
        return keccak(self.signature.encode())

    def struct_hash(self, values: Sequence[int | bytes]) -> bytes:
        """Return hashStruct of `values`, given in the order of the fields."""
        return keccak(self.type_hash + b"".join(map(word, values)))


@dataclass(frozen=True)
class Domain:
    """Where a signature counts: one chain, one registry. A replay elsewhere is another digest."""

    chain_id: int
    verifying_contract: bytes

    @cached_property
    def separator(self) -> bytes:
        return keccak(
            _DOMAIN_TYPE + _NAME + _VERSION + word(self.chain_id) + word(self.verifying_contract)
        )

    def digest(self, struct_hash: bytes) -> bytes:
        """Return the digest that is signed."""
        return keccak(b"\x19\x01" + self.separator + struct_hash)
