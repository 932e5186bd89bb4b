"""Rules: purchases by voucher, with the right keys and the wrong ones, in time and too late."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec.structs import replace
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.play import Play, pick, sender
from tests.contracts.fuzz.spoiling import Changes, spoils
from tests.contracts.harness import ANN, BOB, DEVICES, OPERATOR_DEVICE, STRANGER
from tests.contracts.purchases import VOLUME, Purchase, pair
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keys import Key as Device
from gridpact.model.voucher import Voucher, possession

energy = st.one_of(st.integers(0, VOLUME + 1), st.sampled_from([1, VOLUME // 2, VOLUME]))
SELLERS = [BOB, BOB, DEVICES["cem"].address, DEVICES["ann"].address, DEVICES["stranger"].address]
WINDOW = 2


@dataclass
class Buying(Purchase):
    """A purchase whose voucher is what was last accepted; `until` is the wallet's own time."""

    amount: int = 0
    until: int = 13
    said: Voucher | None = None

    @property
    def voucher(self) -> Voucher:
        return self.said or replace(super().voucher, balance=self.amount, charge=self.amount // 5)

    def open(self, amount: int = 0, proof: Device | None = None) -> list[Event]:
        digest = possession(self.world.domain, self.account, ANN, self.key.address)
        given = (self.nonce, self.key.address, pair((proof or self.key).sign(digest)))
        return self.world.send(
            Contract.WALLETS, "open_wallet", *given, amount, self.until, sender=ANN
        )

    def measured(self, sent: int, taken: int) -> list[Event]:
        """Bring what both meters signed of the interval of delivery."""
        due, seller = self.voucher.due_by, hands.NAMES.get(self.voucher.seller, "bob")
        return self.world.send(
            Contract.WALLETS,
            "settle_by_meters",
            self.account,
            self.meter(seller, 0, sent, due),
            self.meter("ann", taken, 0, due),
        )


class Wallets(Play):
    """Wallets that empty to the named seller or to their buyer."""

    def open_market(self) -> None:
        super().open_market()
        self.purchases: list[Buying] = []
        self.buy(0, 300_000, 0, 2, ())
        assert len(self.purchases) == 1

    @rule(
        more=st.integers(0, 2),
        amount=st.integers(0, 400_000),
        wrong=st.integers(0, 9),
        ahead=st.integers(0, 3),
        spoil=spoils,
    )
    def buy(self, more: int, amount: int, wrong: int, ahead: int, spoil: Changes) -> None:
        nonce = len(self.purchases) + more
        key = Device.derive(b"contracts", f"wallet {nonce}")
        until = 2**32 if wrong == 2 else self.now() + ahead
        one = Buying(self.world, key, nonce, amount=amount, until=until)
        proof = OPERATOR_DEVICE if wrong == 1 else key
        if self.attempt(lambda: one.open(amount, proof), spoil):
            self.purchases.append(one)

    @rule(
        at=pick,
        wrong=st.integers(0, 18),
        serial=st.integers(1, 3),
        seller=pick,
        ahead=st.integers(0, 2),
        spoil=spoils,
    )
    def name_seller(
        self, at: int, wrong: int, serial: int, seller: int, ahead: int, spoil: Changes
    ) -> None:
        one, now = self.of(at, self.purchases), self.now()
        changes: dict[str, Any] = {
            "serial": serial,
            "seller": self.of(seller, SELLERS),
            "due_by": now + ahead,
            "valid_until": now,
        }
        keys: dict[str, Any] = {"certified": OPERATOR_DEVICE, "paid": one.key}
        match wrong:
            case 1:
                changes["balance"] = one.amount + 1
            case 2:
                changes["valid_until"] = now - 1
            case 3:
                changes["due_by"] = now - 1
            case 4:
                keys["certified"] = one.key
            case 5:
                keys["paid"] = OPERATOR_DEVICE
            case 6:
                changes["volume_wh"] = 0
            case 7:
                changes["serial"] = 2**56
            case 8:
                changes["due_by"] = 2**32
            case 9:
                changes["charge"] = one.amount + 1
            case 10:
                keys["sender"] = ANN
        if self.attempt(lambda: one.name(**keys, **changes), spoil):
            one.said = replace(one.voucher, **changes)

    @rule(at=pick, energy=energy, sender=st.one_of(st.just(BOB), sender), spoil=spoils)
    def claim(self, at: int, energy: int, sender: bytes, spoil: Changes) -> None:
        one = self.of(at, self.purchases)
        self.attempt(lambda: one.claim(energy, sender), spoil)

    @rule(at=pick, energy=energy, wrong=st.integers(0, 5), said=st.integers(0, 3), spoil=spoils)
    def confirm(self, at: int, energy: int, wrong: int, said: int, spoil: Changes) -> None:
        one = self.of(at, self.purchases)
        key = OPERATOR_DEVICE if wrong == 0 else one.key
        self.attempt(lambda: one.confirm(energy, key, said=(said == 0) * (energy + 1)), spoil)

    @rule(at=pick, sent=energy, taken=energy, spoil=spoils)
    def by_meters(self, at: int, sent: int, taken: int, spoil: Changes) -> None:
        one = self.of(at, self.purchases)
        self.attempt(lambda: one.measured(sent, taken), spoil)

    @rule(at=pick, wrong=st.integers(0, 3), serial=st.integers(1, 2), spoil=spoils)
    def hold(self, at: int, wrong: int, serial: int, spoil: Changes) -> None:
        one = self.of(at, self.purchases)
        key = one.key if wrong == 0 else OPERATOR_DEVICE
        self.attempt(lambda: one.hold(key, serial), spoil)

    @rule(who=sender, back=st.integers(0, 6), sender=sender, spoil=spoils)
    def fine(self, who: bytes, back: int, sender: bytes, spoil: Changes) -> None:
        given = who, max(0, self.now() - back)
        self.attempt(
            lambda: self.world.send(Contract.WALLETS, "fine", *given, sender=sender), spoil
        )

    @rule(at=pick, back=st.booleans(), sender=sender, spoil=spoils)
    def give_up(self, at: int, back: bool, sender: bytes, spoil: Changes) -> None:
        one = self.of(at, self.purchases)
        verb = "time_out" if back else "release"
        who = one.voucher.seller if sender == BOB else sender
        self.attempt(
            lambda: self.world.send(Contract.WALLETS, verb, one.account, sender=who), spoil
        )

    @rule(
        amount=st.integers(1, 200_000),
        seller=st.integers(0, 1),
        claimed=energy,
        first=energy,
        end=st.sampled_from(["confirm", "meters", "meters", "back", "release", "hold", "fine"]),
        taken=energy,
        spoil=spoils,
    )
    def purchase(
        self,
        amount: int,
        seller: int,
        claimed: int,
        first: int,
        end: str,
        taken: int,
        spoil: Changes,
    ) -> None:
        """One purchase from the wallet to its end."""
        self.buy(0, amount, 9, 1, spoil)
        at = len(self.purchases) - 1
        one = self.purchases[at]
        self.name_seller(at, 0, 1, 2 * seller, 0, spoil)
        self.attempt(lambda: one.claim(claimed, one.voucher.seller), spoil)
        if first % 2:
            self.confirm(at, first, 1, 1, spoil)
        if end == "confirm":
            self.confirm(at, VOLUME, 1, 1, spoil)
            return
        if end == "hold":
            self.hold(at, 1, 1, spoil)
        late, over = 1 + WINDOW, 1 + 2 * WINDOW
        steps = {"release": 0, "hold": 0, "meters": late, "fine": late, "back": over}[end]
        self.world.time += steps * self.world.timing.seconds
        if end in ("meters", "fine"):
            self.by_meters(at, claimed, taken, spoil)
            if end == "fine":
                self.world.time += WINDOW * self.world.timing.seconds
                self.fine(one.voucher.seller, over, STRANGER, spoil)
        else:
            self.give_up(at, end == "back", BOB, spoil)
