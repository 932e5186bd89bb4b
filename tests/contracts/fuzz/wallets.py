"""Rules: purchases by voucher, with the right keys and the wrong ones, in time and too late."""

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contracts.fuzz.play import Play, pick, sender
from tests.contracts.harness import BOB, DEVICES, OPERATOR_DEVICE
from tests.contracts.purchases import VOLUME, Purchase
from tests.contracts.reading import Contract

from gridpact.crypto.keys import Key as Device

energy = st.one_of(st.integers(0, VOLUME + 1), st.just(VOLUME))
SELLERS = [BOB, BOB, DEVICES["cem"].address, DEVICES["ann"].address, DEVICES["stranger"].address]


class Wallets(Play):
    """Wallets that empty to the named seller or to their buyer."""

    def open_market(self) -> None:
        super().open_market()
        self.purchases: list[tuple[Purchase, int]] = []
        self.buy(0, 300_000, 0)
        assert len(self.purchases) == 1

    @rule(more=st.integers(0, 2), amount=st.integers(0, 400_000), wrong=st.integers(0, 5))
    def buy(self, more: int, amount: int, wrong: int) -> None:
        nonce = len(self.purchases) + more
        key = Device.derive(b"contracts", f"wallet {nonce}")
        one = Purchase(self.world, key, nonce)
        proof = OPERATOR_DEVICE if wrong == 1 else key
        if self.attempt(lambda: one.open(amount, proof)):
            self.purchases.append((one, amount))

    @rule(at=pick, wrong=st.integers(0, 12), serial=st.integers(1, 3), seller=pick)
    def name_seller(self, at: int, wrong: int, serial: int, seller: int) -> None:
        one, amount = self.of(at, self.purchases)
        changes = {"balance": amount, "serial": serial, "seller": self.of(seller, SELLERS)}
        keys = {"certified": OPERATOR_DEVICE, "paid": one.key}
        match wrong:
            case 1:
                changes["balance"] = amount + 1
            case 2:
                changes["valid_until"] = 9
            case 3:
                changes["due_by"] = 9
            case 4:
                keys["certified"] = one.key
            case 5:
                keys["paid"] = OPERATOR_DEVICE
            case 6:
                changes["volume_wh"] = 0
        self.attempt(lambda: one.name(**keys, **changes))

    @rule(at=pick, energy=energy, sender=st.one_of(st.just(BOB), sender))
    def claim(self, at: int, energy: int, sender: bytes) -> None:
        one, _ = self.of(at, self.purchases)
        self.attempt(lambda: one.claim(energy, sender))

    @rule(at=pick, energy=energy, wrong=st.booleans(), said=st.integers(0, 1))
    def confirm(self, at: int, energy: int, wrong: bool, said: int) -> None:
        one, _ = self.of(at, self.purchases)
        key = OPERATOR_DEVICE if wrong else one.key
        self.attempt(lambda: one.confirm(energy, key, said=said * (energy + 1)))

    @rule(at=pick, sent=energy, taken=energy)
    def by_meters(self, at: int, sent: int, taken: int) -> None:
        one, _ = self.of(at, self.purchases)
        self.attempt(lambda: one.meters(sent, taken))

    @rule(at=pick, back=st.booleans(), sender=sender)
    def give_up(self, at: int, back: bool, sender: bytes) -> None:
        one, _ = self.of(at, self.purchases)
        verb = "time_out" if back else "release"
        self.attempt(lambda: self.world.send(Contract.WALLETS, verb, one.account, sender=sender))
