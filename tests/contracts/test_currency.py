"""The currency and the vault's door: permits, deposits, withdrawals, and the keepers' word."""

import pytest
from tests import door
from tests.contracts.harness import (
    ANN,
    BOB,
    CHAIN,
    DEVICES,
    MICRO,
    STRANGER,
    World,
    refused,
)
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.model.door import mint_digest, warrant
from gridpact.model.order import Side
from gridpact.model.participant import Account
from gridpact.model.record import Timing
from gridpact.model.typed import PERMIT

REF = keccak(b"a payment to the outside")
LATE = 2**40
TIMING = Timing(begins=1_700_000_000, seconds=3600)


def word(world: World, to: bytes, money: int, ref: bytes, day: int = 0) -> tuple[object, ...]:
    """Return what `currency.mint` takes."""
    digest = mint_digest(world.currency, to, money, ref, day)
    signed = warrant(digest, day, [keeper.sign for keeper in door.KEEPERS[:2]])
    return to, money, ref, day, [(one[:32], one[32:]) for one in signed.signatures]


def balance(world: World, holder: bytes) -> int:
    found: int = world.view(Contract.CURRENCY, "balanceOf", holder)
    return found


def permit(
    world: World, owner: str, money: int, deadline: int = LATE, nonce: int = 0, spender: bytes = b""
) -> tuple[object, ...]:
    """Return deadline, v, r, s of a permit for the vault."""
    values = (
        *(DEVICES[owner].address, spender or world.at[Contract.VAULT]),
        *(money, nonce, deadline),
    )
    signed = DEVICES[owner].sign(world.currency.digest(PERMIT.struct_hash(values)))
    return deadline, signed[64], signed[:32], signed[32:64]


@pytest.fixture
def rich(world: World) -> World:
    """Ann and the stranger hold 10 units of currency each."""
    for holder in (ANN, STRANGER):
        world.send(Contract.CURRENCY, "mint", *word(world, holder, 10 * MICRO, keccak(holder)))
    return world


def test_it_is_an_erc20_in_micro_units(rich: World) -> None:
    views = [rich.view(Contract.CURRENCY, name) for name in ("name", "symbol", "decimals")]
    assert views == ["gridpact", "GRID", 6]
    assert rich.view(Contract.CURRENCY, "DOMAIN_SEPARATOR") == rich.currency.separator
    assert rich.view(Contract.CURRENCY, "totalSupply") == 20 * MICRO
    (paid,) = rich.send(Contract.CURRENCY, "transfer", BOB, 3, sender=ANN)
    assert paid.values == {"sender": ANN, "receiver": BOB, "value": 3}
    (approved,) = rich.send(Contract.CURRENCY, "approve", STRANGER, 5, sender=BOB)
    assert approved.values == {"owner": BOB, "spender": STRANGER, "value": 5}
    rich.send(Contract.CURRENCY, "transferFrom", BOB, ANN, 2, sender=STRANGER)
    assert rich.view(Contract.CURRENCY, "allowance", BOB, STRANGER) == 3
    assert (balance(rich, ANN), balance(rich, BOB)) == (10 * MICRO - 1, 1)
    with refused("currency: not enough"):
        rich.send(Contract.CURRENCY, "transfer", ANN, 2, sender=BOB)
    with refused("currency: not allowed"):
        rich.send(Contract.CURRENCY, "transferFrom", ANN, STRANGER, 1, sender=STRANGER)


@pytest.mark.parametrize("where", ["nobody", "currency", "vault"])
def test_money_is_not_sent_where_nobody_counts_it(rich: World, where: str) -> None:
    to = {
        "nobody": bytes(20),
        "currency": rich.at[Contract.CURRENCY],
        "vault": rich.at[Contract.VAULT],
    }[where]
    reason = "currency: by deposit only" if where == "vault" else "currency: no receiver"
    with refused(reason):
        rich.send(Contract.CURRENCY, "transfer", to, 1, sender=ANN)
    with refused(reason):
        rich.send(Contract.CURRENCY, "mint", *word(rich, to, 1, REF))


def test_money_enters_by_the_keepers_word_and_leaves_with_its_holder(world: World) -> None:
    minted, entered = world.send(Contract.CURRENCY, "mint", *word(world, BOB, 7, REF))
    assert minted.values == {"sender": bytes(20), "receiver": BOB, "value": 7}
    assert entered.values == {"ref": REF, "receiver": BOB, "amount": 7, "day": 0}
    assert world.send(Contract.CURRENCY, "mint", *word(world, BOB, 7, REF)) == []
    assert balance(world, BOB) == 7
    with refused("currency: not enough"):
        world.send(Contract.CURRENCY, "burn", 8, REF, sender=BOB)
    _, left = world.send(Contract.CURRENCY, "burn", 7, REF, sender=BOB)
    assert (left.name, left.values) == ("Left", {"ref": REF, "holder": BOB, "amount": 7})
    assert world.view(Contract.CURRENCY, "totalSupply") == 0


def test_a_permit_allows_once_until_its_deadline(rich: World) -> None:
    vault = rich.at[Contract.VAULT]
    given = permit(rich, "ann", 5)
    (approved,) = rich.send(Contract.CURRENCY, "permit", ANN, vault, 5, *given, sender=BOB)
    assert approved.values == {"owner": ANN, "spender": vault, "value": 5}
    assert rich.view(Contract.CURRENCY, "nonces", ANN) == 1
    with refused("currency: not the owner"):
        rich.send(Contract.CURRENCY, "permit", ANN, vault, 5, *given)
    early = permit(rich, "ann", 5, deadline=1, nonce=1)
    rich.time = 2
    with refused("currency: permit expired"):
        rich.send(Contract.CURRENCY, "permit", ANN, vault, 5, *early)
    rich.time = 1
    rich.send(Contract.CURRENCY, "permit", ANN, vault, 5, *early)
    rich.time = 0


def test_a_permit_has_one_form_of_signature(rich: World) -> None:
    vault = rich.at[Contract.VAULT]
    deadline, v, r, s = permit(rich, "ann", 5)
    assert isinstance(v, int)
    assert isinstance(s, bytes)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(s, "big")).to_bytes(32, "big")
    for wrong, reason in (
        ((deadline, 55 - v, r, high), "currency: signature form"),
        ((deadline, v - 27, r, s), "currency: signature form"),
        ((deadline, v, bytes(32), s), "signing: signature form"),
        ((deadline, 55 - v, r, (2**255 - 1).to_bytes(32, "big")), "signing: signature not low"),
    ):
        with refused(reason):
            rich.send(Contract.CURRENCY, "permit", ANN, vault, 5, *wrong)


def test_deposit_and_withdrawal_move_the_same_money_in_two_books(rich: World) -> None:
    vault = rich.at[Contract.VAULT]
    rich.send(Contract.CURRENCY, "approve", vault, 6 * MICRO, sender=ANN)
    deposited, _ = rich.send(Contract.VAULT, "deposit", 6 * MICRO, sender=ANN)
    assert (deposited.name, deposited.values) == (
        "Deposited",
        {"account": ANN, "amount": 6 * MICRO},
    )
    assert rich.account(ANN) == Account(6 * MICRO)
    assert (balance(rich, ANN), balance(rich, vault)) == (4 * MICRO, 6 * MICRO)
    withdrawn, _ = rich.send(Contract.VAULT, "withdraw", 2 * MICRO, sender=ANN)
    assert (withdrawn.name, withdrawn.values) == (
        "Withdrawn",
        {"account": ANN, "amount": 2 * MICRO},
    )
    assert (balance(rich, ANN), balance(rich, vault)) == (6 * MICRO, 4 * MICRO)
    assert rich.holds()


def test_deposit_needs_an_allowance_the_money_and_an_open_account(rich: World) -> None:
    vault = rich.at[Contract.VAULT]
    with refused("currency: not allowed"):
        rich.send(Contract.VAULT, "deposit", 1, sender=ANN)
    for holder in (ANN, STRANGER):
        rich.send(Contract.CURRENCY, "approve", vault, 2**256 - 1, sender=holder)
    with refused("currency: not enough"):
        rich.send(Contract.VAULT, "deposit", 10 * MICRO + 1, sender=ANN)
    with refused("vault: account not open"):
        rich.send(Contract.VAULT, "deposit", 1, sender=STRANGER)
    with refused("vault: supply"):
        rich.send(Contract.VAULT, "deposit", 2**95, sender=ANN)


def test_deposit_with_permit_needs_nobody_but_the_owners_signature(rich: World) -> None:
    given = permit(rich, "ann", MICRO)
    rich.send(Contract.VAULT, "deposit_with_permit", ANN, MICRO, *given, sender=BOB)
    assert rich.account(ANN) == Account(MICRO)
    assert rich.view(Contract.CURRENCY, "allowance", ANN, rich.at[Contract.VAULT]) == 0
    with refused("currency: not the owner"):
        rich.send(Contract.VAULT, "deposit_with_permit", ANN, MICRO, *given, sender=BOB)


def test_withdrawal_pays_free_money_of_the_caller(rich: World) -> None:
    rich.send(Contract.CURRENCY, "approve", rich.at[Contract.VAULT], MICRO, sender=ANN)
    rich.send(Contract.VAULT, "deposit", MICRO, sender=ANN)
    rich.collect(rich.order("ann", Side.BID))
    free = rich.account(ANN).free
    with refused("vault: not enough free"):
        rich.send(Contract.VAULT, "withdraw", free + 1, sender=ANN)
    rich.send(Contract.VAULT, "withdraw", free, sender=ANN)
    assert rich.holds()


def test_every_micro_unit_of_the_vault_is_there_in_currency(rich: World) -> None:
    """Money that was minted on an account can be taken out by whoever earned it."""
    rich.mint(BOB, MICRO)
    rich.send(Contract.VAULT, "withdraw", MICRO, sender=BOB)
    assert balance(rich, BOB) == MICRO
    assert rich.holds()


def test_the_day_is_the_chains_own() -> None:
    """Tomorrow may be signed today, for an interval after midnight; no later day."""
    world = World(timing=TIMING)
    begins = TIMING.begins
    for now, last in ((0, 1), (begins - 1, 1), (begins + 86_399, 1), (begins + 86_400, 2)):
        world.engine.undo()
        world.time = now
        with refused("door: day ahead"):
            world.send(Contract.VAULT, "mint", *world.warranted(ANN, 1, REF, last + 1))
        world.send(Contract.VAULT, "mint", *world.warranted(ANN, 1, REF, last))


def test_a_mint_is_bound_to_its_chain(world: World) -> None:
    assert world.currency.chain_id == CHAIN
    assert world.view(Contract.CURRENCY, "VAULT") == "0x" + world.at[Contract.VAULT].hex()
