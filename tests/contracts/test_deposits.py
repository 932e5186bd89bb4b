"""Deposits that somebody active puts down by its signed word, and where they end."""

import pytest
from tests.contracts.harness import ANN, BOB, DEVICES, MICRO, STRANGER, World, refused
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain.attest import pledge_digest, security_digest
from gridpact.model.participant import Account

DELAY, HOUR = 24, 3600


@pytest.fixture
def rich(world: World) -> World:
    """Bob has ten units."""
    world.mint(BOB, 10 * MICRO)
    return world


def security(
    world: World, amount: int, serial: int = 0, signer: str = "bob", account: bytes = BOB
) -> tuple[bytes, int, tuple[bytes, bytes]]:
    word = compact(DEVICES[signer].sign(security_digest(world.domain, account, amount, serial)))
    return account, amount, (word[:32], word[32:])


def add(world: World, *securities: tuple[bytes, int, tuple[bytes, bytes]]) -> list[Event]:
    return world.send(Contract.REGISTRY, "add_deposits", securities, sender=STRANGER)


def test_a_founding_participant_puts_its_deposit_down_by_its_word(rich: World) -> None:
    (held,) = add(rich, security(rich, 3 * MICRO))
    assert (held.name, held.values) == ("DepositHeld", {"account": BOB, "amount": 3 * MICRO})
    assert rich.account(BOB) == Account(7 * MICRO, 0, 3 * MICRO)
    assert rich.view(Contract.REGISTRY, "deposit", BOB) == (3 * MICRO, 3 * MICRO)


def test_a_security_counts_once_and_more_may_follow(rich: World) -> None:
    first = security(rich, 3 * MICRO)
    add(rich, first)
    with refused("registry: not its signature"):
        add(rich, first)
    add(rich, security(rich, MICRO, serial=1))
    assert rich.view(Contract.REGISTRY, "deposit", BOB) == (4 * MICRO, 4 * MICRO)


def test_nobody_locks_anothers_money(rich: World) -> None:
    with refused("registry: not its signature"):
        add(rich, security(rich, MICRO, signer="ann"))
    pledged = compact(DEVICES["bob"].sign(pledge_digest(rich.domain, BOB, MICRO)))
    with refused("registry: not its signature"):  # a council's bond is another word
        add(rich, (BOB, MICRO, (pledged[:32], pledged[32:])))
    assert rich.account(BOB) == Account(10 * MICRO, 0, 0)


def test_a_deposit_needs_the_money_and_an_active_participant(rich: World) -> None:
    with refused("vault: not enough free"):
        add(rich, security(rich, 10 * MICRO + 1))
    with refused("registry: deposit"):
        add(rich, security(rich, 2**80))
    with refused("registry: other state"):
        add(rich, security(rich, 0, signer="stranger", account=STRANGER))
    rich.send(Contract.REGISTRY, "suspend", BOB, keccak(b"why"))
    with refused("registry: other state"):
        add(rich, security(rich, MICRO))


def test_one_bad_row_undoes_the_batch(rich: World) -> None:
    good = security(rich, MICRO)
    with refused("vault: not enough free"):
        add(rich, good, security(rich, MICRO, signer="ann", account=ANN))
    assert rich.view(Contract.REGISTRY, "deposit", BOB) == (0, 0)


def test_it_comes_back_after_leaving_and_its_word_is_used_up(rich: World) -> None:
    rich.time = 0
    first = security(rich, 3 * MICRO)
    add(rich, first)
    rich.send(Contract.REGISTRY, "leave", sender=BOB)
    with refused("registry: too early"):
        rich.send(Contract.REGISTRY, "return_deposit", BOB)
    rich.time = DELAY * HOUR
    rich.send(Contract.REGISTRY, "return_deposit", BOB, sender=ANN)
    assert rich.account(BOB) == Account(10 * MICRO, 0, 0)
    asked = (keccak(b"certificate"), keccak(b"meter"), 9 << 8 | 2, keccak(b"region"), 0)
    rich.send(Contract.REGISTRY, "apply", asked, sender=BOB)
    rich.send(Contract.REGISTRY, "approve", BOB, asked)
    with refused("registry: not its signature"):
        add(rich, first)
