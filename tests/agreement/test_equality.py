"""Our engines and anvil come to the same; the whole campaign is `python -m bench equality`."""

import random

from bench.equality import Found, ample_gas, compare, short_of_gas
from bench.traffic import recorded

from gridpact.ledger.evm.state_hash import StateAccount

SEED = 5_002


def test_random_transactions_come_to_the_same_here_and_on_anvil() -> None:
    found = Found()
    for chain in recorded(SEED):
        ample_gas(chain, random.Random(SEED), found)
    assert found.differences == []
    assert found.transactions > 150
    assert min(found.succeeded, found.failed, found.logs, found.slots) > 15
    assert len(found.kinds) > 5


def test_running_out_of_gas_and_the_gas_used_are_the_same_on_py_evm_and_anvil() -> None:
    found = Found()
    for chain in recorded(SEED):
        short_of_gas(chain, random.Random(SEED), found, 100)
    assert found.differences == []
    assert found.out_of_gas > 20
    assert found.succeeded > 20


def test_a_slot_a_nonce_or_an_account_that_differs_is_told() -> None:
    of = recorded(SEED)[0]
    one = {b"a" * 20: StateAccount(1, 0, b"code", {7: 8})}
    others = [
        {b"a" * 20: StateAccount(1, 0, b"code", {7: 9})},
        {b"a" * 20: StateAccount(2, 0, b"code", {7: 8})},
        one | {b"b" * 20: StateAccount(1, 0, b"", {})},
    ]
    for other in (one, *others):
        found = Found()
        compare(of, one, other, found)
        assert len(found.differences) == (other != one)
