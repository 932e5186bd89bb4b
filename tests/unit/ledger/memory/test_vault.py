"""Nothing appears or is lost, whatever is asked of the vault; a refusal leaves no trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import Reverted
from gridpact.ledger.memory.vault import Journalled, PlainVault, Pot
from gridpact.model.participant import Account

NAMES = [bytes([n]) * 20 for n in range(4)]
who, money, pot = st.sampled_from(NAMES), st.integers(-5, 60), st.sampled_from(Pot)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("mint"), who, money, st.binary(min_size=1, max_size=1)),
        st.tuples(st.just("burn"), who, money, st.binary(min_size=1, max_size=1)),
        st.tuples(st.just("shift"), who, pot, pot, money),
        st.tuples(st.just("pay"), who, pot, who, money),
        st.tuples(st.just("depart"), who, money),
        st.tuples(st.just("arrive"), who, money),
    ),
    max_size=40,
)


def _opened() -> PlainVault:
    vault = PlainVault()
    for name in NAMES[:3]:
        vault.open(name)
        vault.mint(name, 50, b"deposit" + name)
    for journal in vault.journals():
        journal.keep()
    return vault


@given(moves)
def test_nothing_is_minted_or_lost(asked: list[tuple[object, ...]]) -> None:
    vault = _opened()
    for verb, *given_ in asked:
        before = dict(vault.all()), vault.totals()
        try:
            getattr(vault, str(verb))(*given_)
        except Reverted:
            for journal in vault.journals():
                journal.undo()
            assert (dict(vault.all()), vault.totals()) == before
        else:
            for journal in vault.journals():
                journal.keep()
        assert vault.totals().holds
        assert all(min(a.free, a.reserved, a.locked) >= 0 for a in vault.all().values())
    assert NAMES[3] not in vault.all()


def test_a_reference_is_used_once_at_each_door() -> None:
    vault = _opened()
    with pytest.raises(Reverted, match="reference"):
        vault.mint(NAMES[0], 1, b"deposit" + NAMES[0])
    vault.mint(NAMES[0], 50, b"deposit" + NAMES[0])
    assert vault.free(NAMES[0]) == 50
    vault.burn(NAMES[0], 1, b"cash")
    with pytest.raises(Reverted, match="reference"):
        vault.burn(NAMES[0], 1, b"cash")


def test_a_day_lets_in_at_most_its_cap_and_never_comes_back() -> None:
    vault = _opened()
    vault.daily_cap = 160
    vault.mint(NAMES[0], 10, b"one")
    with pytest.raises(Reverted, match="daily cap"):
        vault.mint(NAMES[0], 1, b"two")
    vault.mint(NAMES[0], 160, b"two", day=1)
    with pytest.raises(Reverted, match="went back"):
        vault.mint(NAMES[0], 0, b"three", day=0)


@pytest.mark.parametrize("verb", ["mint", "burn"])
def test_no_negative_amount_passes_the_door(verb: str) -> None:
    vault = _opened()
    with pytest.raises(Reverted, match="negative"):
        getattr(vault, verb)(NAMES[0], -1, b"new")


def test_money_goes_through_its_pots() -> None:
    vault = _opened()
    vault.shift(NAMES[0], Pot.FREE, Pot.RESERVED, 30)
    vault.shift(NAMES[0], Pot.RESERVED, Pot.LOCKED, 20)
    vault.pay(NAMES[0], Pot.LOCKED, NAMES[1], 15)
    vault.depart(NAMES[0], 10)
    assert vault.account(NAMES[0]) == Account(20, 0, 5)
    assert vault.account(NAMES[1]) == Account(65)
    assert vault.totals().transit == 10
    vault.arrive(NAMES[2], 10)
    assert vault.account(NAMES[2]) == Account(60)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=20), st.integers(0, 20))
def test_a_journal_goes_back_to_what_was_kept(puts: list[tuple[int, int]], kept: int) -> None:
    journal: Journalled[int, int] = Journalled()
    for key, value in puts[:kept]:
        journal.put(key, value)
    journal.keep()
    before = dict(journal.items)
    for key, value in puts[kept:]:
        journal.put(key, value)
    journal.undo()
    assert journal.items == before
