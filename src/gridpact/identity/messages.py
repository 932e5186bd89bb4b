"""What people and the operator say to each other in one purchase by voucher ([Yu23], protocol).

Every message is one envelope around one body. The sender signs sender, receiver, certificate,
nonce, time and body together, as typed data of one chain: a message cannot be cut, redirected or
carried to another market. On the wire it is MessagePack in the one form that this module writes;
any other form of the same values is refused, so that a message has one hash.

| step of the paper | bodies |
| --- | --- |
| 2 request | `Buy`, `Sell` |
| 3 respond | `Respond`, `Choose`, `Certified` (the voucher) |
| 4 pay | `Pay` |
| 5 bill, confirm | `Bill`, `Confirm`, `Correct`, `Stop`, `Stopped` |
| 6 settle, renew | `Settled`, `Renewed` |
| 7, 8 broadcast, appeal | `Notice`, `Appeal` |

The buyer chooses before the voucher is made: here it makes the wallet's key itself, and a voucher
names the seller, so the operator can certify only after the choice.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import recover
from gridpact.errors import ForgedSignature, MalformedMessage
from gridpact.model.delivery import Profile
from gridpact.model.purchase import PurchaseRecord
from gridpact.model.typed import MESSAGE
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Price, Score, Wh

MAX_BYTES = 16_384
MAX_WALLETS = 64
"""Wallets a request names at most: those whose money is still in them."""


class Buy(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=1):
    """Request of a buyer: so much energy in an interval, and which wallets its money is in.

    `cap` is the most it pays, network charge included; `credit` what it believes to have. [Wh,
    micro-units per kWh, ppm]
    """

    interval: int
    volume_wh: Wh
    cap: Price
    credit: Score
    wallets: tuple[bytes, ...] = ()


class Sell(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=2):
    """Request of a seller: so much energy in an interval, at a price."""

    interval: int
    volume_wh: Wh
    price: Price
    credit: Score


class Choice(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A seller that a buyer may pick: its request's hash, and what it asks and is believed.

    `charge`: the network charge of this buyer and this seller, beside the price; 0 in a broadcast,
    which names no buyer. [micro-units per kWh]
    """

    offer: bytes
    seller: bytes
    volume_wh: Wh
    price: Price
    charge: Price
    credit: Score

    @property
    def costs(self) -> Price:
        """What a kWh costs the buyer in all."""
        return self.price + self.charge


class Respond(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=3):
    """The operator's answer to a buyer: who sells, cheapest first."""

    request: bytes
    choices: tuple[Choice, ...]


class Choose(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=4):
    """The buyer's choice, with the wallet that it opened for it on the ledger."""

    request: bytes
    offer: bytes
    account: bytes


class Certified(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=5):
    """A voucher and the operator's signature of it, with the buyer's record that it commits to."""

    voucher: Voucher
    signature: bytes
    record: PurchaseRecord


class Pay(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=6):
    """The buyer's payment: the voucher, signed by the operator and by the wallet's own key."""

    voucher: Voucher
    certified: bytes
    paid: bytes
    price: Price


class Bill(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=7):
    """The seller's bill: what it delivered of a purchase, what that costs, and where it is paid.

    `payment` is the buyer's whole message `Pay`, as it came.
    """

    purchase: bytes
    payment: bytes
    delivered_wh: Wh
    due: Money
    receiver: bytes


class Confirm(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=8):
    """The buyer's word that so much came so far, signed by the wallet's key for the ledger too."""

    purchase: bytes
    received_wh: Wh
    signature: bytes


class Correct(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=9):
    """A counter-statement: the bill with this hash is wrong, so much was delivered."""

    bill: bytes
    delivered_wh: Wh


class Stop(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=13):
    """A seller's word that it does not deliver, for the sensors hold the trade."""

    purchase: bytes


class Stopped(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=15):
    """The operator's word that the sensors do hold a purchase, signed for the ledger too."""

    purchase: bytes
    signature: bytes


class Appeal(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=14):
    """An appeal against one's rating: what one's own meter signed of that interval."""

    profile: Profile
    signature: bytes


class Settled(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=10):
    """The operator's word on a purchase: what seller and network were paid, and how."""

    purchase: bytes
    delivered_wh: Wh
    paid: Money
    charge: Money
    transaction: bytes


class Renewed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=11):
    """The buyer's record after a purchase, signed by the operator."""

    record: PurchaseRecord
    signature: bytes


class Notice(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=12):
    """What the operator tells everybody: open requests to sell, and who is on the blacklist."""

    serial: int
    choices: tuple[Choice, ...]
    blacklist: tuple[bytes, ...]


Body = (
    Buy
    | Sell
    | Respond
    | Choose
    | Certified
    | Pay
    | Bill
    | Confirm
    | Correct
    | Stop
    | Stopped
    | Appeal
    | Settled
    | Renewed
    | Notice
)
B = TypeVar("B", bound=msgspec.Struct)
_LENGTHS = {
    **dict.fromkeys(("request", "offer", "purchase", "bill", "transaction"), 32),
    **dict.fromkeys(("account", "receiver"), 20),
    **dict.fromkeys(("signature", "certified", "paid"), 65),
}
"""Bytes that fields of bodies have; `payment` and what a record lists are of any length."""
EVERYBODY = b"\0" * 20
"""Receiver of a broadcast."""


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, dict=True):
    """One signed message: from whom (with its certificate, DER), to whom, when, what.

    `nonce` is never used twice by a sender within the time that messages count.
    `sent_at`: [seconds since 1970, UTC]
    """

    sender: bytes
    receiver: bytes
    certificate: bytes
    nonce: int
    sent_at: int
    body: Body
    signature: bytes = b""

    def digest(self, domain: Domain) -> bytes:
        """Return what the sender signs."""
        values = (
            *(self.sender, self.receiver, keccak(self.certificate)),
            *(self.nonce, self.sent_at, keccak(_ENCODER.encode(self.body))),
        )
        return domain.digest(MESSAGE.struct_hash(values))

    @cached_property
    def hash(self) -> bytes:
        """The message's name, signature included."""
        return keccak(encode(self))


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Message)


def sealed(
    key: Key,
    certificate: bytes,
    receiver: bytes,
    nonce: int,
    sent_at: int,
    body: Body,
    domain: Domain,
) -> Message:
    """Return a body in its envelope, signed by the sender's device."""
    message = Message(key.address, receiver, certificate, nonce, sent_at, body)
    return msgspec.structs.replace(message, signature=key.sign(message.digest(domain)))


def encode(message: Message) -> bytes:
    """Return a message as it goes over the wire."""
    return _ENCODER.encode(message)


def decode(wire: bytes) -> Message:
    """Return the message of some bytes; whether to believe it asks `opened`.

    Raises
    ------
    MalformedMessage
        They are no message, are longer than one may be, or write it in another form than `encode`.
    """
    if len(wire) > MAX_BYTES:
        raise MalformedMessage(f"{len(wire)} bytes, expected at most {MAX_BYTES}")
    try:
        message = _DECODER.decode(wire)
        again = encode(message)
    except (msgspec.DecodeError, msgspec.ValidationError, OverflowError) as error:
        raise MalformedMessage(str(error)) from error
    if again != wire:
        raise MalformedMessage("not in the one form that messages have")
    _require_form(message)
    return message


def body_of(message: Message, kind: type[B]) -> B:
    """Return a message's body, which must be of a kind.

    Raises
    ------
    MalformedMessage
        It is of another.
    """
    if not isinstance(message.body, kind):
        raise MalformedMessage(
            f"a body of kind {type(message.body).__name__}, expected {kind.__name__}"
        )
    return message.body


def require_signed(message: Message, domain: Domain) -> None:
    """See that a message is signed by whom it names.

    Raises
    ------
    ForgedSignature
        Somebody else signed it, or nobody, or for another chain.
    """
    signer = recover(message.digest(domain), message.signature)
    if signer != message.sender:
        raise ForgedSignature(message.sender, signer)


def _require_form(message: Message) -> None:
    if len(message.sender) != 20 or len(message.receiver) != 20 or len(message.signature) != 65:
        raise MalformedMessage("sender and receiver have 20 bytes, a signature 65")
    body = message.body
    for number in (message.nonce, message.sent_at, *_numbers(body)):
        if not 0 <= number < 2**64:
            raise MalformedMessage(f"a number {number}, expected 0 to 2^64")
    if isinstance(body, Buy) and len(body.wallets) > MAX_WALLETS:
        raise MalformedMessage(f"{len(body.wallets)} wallets, expected at most {MAX_WALLETS}")
    for name, length in _LENGTHS.items():
        said = getattr(body, name, None)
        if isinstance(said, bytes) and len(said) != length:
            raise MalformedMessage(f"{name} of {len(said)} bytes, expected {length}")
    if isinstance(body, Certified | Pay):
        voucher = body.voucher
        if (len(voucher.account), len(voucher.seller), len(voucher.record_root)) != (20, 20, 32):
            raise MalformedMessage("a voucher's accounts have 20 bytes, its record root 32")
    for account in (*getattr(body, "wallets", ()), *getattr(body, "blacklist", ())):
        if len(account) != 20:
            raise MalformedMessage(f"an account of {len(account)} bytes, expected 20")


def _numbers(value: object) -> Iterator[int]:
    """Return all whole numbers of a body, however deep."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _numbers(getattr(value, name))
