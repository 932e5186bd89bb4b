"""What every chain promises: embedded on both engines, and on a node. One suite for the port."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.ledger.box import CHAIN_ID, FOUND, OPERATOR, Box, key, stranger
from tests.unit.ledger.places import InFile, OnNode, Place

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import (
    InvalidTransaction,
    LedgerError,
    LedgerLocked,
    Reverted,
    WriteConflict,
)
from gridpact.ledger.chain import Call, OpenChain, OutboxStep, Receipt
from gridpact.ledger.evm import pyevm, revm
from gridpact.ledger.evm.transactions import create_address, sign
from gridpact.model.record import Crossing

ANN, BOB = stranger("ann"), stranger("bob")
CROSSING = Crossing(b"\7" * 32, "north", "zone", 5)


@pytest.fixture(params=["revm", "py-evm", "anvil"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Place]]:
    """Open the place as a new process does: whatever was open before is closed."""
    path, opened = tmp_path / "chain.db", list[Place]()
    url = request.getfixturevalue("node_url") if request.param == "anvil" else ""

    def anew() -> Place:
        for place in opened:
            place.close()
        engine = pyevm.open_engine if request.param == "py-evm" else revm.open_engine
        opened[:] = [OnNode(path, url) if url else InFile(path, engine)]
        return opened[0]

    yield anew
    for place in opened:
        place.close()


@pytest.fixture
def bare(again: Callable[[], Place]) -> OpenChain:
    return again().open()


@pytest.fixture
def chain(bare: OpenChain, box: Box) -> OpenChain:
    bare.execute(FOUND, b"found", [box.deploy()])
    return bare


def sent(sender: PrivateKey, nonce: int, call: Call) -> bytes:
    """Return a call as a signed transaction with gas that a node's block has room for."""
    return sign(sender, CHAIN_ID, nonce, call.to, call.data, 500_000).raw


def _total(chain: OpenChain, box: Box) -> int:
    return int.from_bytes(chain.view(box.call("total")), "big")


def test_calls_happen_in_order_and_their_record_is_kept(chain: OpenChain, box: Box) -> None:
    calls = [box.put(1, 5), box.put(2, 7), box.put(1, 1)]
    head, outcomes = chain.execute(key(1), b"record", calls)
    assert [int.from_bytes(done.output, "big") for done in outcomes] == [5, 12, 8]
    assert [done.logs[0].data for done in outcomes] == [n.to_bytes(32, "big") for n in (5, 7, 1)]
    assert [done.logs[0].address for done in outcomes] == [box.address] * 3
    assert all(done.status == 1 for done in outcomes)
    assert _total(chain, box) == 8
    assert chain.body(key(1)) == b"record"
    assert chain.head() == head == chain.written_at(key(1))


def test_a_deployment_returns_the_address_that_follows_from_its_place(
    bare: OpenChain, box: Box
) -> None:
    calls = [box.deploy(), box.put(1, 5), box.deploy()]
    _, outcomes = bare.execute(FOUND, b"", calls)
    assert outcomes[0].output == create_address(bare.operator, 0) == box.address
    assert outcomes[2].output == create_address(bare.operator, 2)
    assert _total(bare, box) == 5


def test_a_refusal_names_its_reason_and_leaves_nothing(chain: OpenChain, box: Box) -> None:
    chain.execute(key(1), b"first", [box.put(1, 5)])
    before = chain.head(), chain.state_hash(), _total(chain, box)
    with pytest.raises(Reverted) as refused:
        chain.execute(key(2), b"second", [box.put(1, 6), box.put(2, 13), box.put(3, 1)])
    assert (refused.value.reason, refused.value.call) == ("box: unlucky", "put")
    assert before == (chain.head(), chain.state_hash(), _total(chain, box))
    assert chain.body(key(2)) is None
    assert chain.written_at(key(2)) is None
    chain.execute(key(2), b"second", [box.put(1, 6)])
    assert chain.body(key(2)) == b"second"


def test_a_refused_deployment_leaves_nothing(bare: OpenChain, box: Box) -> None:
    before = bare.head()
    with pytest.raises(Reverted, match="box: unlucky"):
        bare.execute(FOUND, b"", [box.deploy(), box.put(1, 13)])
    assert bare.head() == before
    bare.execute(FOUND, b"", [box.deploy()])
    assert _total(bare, box) == 0


def test_a_taken_key_is_refused_whatever_it_brings(chain: OpenChain, box: Box) -> None:
    for body in (b"found", b"other"):
        with pytest.raises(WriteConflict):
            chain.execute(FOUND, body, [box.put(1, 1)])
    assert _total(chain, box) == 0
    assert chain.body(FOUND) == b"found"


def test_a_proposal_says_what_would_happen_and_is_forgotten(chain: OpenChain, box: Box) -> None:
    before = chain.head(), chain.state_hash()
    proposed = chain.propose([box.put(1, 5), box.put(2, 7)])
    with pytest.raises(Reverted, match="box: unlucky"):
        chain.propose([box.put(1, 5), box.put(2, 13)])
    assert (chain.head(), chain.state_hash()) == before
    assert _total(chain, box) == 0
    assert chain.execute(key(1), b"", [box.put(1, 5), box.put(2, 7)])[1] == proposed


def test_a_view_changes_nothing_and_names_what_fails(chain: OpenChain, box: Box) -> None:
    state = chain.state_hash()
    with pytest.raises(Reverted, match="box: unlucky"):
        chain.view(box.put(1, 13))
    with pytest.raises(Reverted, match="nonsense"):
        chain.view(Call(box.address, b"\1\2\3\4", "nonsense"))
    assert chain.state_hash() == state


def test_heads_and_states_move_with_what_is_written(chain: OpenChain, box: Box) -> None:
    heads, states = [chain.head()], [chain.state_hash()]
    for interval in range(1, 4):
        heads.append(chain.execute(key(interval), b"", [box.put(interval, 5)])[0])
        states.append(chain.state_hash())
    assert [head.number for head in heads] == sorted({head.number for head in heads})
    assert len({head.hash for head in heads}) == len(set(states)) == 4


def test_a_record_without_calls_stands_too(chain: OpenChain) -> None:
    head, outcomes = chain.execute(key(1), b"words only", [])
    assert outcomes == ()
    assert chain.written_at(key(1)) == head
    assert chain.body(key(1)) == b"words only"


def test_what_was_written_is_there_after_opening_again(
    again: Callable[[], Place], box: Box
) -> None:
    first = again().open()
    first.execute(FOUND, b"found", [box.deploy()])
    heads = [first.execute(key(n), bytes([n]), [box.put(n, n + 20)])[0] for n in (1, 2)]
    state = first.state_hash()
    second = again().open()
    assert [second.written_at(key(n)) for n in (1, 2)] == heads
    assert [second.body(key(n)) for n in (1, 2)] == [b"\1", b"\2"]
    assert (second.head(), second.state_hash()) == (heads[1], state)
    second.execute(key(3), b"", [box.put(1, 1)])
    assert _total(second, box) == 23


def test_steps_of_a_crossing_are_taken_in_order(again: Callable[[], Place], box: Box) -> None:
    place = again()
    north, zone = place.open(), place.open("zone", type(OPERATOR).derive(b"test", "zone"))
    north.execute(FOUND, b"", [box.deploy()])
    with pytest.raises(LedgerError, match="cannot be received after"):
        zone.execute(key(1), b"", [], [OutboxStep(CROSSING, "received")])
    north.execute(key(1), b"", [box.put(1, 1)], [OutboxStep(CROSSING, "sent")])
    zone.execute(key(1), b"", [], [OutboxStep(CROSSING, "received")])
    with pytest.raises(LedgerError, match="cannot be refused after"):
        zone.execute(key(2), b"", [], [OutboxStep(CROSSING, "refused")])
    north.execute(key(2), b"", [], [OutboxStep(CROSSING, "confirmed")])
    assert zone.written_at(key(2)) is None


def test_two_chains_do_not_touch_each_other(again: Callable[[], Place], box: Box) -> None:
    place, other = again(), type(OPERATOR).derive(b"test", "zone")
    north, zone = place.open(), place.open("zone", other)
    theirs = Box(box.code, box.selectors, create_address(other.address, 0))
    north.execute(FOUND, b"", [box.deploy()])
    zone.execute(FOUND, b"", [theirs.deploy()])
    north.execute(key(1), b"north", [box.put(1, 5)])
    assert _total(zone, theirs) == 0
    assert zone.body(key(1)) is None
    zone.execute(key(1), b"zone", [theirs.put(1, 7)])
    assert north.body(key(1)) == b"north"
    assert _total(north, box) == 5


def test_a_chain_is_not_opened_by_another_operator(again: Callable[[], Place]) -> None:
    place = again()
    place.open()
    with pytest.raises(LedgerError, match="chain north has id 7001"):
        place.open(operator=type(OPERATOR).derive(b"test", "somebody else"))


def test_two_processes_do_not_write_to_one_file(again: Callable[[], Place], tmp_path: Path) -> None:
    kind = type(again())
    with pytest.raises(LedgerLocked):
        kind(tmp_path / "chain.db", *([revm.open_engine] if kind is InFile else ["http://nowhere"]))  # type: ignore[call-arg]


def test_a_chain_says_who_it_is(bare: OpenChain) -> None:
    assert (bare.name, bare.chain_id, bare.operator) == ("north", CHAIN_ID, OPERATOR.address)
    bare.execute(FOUND, b"1", [])
    with pytest.raises(WriteConflict) as caught:
        bare.execute(FOUND, b"2", [])
    assert (caught.value.first, caught.value.second) == (keccak(b"1"), keccak(b"2"))


# anybody's transactions


def test_a_strangers_transaction_is_executed_and_has_a_receipt(chain: OpenChain, box: Box) -> None:
    receipt = chain.submit(sent(ANN, 0, box.put(1, 5)))
    assert (receipt.outcome.status, receipt.position) == (1, 0)
    assert [log.data for log in receipt.outcome.logs] == [(5).to_bytes(32, "big")]
    assert chain.view(box.call("last"))[12:] == ANN.address
    assert chain.receipt(receipt.transaction) == receipt
    assert chain.receipt(bytes(32)) is None
    assert chain.head() == receipt.block


def test_a_refused_transaction_stands_with_status_0_and_its_nonce_counts(
    chain: OpenChain, box: Box
) -> None:
    refused = chain.submit(sent(ANN, 0, box.put(1, 13)))
    assert (refused.outcome.status, refused.outcome.logs) == (0, ())
    assert _total(chain, box) == 0
    assert chain.submit(sent(ANN, 1, box.put(1, 6))).outcome.status == 1


def test_many_are_taken_in_order_whatever_the_others_are(chain: OpenChain, box: Box) -> None:
    answers = chain.submit_many(
        [
            sent(ANN, 0, box.put(1, 5)),
            b"not a transaction",
            sent(BOB, 0, box.put(1, 13)),
            sent(ANN, 5, box.put(1, 6)),
            sent(BOB, 1, box.put(1, 7)),
            sent(ANN, 1, box.put(2, 1)),
        ]
    )
    taken = [answer.outcome.status for answer in answers if isinstance(answer, Receipt)]
    assert taken == [1, 0, 1, 1]
    assert [at for at, one in enumerate(answers) if isinstance(one, InvalidTransaction)] == [1, 3]
    assert "leaves a gap" in str(answers[3])
    assert _total(chain, box) == 8
    assert chain.submit_many([]) == ()


def test_the_same_bytes_again_return_the_first_receipt(chain: OpenChain, box: Box) -> None:
    raw = sent(ANN, 0, box.put(1, 5))
    first = chain.submit(raw)
    assert chain.submit(raw) == first
    assert chain.submit_many([raw, raw]) == (first, first)
    with pytest.raises(InvalidTransaction, match="nonce 0 is used"):
        chain.submit(sent(ANN, 0, box.put(1, 6)))
    assert _total(chain, box) == 5


def test_records_and_anybodys_transactions_go_side_by_side(chain: OpenChain, box: Box) -> None:
    for interval in range(1, 4):
        chain.execute(key(interval), b"", [box.put(interval, 20)])
        chain.submit(sent(ANN, interval - 1, box.put(interval + 10, 1)))
    assert _total(chain, box) == 63
    assert all(chain.written_at(key(interval)) for interval in range(1, 4))


def test_a_transaction_of_another_chain_is_not_taken(chain: OpenChain, box: Box) -> None:
    call = box.put(1, 5)
    elsewhere = sign(ANN, CHAIN_ID + 1, 0, call.to, call.data, 200_000).raw
    with pytest.raises(InvalidTransaction, match="chain id"):
        chain.submit(elsewhere)
    with pytest.raises(InvalidTransaction, match="only the operator may"):
        chain.submit(sent(ANN, 0, box.deploy()))
    assert _total(chain, box) == 0
