"""Transactions as Ethereum clients take them: legacy form, EIP-155 signature, gas price zero.

One per contract call, signed by the chain's operator. The same raw bytes can be sent to any node
of a consortium chain. Decoding is strict: each transaction has one form of bytes.
"""

from collections.abc import Sequence
from functools import cached_property

import msgspec
import rlp

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key, recover

GAS = 60_000_000
"""Gas given to each transaction: ample, since the embedded chain does not account gas."""


class NotATransaction(ValueError):
    """Bytes that are no transaction of the one form we write."""


class Transaction(msgspec.Struct, frozen=True, dict=True):
    """A signed transaction; deploys `data` when `to` is empty. `raw` is what was signed and sent.

    `signature` is r || s || v with v in {27, 28}; the chain id is taken from the EIP-155 v.
    """

    chain_id: int
    nonce: int
    gas: int
    to: bytes
    data: bytes
    signature: bytes
    raw: bytes
    price: int = 0

    @cached_property
    def hash(self) -> bytes:
        return keccak(self.raw)

    @cached_property
    def sender(self) -> bytes | None:
        """The address that signed, or None when the signature is not valid."""
        fields = _unsigned(self.nonce, self.price, self.gas, self.to, self.data)
        return recover(_digest(self.chain_id, fields), self.signature)


def sign(
    key: Key, chain_id: int, nonce: int, to: bytes, data: bytes, gas: int = GAS, price: int = 0
) -> Transaction:
    """Return the signed transaction of one call. `price` per gas, in wei: zero but on a market."""
    fields = _unsigned(nonce, price, gas, to, data)
    signature = key.sign(_digest(chain_id, fields))
    v = signature[64] - 27 + 35 + 2 * chain_id
    words = (signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0"))
    raw = encode_list([*fields, _whole(v), *words])
    return Transaction(chain_id, nonce, gas, to, data, signature, raw, price)


def decode(raw: bytes, priced: bool = False) -> Transaction:
    """Return the transaction of raw bytes; only with `priced` may it pay for gas.

    Raises
    ------
    NotATransaction
        The bytes are no legacy EIP-155 transaction without value and gas price.
    """
    try:
        fields = rlp.decode(raw)
    except rlp.exceptions.DecodingError as error:
        raise NotATransaction(f"not RLP: {error}") from error
    if not isinstance(fields, list) or len(fields) != 9 or any(isinstance(f, list) for f in fields):
        raise NotATransaction("not a legacy transaction")
    nonce, price, gas, to, value, data, v, r, s = fields
    if any(number[:1] == b"\0" for number in (nonce, price, gas, value, v, r, s)):
        raise NotATransaction("a number with leading zeros")
    if value or (price and not priced):
        raise NotATransaction("gas price and value are not zero")
    if (
        len(to) not in (0, 20)
        or max(len(nonce), len(price), len(gas), len(v)) > 8
        or max(len(r), len(s)) > 32
    ):
        raise NotATransaction("a field of the wrong length")
    parity, chain_id = _number(v) - 35 & 1, _number(v) - 35 >> 1
    if chain_id < 1:
        raise NotATransaction("no EIP-155 chain id in the signature")
    signature = r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes([27 + parity])
    return Transaction(
        chain_id, _number(nonce), _number(gas), to, data, signature, raw, _number(price)
    )


def create_address(sender: bytes, nonce: int) -> bytes:
    """Return the address of the contract that `sender` deploys with `nonce`."""
    return keccak(encode_list([sender, _whole(nonce)]))[12:]


def encode_list(items: Sequence[bytes]) -> bytes:
    """Return the RLP encoding of a flat list of byte strings, six times as fast as `rlp` does."""
    payload = b"".join(map(_encode_item, items))
    return _prefix(0xC0, len(payload)) + payload


def _encode_item(item: bytes) -> bytes:
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _prefix(0x80, len(item)) + item


def _prefix(kind: int, size: int) -> bytes:
    if size < 56:
        return bytes([kind + size])
    length = _whole(size)
    return bytes([kind + 55 + len(length)]) + length


def _unsigned(nonce: int, price: int, gas: int, to: bytes, data: bytes) -> list[bytes]:
    return [_whole(nonce), _whole(price), _whole(gas), to, b"", data]


def _digest(chain_id: int, fields: list[bytes]) -> bytes:
    return keccak(encode_list([*fields, _whole(chain_id), b"", b""]))


def _whole(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
