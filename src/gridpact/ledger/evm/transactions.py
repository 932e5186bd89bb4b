"""Transactions as Ethereum clients take them: legacy form, EIP-155 signature, gas price zero.

One per contract call, signed by the chain's operator. The same raw bytes can be sent to any node
of a consortium chain. Decoding is strict: each transaction has one form of bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import recover
from gridpact.crypto.signers import AHEAD, Batch, Signers

T = TypeVar("T")

GAS = 60_000_000
"""Gas given to each transaction: ample, since the embedded chain does not account gas."""


class NotATransaction(ValueError):
    """Bytes that are no transaction of the one form we write."""


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """A signed transaction; deploys `data` when `to` is empty. `raw` is what was signed and sent.

    `signature` is r || s || v with v in {27, 28}; the chain id is taken from the EIP-155 v.
    `signed` is where in `raw` the signed fields end and the signature begins.
    """

    chain_id: int
    nonce: int
    gas: int
    to: bytes
    data: bytes
    signature: bytes
    raw: bytes
    price: int = 0
    signed: int = 0

    @property
    def hash(self) -> bytes:
        return keccak(self.raw)

    @property
    def sender(self) -> bytes | None:
        """The address that signed, or None when the signature is not valid."""
        return recover(self.digest, self.signature)

    @property
    def digest(self) -> bytes:
        """What was signed: the raw fields before the signature, then the chain id (EIP-155)."""
        raw = self.raw
        fields = raw[1 if raw[0] < 0xF8 else raw[0] - 0xF6 : self.signed]
        unsigned = _in_place_of_signature(self.chain_id)
        return keccak(_prefix(0xC0, len(fields) + len(unsigned)) + fields + unsigned)


def sign(
    key: Key, chain_id: int, nonce: int, to: bytes, data: bytes, gas: int = GAS, price: int = 0
) -> Transaction:
    """Return the signed transaction of one call. `price` per gas, in wei: zero but on a market."""
    fields = _unsigned(nonce, price, gas, to, data)
    signature = key.sign(_digest(chain_id, fields))
    v = signature[64] - 27 + 35 + 2 * chain_id
    words = (signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0"))
    last = (_whole(v), *words)
    raw = encode_list([*fields, *last])
    end = len(raw) - sum(map(_size, last))
    return Transaction(chain_id, nonce, gas, to, data, signature, raw, price, end)


def decode(raw: bytes, priced: bool = False) -> Transaction:
    """Return the transaction of raw bytes; only with `priced` may it pay for gas.

    Raises
    ------
    NotATransaction
        The bytes are no legacy EIP-155 transaction without value and gas price.
    """
    nonce, price, gas, to, value, data, v, r, s = _fields(raw)
    for number in (nonce, price, gas, value, v, r, s):
        if number and not number[0]:
            raise NotATransaction("a number with leading zeros")
    if value or (price and not priced):
        raise NotATransaction("gas price and value must be zero: accounts hold no ether")
    if (
        (len(to) != 20 and to)
        or (len(nonce) > 8 or len(price) > 8 or len(gas) > 8 or len(v) > 8)
        or (len(r) > 32 or len(s) > 32)
    ):
        raise NotATransaction("a field of the wrong length")
    chain_id, parity = divmod(_number(v) - 35, 2)
    if chain_id < 1:
        raise NotATransaction("no EIP-155 chain id in the signature")
    signature = r.rjust(32, b"\0") + s.rjust(32, b"\0") + _PARITIES[parity]
    end = len(raw) - _size(v) - _size(r) - _size(s)
    return Transaction(
        chain_id, _number(nonce), _number(gas), to, data, signature, raw, _number(price), end
    )


def intrinsic_gas(transaction: Transaction) -> int:
    """Return what London charges before the first instruction."""
    data = transaction.data
    zeros = data.count(0)
    creating = 0 if transaction.to else 32_000
    return 21_000 + creating + 4 * zeros + 16 * (len(data) - zeros)


class Signed(Iterable[tuple[Transaction | T, bytes | None]], Generic[T]):
    """Transactions, each with who signed it, None where the signature is not valid.

    What `read` makes of all bytes is known at once, the signers as they are asked for: `beside`
    says whether another process is finding them meanwhile.
    """

    def __init__(
        self,
        raws: Sequence[bytes],
        read: Callable[[bytes], Transaction | T],
        signers: Signers,
        ahead: int = AHEAD,
    ) -> None:
        found: list[Transaction | T] = []

        def signed() -> Iterator[tuple[bytes, bytes]]:
            for raw in raws:
                each = read(raw)
                found.append(each)
                if isinstance(each, Transaction):
                    yield each.digest, each.signature

        self._signers: Batch = signers.begin(signed(), len(raws), ahead)
        self._found = found

    @property
    def beside(self) -> bool:
        return self._signers.beside

    def __iter__(self) -> Iterator[tuple[Transaction | T, bytes | None]]:
        signers = iter(self._signers)
        for each in self._found:
            yield each, next(signers) if isinstance(each, Transaction) else None


def create_address(sender: bytes, nonce: int) -> bytes:
    """Return the address of the contract that `sender` deploys with `nonce`."""
    return keccak(encode_list([sender, _whole(nonce)]))[12:]


def encode_list(items: Sequence[bytes]) -> bytes:
    """Return the RLP encoding of a flat list of byte strings, six times as fast as `rlp` does."""
    payload = b"".join(map(_encode_item, items))
    return _prefix(0xC0, len(payload)) + payload


def _fields(raw: bytes) -> list[bytes]:
    """Return the nine fields of raw bytes: RLP in its one form, four times as fast as `rlp`."""
    start, end = _span(raw, 0, 0xC0)
    if end != len(raw):
        raise NotATransaction("not RLP: bytes after the list" if end < len(raw) else _TOO_SHORT)
    fields, at = [], start
    while at < end:
        first = raw[at]
        if 0x80 <= first < 0xB8:
            start = at + 1
            at = start + first - 0x80
            if first == 0x81 and raw[start:at] < b"\x80":
                raise NotATransaction("not RLP: a single byte in a longer form")
        elif first < 0x80:
            start, at = at, at + 1
        elif first < 0xC0:
            start, at = _span(raw, at, 0x80)
        else:
            raise NotATransaction("not a legacy transaction")
        fields.append(raw[start:at])
    if at > end:
        raise NotATransaction(_TOO_SHORT)
    if len(fields) != 9:
        raise NotATransaction("not a legacy transaction")
    return fields


_TOO_SHORT = "not RLP: bytes are missing"


def _span(raw: bytes, at: int, kind: int) -> tuple[int, int]:
    """Return where the content of the item or list (0x80 or 0xC0) at a place starts and ends."""
    size = (raw[at] if at < len(raw) else 0) - kind
    if size < 0 or size > 63:
        raise NotATransaction("not RLP: no list")
    if size < 56:
        return at + 1, at + 1 + size
    start = at + size - 54
    length = raw[at + 1 : start]
    size = _number(length)
    if len(length) != start - at - 1 or length[:1] == b"\0" or size < 56:
        raise NotATransaction("not RLP: a length in a longer form")
    return start, start + size


def _encode_item(item: bytes) -> bytes:
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _prefix(0x80, len(item)) + item


def _size(item: bytes) -> int:
    """Return the size of a short item's encoding."""
    size = len(item)
    return 1 if size == 1 and item[0] < 0x80 else 1 + size


def _prefix(kind: int, size: int) -> bytes:
    if size < 56:
        return bytes([kind + size])
    length = _whole(size)
    return bytes([kind + 55 + len(length)]) + length


def _unsigned(nonce: int, price: int, gas: int, to: bytes, data: bytes) -> list[bytes]:
    return [_whole(nonce), _whole(price), _whole(gas), to, b"", data]


@lru_cache(maxsize=64)
def _in_place_of_signature(chain_id: int) -> bytes:
    """Return what is signed where the signature stands later (EIP-155): chain id, 0, 0."""
    return _encode_item(_whole(chain_id)) + b"\x80\x80"


def _digest(chain_id: int, fields: list[bytes]) -> bytes:
    return keccak(encode_list([*fields, _whole(chain_id), b"", b""]))


def _whole(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


_number = int.from_bytes
"""Big-endian."""
_PARITIES = (b"\x1b", b"\x1c")
