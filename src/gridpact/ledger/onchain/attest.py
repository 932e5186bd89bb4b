"""What a council signs: the batches in which the contracts execute a settlement, or hold fills.

A settlement's batch is named by its key, number, step and rows (`attested.vy: begin`), one of
holds by its place and rows (`verdicts.vy: hold`); the quorum signs the list of all
(`council.vy: attest`). Amounts follow from the rows by the contracts' own rule.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias, TypeVar

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, arguments, pack
from gridpact.model.interval import Key
from gridpact.model.record import Settlement, Verdicts
from gridpact.model.typed import BATCHES, PLEDGE, SECURITY
from gridpact.quantities import Money

BATCH = 128
SETTLE, BILL, LOSS = 2, 3, 4
"""The steps of `settlement.vy` and `supply.vy` under one key."""

HOLDS = keccak(b"Holds(bytes32 region,uint64 interval,bytes32 holds)")

Signed: TypeAlias = Settlement | Verdicts
"""What is executed only by the council's word; of verdicts, that is, the holds."""

T = TypeVar("T")


def in_batches(rows: Sequence[T], size: int = BATCH) -> Iterator[tuple[int, Sequence[T]]]:
    """Yield (number, rows) per batch; an empty list is one empty batch, for its key must stand."""
    for number, first in enumerate(range(0, max(len(rows), 1), size)):
        yield number, rows[first : first + size]


def batches(key: Key, record: Signed) -> list[bytes]:
    """Return the names of all batches of a record, in the order of their calls.

    Fills that are settled net are in none: the council signs their part by itself.
    """
    return _held(key, record) if isinstance(record, Verdicts) else _settled(key, record)


def _held(key: Key, said: Verdicts) -> list[bytes]:
    return [
        keccak(
            pack(HOLDS, key.region, key.interval, keccak(_listed(list(map(packing.hold, some)))))
        )
        for _, some in in_batches(said.holds)
        if some
    ]


def _settled(key: Key, settlement: Settlement) -> list[bytes]:
    fills = list(zip(settlement.fills, settlement.deliveries, strict=True))
    names = []
    for number, some in in_batches(fills) if settlement.net is None else ():
        rows = [packing.settlement(fill, delivery) for fill, delivery in some]
        names.append(_name(key, number, SETTLE, _listed(rows)))
    for number, bills in in_batches(settlement.bills):
        names.append(_name(key, number, BILL, _listed(list(map(packing.bill, bills)))))
    if settlement.network_loss_wh:
        names.append(_name(key, 0, LOSS, pack(settlement.network_loss_wh)))
    return names


def batches_digest(domain: Domain, key: Key, epoch: int, record: Signed) -> bytes:
    """Return what the members of an epoch sign of a record."""
    listed = keccak(_listed(batches(key, record)))
    values = (key.region, key.interval, key.part, epoch, listed)
    return domain.digest(BATCHES.struct_hash(values))


def pledge_digest(domain: Domain, account: bytes, amount: Money, serial: int = 0) -> bytes:
    """Return what somebody signs to pledge a bond; `serial` counts its pledges."""
    return domain.digest(PLEDGE.struct_hash((account, amount, serial)))


def security_digest(domain: Domain, account: bytes, amount: Money, serial: int = 0) -> bytes:
    """Return what a participant signs to add to its deposit; `serial` counts its securities."""
    return domain.digest(SECURITY.struct_hash((account, amount, serial)))


def _listed(rows: Sequence[bytes]) -> bytes:
    return arguments(Rows(rows))


def _name(key: Key, number: int, step: int, rows: bytes) -> bytes:
    return keccak(key.packed + pack(number, step) + keccak(rows))
