"""What a block's hash binds: every field of it, and through it everything in the block."""

from dataclasses import dataclass

import msgspec
import pytest
from tests.unit.ledger.box import key

from gridpact.crypto.keccak import keccak
from gridpact.ledger.chain import Log, OutboxStep, Outcome
from gridpact.ledger.files.header import (
    Header,
    genesis_hash,
    next_state_chain,
    pack_logs,
    receipt_root,
    steps_root,
    unpack_logs,
)
from gridpact.model.interval import Phase
from gridpact.model.record import Crossing

HEADER = Header(
    chain_id=7,
    number=2,
    time=100,
    parent=keccak(b"parent"),
    key=key(3),
    body_hash=keccak(b"body"),
    transaction_root=keccak(b"transactions"),
    receipt_root=keccak(b"receipts"),
    steps_root=keccak(b"steps"),
    state_chain=keccak(b"state"),
)
OTHER = {
    "chain_id": 8,
    "number": 3,
    "time": 101,
    "key": key(4),
    **dict.fromkeys(("parent", "body_hash", "transaction_root"), keccak(b"other")),
    **dict.fromkeys(("receipt_root", "steps_root", "state_chain"), keccak(b"other")),
}


@pytest.mark.parametrize("field", HEADER.__struct_fields__)
def test_every_field_of_a_header_changes_its_hash(field: str) -> None:
    assert msgspec.structs.replace(HEADER, **{field: OTHER[field]}).hash != HEADER.hash


@pytest.mark.parametrize(
    "other",
    [
        key(4),
        key(3, Phase.CLEAR),
        key(3, part=1),
        msgspec.structs.replace(key(3), region=bytes(32)),
    ],
)
def test_every_part_of_the_key_changes_the_hash(other: object) -> None:
    assert msgspec.structs.replace(HEADER, key=other).hash != HEADER.hash


def test_the_first_parent_binds_name_id_and_operator() -> None:
    first = genesis_hash("north", 7, bytes(20))
    others = {
        genesis_hash("south", 7, bytes(20)),
        genesis_hash("north", 8, bytes(20)),
        genesis_hash("north", 7, b"\1" * 20),
    }
    assert len(others | {first}) == 4


@dataclass(frozen=True)
class Change:
    status: int = 1
    output: bytes = b"out"
    address: bytes = b"\x01" * 20
    topics: tuple[bytes, ...] = (b"\x02" * 32,)
    data: bytes = b"data"

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.status, self.output, (Log(self.address, self.topics, self.data),))


@pytest.mark.parametrize(
    "change",
    [
        Change(status=0),
        Change(output=b"ou"),
        Change(address=b"\x03" * 20),
        Change(topics=()),
        Change(topics=(b"\x02" * 32,) * 2),
        Change(data=b""),
    ],
)
def test_the_receipt_root_covers_status_output_and_logs(change: Change) -> None:
    assert receipt_root([change.outcome]) != receipt_root([Change().outcome])


def test_the_receipt_root_covers_order_and_number() -> None:
    first, second = Change().outcome, Change(status=0).outcome
    roots = {receipt_root(each) for each in ([first], [first, second], [second, first], [])}
    assert len(roots) == 4


def test_the_steps_root_covers_every_field_of_a_step() -> None:
    crossing = Crossing(b"\x05" * 32, "north", "zone", 10)
    steps = [
        OutboxStep(crossing, "sent"),
        OutboxStep(crossing, "received"),
        OutboxStep(msgspec.structs.replace(crossing, id=b"\x06" * 32), "sent"),
        OutboxStep(msgspec.structs.replace(crossing, source="south"), "sent"),
        OutboxStep(msgspec.structs.replace(crossing, target="south"), "sent"),
        OutboxStep(msgspec.structs.replace(crossing, amount=2**90), "sent"),
    ]
    assert len({steps_root([step]) for step in steps}) == len(steps)


def test_the_state_chain_remembers_all_receipts_before() -> None:
    same_end = next_state_chain(next_state_chain(bytes(32), keccak(b"a")), keccak(b"c"))
    assert same_end != next_state_chain(next_state_chain(bytes(32), keccak(b"b")), keccak(b"c"))


def test_logs_come_back_from_their_bytes() -> None:
    logs = Change().outcome.logs + Change(topics=(), data=b"").outcome.logs
    assert unpack_logs(pack_logs(logs)) == logs
