"""One purchase by voucher, step by step: what the tests of wallets and of theft act on."""

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from tests.contracts.harness import DEVICES, MICRO, OPERATOR_DEVICE, REGION, World
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.model.typed import PROFILE
from gridpact.model.voucher import Voucher, account_of, confirmation, hold, possession

HOUR = 3600
DUE, UNTIL, VOLUME, BALANCE, CHARGE = 14, 13, 3_001, 2 * MICRO + 1, 300_003
Pair = tuple[bytes, bytes]


def pair(signature: bytes) -> Pair:
    """Return a signature as contracts take it."""
    short = compact(signature)
    return short[:32], short[32:]


@dataclass
class Purchase:
    """Ann, unless told otherwise, buys of Bob; the wallet's key is her device's own."""

    world: World
    key: Device = field(default_factory=lambda: Device.derive(b"contracts", "ann's first wallet"))
    nonce: int = 1
    buyer: str = "ann"
    seller: str = "bob"

    @property
    def sold_by(self) -> bytes:
        return DEVICES[self.seller].address

    @property
    def account(self) -> bytes:
        return account_of(DEVICES[self.buyer].address, REGION, self.nonce)

    @property
    def voucher(self) -> Voucher:
        money = BALANCE, CHARGE
        return Voucher(self.account, self.sold_by, 1, UNTIL, VOLUME, *money, DUE, keccak(b"record"))

    def open(self, amount: int = BALANCE, proof: Device | None = None) -> list[Event]:
        buyer = DEVICES[self.buyer].address
        digest = possession(self.world.domain, self.account, buyer, self.key.address)
        signed = pair((proof or self.key).sign(digest))
        given = (self.nonce, self.key.address, signed, amount, UNTIL)
        return self.world.send(Contract.WALLETS, "open_wallet", *given, sender=buyer)

    def name(
        self,
        certified: Device = OPERATOR_DEVICE,
        paid: Device | None = None,
        signed: Voucher | None = None,
        sender: bytes = b"",
        **changes: Any,
    ) -> list[Event]:
        """Bring a voucher; `signed` is what the two signed where it is not what is brought."""
        brought = replace(self.voucher, **changes)
        digest = (signed or brought).digest(self.world.domain)
        row = tuple(getattr(brought, name) for name in brought.__struct_fields__)
        signatures = pair(certified.sign(digest)), pair((paid or self.key).sign(digest))
        who = sender or brought.seller
        return self.world.send(Contract.WALLETS, "name_seller", row, *signatures, sender=who)

    def claim(self, energy: int, sender: bytes = b"") -> list[Event]:
        who = sender or self.sold_by
        return self.world.send(Contract.WALLETS, "claim", self.account, energy, sender=who)

    def hold(self, signer: Device = OPERATOR_DEVICE, serial: int = 1) -> list[Event]:
        """Bring the operator's word that the sensors hold the trade."""
        name = replace(self.voucher, serial=serial).purchase
        signed = pair(signer.sign(hold(self.world.domain, name)))
        return self.world.send(Contract.WALLETS, "hold", self.account, signed)

    def release(self, sender: bytes = b"") -> list[Event]:
        who = sender or self.sold_by
        return self.world.send(Contract.WALLETS, "release", self.account, sender=who)

    def confirm(
        self, energy: int, key: Device | None = None, region: bytes = REGION, said: int = 0
    ) -> list[Event]:
        digest = confirmation(self.world.domain, self.voucher, region, said or energy)
        signed = pair((key or self.key).sign(digest))
        return self.world.send(Contract.WALLETS, "confirm", self.account, energy, signed)

    def meters(self, sent: int, taken: int, interval: int = DUE) -> list[Event]:
        """Bring what the seller's meter sent and the buyer's took."""
        return self.world.send(
            Contract.WALLETS,
            "settle_by_meters",
            self.account,
            self.meter(self.seller, 0, sent, interval),
            self.meter(self.buyer, taken, 0, interval),
        )

    def meter(
        self, name: str, imported: int, exported: int, interval: int = DUE, key: str = ""
    ) -> tuple[int, Pair]:
        """Return what a meter signs of an interval, its registers having stood at 500."""
        device, signer = (Device.derive(b"contracts", one) for one in (name, key or name))
        registers = (500, 500, 500 + imported, 500 + exported)
        struct = PROFILE.struct_hash((device.address, REGION, interval, *registers))
        word = sum(value << 64 * (3 - at) for at, value in enumerate(registers))
        return word, pair(signer.sign(self.world.domain.digest(struct)))

    def state(self) -> int:
        found: int = self.world.view(Contract.WALLETS, "wallet", self.account)[4]
        return found

    def at(self, interval: int) -> "Purchase":
        """Let an interval begin."""
        self.world.time = self.world.timing.begins + HOUR * interval
        return self
