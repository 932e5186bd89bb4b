"""Two engines, one truth: revm and py-evm give the same receipts and the same state."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ledger.box import CHAIN_ID, OPERATOR, the_box

from gridpact.errors import LedgerError
from gridpact.ledger.chain import Call
from gridpact.ledger.evm import pyevm
from gridpact.ledger.evm.engine import EvmEngine, Execution, Moment, has_revm, revert_reason
from gridpact.ledger.evm.state_hash import state_hash
from gridpact.ledger.evm.transactions import create_address, sign

pytestmark = pytest.mark.skipif(not has_revm(), reason="one engine only on this platform")
NOW = Moment(5, 1_700_000_000)
BOX = the_box()


def both() -> list[EvmEngine]:
    from gridpact.ledger.evm import revm

    return [revm.open_engine(CHAIN_ID, {}), pyevm.open_engine(CHAIN_ID, {})]


def run(engine: EvmEngine, call: Call) -> Execution:
    nonce = engine.nonce(OPERATOR.address)
    transaction = sign(OPERATOR, CHAIN_ID, nonce, call.to, call.data)
    return engine.execute(transaction, OPERATOR.address, NOW)


calls = st.one_of(
    st.builds(BOX.put, st.integers(0, 4), st.sampled_from([0, 1, 13, 14, 2**255])),
    st.just(BOX.call("tell", 32, 5, int.from_bytes(b"hello".ljust(32, b"\0"), "big"))),
    st.builds(partial(BOX.call, "attempt"), st.integers(0, 4), st.sampled_from([1, 13])),
    st.just(BOX.call("spawn")),
    st.just(BOX.deploy()),
    st.just(Call(b"", bytes.fromhex("60006000fd"), "deploys nothing")),
    st.just(Call(b"", b"", "empty contract")),
    st.just(Call(BOX.address, b"\x01\x02", "no such function")),
    st.just(Call(b"\x77" * 20, b"hello", "nobody there")),
)
blocks = st.lists(st.tuples(st.lists(calls, max_size=4), st.booleans()), max_size=5)


@settings(max_examples=25, deadline=None)
@given(blocks)
def test_engines_agree_on_receipts_and_state_whatever_is_kept_or_undone(
    given_blocks: list[tuple[list[Call], bool]],
) -> None:
    engines = both()
    for engine in engines:
        run(engine, BOX.deploy())
        engine.keep()
    for block, keep in given_blocks:
        first, second = ([run(engine, call).outcome for call in block] for engine in engines)
        assert first == second
        for engine in engines:
            engine.keep() if keep else engine.undo()
        fast, exact = (engine.state() for engine in engines)
        assert fast == exact


@settings(max_examples=15, deadline=None)
@given(st.lists(calls, max_size=5), st.lists(calls, max_size=5))
def test_an_engine_opened_on_a_read_state_goes_on_as_if_nothing_had_happened(
    before: list[Call], after: list[Call]
) -> None:
    for engine, reopen in zip(both(), _openers(), strict=True):
        for call in [BOX.deploy(), *before]:
            run(engine, call)
        engine.keep()
        again = reopen(CHAIN_ID, engine.state())
        assert [run(engine, call) for call in after] == [run(again, call) for call in after]
        for each in (engine, again):
            each.keep()
        assert state_hash(engine.state()) == state_hash(again.state())


def _openers() -> list:  # type: ignore[type-arg]
    from gridpact.ledger.evm import revm

    return [revm.open_engine, pyevm.open_engine]


def returning(instructions: str) -> bytes:
    """Return init code of a contract that returns what some instructions leave on the stack."""
    body = bytes.fromhex(instructions) + bytes.fromhex("60005260206000f3")
    return b"\x61" + len(body).to_bytes(2, "big") + bytes.fromhex("80600c6000396000f3") + body


@pytest.mark.parametrize(
    ("name", "instructions", "works"),
    [
        ("coinbase", "41", True),
        ("difficulty", "44", True),
        ("gas limit", "45", True),
        ("base fee", "48", True),
        ("gas price", "3a", True),
        ("balance of the operator", "3231", True),
        ("code hash of nobody", "60113f", True),
        ("code hash of the zero address", "60003f", True),
        ("precompile of a later fork", "60006000600060006000600a5af1", True),
        ("push0 of a later fork", "5f", False),
        ("tload of a later fork", "60005c", False),
        ("mcopy of a later fork", "6000600060005e6001", False),
    ],
)
def test_both_engines_run_london_and_see_the_same_world(
    name: str, instructions: str, works: bool
) -> None:
    done = []
    for engine in both():
        at = run(engine, Call(b"", returning(instructions), name)).outcome.output
        done.append(run(engine, Call(at, b"", name)).outcome)
    assert done[0] == done[1]
    assert done[0].status == works


def test_a_contract_that_destroys_itself_is_refused_by_the_engine_that_cannot_close_it() -> None:
    engine = both()[0]
    at = run(engine, Call(b"", returning("32ff"), "destroyer")).outcome.output
    run(engine, Call(at, b"", "destroy"))
    engine.keep()
    with pytest.raises(LedgerError, match="destroyed itself"):
        engine.state()


@pytest.mark.parametrize("index", [0, 1])
def test_a_contract_sees_the_block_the_chain_and_the_operator(index: int) -> None:
    engine = both()[index]
    run(engine, BOX.deploy())
    engine.keep()
    output = engine.view(OPERATOR.address, BOX.address, BOX.call("where").data, NOW).outcome.output
    seen = [int.from_bytes(output[i : i + 32], "big") for i in range(0, 128, 32)]
    assert seen == [5, 1_700_000_000, CHAIN_ID, int.from_bytes(OPERATOR.address, "big")]


@pytest.mark.parametrize("index", [0, 1])
def test_a_view_that_would_change_state_fails_and_changes_nothing(index: int) -> None:
    engine = both()[index]
    run(engine, BOX.deploy())
    engine.keep()
    before = state_hash(engine.state())
    done = engine.view(OPERATOR.address, BOX.address, BOX.put(1, 1).data, NOW)
    assert done.outcome.status == 0
    assert done.failure.startswith("halted")
    assert state_hash(engine.state()) == before


@pytest.mark.parametrize("index", [0, 1])
def test_a_failed_transaction_counts_its_nonce_and_nothing_else(index: int) -> None:
    engine = both()[index]
    run(engine, BOX.deploy())
    engine.keep()
    before = engine.state()
    refused = run(engine, BOX.put(1, 13))
    engine.keep()
    assert refused.failure == "box: unlucky"
    assert refused.outcome.status == 0
    after = dict(engine.state())
    operator = after.pop(OPERATOR.address)
    assert operator.nonce == before[OPERATOR.address].nonce + 1
    assert after == {a: account for a, account in before.items() if a != OPERATOR.address}


@pytest.mark.parametrize("index", [0, 1])
def test_running_out_of_gas_fails_without_output(index: int) -> None:
    engine = both()[index]
    run(engine, BOX.deploy())
    call = BOX.call("burn", 10_000)
    short = sign(OPERATOR, CHAIN_ID, 1, call.to, call.data, gas=60_000)
    done = engine.execute(short, OPERATOR.address, NOW)
    assert (done.outcome.status, done.outcome.output) == (0, b"")
    assert "gas" in done.failure.lower()


@pytest.mark.parametrize("index", [0, 1])
def test_deploying_returns_the_address_that_was_foretold(index: int) -> None:
    engine = both()[index]
    for nonce in range(3):
        done = run(engine, BOX.deploy())
        assert done.outcome.output == create_address(OPERATOR.address, nonce)


@pytest.mark.parametrize("index", [0, 1])
def test_the_state_cannot_be_read_in_the_middle_of_a_block(index: int) -> None:
    engine = both()[index]
    run(engine, BOX.deploy())
    with pytest.raises(LedgerError, match="middle of a block"):
        engine.state()


def test_the_fast_engine_refreshes_itself_without_anybody_noticing() -> None:
    from gridpact.ledger.evm import revm

    fresh, plain = both()
    for engine in (fresh, plain):
        run(engine, BOX.deploy())
        engine.keep()
    for block in range(3):
        for at in range(revm._FRESH_AFTER // 2):
            run(fresh, BOX.put(at % 300, 20 + at + block))
        fresh.keep()
    for slot in range(300):
        last = max(at for at in range(revm._FRESH_AFTER // 2) if at % 300 == slot)
        run(plain, BOX.put(slot, 20 + last + 2))
    plain.keep()
    storage = [engine.state()[BOX.address].storage for engine in (fresh, plain)]
    assert storage[0] == storage[1]
    assert fresh.nonce(OPERATOR.address) == 1 + 3 * (revm._FRESH_AFTER // 2)


def test_a_revert_reason_is_text_a_panic_its_code_and_anything_else_hexadecimal() -> None:
    text = (32).to_bytes(32, "big") + (5).to_bytes(32, "big") + b"vault".ljust(32, b"\0")
    assert revert_reason(bytes.fromhex("08c379a0") + text) == "vault"
    assert revert_reason(bytes.fromhex("4e487b71") + (17).to_bytes(32, "big")) == "panic 0x11"
    assert revert_reason(bytes.fromhex("08c379a0")) == "0x08c379a0"
    assert revert_reason(b"") == "no reason given"
