"""The vault: nobody but the rules moves money, and no sequence of moves makes or loses any."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import door
from tests.contracts.harness import (
    ANN,
    AREA,
    BOB,
    CEM,
    CHAIN,
    OPERATOR,
    PLANT,
    STRANGER,
    World,
    refused,
    reverts,
)
from tests.contracts.reading import Contract, Event, artefact, call, event, result

from gridpact.crypto.eip712 import Domain, word
from gridpact.crypto.keccak import keccak
from gridpact.errors import Reverted
from gridpact.ledger.chain import Outcome
from gridpact.ledger.evm.engine import Moment, default_engine
from gridpact.ledger.evm.transactions import GAS, Transaction, create_address
from gridpact.ledger.memory.vault import PlainVault, Pot
from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.ledger.onchain.abi import arguments as packed
from gridpact.ledger.onchain.packing import account as unpacked
from gridpact.ledger.onchain.packing import is_open
from gridpact.model.participant import Account, Named

REGISTRY, ORDERS, SETTLEMENT, INCENTIVE, CROSSING = (
    keccak(role.encode())[12:] for role in ("registry", "orders", "settle", "incentive", "crossing")
)
NET, FALLBACK, COUNCIL, WALLETS, SUPPLY = (
    keccak(role.encode())[12:] for role in ("net", "fallback", "council", "wallets", "supply")
)
REF = keccak(b"reference")
POT = Named.INCENTIVE.address
LOSS, NETWORK, REWARD = (
    Named.NETWORK_LOSS.address,
    Named.NETWORK_OPERATOR.address,
    Named.REWARD.address,
)
HOLDERS = (ANN, BOB, POT, LOSS, NETWORK, REWARD)


class Vault:
    """The vault alone, with plain addresses in the place of the rule contracts."""

    def __init__(self) -> None:
        self.engine = default_engine()(CHAIN, {})
        self.at, money = create_address(OPERATOR, 0), create_address(OPERATOR, 1)
        self.currency = Domain(CHAIN, money)
        roles = (money, REGISTRY, ORDERS, SETTLEMENT, INCENTIVE, NET, FALLBACK, COUNCIL)
        roles = (*roles, CROSSING, WALLETS, SUPPLY)
        code = artefact(Contract.VAULT).bytecode
        self._run(OPERATOR, b"", code + pack(*roles))
        given = pack(self.at, 0, 3600, door.TERMS.needed, 2**80 - 1)
        keepers = Rows([word(keeper) for keeper in door.TERMS.keepers])
        code = artefact(Contract.CURRENCY).bytecode
        self._run(OPERATOR, b"", code + packed(given, keepers))
        for holder in (ANN, BOB):
            self.send(REGISTRY, "open", holder)
        self.engine.keep()

    def _run(self, sender: bytes, to: bytes, data: bytes) -> Outcome:
        nonce = self.engine.nonce(sender)
        transaction = Transaction(CHAIN, nonce, GAS, to, data, b"", b"")
        execution = self.engine.execute(transaction, sender, Moment(1, 0))
        if execution.failure:
            raise Reverted(execution.failure)
        return execution.outcome

    def send(self, sender: bytes, name: str, *arguments: Any) -> list[Event]:
        outcome = self._run(sender, self.at, call(Contract.VAULT, name, *arguments))
        return [event(Contract.VAULT, log) for log in outcome.logs if log.address == self.at]

    def mint(self, account: bytes, money: int, ref: bytes, day: int = 0) -> list[Event]:
        word = door.word_of(self.currency, account, money, ref, day)
        signatures = [(one[:32], one[32:]) for one in word.signatures]
        return self.send(STRANGER, "mint", account, money, ref, day, signatures)

    def view(self, name: str, *arguments: Any) -> Any:
        execution = self.engine.view(
            STRANGER, self.at, call(Contract.VAULT, name, *arguments), Moment(1, 0)
        )
        values = result(Contract.VAULT, name, execution.outcome.output)
        return values[0] if len(values) == 1 else values

    def supply(self) -> tuple[int, int]:
        """Return the currency's supply, and what of it the vault holds."""
        money = self.currency.verifying_contract

        def asked(name: str, *given: Any) -> int:
            data = call(Contract.CURRENCY, name, *given)
            output = self.engine.view(STRANGER, money, data, Moment(1, 0)).outcome.output
            return int.from_bytes(output, "big")

        return asked("totalSupply"), asked("balanceOf", self.at)

    def account(self, holder: bytes) -> Account:
        return Account(*self.view("account", holder))


VAULT = Vault()


@pytest.fixture(autouse=True)
def vault() -> Vault:
    VAULT.engine.undo()
    return VAULT


def test_named_accounts_are_open_from_the_start(vault: Vault) -> None:
    for named in Named:
        assert vault.view("is_open", named.address)
    assert not vault.view("is_open", STRANGER)


def test_account_opened_twice_keeps_its_money(vault: Vault) -> None:
    vault.mint(ANN, 5, REF)
    vault.send(REGISTRY, "open", ANN)
    assert vault.account(ANN) == Account(5)


def test_nobody_is_no_account(vault: Vault) -> None:
    with refused("vault: no account"):
        vault.send(REGISTRY, "open", bytes(20))


def test_money_enters_at_the_door_once_per_reference(vault: Vault) -> None:
    (minted,) = vault.mint(ANN, 5, REF)
    assert minted == Event(Contract.VAULT, "Minted", {"account": ANN, "amount": 5, "ref": REF})
    assert vault.mint(ANN, 5, REF) == []
    with refused("door: reference used"):
        vault.mint(BOB, 5, REF)
    with refused("door: no reference"):
        vault.mint(BOB, 5, bytes(32))
    with refused("vault: account not open"):
        vault.mint(STRANGER, 5, keccak(REF))
    assert vault.view("totals") == (5, 0, 5, 0, 0, 0)


def test_supply_stays_below_what_a_field_holds(vault: Vault) -> None:
    vault.mint(ANN, 2**80 - 1, REF)
    with refused("currency: supply"):
        vault.mint(BOB, 1, keccak(REF), day=1)
    with refused("door: daily cap"):
        vault.mint(BOB, 2**256 - 1, keccak(REF), day=1)
    vault.send(CROSSING, "burn", ANN, 1, keccak(b"burn"))
    vault.mint(BOB, 1, keccak(REF), day=1)


def test_only_free_money_is_burned_once_per_reference(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    vault.send(ORDERS, "reserve", ANN, 4)
    with refused("vault: not enough free"):
        vault.send(CROSSING, "burn", ANN, 7, keccak(b"burn"))
    (burned,) = vault.send(CROSSING, "burn", ANN, 6, keccak(b"burn"))
    assert (burned.name, burned.values["amount"]) == ("Burned", 6)
    with refused("vault: reference used"):
        vault.send(CROSSING, "burn", ANN, 0, keccak(b"burn"))
    assert vault.view("totals") == (10, 6, 0, 4, 0, 0)


def test_money_goes_from_free_over_reserved_to_locked_and_to_another(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    vault.send(ORDERS, "reserve", ANN, 8)
    vault.send(ORDERS, "release", ANN, 1)
    vault.send(SETTLEMENT, "lock", ANN, 6)
    vault.send(SETTLEMENT, "settle", ANN, BOB, (4, 0, 0, 1, 0, 0))
    assert vault.account(ANN) == Account(4, 1, 1)
    assert vault.account(BOB) == Account(4)
    words = vault.view("read", [ANN, STRANGER])
    assert (unpacked(words[0]), is_open(words[0])) == (Account(4, 1, 1), True)
    assert words[1] == 0


@pytest.mark.parametrize(
    ("sender", "name", "reason"),
    [
        (ORDERS, "reserve", "vault: not enough free"),
        (ORDERS, "release", "vault: not enough held"),
        (SETTLEMENT, "lock", "vault: not enough held"),
    ],
)
def test_nobody_spends_what_is_not_there(
    vault: Vault, sender: bytes, name: str, reason: str
) -> None:
    with refused(reason):
        vault.send(sender, name, ANN, 1)


def test_locked_money_is_paid_to_open_accounts_only(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    vault.send(ORDERS, "reserve", ANN, 8)
    vault.send(SETTLEMENT, "lock", ANN, 8)
    with refused("vault: account not open"):
        vault.send(SETTLEMENT, "settle", ANN, STRANGER, (1, 1, 0, 0, 0, 0))
    for parts in ((9, 0, 0, 0), (0, 9, 0, 0), (0, 0, 9, 0), (0, 0, 0, 9), (3, 2, 2, 2)):
        with refused("vault: not enough held"):
            vault.send(SETTLEMENT, "settle", ANN, BOB, (*parts, 0, 0))
    with pytest.raises(Reverted):
        vault.send(SETTLEMENT, "settle", ANN, BOB, (2**255, 2**255, 0, 0, 0, 0))


def test_reward_and_claim_are_paid_as_far_as_their_accounts_reach(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    vault.mint(REWARD, 3, keccak(REF))
    vault.send(ORDERS, "reserve", ANN, 8)
    vault.send(SETTLEMENT, "lock", ANN, 8)
    data = call(Contract.VAULT, "settle", ANN, BOB, (2, 1, 3, 2, 5, 4))
    output = VAULT._run(SETTLEMENT, VAULT.at, data).output
    assert result(Contract.VAULT, "settle", output) == (3, 1)
    assert vault.account(ANN) == Account(2 + 2 + 1, 0, 0)
    assert vault.account(BOB) == Account(2 + 3)
    assert [vault.account(one) for one in (LOSS, NETWORK, REWARD)] == [
        Account(0),
        Account(3),
        Account(0),
    ]
    assert vault.view("totals") == (13, 0, 13, 0, 0, 0)


def test_tills_are_accounts_like_others(vault: Vault) -> None:
    for place, till in enumerate((LOSS, NETWORK, REWARD)):
        vault.mint(till, 2**79 // 3 + place, keccak(till))
    for place, till in enumerate((LOSS, NETWORK, REWARD)):
        assert vault.account(till) == Account(2**79 // 3 + place)
        (word,) = vault.view("read", [till])
        assert (unpacked(word), is_open(word)) == (vault.account(till), True)
        with refused("vault: not enough free"):
            vault.send(CROSSING, "burn", till, 2**79, keccak(b"burn"))
        with refused("vault: not enough free"):
            vault.send(ORDERS, "reserve", till, 1)  # nobody signs orders for it
        vault.send(COUNCIL, "pledge", till, 7)
        assert vault.account(till) == Account(2**79 // 3 + place - 7, 0, 7)
        vault.send(COUNCIL, "unpledge", till, 7)
    vault.send(SUPPLY, "transfer_up_to", LOSS, NETWORK, 2**80)
    assert vault.account(LOSS) == Account(0)
    assert vault.account(NETWORK) == Account(2 * (2**79 // 3) + 1)


def test_standing_lies_beside_the_money_and_is_none(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    assert (vault.view("standing", ANN), vault.view("standing", STRANGER)) == (1, 0)
    for may_order, own_meter, standing in (
        (True, False, 3),
        (False, False, 2),
        (False, True, 2),
        (True, True, 1),
    ):
        vault.send(REGISTRY, "stand", ANN, may_order, own_meter)
        assert vault.view("standing", ANN) == standing
        assert vault.account(ANN) == Account(10)
        assert unpacked(vault.view("read", [ANN])[0]) == Account(10)
        assert vault.view("totals")[2] == 10
        data = call(Contract.VAULT, "reserve", ANN, 1)
        output = VAULT._run(ORDERS, VAULT.at, data).output
        assert result(Contract.VAULT, "reserve", output) == (standing,)
        vault.send(ORDERS, "release", ANN, 1)
        with refused("vault: not enough free"):
            vault.send(CROSSING, "burn", ANN, 11, keccak(b"burn"))
    for nobody in (STRANGER, LOSS):
        with refused("vault: account not open"):
            vault.send(REGISTRY, "stand", nobody, False, True)


def test_lock_that_nobody_settles_goes_back_to_its_owner(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    vault.send(ORDERS, "engage", ANN, 6)
    assert vault.account(ANN) == Account(4, 0, 6)
    vault.send(SETTLEMENT, "unlock", ANN, 5)
    assert vault.account(ANN) == Account(9, 0, 1)
    vault.send(ORDERS, "reserve", ANN, 3)
    vault.send(SETTLEMENT, "lapse", ANN, 2)
    assert vault.account(ANN) == Account(8, 1, 1)


def test_an_empty_account_pays_what_it_has(vault: Vault) -> None:
    vault.mint(ANN, 10, REF)
    data = call(Contract.VAULT, "transfer_up_to", ANN, BOB, 12)
    assert int.from_bytes(VAULT._run(SUPPLY, VAULT.at, data).output, "big") == 10
    assert (vault.account(ANN), vault.account(BOB)) == (Account(0), Account(10))


def test_incentive_rule_spends_its_own_account_only(vault: Vault) -> None:
    vault.mint(POT, 10, REF)
    vault.send(INCENTIVE, "transfer_up_to", POT, BOB, 4)
    assert vault.account(BOB) == Account(4)
    with refused("vault: not a rule"):
        vault.send(INCENTIVE, "transfer_up_to", BOB, ANN, 1)


def test_no_more_comes_home_than_went_out(vault: Vault) -> None:
    out, home = keccak(b"out"), keccak(b"home")
    vault.mint(ANN, 10, REF)
    vault.send(ORDERS, "reserve", ANN, 8)
    (departed,) = vault.send(CROSSING, "depart", ANN, 6, out)
    assert departed.values == {"account": ANN, "amount": 6, "crossing": out}
    (arrived,) = vault.send(CROSSING, "arrive", ANN, 2, home)
    assert arrived.values == {"account": ANN, "amount": 2, "crossing": home}
    assert vault.view("totals") == (10, 0, 4, 2, 0, 4)
    assert (vault.view("departed", out), vault.view("arrived", home)) == (6, 2)
    with refused("vault: not in transit"):
        vault.send(CROSSING, "arrive", ANN, 5, home)
    with refused("vault: not enough held"):
        vault.send(CROSSING, "depart", ANN, 3, out)


def test_what_is_slashed_is_burned_at_once_and_its_currency_when_somebody_retires_it(
    vault: Vault,
) -> None:
    vault.mint(ANN, 10, REF)
    with refused("vault: nothing to retire"):
        vault.send(STRANGER, "retire")
    vault.send(COUNCIL, "pledge", ANN, 9)
    slashed = (4, [BOB, STRANGER], [1, 1], REF), (5, [BOB, BOB], [1, 1], REF)
    events = [vault.send(COUNCIL, "slash", ANN, *one) for one in slashed]
    assert [one.values["amount"] for (one,) in events] == [3, 3]  # a stranger has no account
    assert vault.view("totals") == (10, 6, 4, 0, 0, 0)
    assert vault.supply() == (10, 10)
    assert vault.send(STRANGER, "retire") == []
    assert vault.supply() == (4, 4)
    assert vault.view("totals") == (10, 6, 4, 0, 0, 0)
    with refused("vault: nothing to retire"):
        vault.send(ANN, "retire")


MOVES: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "open": (REGISTRY, (ANN,)),
    "stand": (REGISTRY, (ANN, True, True)),
    "burn": (CROSSING, (ANN, 1, REF)),
    "reserve": (ORDERS, (ANN, 1)),
    "release": (ORDERS, (ANN, 1)),
    "lock": (SETTLEMENT, (ANN, 1)),
    "engage": (ORDERS, (ANN, 1)),
    "unlock": (SETTLEMENT, (ANN, 1)),
    "lapse": (SETTLEMENT, (ANN, 1)),
    "settle": (SETTLEMENT, (ANN, BOB, (1, 0, 0, 0, 0, 0))),
    "transfer_up_to": (SUPPLY, (ANN, BOB, 1)),
    "reserve_rows": (NET, ([],)),
    "apply": (NET, ([], [])),
    "release_rows": (FALLBACK, ([],)),
    "pledge": (COUNCIL, (ANN, 1)),
    "unpledge": (COUNCIL, (ANN, 1)),
    "slash": (COUNCIL, (ANN, 4, [BOB, BOB], [1, 1], REF)),
    "depart": (CROSSING, (ANN, 1, REF)),
    "arrive": (CROSSING, (ANN, 1, REF)),
    "fine": (REGISTRY, (ANN, 1)),
    "fill_wallet": (WALLETS, (ANN, STRANGER, 1)),
    "empty_wallet": (WALLETS, (ANN, BOB, 1)),
}


def _row(account: bytes, reserved: int = 0, lock: int = 0) -> int:
    return int.from_bytes(account, "big") << 96 | reserved << 48 | lock


FIRST, SECOND = sorted((ANN, BOB))
WRONG: dict[str, tuple[bytes, str, tuple[Any, ...]]] = {
    # what the vault refuses even the rule that may call
    "vault: accounts not rising": (NET, "reserve_rows", ([_row(SECOND), _row(FIRST)],)),
    "vault: locked too early": (NET, "reserve_rows", ([_row(ANN, 1, 1)],)),
    "vault: not enough free": (NET, "reserve_rows", ([_row(ANN, 11)],)),
    "vault: deltas do not sum to zero": (NET, "apply", ([_row(ANN)], [1 << 128])),
    "vault: less than half burned": (COUNCIL, "slash", (ANN, 4, [BOB, BOB], [1, 2], REF)),
    "vault: account is open": (WALLETS, "fill_wallet", (ANN, BOB, 1)),
    "vault: no reference": (CROSSING, "burn", (ANN, 1, bytes(32))),
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_rule_that_errs_is_refused(vault: Vault, reason: str) -> None:
    vault.mint(ANN, 10, REF)
    vault.send(COUNCIL, "pledge", ANN, 4)
    sender, name, given = WRONG[reason]
    with refused(reason):
        vault.send(sender, name, *given)
    assert vault.account(ANN) == Account(6, 0, 4)


ALSO = {
    "pledge": {REGISTRY},  # a deposit is pledged as a bond is
    "unpledge": {REGISTRY},
    "settle": {FALLBACK, WALLETS},  # out of what is reserved; out of a purchase wallet
}


def test_every_function_of_the_vault_that_changes_it_is_guarded() -> None:
    views = {"standing", "is_open", "account", "read", "totals", "used", "departed", "arrived"}
    immutables = {"CURRENCY", "REGISTRY", "ORDERS", "SETTLEMENT", "INCENTIVE", "CROSSING"}
    immutables |= {"NET", "FALLBACK", "COUNCIL", "WALLETS", "SUPPLY"}
    people = {"mint", "deposit", "deposit_with_permit", "withdraw"}  # tests/contracts/test_currency
    people |= {"retire"}
    assert set(artefact(Contract.VAULT).functions) == set(MOVES) | people | views | immutables


@pytest.mark.parametrize("name", MOVES)
def test_nobody_but_the_rule_contract_moves_money(vault: Vault, name: str) -> None:
    entitled, arguments = MOVES[name]
    roles = {REGISTRY, ORDERS, SETTLEMENT, INCENTIVE, CROSSING, ANN, BOB, STRANGER, OPERATOR}
    roles |= {NET, FALLBACK, COUNCIL, WALLETS, SUPPLY}
    for sender in roles - {entitled} - ALSO.get(name, set()):
        with pytest.raises(Reverted, match=r"vault: not (the|a) "):
            vault.send(sender, name, *arguments)


@pytest.mark.parametrize("name", MOVES)
def test_operator_moves_nothing(world: World, name: str) -> None:
    _, arguments = MOVES[name]
    for sender in (OPERATOR, ANN, STRANGER):
        with pytest.raises(Reverted, match=r"vault: not (the|a) "):
            world.send(Contract.VAULT, name, *arguments, sender=sender)


def test_the_peers_are_those_that_were_deployed(world: World) -> None:
    named = {name.lower() for name in artefact(Contract.VAULT).functions if name.isupper()}
    peers = [contract for contract in Contract if contract.value in named]
    assert len(peers) >= 7
    for peer in peers:
        known = world.view(Contract.VAULT, peer.value.upper())
        assert bytes.fromhex(known[2:]) == world.at[peer]
    for holder in (ANN, BOB, CEM, PLANT, AREA):
        assert world.view(Contract.VAULT, "is_open", holder)


PLAIN = {
    "reserve": (ORDERS, Pot.FREE, Pot.RESERVED),
    "release": (ORDERS, Pot.RESERVED, Pot.FREE),
    "lock": (SETTLEMENT, Pot.RESERVED, Pot.LOCKED),
    "engage": (ORDERS, Pot.FREE, Pot.LOCKED),
    "unlock": (SETTLEMENT, Pot.LOCKED, Pot.FREE),
    "lapse": (SETTLEMENT, Pot.RESERVED, Pot.FREE),
    "pledge": (COUNCIL, Pot.FREE, Pot.LOCKED),
    "unpledge": (COUNCIL, Pot.LOCKED, Pot.FREE),
}


def _steps(names: list[str], holders: tuple[bytes, ...]) -> Any:
    one = st.sampled_from(holders)
    return st.tuples(st.sampled_from(names), one, one, st.integers(0, 40), st.integers(0, 5))


# nobody has a key for the market's own accounts, so they are no party to a fill
steps = _steps(
    ["mint", "burn", "transfer_up_to", "arrive", "pledge", "unpledge"], HOLDERS
) | _steps(["settle", "depart", *PLAIN], (ANN, BOB, POT))


def _on_chain(step: tuple[str, bytes, bytes, int, int]) -> None:
    name, one, other, money, ref = step
    reference = keccak(bytes([ref]))
    if name == "mint":
        VAULT.mint(one, money, reference)
    elif name in ("burn", "depart", "arrive"):
        VAULT.send(CROSSING, name, one, money, reference)
    elif name == "transfer_up_to":
        VAULT.send(SUPPLY, name, one, other, money)
    elif name == "settle":
        VAULT.send(SETTLEMENT, name, one, other, (money, ref, 2 * ref, ref, money, 3 * ref))
    else:
        VAULT.send(PLAIN[name][0], name, one, money)


def _in_memory(plain: PlainVault, step: tuple[str, bytes, bytes, int, int]) -> None:
    name, one, other, money, ref = step
    reference = keccak(bytes([ref]))
    if name == "mint":
        plain.mint(one, money, reference)
    elif name == "burn":
        plain.burn(one, money, reference)
    elif name == "settle":
        for payee, share in ((other, money), (LOSS, ref), (NETWORK, 2 * ref)):
            plain.pay(one, Pot.LOCKED, payee, share)
        plain.shift(one, Pot.LOCKED, Pot.FREE, ref)
        plain.pay(REWARD, Pot.FREE, other, min(money, plain.free(REWARD)))
        plain.pay(LOSS, Pot.FREE, one, min(3 * ref, plain.free(LOSS)))
    elif name == "transfer_up_to":
        plain.pay(one, Pot.FREE, other, min(money, plain.free(one)))
    elif name == "depart":
        plain.depart(one, money)
    elif name == "arrive":
        plain.arrive(one, money)
    else:
        plain.shift(one, *PLAIN[name][1:], money)


@settings(max_examples=120, deadline=None)
@given(st.lists(steps, max_size=30))
def test_no_sequence_of_moves_makes_or_loses_money(
    sequence: list[tuple[str, bytes, bytes, int, int]],
) -> None:
    VAULT.engine.undo()
    plain = PlainVault()
    for holder in HOLDERS:
        plain.open(holder)
    start = [("mint", holder, holder, 50, 100 + place) for place, holder in enumerate(HOLDERS)]
    for step in [*start, *sequence]:
        for journal in plain.journals():
            journal.keep()
        refused_in_memory = reverts(partial(_in_memory, plain, step))
        assert reverts(partial(_on_chain, step)) == refused_in_memory
        if refused_in_memory:
            for journal in plain.journals():
                journal.undo()
        totals = plain.totals()
        assert totals.holds
        assert VAULT.view("totals") == (
            *(totals.minted, totals.burned, totals.free, totals.reserved, totals.locked),
            totals.transit,
        )
    for holder in HOLDERS:
        assert VAULT.account(holder) == plain.account(holder)
