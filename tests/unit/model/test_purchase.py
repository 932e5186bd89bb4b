"""A record of payments commits to all of them, however many it lists."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.crypto.keccak import keccak
from gridpact.model.purchase import KEPT, PurchaseRecord

BUYER = b"b" * 20


@given(st.lists(st.booleans(), max_size=3 * KEPT))
def test_record_counts_all_and_lists_the_last(past: list[bool]) -> None:
    record, chained = PurchaseRecord(BUYER), bytes(32)
    for number, timely in enumerate(past):
        payment = keccak(bytes([number]))
        record = record.renewed(timely, payment)
        chained = keccak(chained + payment)
    assert (record.serial, record.timely, record.late) == (len(past), sum(past), past.count(False))
    assert record.chained == chained
    assert len(record.payments) == min(len(past), KEPT)
    assert record.root != record.renewed(True, chained).root
