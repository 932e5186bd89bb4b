"""Who tries to make money, or to take it at the door: each attempt is refused, nobody loses."""

from typing import Any

import pytest
from tests import door
from tests.contracts.harness import (
    ANN,
    BOB,
    CHAIN,
    DEVICES,
    MICRO,
    OPERATOR,
    STRANGER,
    World,
    refused,
)
from tests.contracts.reading import Contract

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.model.door import DoorTerms, deposit_digest, mint_digest
from gridpact.model.order import Side
from gridpact.model.participant import Account
from gridpact.model.typed import PERMIT

REF = keccak(b"one deposit")
CAP = 5 * MICRO
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
K = door.KEEPERS
IMPOSTOR = Device.derive(b"door", "impostor")


@pytest.fixture(scope="module")
def founded() -> World:
    """A market whose door lets five units in a day; Ann has one on her account."""
    world = World(door=DoorTerms(door.TERMS.keepers, 2, CAP))
    world.mint(ANN, MICRO)
    world.engine.keep()
    return world


@pytest.fixture
def world(founded: World) -> World:
    founded.engine.undo()
    founded.time = 0
    return founded


def bring(
    world: World,
    account: bytes = BOB,
    amount: int = MICRO,
    day: int = 0,
    ref: bytes = REF,
    digest: bytes | None = None,
    keepers: tuple[Device, ...] = K[:2],
    sender: bytes = OPERATOR,
) -> None:
    """Bring the word of keepers over `digest`, or over just what is asked for."""
    signed = digest or deposit_digest(world.currency, account, amount, ref, day)
    signatures = [compact(keeper.sign(signed)) for keeper in keepers]
    pairs = [(one[:32], one[32:]) for one in signatures]
    world.send(Contract.VAULT, "mint", account, amount, ref, day, pairs, sender=sender)


def unharmed(world: World) -> bool:
    """Say whether no money was made and Ann still has hers."""
    totals = world.view(Contract.VAULT, "totals")
    return totals[0] == MICRO and world.account(ANN) == Account(MICRO) and world.holds()


# the door


def test_operator_mints_without_the_keepers(world: World) -> None:
    with refused("door: too few signatures"):
        bring(world, keepers=())
    assert unharmed(world)


def test_one_keeper_mints_alone(world: World) -> None:
    with refused("door: too few signatures"):
        bring(world, keepers=K[:1])
    with refused("quorum: signers not rising"):
        bring(world, keepers=(K[0], K[0]))
    assert unharmed(world)


def test_a_keeper_brings_a_friend_who_keeps_no_door(world: World) -> None:
    pair = tuple(sorted((K[0], IMPOSTOR), key=lambda one: one.address))
    with refused("door: not a keeper"):
        bring(world, keepers=pair)
    with refused("door: not a keeper"):
        bring(world, keepers=tuple(sorted((*K[:2], IMPOSTOR), key=lambda one: one.address)))
    assert unharmed(world)


@pytest.mark.parametrize("change", ["account", "amount", "day", "ref"])
def test_operator_changes_what_the_keepers_signed(world: World, change: str) -> None:
    signed = deposit_digest(world.currency, BOB, MICRO, REF, 0)
    asked: dict[str, Any] = {
        "account": {"account": ANN},
        "amount": {"amount": 2 * MICRO},
        "day": {"day": 1},
        "ref": {"ref": keccak(REF)},
    }[change]
    with pytest.raises(Exception, match=r"(door: not a keeper|quorum: signers not rising)$"):
        bring(world, digest=signed, **asked)
    assert unharmed(world)


def test_a_mint_is_brought_twice(world: World) -> None:
    bring(world)
    bring(world, sender=BOB)
    assert world.free(BOB) == MICRO
    with refused("door: reference used"):
        bring(world, amount=2 * MICRO)
    with refused("door: reference used"):
        bring(world, account=STRANGER)
    assert world.view(Contract.VAULT, "totals")[0] == 2 * MICRO


def test_one_reference_enters_as_currency_and_as_a_deposit(world: World) -> None:
    bring(world)
    digest = mint_digest(world.currency, STRANGER, MICRO, REF, 0)
    pairs = [(one[:32], one[32:]) for one in (compact(keeper.sign(digest)) for keeper in K[:2])]
    with refused("door: reference used"):
        world.send(Contract.CURRENCY, "mint", STRANGER, MICRO, REF, 0, pairs)


def test_a_deposits_signatures_are_used_to_mint_currency(world: World) -> None:
    digest = deposit_digest(world.currency, STRANGER, MICRO, REF, 0)
    pairs = [(one[:32], one[32:]) for one in (compact(keeper.sign(digest)) for keeper in K[:2])]
    with pytest.raises(Exception, match=r"(door: not a keeper|quorum: signers not rising)$"):
        world.send(Contract.CURRENCY, "mint", STRANGER, MICRO, REF, 0, pairs)
    with refused("currency: not the vault"):
        world.send(Contract.CURRENCY, "mint_deposit", STRANGER, MICRO, REF, 0, pairs)
    assert unharmed(world)


def test_keepers_together_pass_the_daily_cap(world: World) -> None:
    with refused("door: daily cap"):
        bring(world, amount=CAP - MICRO + 1, keepers=K)
    bring(world, amount=CAP - MICRO, keepers=K)
    with refused("door: daily cap"):
        bring(world, amount=1, ref=keccak(REF), keepers=K)
    with refused("door: daily cap"):
        bring(world, amount=CAP + 1, ref=keccak(REF), day=1)


def test_keepers_go_back_to_a_day_that_had_room(world: World) -> None:
    bring(world, day=1)
    with refused("door: day went back"):
        bring(world, ref=keccak(REF), day=0)


def test_keepers_sign_days_ahead_to_open_the_cap(world: World) -> None:
    with refused("door: day ahead"):
        bring(world, day=2)
    assert unharmed(world)


def test_a_mint_of_another_chain_or_contract_is_replayed(world: World) -> None:
    for there in (
        Domain(CHAIN + 1, world.at[Contract.CURRENCY]),
        Domain(CHAIN, world.at[Contract.VAULT]),
        world.domain,
    ):
        with pytest.raises(Exception, match=r"(door: not a keeper|quorum: signers not rising)$"):
            bring(world, digest=deposit_digest(there, BOB, MICRO, REF, 0))
    assert unharmed(world)


def test_a_signatures_twin_counts_as_a_second_keeper(world: World) -> None:
    digest = deposit_digest(world.currency, BOB, MICRO, REF, 0)
    good = K[0].sign(digest)
    high = ORDER - int.from_bytes(good[32:64], "big")
    twin = (high | (28 - good[64]) << 255).to_bytes(32, "big")
    short = compact(good)
    pairs = [(short[:32], short[32:]), (good[:32], twin)]
    with pytest.raises(
        Exception, match=r"(signing: signature not low|quorum: signers not rising)$"
    ):
        world.send(Contract.VAULT, "mint", BOB, MICRO, REF, 0, pairs)
    assert unharmed(world)


# deposits and withdrawals


def permit(world: World, money: int) -> tuple[int, int, bytes, bytes]:
    values = (ANN, world.at[Contract.VAULT], money, 0, 2**40)
    signed = DEVICES["ann"].sign(world.currency.digest(PERMIT.struct_hash(values)))
    return 2**40, signed[64], signed[:32], signed[32:64]


@pytest.fixture
def holding(world: World) -> World:
    """Ann took her unit out: she holds it as currency."""
    world.send(Contract.VAULT, "withdraw", MICRO, sender=ANN)
    return world


def test_a_stranger_uses_up_a_permit_first(holding: World) -> None:
    vault, given = holding.at[Contract.VAULT], permit(holding, MICRO)
    holding.send(Contract.CURRENCY, "permit", ANN, vault, MICRO, *given, sender=STRANGER)
    holding.send(Contract.VAULT, "deposit_with_permit", ANN, MICRO, *given, sender=ANN)
    assert holding.account(ANN) == Account(MICRO)
    assert holding.holds()


def test_a_stranger_brings_a_permit_for_more_or_for_itself(holding: World) -> None:
    given = permit(holding, MICRO // 2)
    with refused("currency: not the owner"):
        holding.send(Contract.VAULT, "deposit_with_permit", ANN, MICRO, *given, sender=STRANGER)
    with refused("currency: not the owner"):
        holding.send(
            Contract.CURRENCY, "permit", ANN, STRANGER, MICRO // 2, *given, sender=STRANGER
        )
    assert holding.view(Contract.CURRENCY, "balanceOf", ANN) == MICRO


def test_a_stranger_takes_currency_that_was_allowed_to_the_vault(holding: World) -> None:
    vault = holding.at[Contract.VAULT]
    holding.send(Contract.CURRENCY, "approve", vault, MICRO, sender=ANN)
    for sender in (STRANGER, BOB, OPERATOR):
        with refused("currency: not allowed"):
            holding.send(Contract.CURRENCY, "transferFrom", ANN, STRANGER, MICRO, sender=sender)
    assert holding.view(Contract.CURRENCY, "balanceOf", ANN) == MICRO


def test_somebody_withdraws_what_is_not_its_own(world: World) -> None:
    for thief in (BOB, STRANGER, OPERATOR):
        with refused("vault: not enough free"):
            world.send(Contract.VAULT, "withdraw", 1, sender=thief)
    assert unharmed(world)


def test_a_buyer_withdraws_what_is_reserved_or_locked(world: World) -> None:
    """Between acceptance and lock, and between lock and settlement, nothing comes out."""
    world.price()
    bid = world.order("ann", Side.BID, energy=1000, price=200_000)
    offer = world.order("bob", Side.OFFER, price=100_000)
    world.collect(bid, offer)
    held = world.account(ANN)
    assert held.reserved > 0
    with refused("vault: not enough free"):
        world.send(Contract.VAULT, "withdraw", held.free + 1, sender=ANN)
    world.send(Contract.VAULT, "withdraw", held.free, sender=ANN)
    with refused("vault: not enough free"):
        world.send(Contract.VAULT, "withdraw", 1, sender=ANN)
    assert world.account(ANN).reserved == held.reserved
    assert world.holds()


def test_the_vaults_currency_is_burned_or_moved_from_outside(world: World) -> None:
    vault = world.at[Contract.VAULT]
    for thief in (OPERATOR, STRANGER):
        with refused("currency: not enough"):
            world.send(Contract.CURRENCY, "burn", 1, REF, sender=thief)
        with refused("currency: by deposit only"):
            world.send(Contract.CURRENCY, "transfer", vault, 0, sender=thief)
    assert unharmed(world)
