"""Rules: what people do with their money and their standing, alone."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contracts.fuzz import hands
from tests.contracts.fuzz.play import PEOPLE, Play, money, pick, sender, who
from tests.contracts.fuzz.spoiling import Changes, spoils
from tests.contracts.harness import BOB, DEVICES, MICRO, OPERATOR, REGION
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain.attest import security_digest
from gridpact.model.participant import Named, Role

ACCOUNTS = [*(device.address for device in DEVICES.values()), *(named.address for named in Named)]
account = st.sampled_from(ACCOUNTS)


class People(Play):
    """Wallets, the door, the review."""

    @rule(name=who, money=money, at=pick, keepers=st.integers(1, 3))
    def mint(self, name: str, money: int, at: int, keepers: int) -> None:
        given = hands.minted(
            self.world, DEVICES[name].address, money, hands.reference(at % 30), keepers
        )
        self.attempt(lambda: self.world.send(Contract.CURRENCY, "mint", *given))

    @rule(to=account, money=money, at=pick, sender=sender)
    def door(self, to: bytes, money: int, at: int, sender: bytes) -> None:
        ref = hands.reference(at % 30)
        given = self.world.warranted(to, money, ref, day=at % 3)
        self.attempt(lambda: self.world.send(Contract.VAULT, "mint", *given, sender=sender))

    @rule(name=who, money=money)
    def deposit(self, name: str, money: int) -> None:
        mine = DEVICES[name].address
        vault = hands.address(self.world.at[Contract.VAULT])
        self.attempt(
            lambda: self.world.send(Contract.CURRENCY, "approve", vault, money, sender=mine)
        )
        self.attempt(lambda: self.world.send(Contract.VAULT, "deposit", money, sender=mine))

    @rule(name=who, money=money, more=st.integers(0, 1), sender=sender)
    def deposit_with_permit(self, name: str, money: int, more: int, sender: bytes) -> None:
        mine = DEVICES[name].address
        nonce = self.world.view(Contract.CURRENCY, "nonces", mine) + more
        given = hands.address(mine), money, *hands.permit(self.world, name, money, nonce)
        act = ("deposit_with_permit",) if money % 2 else ("permit",)
        if act == ("permit",):
            vault = hands.address(self.world.at[Contract.VAULT])
            given = given[0], vault, *given[1:]
        contract = Contract.VAULT if money % 2 else Contract.CURRENCY
        self.attempt(lambda: self.world.send(contract, *act, *given, sender=sender))

    @rule(sender=st.sampled_from(ACCOUNTS), money=money)
    def withdraw(self, sender: bytes, money: int) -> None:
        self.attempt(lambda: self.world.send(Contract.VAULT, "withdraw", money, sender=sender))

    @rule(sender=sender)
    def retire(self, sender: bytes) -> None:
        self.attempt(lambda: self.world.send(Contract.VAULT, "retire", sender=sender))

    @rule(name=who, to=account, money=money, back=st.booleans())
    def pay(self, name: str, to: bytes, money: int, back: bool) -> None:
        given = hands.address(to), money
        mine = DEVICES[name].address
        if back:
            peer = hands.address(mine)
            self.attempt(
                lambda: self.world.send(Contract.CURRENCY, "transferFrom", peer, *given, sender=to)
            )
            given = hands.address(to), money % 1000
            self.attempt(lambda: self.world.send(Contract.CURRENCY, "approve", *given, sender=mine))
        else:
            self.attempt(
                lambda: self.world.send(Contract.CURRENCY, "transfer", *given, sender=mine)
            )

    @rule(name=who, money=money)
    def burn(self, name: str, money: int) -> None:
        mine, ref = DEVICES[name].address, keccak(b"out")
        self.attempt(lambda: self.world.send(Contract.CURRENCY, "burn", money, ref, sender=mine))

    # the review

    @rule(name=st.sampled_from([*PEOPLE, "stranger"]), deposit=st.integers(0, 3), sender=sender)
    def apply(self, name: str, deposit: int, sender: bytes) -> None:
        mine = DEVICES[name].address
        place = 9 << 8 | int(Role.CONSUMER)
        asked = keccak(b"certificate"), keccak(b"meter"), place, REGION, deposit * 500_000
        self.attempt(lambda: self.world.send(Contract.REGISTRY, "apply", asked, sender=mine))
        given = hands.address(mine), asked
        self.attempt(lambda: self.world.send(Contract.REGISTRY, "approve", *given, sender=sender))

    @rule(
        name=st.sampled_from(["stranger", "stranger", *PEOPLE]),
        deposit=st.integers(0, 2),
        wrong=st.integers(0, 12),
        spoil=spoils,
    )
    def join(self, name: str, deposit: int, wrong: int, spoil: Changes) -> None:
        """Apply, be approved, have money, put the deposit down."""
        mine = DEVICES[name].address
        asked: tuple[Any, ...] = (
            *(keccak(b"certificate"), keccak(b"meter"), 9 << 8 | int(Role.CONSUMER), REGION),
            deposit * 500_000,
        )
        other = (*asked[:4], 2**80)
        match wrong:
            case 0:
                asked = other
            case 1:
                asked = (bytes(32), *asked[1:])
            case 2:
                asked = (*asked[:2], 1 << 200, *asked[3:])
            case 3:
                asked = (*asked[:3], bytes(32), *asked[4:])
        send, registry = self.world.send, Contract.REGISTRY
        self.attempt(lambda: send(registry, "apply", asked, sender=mine), spoil)
        given = hands.address(mine), other if wrong == 4 else asked
        self.attempt(lambda: send(registry, "approve", *given), spoil)
        ref = keccak(b"joining" + name.encode())
        money = self.world.warranted(mine, 3 * MICRO, ref)
        if wrong != 5:
            self.attempt(lambda: send(Contract.VAULT, "mint", *money), spoil)
        self.attempt(lambda: send(registry, "put_deposit", sender=mine), spoil)

    @rule(
        name=st.sampled_from([*PEOPLE, "stranger"]),
        money=money,
        serial=st.integers(0, 2),
        signer=pick,
        again=st.booleans(),
    )
    def secure(self, name: str, money: int, serial: int, signer: int, again: bool) -> None:
        """Somebody's signed word adds to its deposit, brought by another, once or twice."""
        mine = DEVICES[name]
        device = DEVICES["bob"] if signer % 5 == 4 else mine
        digest = security_digest(self.world.domain, mine.address, money, serial)
        word = compact(device.sign(digest))
        row = hands.address(mine.address), money, (word[:32], word[32:])
        rows = [row] * (1 + again)
        self.attempt(lambda: self.world.send(Contract.REGISTRY, "add_deposits", rows, sender=BOB))

    @rule(
        name=st.sampled_from([*PEOPLE, "stranger"]),
        roles=st.integers(0, 300),
        wait=st.booleans(),
        spoil=spoils,
    )
    def announce(self, name: str, roles: int, wait: bool, spoil: Changes) -> None:
        """Propose roles, or leave; what was announced takes effect after the delay."""
        mine = DEVICES[name].address
        peer, delay = hands.address(mine), self.world.review.delay * self.world.timing.seconds
        send, registry = self.world.send, Contract.REGISTRY
        leaves = roles % 3 == 0
        if leaves:
            self.attempt(lambda: send(registry, "leave", sender=mine), spoil)
        else:
            self.attempt(lambda: send(registry, "propose_roles", peer, roles), spoil)
        self.world.time += delay if wait else 0
        then = "return_deposit" if leaves else "change_roles"
        self.attempt(lambda: send(registry, then, peer, sender=mine), spoil)

    @rule(
        new=st.sampled_from([*[OPERATOR] * 6, DEVICES["bob"].address, bytes(20)]),
        wait=st.booleans(),
        sender=sender,
        spoil=spoils,
    )
    def hand_over(self, new: bytes, wait: bool, sender: bytes, spoil: Changes) -> None:
        given = (hands.address(new),)
        send, registry = self.world.send, Contract.REGISTRY
        self.attempt(lambda: send(registry, "propose_operator", *given), spoil)
        if wait:
            self.world.time += self.world.review.delay * self.world.timing.seconds
        self.attempt(lambda: send(registry, "change_operator", sender=sender), spoil)

    @rule(
        name=st.sampled_from([*PEOPLE, "stranger"]),
        verb=st.sampled_from(["suspend", "reinstate", "refuse"]),
        sender=st.sampled_from([OPERATOR, OPERATOR, DEVICES["bob"].address]),
        why=st.sampled_from([keccak(b"why"), bytes(32)]),
    )
    def review(self, name: str, verb: str, sender: bytes, why: bytes) -> None:
        given = hands.address(DEVICES[name].address), why
        self.attempt(lambda: self.world.send(Contract.REGISTRY, verb, *given, sender=sender))

    @rule(
        name=st.sampled_from([*PEOPLE, "stranger"]),
        verb=st.integers(0, 4),
        roles=st.integers(0, 300),
    )
    def standing(self, name: str, verb: int, roles: int) -> None:
        mine = DEVICES[name].address
        if verb < 2:
            act = ("put_deposit", "leave")[verb]
            self.attempt(lambda: self.world.send(Contract.REGISTRY, act, sender=mine))
        elif verb == 2:
            given = hands.address(mine), roles
            self.attempt(lambda: self.world.send(Contract.REGISTRY, "propose_roles", *given))
        else:
            act = ("change_roles", "return_deposit")[verb - 3]
            peer = hands.address(mine)
            self.attempt(lambda: self.world.send(Contract.REGISTRY, act, peer, sender=mine))
